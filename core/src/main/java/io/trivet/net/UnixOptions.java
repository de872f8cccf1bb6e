package io.trivet.net;

import java.net.SocketOption;

/**
 * Options of Unix domain streams, for {@link Socket#getOption}. Linux only; other networks throw
 * {@link UnsupportedOperationException}, and so do sockets of other kinds. Threads: any.
 *
 * @param <T> the type of the value
 */
public final class UnixOptions<T> implements SocketOption<T> {
    /** SO_PEERCRED: the process at the other end. It cannot be set. man 7 unix. */
    public static final UnixOptions<PeerCredentials> PEER_CREDENTIALS = new UnixOptions<>("PEER_CREDENTIALS",
            PeerCredentials.class);

    private final String name;
    private final Class<T> type;

    private UnixOptions(String name, Class<T> type) {
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
