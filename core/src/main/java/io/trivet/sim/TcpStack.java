package io.trivet.sim;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Who listens, which ports are taken, and connects that are under way. */
@SuppressWarnings("ReferenceEquality") // this very end
final class TcpStack {
    /** net.ipv4.ip_local_port_range. */
    private static final int PORT_MIN = 32_768;
    private static final int PORT_MAX = 60_999;
    /** How long a port of an ended connection stays taken (TIME_WAIT). */
    private static final long TIME_WAIT_NANOS = 60_000_000_000L;
    /** A SYN without an answer is sent again after one second, then two, four, …: six times, then it is given up. */
    private static final int SYN_RETRIES = 6;
    private static final long SYN_NANOS = 1_000_000_000L;
    private static final int BUFFER_BYTES_MIN = 1 << 10;
    private static final int BUFFER_BYTES_MAX = 1 << 16;

    private final Kernel kernel;
    private final List<ListeningSocket> listening = new ArrayList<>();
    /** Local ports of connections, those in TIME_WAIT too, whatever their address. */
    private final BitSet taken = new BitSet();
    private final ArrayDeque<Ended> ended = new ArrayDeque<>();
    /** The clients' ends of connections of which an end is not yet closed, in no order that means anything, and yet always the same. */
    private final List<TcpEndpoint> live = new ArrayList<>();
    private int nextPort;
    /** 0: drawn for each socket. */
    private int sendBytes;
    private int receiveBytes;

    private record Ended(int port, long freeNanos) {}

