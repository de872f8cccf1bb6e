package io.trivet.net;

/** What not every network can do. Ask {@link Network#supports} beforehand; what cannot be done throws, and says what can. */
public enum Capability {
    /** Urgent (out-of-band) TCP data: sent, received, and seen as {@link Interest#PRIORITY}. */
    URGENT_DATA,
    /** Sockets have numbers: {@link Socket#fd}, {@link Descriptor}, and the {@code FdSet} form of the call. */
    DESCRIPTORS,
    /** Regular files can be watched (they are always ready); epoll refuses them. */
    REGULAR_FILES
}
