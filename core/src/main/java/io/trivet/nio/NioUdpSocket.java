package io.trivet.nio;

import io.trivet.net.Addresses;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.NetworkException;
import io.trivet.net.UdpSocket;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.UnsupportedAddressTypeException;
import org.jspecify.annotations.Nullable;

/** A UDP socket on a {@link DatagramChannel}. */
final class NioUdpSocket extends NioSocket implements UdpSocket {
    private static final InetSocketAddress UNBOUND = unbound();

    private final DatagramChannel channel;
    private final String name;

    NioUdpSocket(NioNetwork network, DatagramChannel channel) throws IOException {
        super(network, channel);
        this.channel = channel;
        InetSocketAddress bound = (InetSocketAddress) channel.getLocalAddress();
        name = bound == null ? "udp socket" : "udp socket " + Addresses.toString(bound);
    }

    @Override
    int ops(int interest) {
        return ((interest & Interest.READ) != 0 ? SelectionKey.OP_READ : 0)
                | ((interest & Interest.WRITE) != 0 ? SelectionKey.OP_WRITE : 0);
    }

    @Override
    public void connect(InetSocketAddress address) throws IOException {
        checkOpen();
        NioNetwork.resolved(address);
        try {
            channel.disconnect(); // java.nio cannot change the peer of a connected channel
            channel.connect(address);
        } catch (UnsupportedAddressTypeException e) {
            throw unreachable(address, e);
        } catch (IOException e) {
            throw failure("connect", e);
        }
    }

    @Override
    public @Nullable InetSocketAddress receive(ByteBuffer buffer) throws IOException {
        checkOpen();
        try {
            return (InetSocketAddress) channel.receive(buffer);
        } catch (IOException e) {
            throw failure("recvfrom", e);
        }
    }

    @Override
    public boolean send(ByteBuffer buffer, @Nullable InetSocketAddress address) throws IOException {
        checkOpen();
        InetSocketAddress peer = peer();
        InetSocketAddress to = address == null ? peer : address;
        if (to == null) {
            throw new NetworkException("sendto", this, ErrorCode.EDESTADDRREQ);
        }
        NioNetwork.resolved(to);
        int length = buffer.remaining();
        if (length == 0 && peer != null) {
            throw new UnsupportedOperationException(
                    "java.nio cannot send an empty datagram to a connected peer: " + NioNetwork.ALTERNATIVES);
        }
        try {
            // java.nio returns 0 for a datagram that would block, and for an empty one that was sent.
            return channel.send(buffer, to) == length;
        } catch (UnsupportedAddressTypeException e) {
            throw unreachable(address, e);
        } catch (AlreadyConnectedException e) {
            NetworkException failure = new NetworkException("sendto", address, ErrorCode.EISCONN,
                    "EISCONN, a connected socket of java.nio can send only to its peer");
            failure.initCause(e);
            throw failure;
        } catch (IOException e) {
            throw failure("sendto", e);
        }
    }

    private @Nullable InetSocketAddress peer() throws IOException {
        try {
            return (InetSocketAddress) channel.getRemoteAddress();
        } catch (IOException e) {
            throw failure("getpeername", e);
        }
    }

    private static IllegalArgumentException unreachable(@Nullable InetSocketAddress address, RuntimeException e) {
        return new IllegalArgumentException("an IPv4 socket cannot reach " + address, e);
    }

    @Override
    public InetSocketAddress localAddress() throws IOException {
        checkOpen();
        try {
            InetSocketAddress bound = (InetSocketAddress) channel.getLocalAddress();
            return bound == null ? UNBOUND : bound;
        } catch (IOException e) {
            throw failure("getsockname", e);
        }
    }

    private static InetSocketAddress unbound() {
        try {
            return new InetSocketAddress(InetAddress.getByAddress(new byte[4]), 0);
        } catch (IOException e) {
            throw new AssertionError("4 bytes are an address", e);
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
