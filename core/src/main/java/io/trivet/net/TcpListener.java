package io.trivet.net;

import java.io.IOException;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** A TCP socket that listens. Readable when a connection waits to be accepted. Threads: see {@link Socket}. */
public interface TcpListener extends Socket {
    /**
     * Takes the next connection that is waiting, if there is one. It may already have been reset by its peer: then the first
     * read on it says so.
     *
     * @return the connection, non-blocking and close-on-exec, or null: no one is waiting
     * @throws NetworkException {@link ErrorCode#EMFILE} and its kin when descriptors have run out (the connection keeps waiting,
     *     and the listener stays readable: back off), or another error of the kernel
     * @throws IOException the listener is closed
     */
    @Nullable
    TcpStream accept() throws IOException;

    /**
     * The address it listens on, with the port that the kernel chose when 0 was asked for.
     *
     * @return the address
     * @throws IOException the listener is closed
     */
    InetSocketAddress localAddress() throws IOException;
}
