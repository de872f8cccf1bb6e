package io.trivet.sim;

import io.trivet.net.Addresses;
import io.trivet.net.ErrorCode;
import io.trivet.net.UdpSocket;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** The descriptor of a UDP socket. */
final class SimUdpSocket extends SimSocket implements UdpSocket {
    /** 65,535 less the IP and UDP headers. */
    private static final int DATAGRAM_BYTES_MAX = 65_507;
    /** net.core.wmem_default and rmem_default. */
    private static final int BUFFER_BYTES = 212_992;
    private static final InetAddress ANY = InetAddress.ofLiteral("0.0.0.0");

    private final UdpEndpoint end;
    private final SocketOptions options;
    private final String name;

    SimUdpSocket(SimHost host, UdpEndpoint end, int number) {
        super(host, end, number);
        this.end = end;
        this.options = new SocketOptions(BUFFER_BYTES, BUFFER_BYTES);
        this.name = "udp socket, descriptor " + number;
    }

    @Override
    SocketOptions options() {
        return options;
    }

    @Override
    public void connect(InetSocketAddress address) throws IOException {
        checkOpen();
        SimHost.checkResolved(address);
        if (end.local.getPort() == 0) {
            host.kernel.udp.bind(end, new InetSocketAddress(host.source(address), 0));
        } else if (end.local.getAddress().isAnyLocalAddress()) {
            end.local = new InetSocketAddress(host.source(address), end.local.getPort());
        }
        end.remote = address;
    }

    @Override
    public @Nullable InetSocketAddress receive(ByteBuffer buffer) throws IOException {
        checkOpen();
        throwPending("recvfrom", end);
        if (isInterrupted() || (end.hasWaiting() && host.faults.happens(Fault.READ_WOULD_BLOCK))) {
            return null;
        }
        UdpEndpoint.Datagram datagram = end.take();
        if (datagram == null) {
            return null;
        }
        byte[] bytes = datagram.bytes();
        buffer.put(bytes, 0, Math.min(bytes.length, buffer.remaining()));
        return datagram.from();
    }

    @Override
    public boolean send(ByteBuffer buffer, @Nullable InetSocketAddress address) throws IOException {
        checkOpen();
        if (buffer.remaining() > DATAGRAM_BYTES_MAX) {
            throw failure("sendto", ErrorCode.EMSGSIZE);
        }
        InetSocketAddress to = address == null ? end.remote : address;
        if (to == null) {
            throw failure("sendto", ErrorCode.EDESTADDRREQ);
        }
        SimHost.checkResolved(to);
        throwPending("sendto", end);
        if (isInterrupted() || host.faults.happens(Fault.WRITE_WOULD_BLOCK)) {
            return false;
        }
        if (end.local.getPort() == 0) {
            host.kernel.udp.bind(end, new InetSocketAddress(ANY, 0));
        }
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        InetAddress own = end.local.getAddress();
        InetSocketAddress from = own.isAnyLocalAddress() ? new InetSocketAddress(host.source(to), end.local.getPort())
                : end.local;
        if (host.kernel.isTraced()) {
            host.kernel.trace(end + " sends a datagram of " + bytes.length + " to " + Addresses.toString(to));
        }
        host.kernel.udp.send(end, new UdpEndpoint.Datagram(bytes, from), to);
        return true;
    }

    @Override
    public InetSocketAddress localAddress() throws IOException {
        checkOpen();
        return end.local;
    }

    @Override
    public String toString() {
        return name;
    }
}
