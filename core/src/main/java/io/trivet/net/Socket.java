package io.trivet.net;

import java.io.IOException;
import java.net.SocketOption;

/**
 * The common type of {@link TcpListener}, {@link TcpStream}, {@link UdpSocket}, the ends of a {@link Pipe}, and
 * {@link Descriptor}: an open file of the kernel whose readiness can be watched.
 *
 * <p><b>Threads.</b> One thread at a time, except {@link #close}, which any thread may call. On Linux, closing a socket does not
 * wake a thread that waits for it (shutting it down does): remove it from the lists first.
 *
 * <p><b>Buffers.</b> Reads and writes accept every buffer. A direct buffer is used in place. A buffer over the memory of a shared
 * or confined {@link java.lang.foreign.Arena} is held or copied during the call: a thread that closes a shared arena meanwhile
 * gets an {@link IllegalStateException}. If the arena is closed already, the call throws that exception; if it belongs to another
 * thread, a {@link WrongThreadException}. In both cases nothing is transferred.
 */
public interface Socket extends Selectable, AutoCloseable {
    /**
     * Returns the network that opened this socket.
     *
     * @return the network; one call cannot mix sockets of different {@linkplain Network#family families}
     */
    Network network();

    /**
     * Returns the number of the descriptor.
     *
     * @return the number, or -1 once closed
     * @throws UnsupportedOperationException the network has no descriptors (java.nio)
     */
    int fd();

    /**
     * Returns whether the socket is open: {@link #close} has not been called yet.
     *
     * @return true until it is closed
     */
    boolean isOpen();

    /**
     * Sets an option: one of {@link java.net.StandardSocketOptions}, or one of {@link TcpOptions}.
     *
     * @param option the option
     * @param value its new value
     * @param <T> the type of the value
     * @throws UnsupportedOperationException this kind of socket, or this network, has no such option
     * @throws NetworkException the kernel refuses it
     * @throws IOException the socket is closed
     */
    <T> void setOption(SocketOption<T> option, T value) throws IOException;

    /**
     * Returns the value of an option. The kernel may return a different value than was set: Linux doubles buffer sizes.
     *
     * @param option the option
     * @param <T> the type of the value
     * @return its value
     * @throws UnsupportedOperationException this kind of socket, or this network, has no such option
     * @throws NetworkException the kernel refuses it
     * @throws IOException the socket is closed
     */
    <T> T getOption(SocketOption<T> option) throws IOException;

    /** {@inheritDoc} A socket returns itself. */
    @Override
    default Socket socket() {
        return this;
    }

    /**
     * Closes the socket. Closing it again does nothing. Closing a TCP stream that still has unread input sends a reset, which can
     * destroy the last reply on its way. Where that matters, first shut down the output and read to the end.
     *
     * @throws IOException the kernel reports an error; the descriptor is closed nevertheless
     */
    @Override
    void close() throws IOException;
}
