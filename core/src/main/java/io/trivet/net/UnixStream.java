package io.trivet.net;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * A Unix domain stream of Linux. It is a {@link TcpStream} in every respect but these: it has no urgent data, and no options of TCP.
 * Its addresses stand for {@linkplain UnixAddress Unix addresses}. It can pass descriptors to another process (man 7 unix,
 * SCM_RIGHTS). {@link Network#connect(InetSocketAddress)} and {@link TcpListener#accept} of a Linux network return one for a Unix
 * address.
 *
 * <p><b>No reset.</b> A Unix stream cannot be reset. If it is closed while bytes that the peer has sent are unread, the peer's next
 * read after the remaining bytes throws {@link ErrorCode#ECONNRESET}. Otherwise the peer reads an end of input, even if
 * bytes were dropped before they were sent.
 */
public interface UnixStream extends TcpStream {
    /** The maximum number of descriptors in one message: SCM_MAX_FD. */
    int DESCRIPTORS_MAX = 253;

    /**
     * Writes bytes, and passes descriptors with the first of them. The sockets stay open, and belong to both processes.
     *
     * @param buffer the bytes, at least 1; its position advances by the bytes written
     * @param sockets the sockets to pass, up to {@link #DESCRIPTORS_MAX}
     * @return the number of bytes written; the descriptors have been passed with them. 0: it would block, and none was passed
     * @throws IllegalArgumentException no bytes, or too many sockets
     * @throws NetworkException as {@link #write(ByteBuffer)}; {@link ErrorCode#ETOOMANYREFS}: too many descriptors of this user are
     *     on their way
     * @throws IOException this stream or a socket is closed
     */
    int write(ByteBuffer buffer, List<? extends Socket> sockets) throws IOException;

    /**
     * Reads bytes, and receives the descriptors that were passed with them. They are closed on exec. One read returns those of one
     * message.
     *
     * <p>{@link #read(ByteBuffer)} receives no descriptors: the kernel closes those that were passed with the bytes that it reads.
     *
     * @param buffer receives the bytes
     * @param received receives the descriptors, in order; unlike others, {@link Descriptor#close} closes them
     * @param max the maximum number of descriptors, from 0 to {@link #DESCRIPTORS_MAX}
     * @return the number of bytes, as for {@link #read(ByteBuffer)}
     * @throws DescriptorsLostException more than {@code max} were passed, or this process has none left; all descriptors of the message
     *     are closed. The bytes have been read
     * @throws NetworkException as {@link #read(ByteBuffer)}
     * @throws IOException the stream is closed
     */
    int read(ByteBuffer buffer, List<? super Descriptor> received, int max) throws IOException;

    /**
     * Returns the process at the other end.
     *
     * @return its numbers, as when it connected or started to listen
     * @throws IOException the stream is closed
     */
    default PeerCredentials peerCredentials() throws IOException {
        return getOption(UnixOptions.PEER_CREDENTIALS);
    }
}
