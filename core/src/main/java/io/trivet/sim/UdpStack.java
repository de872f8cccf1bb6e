package io.trivet.sim;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** UDP on the simulated network: which sockets are bound, and the delivery of datagrams. */
final class UdpStack {
    private static final long LATE_NANOS_MIN = 1_000;
    private static final long LATE_NANOS_MAX = 1_000_000_000;

    private final Kernel kernel;
    private final List<UdpEndpoint> bound = new ArrayList<>();
    private final EphemeralPorts ports = new EphemeralPorts();

    UdpStack(Kernel kernel) {
        this.kernel = kernel;
    }

    /** Binds a socket. Port 0 selects a free port. */
    void bind(UdpEndpoint end, InetSocketAddress address) throws NetworkException {
        int port = address.getPort() == 0
                ? ports.find(each -> !isTaken(each, address.getAddress()))
                : address.getPort();
        if (port == 0 || isTaken(port, address.getAddress())) {
            throw new NetworkException("bind", address, ErrorCode.EADDRINUSE);
        }
        end.local = new InetSocketAddress(address.getAddress(), port);
        bound.add(end);
    }

    private boolean isTaken(int port, InetAddress address) {
        for (int i = 0; i < bound.size(); i++) {
            InetSocketAddress other = bound.get(i).local;
            if (other.getPort() == port && TcpStack.overlap(other.getAddress(), address)) {
                return true;
            }
        }
        return false;
    }

    void remove(UdpEndpoint end) {
        bound.remove(end);
    }

    private @Nullable UdpEndpoint find(InetSocketAddress address) {
        for (int i = 0; i < bound.size(); i++) {
            if (bound.get(i).isBoundTo(address)) {
                return bound.get(i);
            }
        }
        return null;
    }

    /** Sends a datagram, which may be lost, duplicated or late. */
    void send(UdpEndpoint from, UdpEndpoint.Datagram datagram, InetSocketAddress to) {
        FaultInjector faults = kernel.faults;
        if (faults.happens(Fault.DATAGRAM_LOST)) {
            kernel.trace(Fault.DATAGRAM_LOST, from);
            return;
        }
        int copies = faults.happens(Fault.DATAGRAM_DUPLICATED) ? 2 : 1;
        for (int i = 0; i < copies; i++) {
            if (faults.happens(Fault.DATAGRAM_LATE)) {
                long delay = faults.random(Fault.DATAGRAM_LATE).between(LATE_NANOS_MIN, LATE_NANOS_MAX);
                kernel.events.schedule(kernel.now() + delay, () -> arrive(from, datagram, to));
            } else {
                arrive(from, datagram, to);
            }
        }
    }

    private void arrive(UdpEndpoint from, UdpEndpoint.Datagram datagram, InetSocketAddress to) {
        UdpEndpoint receiver = find(to);
        if (receiver == null || !receiver.accepts(datagram)) {
            from.unreachable(to);
        } else {
            receiver.arrive(datagram);
        }
    }
}
