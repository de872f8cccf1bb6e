package io.trivet.sim;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The UDP sockets that are bound, and the way between them. */
final class UdpStack {
    private static final int PORT_MIN = 32_768;
    private static final int PORT_MAX = 60_999;

    private final Kernel kernel;
    private final List<UdpEndpoint> bound = new ArrayList<>();
    private int nextPort = PORT_MIN;

    UdpStack(Kernel kernel) {
        this.kernel = kernel;
    }

    void bind(UdpEndpoint end, InetSocketAddress address) throws NetworkException {
        int port = address.getPort();
        if (port == 0) {
            port = freePort(address);
        } else if (isTaken(port, address.getAddress())) {
            throw new NetworkException("bind", address, ErrorCode.EADDRINUSE);
        }
        end.local = new InetSocketAddress(address.getAddress(), port);
        bound.add(end);
    }

    private boolean isTaken(int port, InetAddress address) {
        for (int i = 0; i < bound.size(); i++) {
            InetSocketAddress other = bound.get(i).local;
            if (other.getPort() == port && (other.getAddress().equals(address) || other.getAddress().isAnyLocalAddress()
                    || address.isAnyLocalAddress())) {
                return true;
            }
        }
        return false;
    }

    private int freePort(InetSocketAddress address) throws NetworkException {
        for (int tried = 0; tried <= PORT_MAX - PORT_MIN; tried++) {
            int port = nextPort;
            nextPort = port == PORT_MAX ? PORT_MIN : port + 1;
            if (!isTaken(port, address.getAddress())) {
                return port;
            }
        }
        throw new NetworkException("bind", address, ErrorCode.EADDRINUSE);
    }

    void remove(UdpEndpoint end) {
        bound.remove(end);
    }

    private @Nullable UdpEndpoint at(InetSocketAddress address) {
        for (int i = 0; i < bound.size(); i++) {
            if (bound.get(i).isAt(address)) {
                return bound.get(i);
            }
        }
        return null;
    }

    /** Sends a datagram on its way; it may be lost, doubled or late. */
    void send(UdpEndpoint from, UdpEndpoint.Datagram datagram, InetSocketAddress to) {
        FaultInjector faults = kernel.faults;
        if (faults.happens(Fault.DATAGRAM_LOST)) {
            kernel.trace(Fault.DATAGRAM_LOST, from);
            return;
        }
        int copies = faults.happens(Fault.DATAGRAM_DUPLICATED) ? 2 : 1;
        for (int i = 0; i < copies; i++) {
            if (faults.happens(Fault.DATAGRAM_LATE)) {
                long delay = faults.random(Fault.DATAGRAM_LATE).between(1_000, 1_000_000_000);
                kernel.events.schedule(new EventQueue.Event() {
                    @Override
                    void fire() {
                        arrive(from, datagram, to);
                    }
                }, kernel.now() + delay);
            } else {
                arrive(from, datagram, to);
            }
        }
    }

    private void arrive(UdpEndpoint from, UdpEndpoint.Datagram datagram, InetSocketAddress to) {
        UdpEndpoint receiver = at(to);
        if (receiver == null || !receiver.isFor(datagram)) {
            from.unreachable(to);
        } else {
            receiver.arrive(datagram);
        }
    }
}
