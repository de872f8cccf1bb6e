package io.trivet.scenarios;

import io.trivet.net.ClosedSocketException;
import io.trivet.net.Interest;
import io.trivet.net.Network;
import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import io.trivet.net.Socket;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.select.FdSet;
import io.trivet.select.NetworkSelect;
import io.trivet.select.Ready;
import io.trivet.select.Select;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimEngine;
import io.trivet.sim.SimHost;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * The three lists: random sockets in random lists, some of them several times. The result has exactly those that a poller reports, in
 * the order of the lists. The same with sets of descriptors. Also the timeout, and what is refused.
 */
final class SelectTrial implements Trial {
    private static final int PORT = 7_000;

    @Override
    public void run(TrialRun run) throws IOException {
        SimHost host = run.sim.host(run.address.getAddress(), run.random.pick(SimEngine.values()), FaultPlan.none());
        run.sim.buffers(run.random.number(100, 1000), run.random.number(100, 1000));
        List<Socket> sockets = sockets(run, host);
        NetworkSelect select = Select.on(host);
        int rounds = run.random.between(2, 8);
        for (int i = 0; i < rounds && !run.hasFailed(); i++) {
            traffic(run, sockets);
            lists(run, host, select, sockets);
            sets(run, host, select, sockets);
        }
        timeout(run, host, select);
        refused(run, host, select, sockets);
        for (Socket socket : sockets) {
            socket.close();
        }
        run.same(Rule.LEAKS, "open descriptors", host.openDescriptors(), 0);
    }

    /** A listener, and the two ends of connections. */
    private static List<Socket> sockets(TrialRun run, SimHost host) throws IOException {
        List<Socket> sockets = new ArrayList<>();
        TcpListener listener = host.listen(new InetSocketAddress(host.address(), PORT), 16);
        sockets.add(listener);
        int pairs = run.random.between(1, 5);
        for (int i = 0; i < pairs; i++) {
            TcpStream near = host.connect(listener.localAddress());
            near.finishConnect();
            sockets.add(near);
            TcpStream far = listener.accept();
            if (far != null) {
                sockets.add(far);
            }
        }
        if (run.random.chance(40)) {
            TcpStream waiting = host.connect(listener.localAddress()); // the listener is readable
            sockets.add(waiting);
        }
        sockets.add(host.udp(new InetSocketAddress(host.address(), PORT + 1)));
        return sockets;
    }

    private static void traffic(TrialRun run, List<Socket> sockets) {
        for (Socket socket : sockets) {
            if (!(socket instanceof TcpStream stream)) {
                continue;
            }
            try {
                switch (run.random.below(8)) {
                    case 0 -> stream.write(ByteBuffer.allocate(run.random.between(1, 3000)));
                    case 1 -> stream.read(ByteBuffer.allocate(run.random.between(1, 3000)));
                    case 2 -> stream.sendUrgent((byte) 3);
                    case 3 -> {
                        if (run.random.chance(30)) {
                            stream.shutdownOutput();
                        }
                    }
                    case 4 -> stream.receiveUrgent();
                    default -> {
                        // Nothing happens to this one.
                    }
                }
            } catch (IOException e) {
                // Its other end has been shut down.
            }
        }
    }

    /** Returns what a poller reports for a socket. */
    private static int readiness(Network host, Socket socket) throws IOException {
        try (Poller poller = host.poller()) {
            ReadyEvents events = new ReadyEvents(4);
            poller.register(socket, Interest.ALL, 1);
            int ready = poller.poll(events, 0) == 0 ? 0 : events.events(0);
            return Interest.fold(ready, Interest.READ) | Interest.fold(ready, Interest.WRITE) | (ready & Interest.PRIORITY);
        }
    }

