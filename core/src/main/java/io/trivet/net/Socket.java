package io.trivet.net;

import java.io.IOException;
import java.net.SocketOption;

/**
 * What {@link TcpListener}, {@link TcpStream}, {@link UdpSocket}, the ends of a {@link Pipe} and a {@link Descriptor} have in
 * common: an open file of the kernel that can be ready.
 *
 * <p><b>Threads.</b> One thread at a time, except {@link #close}, which any thread may call. On Linux closing a socket does not
 * wake a thread that waits for it (shutting it down does): take it out of the lists first.
 */
public interface Socket extends Selectable, AutoCloseable {
    /**
     * The network that opened this socket.
     *
     * @return the network; sockets of different {@linkplain Network#family families} cannot stand in one call
     */
    Network network();

    /**
     * The number of the descriptor, as the C calls know it.
     *
     * @return the number, or -1 once closed
     * @throws UnsupportedOperationException the network has no descriptors (java.nio)
     */
    int fd();

    /**
     * Whether {@link #close} has not been called yet.
     *
     * @return true until then
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
     * Reads an option. The kernel may answer another value than was set: Linux doubles buffer sizes.
     *
     * @param option the option
     * @param <T> the type of the value
     * @return its value
     * @throws UnsupportedOperationException this kind of socket, or this network, has no such option
     * @throws NetworkException the kernel refuses it
     * @throws IOException the socket is closed
     */
    <T> T getOption(SocketOption<T> option) throws IOException;

    /** {@inheritDoc} A socket is its own. */
    @Override
    default Socket socket() {
        return this;
    }

    /**
     * Closes the socket; a second time does nothing. A TCP stream that still holds unread input is closed by a reset, which can
     * destroy the last reply on its way: end the output and read to the end first where that matters.
     *
     * @throws IOException the kernel reports an error; the descriptor is gone all the same
     */
    @Override
    void close() throws IOException;
}
