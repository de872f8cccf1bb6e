package io.trivet.sim;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import io.trivet.net.UnixAddress;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * TCP on the simulated network: listeners, ports, and connects in progress. Also Unix domain streams, which have neither ports nor
 * packets: nothing is late or lost between their ends, and they are not reset.
 */
@SuppressWarnings("ReferenceEquality") // endpoints are compared by identity
final class TcpStack {
    /** How long a port stays in use after its connection has ended (TIME_WAIT). */
    private static final long TIME_WAIT_NANOS = 60_000_000_000L;
    /** An unanswered SYN is sent again after one second, then two, four, …: six times, then the connect fails. */
    private static final int SYN_RETRIES = 6;
    private static final long SYN_NANOS = 1_000_000_000L;
    private static final InetSocketAddress UNNAMED = UnixAddress.unnamed().asInetSocketAddress();
    private static final int BUFFER_BYTES_MIN = 1 << 10;
    private static final int BUFFER_BYTES_MAX = 1 << 16;

    private final Kernel kernel;
    private final List<ListeningSocket> listeners = new ArrayList<>();
    /** Local ports of connections, including those in TIME_WAIT, for all addresses together. */
    private final BitSet taken = new BitSet();
    private final ArrayDeque<TimeWait> timeWaits = new ArrayDeque<>();
    /** The clients' ends of connections that are not closed at both ends. The order has no meaning, but is deterministic. */
    private final List<TcpEndpoint> open = new ArrayList<>();
    private final EphemeralPorts ports;
    /** The sizes of new buffers; 0 to draw one for each socket. */
    private int sendBytes;
    private int receiveBytes;

    private record TimeWait(int port, long freeNanos) {}

    TcpStack(Kernel kernel, SimRandom ports) {
        this.kernel = kernel;
        this.ports = new EphemeralPorts(ports);
    }

    void buffers(int send, int receive) {
        sendBytes = send;
        receiveBytes = receive;
    }

    SocketOptions drawOptions() {
        return new SocketOptions(sendBytes != 0 ? sendBytes : drawBytes(), receiveBytes != 0 ? receiveBytes : drawBytes());
    }

    private int drawBytes() {
        return (int) kernel.sizes.between(BUFFER_BYTES_MIN, BUFFER_BYTES_MAX);
    }

    // Listeners and ports.

    ListeningSocket listen(InetSocketAddress address, int backlog) throws NetworkException {
        int port = address.getPort();
        InetSocketAddress bound = address;
        if (UnixAddress.isUnix(address)) {
            if (findListener(address) != null) {
                throw new NetworkException("bind", address, ErrorCode.EADDRINUSE);
            }
        } else if (port == 0) {
            bound = new InetSocketAddress(address.getAddress(), freePort("bind", address));
        } else if (isTaken(address.getAddress(), port)) {
            throw new NetworkException("bind", address, ErrorCode.EADDRINUSE);
        }
        ListeningSocket listener = new ListeningSocket(kernel, bound, backlog);
        listeners.add(listener);
        return listener;
    }

    private boolean isTaken(InetAddress address, int port) {
        for (int i = 0; i < listeners.size(); i++) {
            InetSocketAddress other = listeners.get(i).address;
            if (other.getPort() == port && overlap(other.getAddress(), address)) {
                return true;
            }
        }
        return false;
    }

    /** Returns whether two sockets bound to the same port of these addresses would conflict. */
    static boolean overlap(InetAddress one, InetAddress other) {
        return one.isAnyLocalAddress() || other.isAnyLocalAddress() || one.equals(other);
    }

    private int freePort(String call, Object subject) throws NetworkException {
        freeTimeWaits();
        int port = ports.find(each -> !taken.get(each) && !isListening(each));
        if (port == 0) {
            throw new NetworkException(call, subject, ErrorCode.EADDRNOTAVAIL);
        }
        return port;
    }

    private void freeTimeWaits() {
        TimeWait first = timeWaits.peek();
        while (first != null && first.freeNanos <= kernel.now()) {
            taken.clear(first.port);
            timeWaits.remove();
            first = timeWaits.peek();
        }
    }

    private boolean isListening(int port) {
        for (int i = 0; i < listeners.size(); i++) {
            if (listeners.get(i).address.getPort() == port) {
                return true;
            }
        }
        return false;
    }

    void remove(ListeningSocket listener) {
        listeners.remove(listener);
    }

    private @Nullable ListeningSocket findListener(InetSocketAddress address) {
        ListeningSocket wildcard = null;
        for (int i = 0; i < listeners.size(); i++) {
            ListeningSocket each = listeners.get(i);
            if (each.address.equals(address)) {
                return each;
            }
            if (each.address.getPort() == address.getPort() && !each.address.isUnresolved()
                    && each.address.getAddress().isAnyLocalAddress()) {
                wildcard = each;
            }
        }
        return wildcard;
    }

    /** Called when an end is closed. When both ends are closed, the client's port enters TIME_WAIT. */
    void closed(TcpEndpoint end) {
        if (end.peer().isClosed() || end.peer().isConnecting()) {
            TcpEndpoint client = end.isClient() ? end : end.peer();
            int index = client.openIndex;
            if (index >= 0) {
                client.openIndex = -1;
                TcpEndpoint last = open.removeLast();
                if (last != client) {
                    open.set(index, last);
                    last.openIndex = index;
                }
                if (!client.local.isUnresolved()) {
                    timeWaits.add(new TimeWait(client.local.getPort(), kernel.now() + TIME_WAIT_NANOS));
                }
            }
        }
    }