    TcpStack(Kernel kernel, SimRandom ports) {
        this.kernel = kernel;
        this.nextPort = PORT_MIN + ports.below(PORT_MAX - PORT_MIN);
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

    // Ports.

    ListeningSocket listen(InetSocketAddress address, int backlog) throws NetworkException {
        int port = address.getPort();
        InetSocketAddress bound = address;
        if (port == 0) {
            bound = new InetSocketAddress(address.getAddress(), freePort("bind", address));
        } else if (isTaken(address.getAddress(), port)) {
            throw new NetworkException("bind", address, ErrorCode.EADDRINUSE);
        }
        ListeningSocket listener = new ListeningSocket(kernel, bound, backlog);
        listening.add(listener);
        return listener;
    }

    private boolean isTaken(InetAddress address, int port) {
        for (int i = 0; i < listening.size(); i++) {
            InetSocketAddress other = listening.get(i).address;
            if (other.getPort() == port && overlap(other.getAddress(), address)) {
                return true;
            }
        }
        return false;
    }

    private static boolean overlap(InetAddress one, InetAddress other) {
        return one.isAnyLocalAddress() || other.isAnyLocalAddress() || one.equals(other);
    }

    /** A port that nobody has. */
    int freePort(String call, Object subject) throws NetworkException {
        Ended first = ended.peek();
        while (first != null && first.freeNanos <= kernel.now()) {
            taken.clear(first.port);
            ended.remove();
            first = ended.peek();
        }
        for (int tried = 0; tried <= PORT_MAX - PORT_MIN; tried++) {
            int port = nextPort;
            nextPort = port == PORT_MAX ? PORT_MIN : port + 1;
            if (!taken.get(port) && !isListening(port)) {
                return port;
            }
        }
        throw new NetworkException(call, subject, ErrorCode.EADDRNOTAVAIL);
    }

    private boolean isListening(int port) {
        for (int i = 0; i < listening.size(); i++) {
            if (listening.get(i).address.getPort() == port) {
                return true;
            }
        }
        return false;
    }

    void stopsListening(ListeningSocket listener) {
        listening.remove(listener);
    }

    private @Nullable ListeningSocket listener(InetSocketAddress address) {
        ListeningSocket wildcard = null;
        for (int i = 0; i < listening.size(); i++) {
            ListeningSocket each = listening.get(i);
            if (each.address.getPort() == address.getPort()) {
                if (each.address.getAddress().equals(address.getAddress())) {
                    return each;
                }
                if (each.address.getAddress().isAnyLocalAddress()) {
                    wildcard = each;
                }
            }
        }
        return wildcard;
    }

    /** An end is closed; when both are, the client's port is free a while later. */
    void ended(TcpEndpoint end) {
        if (end.peer().isClosed() || end.peer().isConnecting()) {
            TcpEndpoint client = end.isClient() ? end : end.peer();
            int place = client.place;
            if (place >= 0) {
                client.place = -1;
                TcpEndpoint last = live.removeLast();
                if (last != client) {
                    live.set(place, last);
                    last.place = place;
                }
                ended.add(new Ended(client.local.getPort(), kernel.now() + TIME_WAIT_NANOS));
            }
        }
    }

    /** The clients' ends of the connections that live. */
    List<TcpEndpoint> live() {
        return live;
    }

    /** Whatever was held up goes on. */
    void release() {
        for (TcpEndpoint client : List.copyOf(live)) { // some end by that
            client.out.unclog();
            client.in.unclog();
        }
    }

    // Connects.

    /** Begins to connect from an address. Where the net is quick, the answer is there when this returns. */
    TcpEndpoint connect(InetAddress from, InetSocketAddress to) throws NetworkException {
        int port = freePort("connect", to);
        taken.set(port);
        TcpEndpoint client = TcpEndpoint.client(kernel, new InetSocketAddress(from, port), to);
        client.place = live.size();
        live.add(client);
        Connecting attempt = new Connecting(client);
        client.begins(attempt);
        if (kernel.isTraced()) {
            kernel.trace(client + " connects");
        }
        attempt.begin();
        return client;
    }

    /** One connect, from the first SYN to the answer. */
    final class Connecting extends EventQueue.Event {
        private final TcpEndpoint client;
        private @Nullable ListeningSocket reserved;
        private int attempts;
        private @Nullable ErrorCode answer;
        private boolean ignored;

        Connecting(TcpEndpoint client) {
            this.client = client;
        }

        void begin() {
            FaultInjector faults = kernel.faults;
            if (faults.happens(Fault.CONNECT_REFUSED)) {
                answer = ErrorCode.ECONNREFUSED;
                kernel.recordFault(Fault.CONNECT_REFUSED, client);
            } else if (faults.happens(Fault.CONNECT_UNREACHABLE)) {
                answer = ErrorCode.EHOSTUNREACH;
                kernel.recordFault(Fault.CONNECT_UNREACHABLE, client);
            } else if (faults.happens(Fault.CONNECT_IGNORED)) {
                ignored = true;
                kernel.recordFault(Fault.CONNECT_IGNORED, client);
            }
            after(latency());
        }

        private long latency() {
            return kernel.faults.happens(Fault.LATENCY)
                    ? kernel.faults.random(Fault.LATENCY).between(1_000, 100_000_000)
                    : 0;
        }

        private void after(long nanos) {
            if (nanos == 0) {
                fire();
            } else {
                kernel.events.schedule(this, kernel.now() + nanos);
            }
        }

        @Override
        void fire() {
            if (answer != null) {
                client.fails(answer);
            } else if (reserved != null) {
                arrive(reserved);
            } else {
                ask();
            }
        }

        /** A SYN arrives, or is lost because there is no room or nobody answers. */
        private void ask() {
            boolean silent = ignored && kernel.faults.isEnabled(Fault.CONNECT_IGNORED);
            ListeningSocket listener = silent ? null : listener(client.remote);
            if (silent || (listener != null && listener.isFull())) {
                answer = ++attempts > 1 + SYN_RETRIES ? ErrorCode.ETIMEDOUT : null;
                if (answer != null) {
                    fire();
                } else {
                    kernel.events.schedule(this, kernel.now() + (SYN_NANOS << (attempts - 1)));
                }
            } else if (listener == null) {
                answer = ErrorCode.ECONNREFUSED;
                after(latency());
            } else {
                listener.expect();
                reserved = listener;
                after(latency());
            }
        }

        /** The answer has arrived, and the last part of the handshake with it. */
        private void arrive(ListeningSocket listener) {
            if (listener.isClosed()) { // after its answer has left: the client is connected, and what it sends is answered by a reset
                client.established();
                client.receiveReset();
                return;
            }
            client.peer().inherit(listener.options);
            client.peer().established();
            client.established();
            listener.add(client.peer());
        }

        /** The client has given up. */
        void cancel() {
            kernel.events.cancel(this);
            if (reserved != null && !reserved.isClosed()) {
                reserved.expectNoMore();
            }
        }
    }
}
