package io.trivet.net;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** A UDP socket. It is readable when a datagram waits, even one of length 0. Threads: see {@link Socket}. */
public interface UdpSocket extends Socket {
    /**
     * Connects the socket to a peer: only datagrams from this peer are received, and after an ICMP error about the peer the next
     * call throws it.
     *
     * @param address the peer
     * @throws IOException the kernel refuses, or the socket is closed
     */
    void connect(InetSocketAddress address) throws IOException;

    /**
     * Receives the next datagram. Bytes that do not fit into the buffer are lost, as always with UDP.
     *
     * @param buffer receives the bytes; its position advances by their number
     * @return the sender's address, or null: no datagram is waiting
     * @throws NetworkException {@link ErrorCode#ECONNREFUSED} once, if the connected peer does not exist
     * @throws IOException the socket is closed
     */
    @Nullable
    InetSocketAddress receive(ByteBuffer buffer) throws IOException;

    /**
     * Sends a datagram.
     *
     * @param buffer the bytes; its position advances to the limit if the datagram was sent
     * @param address the receiver; null: the connected peer
     * @return true: it was sent; false: it would block
     * @throws NetworkException {@link ErrorCode#EMSGSIZE} if it is too long, or another error
     * @throws IOException the socket is closed
     */
    boolean send(ByteBuffer buffer, @Nullable InetSocketAddress address) throws IOException;

    /**
     * Returns the address it is bound to.
     *
     * @return the address
     * @throws IOException the socket is closed
     */
    InetSocketAddress localAddress() throws IOException;
}