    /** Returns the clients' ends of all open connections. */
    List<TcpEndpoint> open() {
        return open;
    }

    /** Resumes all traffic that a fault has stopped. */
    void unclogAll() {
        for (TcpEndpoint client : List.copyOf(open)) { // arriving bytes may close some
            client.out.unclog();
            client.in.unclog();
        }
    }

    // Connects.

    /**
     * Starts a connect from an address and a port, which is chosen here if it is 0. Without latency, the outcome is known when this
     * returns.
     */
    TcpEndpoint connect(InetAddress from, int port, InetSocketAddress to) throws NetworkException {
        return connect(UnixAddress.isUnix(to) ? UNNAMED : localAddress(from, port, to), to);
    }

    /** Starts a connect from an address that is bound. */
    TcpEndpoint connect(InetSocketAddress local, InetSocketAddress to) {
        TcpEndpoint client = TcpEndpoint.client(kernel, local, to);
        client.openIndex = open.size();
        open.add(client);
        Connecting attempt = new Connecting(client);
        client.connecting(attempt);
        if (kernel.isTraced()) {
            kernel.trace(client + " connects");
        }
        attempt.start();
        return client;
    }

    private InetSocketAddress localAddress(InetAddress from, int port, InetSocketAddress to) throws NetworkException {
        int free = port == 0 ? freePort("connect", to) : port;
        InetSocketAddress local = new InetSocketAddress(from, free);
        if (port != 0) {
            freeTimeWaits();
            if (isTaken(from, port) || taken.get(port)) { // Linux also permits a port whose connections have other peers
                throw new NetworkException("bind", local, ErrorCode.EADDRINUSE);
            }
        }
        taken.set(free);
        return local;
    }

    /** One connect attempt, from the first SYN to the outcome. */
    final class Connecting extends EventQueue.Event {
        private final TcpEndpoint client;
        /** The listener that has reserved a place for it. */
        private @Nullable ListeningSocket reserved;
        private int attempts;
        private @Nullable ErrorCode failure;
        private boolean ignored;

        Connecting(TcpEndpoint client) {
            this.client = client;
        }

        void start() {
            FaultInjector faults = kernel.faults;
            if (client.isUnix()) { // the kernel decides at once, and there are no packets
                fire();
                return;
            }
            if (faults.happens(Fault.CONNECT_REFUSED)) {
                failure = ErrorCode.ECONNREFUSED;
                kernel.recordFault(Fault.CONNECT_REFUSED, client);
            } else if (faults.happens(Fault.CONNECT_UNREACHABLE)) {
                failure = ErrorCode.EHOSTUNREACH;
                kernel.recordFault(Fault.CONNECT_UNREACHABLE, client);
            } else if (faults.happens(Fault.CONNECT_IGNORED)) {
                ignored = true;
                kernel.recordFault(Fault.CONNECT_IGNORED, client);
            }
            fireAfter(kernel.drawLatency());
        }

        private void fireAfter(long nanos) {
            if (nanos == 0) {
                fire();
            } else {
                kernel.events.schedule(this, kernel.now() + nanos);
            }
        }

        @Override
        void fire() {
            if (failure != null) {
                client.connectFailed(failure);
            } else if (reserved != null) {
                handshakeDone(reserved);
            } else {
                synArrives();
            }
        }

        /** A SYN arrives, or is lost: because the backlog is full, or by the CONNECT_IGNORED fault. */
        private void synArrives() {
            boolean silent = ignored && kernel.faults.isEnabled(Fault.CONNECT_IGNORED);
            ListeningSocket listener = silent ? null : findListener(client.remote);
            if (client.isUnix() && (listener == null || listener.isFull())) {
                failure = listener == null ? ErrorCode.ENOENT : ErrorCode.EAGAIN;
                fire();
            } else if (silent || (listener != null && listener.isFull())) {
                failure = ++attempts > 1 + SYN_RETRIES ? ErrorCode.ETIMEDOUT : null;
                if (failure != null) {
                    fire();
                } else {
                    kernel.events.schedule(this, kernel.now() + (SYN_NANOS << (attempts - 1)));
                }
            } else if (listener == null) {
                failure = ErrorCode.ECONNREFUSED;
                fireAfter(kernel.drawLatency());
            } else {
                listener.reserve();
                reserved = listener;
                fireAfter(client.isUnix() ? 0 : kernel.drawLatency());
            }
        }

        /** Called when the SYN-ACK arrives: completes the handshake. */
        private void handshakeDone(ListeningSocket listener) {
            if (listener.isClosed()) {
                // The listener was closed after it had answered: the client is connected, and then reset.
                client.established();
                client.receiveReset();
                return;
            }
            client.peer().inherit(listener.options);
            client.peer().established();
            client.established();
            listener.add(client.peer());
        }

        /** Called when the client abandons the connect. */
        void cancel() {
            kernel.events.cancel(this);
            if (reserved != null && !reserved.isClosed()) {
                reserved.unreserve();
            }
        }
    }
}
