package io.trivet.net;

import java.io.IOException;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** A listening TCP socket. It is readable when a connection waits to be accepted. Threads: see {@link Socket}. */
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
     * @return the address
     * @throws IOException the listener is closed
     */
    InetSocketAddress localAddress() throws IOException;
}
