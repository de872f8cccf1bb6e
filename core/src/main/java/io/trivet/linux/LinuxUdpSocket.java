package io.trivet.linux;

import io.trivet.net.UdpSocket;
import java.io.IOException;
import java.lang.ref.Reference;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** A UDP socket. */
final class LinuxUdpSocket extends LinuxSocket implements UdpSocket {
    private final int family;
    /** The descriptor, for {@link #toString}, also after close. */
    private final int number;

    LinuxUdpSocket(LinuxNetwork network, int fd, int family) {
        super(network, fd);
        this.family = family;
        this.number = fd;
    }

    @Override
    public void connect(InetSocketAddress address) throws IOException {
        int open = open();
        Scratch scratch = Scratch.ofThread();
        int length = SocketAddress.write(address, family, scratch.address);
        check("connect", Libc.connect(open, scratch.address.address(), length));
    }

    @Override
    public @Nullable InetSocketAddress receive(ByteBuffer buffer) throws IOException {
        int open = open();
        Scratch scratch = Scratch.ofThread();
        long to = scratch.incomingAddress(buffer);
        long sender = scratch.address.address();
        long senderLength = scratch.addressLength();
        try {
            long result = to == DirectAddresses.NONE
                    ? HeldLibc.recvfrom(open, scratch.held(buffer), scratch.length(), 0, sender, senderLength)
                    : Libc.recvfrom(open, to, scratch.length(), 0, sender, senderLength);
            if (result == 0) {
                return SocketAddress.read(scratch.address); // an empty datagram
            }
            return readResult("recvfrom", result, buffer, scratch) > 0 ? SocketAddress.read(scratch.address) : null;
        } finally {
            Reference.reachabilityFence(buffer); // the kernel knows its memory only by address
        }
    }

    @Override
    public boolean send(ByteBuffer buffer, @Nullable InetSocketAddress address) throws IOException {
        int open = open();
        Scratch scratch = Scratch.ofThread();
        int addressLength = address == null ? 0 : SocketAddress.write(address, family, scratch.address);
        long to = address == null ? 0 : scratch.address.address();
        long from = scratch.outgoing(buffer, 0);
        if (scratch.isCut()) {
            throw failure("sendto", Errno.EMSGSIZE); // no datagram is longer than 64 KiB
        }
        try {
            long result = Libc.sendto(open, from, scratch.length(), Libc.MSG_NOSIGNAL, to, addressLength);
            if (result == -Errno.EAGAIN || result == -Errno.EINTR) {
                return false;
            }
            if (result < 0) {
                throw failure("sendto", (int) -result);
            }
            scratch.advance(buffer, scratch.length());
            return true;
        } finally {
            Reference.reachabilityFence(buffer);
        }
    }

    @Override
    public InetSocketAddress localAddress() throws IOException {
        return socketName();
    }

    @Override
    public String toString() {
        return "udp socket, descriptor " + number;
    }
}
