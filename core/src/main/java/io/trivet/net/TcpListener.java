package io.trivet.net;

import java.io.IOException;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * A listening socket, for TCP or Unix domain streams. It is readable when a connection waits to be accepted. Threads: see
 * {@link Socket}.
 */
public interface TcpListener extends Socket {
    /**
     * Accepts the next waiting connection, if there is one. The peer may already have reset it: then the first read reports that.
     *
     * @return the connection, non-blocking and close-on-exec, or null: none is waiting
     * @throws NetworkException {@link ErrorCode#EMFILE} or similar if no descriptors are left (the connection keeps waiting, and
     *     the listener stays readable: back off), or another error of the kernel
     * @throws IOException the listener is closed
     */
    @Nullable
    TcpStream accept() throws IOException;

    /**
     * Returns the address it listens on, with the port that the kernel chose if 0 was requested.
     *
     * @return the address; it may stand for a {@link UnixAddress}
     * @throws IOException the listener is closed
     */
    InetSocketAddress localAddress() throws IOException;

    /**
     * Notes that another process listens with a copy of the descriptor. Closing this listener then closes only its own descriptor:
     * clients that wait are left to the other process, and so is the file of a Unix domain socket.
     *
     * @return true if the file would have been removed; the other process should {@linkplain #ownFile own} it. False, as by default: there
     *     is none, or it is not this listener's
     */
    default boolean share() {
        return false;
    }

    /**
     * Makes the file of a Unix domain socket this listener's: it is removed when the listener is closed. Called if the process that has
     * created it {@linkplain #share shares} it. Does nothing, as by default, for other listeners.
     *
     * @throws IOException the file cannot be examined
     */
    default void ownFile() throws IOException {}
}
