package io.trivet.net;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** A UDP socket. Readable when a datagram waits, also one of length 0. Threads: see {@link Socket}. */
public interface UdpSocket extends Socket {
    /**
     * Fixes the peer: only its datagrams arrive, and an ICMP error about it is reported by the next call.
     *
     * @param address the peer
     * @throws IOException the kernel refuses, or the socket is closed
     */
    void connect(InetSocketAddress address) throws IOException;

    /**
     * Takes the next datagram. What does not fit into the buffer is lost, as always with UDP.
     *
     * @param buffer where its bytes go; its position moves by their number
     * @return who sent it, or null: none is waiting
     * @throws NetworkException {@link ErrorCode#ECONNREFUSED} once, when a connected peer is not there
     * @throws IOException the socket is closed
     */
    @Nullable
    InetSocketAddress receive(ByteBuffer buffer) throws IOException;

    /**
     * Sends a datagram.
     *
     * @param buffer its bytes; the position moves to the limit when it was sent
     * @param address to whom; null: to the connected peer
     * @return true: sent; false: it would block, nothing was sent
     * @throws NetworkException {@link ErrorCode#EMSGSIZE} when it is too long, or another error
     * @throws IOException the socket is closed
     */
    boolean send(ByteBuffer buffer, @Nullable InetSocketAddress address) throws IOException;

    /**
     * The address it is bound to.
     *
     * @return the address
     * @throws IOException the socket is closed
     */
    InetSocketAddress localAddress() throws IOException;
}
