package io.trivet.net;

/**
 * A feature that not every network supports. Call {@link Network#supports} before using one. An unsupported operation throws an
 * {@link UnsupportedOperationException}, whose message names networks that support it.
 */
public enum Capability {
    /** Urgent (out-of-band) TCP data can be sent and received, and is reported as {@link Interest#PRIORITY}. */
    URGENT_DATA,
    /** Sockets have descriptors: {@link Socket#fd}, {@link Descriptor}, and {@code Select} with {@code FdSet}. */
    DESCRIPTORS,
    /** Regular files, directories and devices such as /dev/null can be watched (they are always ready); epoll refuses them. */
    REGULAR_FILES,
    /**
     * TCP connections have the keep-alive options and the user timeout of {@link TcpOptions}, by which an application chooses how
     * soon a dead peer is noticed.
     */
    KEEP_ALIVE_OPTIONS,
    /**
     * An accepted TCP connection has the options that its listener had when the client connected. So an option can be set once at the
     * listener, by {@link Network#listen(java.net.InetSocketAddress, int, ListenOptions)}, in place of a system call for each connection.
     * A network that reports this must support that method: a server uses it.
     */
    INHERITED_OPTIONS
}
