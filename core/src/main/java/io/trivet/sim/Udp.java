package io.trivet.sim;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The UDP sockets that are bound, and the way between them. */
final class Udp {
    private static final int PORT_MIN = 32_768;
    private static final int PORT_MAX = 60_999;

    private final Kernel kernel;
    private final List<UdpEnd> bound = new ArrayList<>();
    private int nextPort = PORT_MIN;

    Udp(Kernel kernel) {
        this.kernel = kernel;
    }

    void bind(UdpEnd end, InetSocketAddress address) throws NetworkException {
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

    void remove(UdpEnd end) {
        bound.remove(end);
    }

    private @Nullable UdpEnd at(InetSocketAddress address) {
        for (int i = 0; i < bound.size(); i++) {
            if (bound.get(i).isAt(address)) {
                return bound.get(i);
            }
        }
        return null;
    }

    /** Sends a datagram on its way; it may be lost, doubled or late. */
    void send(UdpEnd from, UdpEnd.Datagram datagram, InetSocketAddress to) {
        Faults faults = kernel.faults;
        if (faults.happens(Fault.DATAGRAM_LOST)) {
            kernel.tell(Fault.DATAGRAM_LOST, from);
            return;
        }
        int copies = faults.happens(Fault.DATAGRAM_DUPLICATED) ? 2 : 1;
        for (int i = 0; i < copies; i++) {
            if (faults.happens(Fault.DATAGRAM_LATE)) {
                long delay = faults.random(Fault.DATAGRAM_LATE).between(1_000, 1_000_000_000);
                kernel.agenda.schedule(new Agenda.Event() {
                    @Override
                    void happen() {
                        arrive(from, datagram, to);
                    }
                }, kernel.now() + delay);
            } else {
                arrive(from, datagram, to);
            }
        }
    }

    private void arrive(UdpEnd from, UdpEnd.Datagram datagram, InetSocketAddress to) {
        UdpEnd receiver = at(to);
        if (receiver == null || !receiver.isFor(datagram)) {
            from.unreachable(to);
        } else {
            receiver.arrive(datagram);
        }
    }
}
