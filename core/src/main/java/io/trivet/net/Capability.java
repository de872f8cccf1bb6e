package io.trivet.net;

/**
 * A feature that not every network supports. Ask {@link Network#supports} beforehand; otherwise an unsupported operation throws,
 * and its message names networks that support it.
 */
public enum Capability {
    /** Urgent (out-of-band) TCP data can be sent and received, and is reported as {@link Interest#PRIORITY}. */
    URGENT_DATA,
    /** Sockets have descriptors: {@link Socket#fd}, {@link Descriptor}, and {@code Select} with {@code FdSet}. */
    DESCRIPTORS,
    /** Regular files can be watched (they are always ready); epoll refuses them. */
    REGULAR_FILES
}
