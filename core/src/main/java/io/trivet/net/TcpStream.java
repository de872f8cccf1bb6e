package io.trivet.net;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;

/**
 * A TCP connection, or a Unix domain stream ({@link UnixStream}). No method waits: 0 means would block, -1 means end of input. Threads: see {@link Socket}.
 *
 * <p><b>Urgent data.</b> When a stream is in the third list, read the urgent byte with {@link #receiveUrgent} <em>before</em>
 * ordinary data: an ordinary read at the mark, even one that would block, destroys it (Linux {@code tcp_recvmsg}; measured).
 */
public interface TcpStream extends Socket {
    /**
     * Returns whether the connect that {@link Network#connect} started has succeeded. Call it when the stream is writable.
     *
     * @return true: connected; false: still connecting
     * @throws NetworkException the connect failed, for instance {@link ErrorCode#ECONNREFUSED}; repeated calls throw the same
     *     error. ECONNREFUSED also reports a connection of the stream to itself. If nothing listens at a local port, the system
     *     may choose that port as the stream's own, and TCP then connects the stream to itself (RFC 9293, 3.5)
     * @throws IOException the stream is closed
     */
    boolean finishConnect() throws IOException;

    /**
     * Reads the bytes that have arrived, up to the free space of the buffer, whose position advances by the bytes read. A read
     * stops at the urgent mark.
     *
     * @param buffer receives the bytes; the kernel writes directly into a direct buffer, another kind costs a copy
     * @return the number of bytes; 0: it would block (or the buffer is full); -1: the peer has ended its output, and all bytes
     *     were read
     * @throws NetworkException {@link ErrorCode#ECONNRESET} once after a reset, then end of input; or another error
     * @throws IOException the stream is closed
     */
    int read(ByteBuffer buffer) throws IOException;

    /**
     * Writes as many bytes as the socket accepts, which may be only a part. The buffer's position advances by the bytes written.
     *
     * @param buffer the bytes from position to limit
     * @return the number of bytes written; 0: it would block (or the buffer is empty)
     * @throws NetworkException {@link ErrorCode#EPIPE} after the output was shut down or the peer has reset the connection; or
     *     another error
     * @throws IOException the stream is closed
     */
    int write(ByteBuffer buffer) throws IOException;

    /**
     * Writes several buffers in one call (man 2 sendmsg), in order. Their positions advance by the bytes written.
     *
     * @param buffers the buffers
     * @param from the index of the first buffer
     * @param count the number of buffers; an implementation may write fewer in one call
     * @return the number of bytes written; 0: it would block (or all buffers are empty)
     * @throws NetworkException as {@link #write(ByteBuffer)}
     * @throws IOException the stream is closed
     * @throws IndexOutOfBoundsException the range is not within the array
     */
    long write(ByteBuffer[] buffers, int from, int count) throws IOException;

    /**
     * Sends bytes of a file without copying them through this process (man 2 sendfile). The call may wait for the disk.
     *
     * @param file the file, opened by this stream's network
     * @param position the index of the first byte in the file
     * @param count the number of bytes, at least 1
     * @return the number of bytes written, maybe only a part; 0: it would block; {@link SendableFile#ENDED};
     *     {@link SendableFile#UNSUPPORTED}, as by default
     * @throws NetworkException as {@link #write(ByteBuffer)}; {@link ErrorCode#EIO} if the file cannot be read
     * @throws IOException the stream is closed
     */
    default long sendFile(SendableFile file, long position, long count) throws IOException {
        if (!isOpen()) {
            throw new ClosedChannelException();
        }
        return SendableFile.UNSUPPORTED;
    }

    /**
     * Sends one byte as urgent data (man 2 send, MSG_OOB). The receiver holds at most one: an older urgent byte that was not yet
     * received becomes ordinary data.
     *
     * @param b the byte
     * @return true: it was sent; false: it would block
     * @throws UnsupportedOperationException the network does not support it ({@link Capability#URGENT_DATA})
     * @throws NetworkException as {@link #write(ByteBuffer)}
     * @throws IOException the stream is closed
     */
    boolean sendUrgent(byte b) throws IOException;

    /**
     * Receives the urgent byte (man 2 recv, MSG_OOB). With {@link TcpOptions#URGENT_INLINE} it is part of the ordinary data
     * instead.
     *
     * @return 0 to 255, or -1: none is waiting, it was already received, or an ordinary read has destroyed it
     * @throws UnsupportedOperationException the network does not support it ({@link Capability#URGENT_DATA})
     * @throws NetworkException as {@link #read}
     * @throws IOException the stream is closed
     */
    int receiveUrgent() throws IOException;

    /**
     * Returns whether the read position is at the urgent mark (man 3 sockatmark).
     *
     * @return true at the mark
     * @throws UnsupportedOperationException the network does not support it ({@link Capability#URGENT_DATA})
     * @throws IOException the stream is closed
     */
    boolean atMark() throws IOException;

    /**
     * Shuts down the input. On Linux, bytes that arrive later can still be read; on java.nio every further read returns -1.
     *
     * @throws NetworkException not connected, or another error
     * @throws IOException the stream is closed
     */
    void shutdownInput() throws IOException;

    /**
     * Shuts down the output: the peer reads to the end of input. Reading is still possible. A later write throws
     * {@link ErrorCode#EPIPE}.
     *
     * @throws NetworkException not connected, or another error
     * @throws IOException the stream is closed
     */
    void shutdownOutput() throws IOException;

    /**
     * Returns the local address of the connection.
     *
     * @return the address; it may stand for a {@link UnixAddress}, usually {@linkplain UnixAddress#unnamed an unnamed one}
     * @throws IOException the stream is closed
     */
    InetSocketAddress localAddress() throws IOException;

    /**
     * Returns the peer's address, even after the peer has closed the connection.
     *
     * @return the address that was connected to, or that the connection was accepted from; it may stand for a {@link UnixAddress},
     *     usually {@linkplain UnixAddress#unnamed an unnamed one} if it was accepted
     * @throws IOException the stream is closed
     */
    InetSocketAddress remoteAddress() throws IOException;
}
