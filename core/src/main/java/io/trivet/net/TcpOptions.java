package io.trivet.net;

import java.net.SocketOption;

/**
 * Options that {@link java.net.StandardSocketOptions} lacks, for {@link Socket#setOption} and {@link Socket#getOption}. Linux
 * only; other networks throw {@link UnsupportedOperationException}. Threads: any.
 *
 * @param <T> the type of the value
 */
public final class TcpOptions<T> implements SocketOption<T> {
    /**
     * SO_RCVLOWAT: the socket is readable only when at least this many bytes have arrived (or at the end of input). Bytes;
     * default 1. man 7 socket.
     */
    public static final TcpOptions<Integer> RECEIVE_LOW_WATER = new TcpOptions<>("RECEIVE_LOW_WATER", Integer.class);
    /** TCP_NOTSENT_LOWAT: the socket is writable only while fewer than this many bytes are unsent. Bytes. man 7 tcp. */
    public static final TcpOptions<Integer> NOT_SENT_LOW_WATER = new TcpOptions<>("NOT_SENT_LOW_WATER", Integer.class);
    /** SO_OOBINLINE: urgent data is delivered within the ordinary data. man 7 socket. */
    public static final TcpOptions<Boolean> URGENT_INLINE = new TcpOptions<>("URGENT_INLINE", Boolean.class);
    /**
     * TCP_USER_TIMEOUT: how long sent data may stay unacknowledged before the connection is aborted. Milliseconds; 0: default.
     * man 7 tcp.
     */
    public static final TcpOptions<Integer> USER_TIMEOUT_MILLIS = new TcpOptions<>("USER_TIMEOUT_MILLIS", Integer.class);
    /** TCP_KEEPIDLE: idle time before the first keep-alive probe. Seconds. man 7 tcp. */
    public static final TcpOptions<Integer> KEEP_ALIVE_IDLE_SECONDS = new TcpOptions<>("KEEP_ALIVE_IDLE_SECONDS", Integer.class);
    /** TCP_KEEPINTVL: time between keep-alive probes. Seconds. man 7 tcp. */
    public static final TcpOptions<Integer> KEEP_ALIVE_INTERVAL_SECONDS = new TcpOptions<>("KEEP_ALIVE_INTERVAL_SECONDS",
            Integer.class);
    /** TCP_KEEPCNT: number of unanswered keep-alive probes after which the connection is aborted. man 7 tcp. */
    public static final TcpOptions<Integer> KEEP_ALIVE_PROBES = new TcpOptions<>("KEEP_ALIVE_PROBES", Integer.class);

    private final String name;
    private final Class<T> type;

    private TcpOptions(String name, Class<T> type) {
        this.name = name;
        this.type = type;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Class<T> type() {
        return type;
    }

    @Override
    public String toString() {
        return name;
    }
}
