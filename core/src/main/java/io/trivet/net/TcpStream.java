package io.trivet.net;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;

/**
 * One TCP connection. Nothing here waits: "would block" is 0, the end of input is -1. Threads: see {@link Socket}.
 *
 * <p><b>Urgent data.</b> When a socket stands in the third list, take the urgent byte with {@link #receiveUrgent} <em>before</em>
 * reading: a plain read at the mark, even one that would block, destroys it (Linux {@code tcp_recvmsg}; measured).
 */
public interface TcpStream extends Socket {
    /**
     * Asks whether the connection that {@link Network#connect} began is there. Ask when the stream is writable.
     *
     * @return true: connected; false: still connecting
     * @throws NetworkException why it failed, for instance {@link ErrorCode#ECONNREFUSED}; the same again if asked again
     * @throws IOException the stream is closed
     */
    boolean finishConnect() throws IOException;

    /**
     * Reads what has arrived, up to what is free in the buffer; its position moves by the bytes read. A read stops at the urgent
     * mark.
     *
     * @param buffer where the bytes go; a direct one is filled by the kernel, another costs a copy
     * @return the number of bytes; 0: it would block (or the buffer is full); -1: the peer has finished, and all was read
     * @throws NetworkException {@link ErrorCode#ECONNRESET} once after a reset, then the end of input; or another error
     * @throws IOException the stream is closed
     */
    int read(ByteBuffer buffer) throws IOException;

    /**
     * Writes as much as the socket takes; the buffer's position moves by that. A write may take a part.
     *
     * @param buffer the bytes from position to limit
     * @return the number of bytes taken; 0: it would block (or the buffer is empty)
     * @throws NetworkException {@link ErrorCode#EPIPE} after the output was ended or the peer has reset; or another error
     * @throws IOException the stream is closed
     */
    int write(ByteBuffer buffer) throws IOException;

    /**
     * Writes several buffers in one call (man 2 sendmsg); their positions move by what was taken, the first ones first.
     *
     * @param buffers the buffers
     * @param from the index of the first
     * @param count how many; an implementation may take fewer in one call
     * @return the number of bytes taken; 0: it would block (or all are empty)
     * @throws NetworkException as {@link #write(ByteBuffer)}
     * @throws IOException the stream is closed
     * @throws IndexOutOfBoundsException from and count do not lie in the array
     */
    long write(ByteBuffer[] buffers, int from, int count) throws IOException;

    /**
     * Sends one byte as urgent data (man 2 send, MSG_OOB). At most one is pending at the receiver: an older one that was not yet
     * taken becomes ordinary data.
     *
     * @param b the byte
     * @return true: sent; false: it would block, nothing was sent
     * @throws UnsupportedOperationException the network cannot ({@link Capability#URGENT_DATA})
     * @throws NetworkException as {@link #write(ByteBuffer)}
     * @throws IOException the stream is closed
     */
    boolean sendUrgent(byte b) throws IOException;

    /**
     * Takes the urgent byte (man 2 recv, MSG_OOB). With {@link TcpOptions#URGENT_INLINE} it lies in the ordinary data instead.
     *
     * @return 0 to 255, or -1: none is waiting, it was taken already, or a plain read has destroyed it
     * @throws UnsupportedOperationException the network cannot ({@link Capability#URGENT_DATA})
     * @throws NetworkException as {@link #read}
     * @throws IOException the stream is closed
     */
    int receiveUrgent() throws IOException;

    /**
     * Whether the read position stands at the urgent mark (man 3 sockatmark).
     *
     * @return true at the mark
     * @throws UnsupportedOperationException the network cannot ({@link Capability#URGENT_DATA})
     * @throws IOException the stream is closed
     */
    boolean atMark() throws IOException;

    /**
     * Ends the input. On Linux bytes that arrive later can still be read; on java.nio every read gives -1 from now on.
     *
     * @throws NetworkException not connected, or another error
     * @throws IOException the stream is closed
     */
    void shutdownInput() throws IOException;

    /**
     * Ends the output: the peer reads to the end. We may still read. A later write gives {@link ErrorCode#EPIPE}.
     *
     * @throws NetworkException not connected, or another error
     * @throws IOException the stream is closed
     */
    void shutdownOutput() throws IOException;

    /**
     * Our address of the connection.
     *
     * @return the address
     * @throws IOException the stream is closed
     */
    InetSocketAddress localAddress() throws IOException;

    /**
     * The peer's address, also after the peer has gone.
     *
     * @return the address that was connected to, or accepted from
     * @throws IOException the stream is closed
     */
    InetSocketAddress remoteAddress() throws IOException;
}