    private static List<Socket> draw(TrialRun run, List<Socket> sockets) {
        List<Socket> drawn = new ArrayList<>();
        int count = run.random.number(0, 1, 2, 5, 9);
        for (int i = 0; i < count; i++) {
            drawn.add(sockets.get(run.random.below(sockets.size())));
        }
        return drawn;
    }

    private static List<Socket> expected(SimHost host, List<Socket> listed, int interest) throws IOException {
        List<Socket> expected = new ArrayList<>();
        for (Socket socket : listed) {
            if ((readiness(host, socket) & interest) != 0) {
                expected.add(socket);
            }
        }
        return expected;
    }

    private static void lists(TrialRun run, SimHost host, NetworkSelect select, List<Socket> sockets) throws IOException {
        List<Socket> read = draw(run, sockets);
        List<Socket> write = draw(run, sockets);
        List<Socket> except = draw(run, sockets);
        List<Socket> readable = expected(host, read, Interest.READ);
        List<Socket> writable = expected(host, write, Interest.WRITE);
        List<Socket> exceptional = expected(host, except, Interest.PRIORITY);
        boolean none = read.isEmpty() && write.isEmpty() && except.isEmpty(); // then it is not known which network is meant
        Ready<Socket> ready = none || run.random.chance(50) ? select.select(read, write, except, Duration.ZERO)
                : Select.select(read, write, except, Duration.ZERO);
        run.log("select: read " + read + ", write " + write + ", except " + except + "; returns readable " + ready.readable()
                + ", writable " + ready.writable() + ", exceptional " + ready.exceptional());
        run.same(Rule.GAUGES, "the readable of " + read, ready.readable(), readable);
        run.same(Rule.GAUGES, "the writable of " + write, ready.writable(), writable);
        run.same(Rule.GAUGES, "the exceptional of " + except, ready.exceptional(), exceptional);
        run.same(Rule.GAUGES, "nothing is ready", ready.isEmpty(),
                readable.isEmpty() && writable.isEmpty() && exceptional.isEmpty());
    }

    private static void sets(TrialRun run, SimHost host, NetworkSelect select, List<Socket> sockets) throws IOException {
        FdSet[] sets = new FdSet[3];
        BitSet[] models = new BitSet[3];
        int[] interests = {Interest.READ, Interest.WRITE, Interest.PRIORITY};
        int highest = sockets.stream().mapToInt(Socket::fd).max().orElseThrow();
        int nfds = run.random.chance(60) ? highest + 1 : run.random.between(0, highest + 1);
        int bits = 0;
        for (int i = 0; i < 3; i++) {
            sets[i] = new FdSet();
            models[i] = new BitSet();
            for (Socket socket : draw(run, sockets)) {
                sets[i].set(socket.fd());
                boolean below = socket.fd() < nfds;
                boolean ready = below && (readiness(host, socket) & interests[i]) != 0;
                bits += ready && !models[i].get(socket.fd()) ? 1 : 0;
                models[i].set(socket.fd(), ready || !below);
            }
        }
        String asked = Arrays.toString(sets);
        int count = select.select(nfds, sets[0], sets[1], sets[2], Duration.ZERO);
        run.log("select of descriptors below " + nfds + ": sets " + asked + "; returns " + count + ", sets "
                + Arrays.toString(sets));
        run.same(Rule.GAUGES, "the number that select returns: of bits in the three sets", count, bits);
        for (int i = 0; i < 3; i++) {
            BitSet result = new BitSet();
            sets[i].forEach(result::set);
            run.same(Rule.GAUGES, "set " + i + " of select below " + nfds, result, models[i]);
            run.same(Rule.GAUGES, "the text of a set", sets[i].toString().replace(" ", ""),
                    models[i].toString().replace(" ", ""));
        }
        checkOperations(run);
    }

    /** A set of descriptors against a set of bits. */
    private static void checkOperations(TrialRun run) {
        FdSet set = new FdSet();
        BitSet model = new BitSet();
        for (int i = 0; i < 20; i++) {
            int fd = run.random.number(0, 1, 63, 64, 65, 127, 128, 1023, 1024, run.random.below(2000));
            switch (run.random.below(4)) {
                case 0 -> {
                    set.clr(fd);
                    model.clear(fd);
                }
                case 1 -> run.same(Rule.GAUGES, "the next descriptor from " + fd + " in the set " + model, set.next(fd),
                        model.nextSetBit(fd));
                default -> {
                    set.set(fd);
                    model.set(fd);
                }
            }
            run.same(Rule.GAUGES, "descriptor " + fd + " is in the set", set.isSet(fd), model.get(fd));
        }
        run.same(Rule.GAUGES, "the highest descriptor", set.highest(), model.length() - 1);
        FdSet copy = new FdSet();
        set.forEach(copy::set);
        run.same(Rule.GAUGES, "a set with the same descriptors is equal", copy.equals(set) && copy.hashCode() == set.hashCode(),
                true);
        copy.set(3_000);
        run.same(Rule.GAUGES, "a set with one more descriptor is equal", copy.equals(set), false);
        copy.clr(3_000);
        run.same(Rule.GAUGES, "a set without it again is equal", copy.equals(set) && copy.hashCode() == set.hashCode(), true);
    }

    /** If nothing is ready, the whole timeout passes, and no more. */
    private static void timeout(TrialRun run, SimHost host, NetworkSelect select) throws IOException {
        try (TcpListener listener = host.listen(new InetSocketAddress(host.address(), PORT + 2), 1)) {
            long timeout = run.random.logUniform(1, 5_000_000_000L);
            long before = run.sim.clock().elapsedNanos();
            Ready<Socket> ready = select.select(List.of(listener), List.of(), List.of(), Duration.ofNanos(timeout));
            run.expect(Rule.GAUGES, ready.isEmpty(), "select returns " + ready + " without anything ready");
            run.same(Rule.DEADLINES, "nanoseconds of a select with a timeout", run.sim.clock().elapsedNanos() - before, timeout);
            TcpStream waiting = host.connect(listener.localAddress());
            ready = select.select(List.of(listener), List.of(), List.of(), run.random.chance(50) ? null : Duration.ofDays(1));
            run.same(Rule.GAUGES, "the readable, when a client waits", ready.readable(), List.of(listener));
            waiting.close();
        }
    }

    private static void refused(TrialRun run, SimHost host, NetworkSelect select, List<Socket> sockets) throws IOException {
        TcpListener closed = host.listen(new InetSocketAddress(host.address(), PORT + 3), 1);
        closed.close();
        List<Socket> with = new ArrayList<>(draw(run, sockets));
        int at = run.random.between(0, with.size());
        with.add(at, closed);
        int list = run.random.below(3);
        String[] names = {"rlist", "wlist", "xlist"};
        try {
            select.select(list == 0 ? with : sockets, list == 1 ? with : sockets, list == 2 ? with : sockets, Duration.ZERO);
            run.fail(Rule.CALLBACKS, "a closed socket is accepted in " + names[list]);
        } catch (ClosedSocketException e) {
            run.expect(Rule.CALLBACKS, String.valueOf(e.getMessage()).startsWith(names[list] + "[" + at + "]"),
                    "a closed socket at " + names[list] + "[" + at + "] is reported as " + e.getMessage());
        }
        try {
            select.select(sockets, List.of(), List.of(), Duration.ofNanos(-1));
            run.fail(Rule.CALLBACKS, "a negative timeout is accepted");
        } catch (IllegalArgumentException e) {
            // As it must be.
        }
        try {
            Select.select(sockets, List.of(), List.of(run.clients.listen(
                    new InetSocketAddress(run.clients.address(), PORT), 1)), Duration.ZERO);
            run.fail(Rule.CALLBACKS, "sockets of two networks are accepted");
        } catch (IllegalArgumentException e) {
            // As it must be.
        }
    }
}
