package io.trivet.scenarios;

import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.LoopEvent;
import io.trivet.observe.LoopObserver;
import io.trivet.observe.LoopStats;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.Protocol;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an observer is called with: each event of each loop with its connection and its amount, in order; and after each turn how long
 * the loop has waited and worked, and how much it has done.
 */
@SuppressWarnings("EnumOrdinal") // events are counted by ordinal, within a trial
final class EventTrial implements Trial {
    private static final int LOOPS_MAX = 3;
    private static final int CAP_BYTES = 6_000;
    private static final int HIGH_BYTES = 3_000;
    private static final int LOW_BYTES = 1_000;
    private static final long TIMES_MAX_NANOS = 1_000_000;

    /** A call of the observer about an event. */
    private record Event(int loop, LoopEvent kind, long connection, long amount) {}

    /** A call of the observer after a turn. */
    private record Turn(int loop, long waitNanos, long workNanos, int done) {}

    /** Records all calls. */
    private static final class Recorder implements LoopObserver {
        final List<Event> events = new ArrayList<>();
        final List<Turn> turns = new ArrayList<>();
        /** By loop and kind: the number of all events so far, and the sum of their amounts. */
        final long[][] counts = new long[LOOPS_MAX][LoopEvent.values().length];
        final long[][] sums = new long[LOOPS_MAX][LoopEvent.values().length];

        @Override
        public void event(int loop, LoopEvent event, long connection, long amount) {
            events.add(new Event(loop, event, connection, amount));
            counts[loop][event.ordinal()]++;
            sums[loop][event.ordinal()] += amount;
        }

        long sum(int loop, LoopEvent event) {
            return sums[loop][event.ordinal()];
        }

        long count(int loop, LoopEvent event) {
            return counts[loop][event.ordinal()];
        }

        @Override
        public void turned(int loop, long waitNanos, long workNanos, int done) {
            turns.add(new Turn(loop, waitNanos, workNanos, done));
        }
    }

    /** A connection, and what waits in its queue. */
    private static final class Peer {
        final TrialClient client;
        final TrialHandler.Seen seen;
        final Deque<Integer> queue = new ArrayDeque<>();
        boolean isHigh;
        int timesFull;

        Peer(TrialClient client, TrialHandler.Seen seen) {
            this.client = client;
            this.seen = seen;
        }

        Connection connection() {
            return seen.connection;
        }

        int queued() {
            return queue.stream().mapToInt(each -> each).sum();
        }
    }

    @Override
    public void run(TrialRun run) throws IOException {
        new Steps(run).perform();
    }

    private static final class Steps {
        final TrialRun run;
        final TrialNetwork network;
        final int loops;
        final Overflow overflow;
        final TrialHandler handler;
        final Server server;
        final InetSocketAddress second;
        final List<Peer> peers = new ArrayList<>();
        final Recorder recorder = new Recorder();
        final List<List<Event>> expected = new ArrayList<>();
        /** The connection whose socket is full, if there is one. */
        private @Nullable Peer full;
        private long handlerNanos;
        /** The number of connections that have ended. */
        private int gone;
        /** Has room when the connection whose socket was full has ended. */
        private @Nullable TrialProactor freed;

        Steps(TrialRun run) throws IOException {
            this.run = run;
            network = run.readinessNetwork();
            run.sim.buffers(1 << 20, 1 << 20);
            loops = run.random.number(1, 1, 2, 3);
            overflow = run.random.pick(Overflow.PAUSE_READING, Overflow.DROP_OLDEST);
            second = new InetSocketAddress(run.address.getAddress(), run.address.getPort() + 1);
            handler = new TrialHandler() {
                @Override
                public void onMessage(Connection connection, ByteBuffer message) throws Exception {
                    super.onMessage(connection, message);
                    network.pass(handlerNanos);
                    handlerNanos = 0;
                    if (message.get(message.position()) == 'r') {
                        connection.send(message);
                    }
                }
            };
            Limits limits = LIMITS.withQueueBytesMax(CAP_BYTES).withQueueMarks(HIGH_BYTES, LOW_BYTES)
                    .withWriteTimeout(Duration.ZERO).withMessageTimeout(Duration.ZERO);
            server = run.builder(network, handler, limits).listen(second, Protocol.of(Framing.lines(), handler))
                    .framing(Framing.lines()).overflow(overflow).urgent(true).loops(loops).open();
            server.observe(recorder);
            run.log(loops + " loops, " + overflow);
        }

        void perform() throws IOException {
            int steps = run.random.between(4, 25);
            for (int i = 0; i < steps && !run.hasFailed(); i++) {
                expected.clear();
                for (int k = 0; k < loops; k++) {
                    expected.add(new ArrayList<>());
                }
                recorder.events.clear();
                recorder.turns.clear();
                step();
                turn(0, 0, -1);
                check();
                if (freed != null) {
                    freed.makeRoom();
                    freed = null;
                }
            }
            run.close(network, server);
        }

        // ---- what happens

        private void expect(int loop, LoopEvent kind, long connection, long amount) {
            expected.get(loop).add(new Event(loop, kind, connection, amount));
        }

        private void expect(Peer of, LoopEvent kind, long amount) {
            expect(of.connection().loop(), kind, of.connection().id(), amount);
        }

        /** With several loops, each call from outside is a task of the loop. */
        private void expectTask(Peer of) {
            if (loops > 1) {
                expect(of.connection().loop(), LoopEvent.TASKS, -1, 1);
            }
        }

        private void step() throws IOException {
            network.pass(run.random.logUniform(1, TIMES_MAX_NANOS));
            if (peers.isEmpty() || run.random.chance(20)) {
                connect();
                return;
            }
            Peer peer = peers.get(run.random.below(peers.size()));
            boolean isPaused = peer.isHigh && overflow == Overflow.PAUSE_READING;
            switch (run.random.below(11)) {
                case 0, 1 -> {
                    if (!isPaused) {
                        receive(peer);
                    }
                }
                case 2 -> {
                    if (!isPaused) {
                        int b = run.random.below(256);
                        run.log("client " + peer.seen.number + " sends the urgent byte " + b);
                        peer.client.sendUrgent(b);
                        expect(peer, LoopEvent.URGENT, b);
                    }
                }
                case 3, 4, 5, 6 -> send(full != null && run.random.chance(80) ? full : peer);
                case 7 -> {
                    if (full != null) {
                        makeRoom(full);
                    }
                }
                case 8 -> tasks();
                case 9 -> {
                    if (run.random.chance(40)) {
                        close(peer);
                    }
                }
                default -> {
                    if (peer != full && run.random.chance(40)) {
                        end(peer);
                    }
                }
            }
        }

        private void connect() throws IOException {
            int listener = run.random.below(2);
            int least = 0;
            for (int i = 1; i < loops; i++) {
                least = load(i) < load(least) ? i : least;
            }
            run.log("a client connects to listener " + listener);
            TrialClient client = TrialClient.connect(run, listener == 0 ? run.address : second);
            expect(0, LoopEvent.ACCEPTED, -1, listener);
            turn(0, 0, -1);
            run.same(Rule.CAPS, "connections of the handler", handler.all.size(), peers.size() + gone + 1);
            if (run.hasFailed()) {
                return;
            }
            Peer peer = new Peer(client, handler.all.getLast());
            peers.add(peer);
            run.same(Rule.CAPS, "the loop of the new connection", peer.connection().loop(), least);
            expect(least, LoopEvent.OPENED, peer.connection().id(), 0);
            if (least != 0) {
                expect(least, LoopEvent.TASKS, -1, 1);
            }
        }

        private long load(int loop) {
            return peers.stream().filter(each -> each.connection().loop() == loop).count();
        }

        /** The client sends lines, and the loop is observed while it waits for them and while the handler works. */
        private void receive(Peer peer) throws IOException {
            boolean replies = peer.queue.isEmpty() && full == null && run.random.chance(40);
            int messages = replies ? 1 : run.random.between(1, 5);
            String line = replies ? "reply\n" : "abc\n";
            run.log("client " + peer.seen.number + " sends " + messages + " times " + line.trim());
            peer.client.write(line.repeat(messages));
            expect(peer, LoopEvent.RECEIVED, (long) messages * line.length());
            for (int i = messages; i > 0; i -= peer.isHigh ? 1 : messages) { // above the high mark, a loop looks after each message
                expect(peer, LoopEvent.DELIVERED, peer.isHigh ? 1 : messages);
            }
            if (replies) {
                expect(peer, LoopEvent.SENT, line.length());
            }
            long waits = run.random.number(0, 1) * run.random.logUniform(1, TIMES_MAX_NANOS);
            handlerNanos = run.random.number(0, 1) * run.random.logUniform(1, TIMES_MAX_NANOS);
            turn(waits, handlerNanos, peer.connection().loop());
        }

        private void send(Peer peer) {
            int bytes = run.random.chance(50) ? run.random.between(800, 2_500) : (int) run.random.logUniform(1, 2_500);
            if (full == null && run.random.chance(60)) {
                full = peer;
                network.proactor(peer.connection().loop()).fill();
                run.log("the socket of client " + peer.seen.number + " is full");
            }
            if (full != null && full != peer && full.connection().loop() == peer.connection().loop()) {
                return; // its socket refuses bytes, too
            }
            if (peer.queued() + bytes + 1 > CAP_BYTES && overflow == Overflow.PAUSE_READING) {
                return; // it would end
            }
            run.log("the server sends " + bytes + " bytes to client " + peer.seen.number);
            peer.connection().execute(() -> peer.connection().send(new byte[bytes]));
            if (peer != full) {
                expect(peer.connection().loop(), LoopEvent.TASKS, -1, 1);
                expect(peer, LoopEvent.SENT, bytes + 1);
                return;
            }
            int dropped = 0;
            while (peer.queued() + bytes + 1 > CAP_BYTES) {
                peer.queue.removeFirst();
                dropped++;
            }
            if (dropped > 0) {
                run.reached("DROPPED_OBSERVED");
                expect(peer, LoopEvent.DROPPED, dropped);
            }
            expect(peer.connection().loop(), LoopEvent.TASKS, -1, dropped > 0 ? 2 : 1); // the handler is notified by a task
            peer.queue.addLast(bytes + 1);
            if (peer.timesFull == 0) {
                peer.timesFull = 1;
                expect(peer, LoopEvent.SOCKET_FULL, peer.queued());
            }
            if (!peer.isHigh && peer.queued() >= HIGH_BYTES) {
                peer.isHigh = true;
                if (overflow == Overflow.PAUSE_READING) {
                    expect(peer, LoopEvent.QUEUE_HIGH, peer.queued());
                }
            }
        }

        private void makeRoom(Peer peer) {
            run.log("the socket of client " + peer.seen.number + " has room");
            full = null;
            network.proactor(peer.connection().loop()).makeRoom();
            if (peer.queue.isEmpty()) {
                return;
            }
            expect(peer, LoopEvent.WRITABLE, 0);
            expect(peer, LoopEvent.SENT, peer.queued());
            if (peer.isHigh && overflow == Overflow.PAUSE_READING) {
                expect(peer, LoopEvent.QUEUE_LOW, 0);
            }
            expect(peer, LoopEvent.SOCKET_DRAINED, 0);
            peer.queue.clear();
            peer.isHigh = false;
            peer.timesFull = 0;
        }

        private void tasks() {
            int count = run.random.between(1, 20);
            run.log("the server gets " + count + " tasks");
            for (int i = 0; i < count; i++) {
                server.execute(() -> {});
            }
            expect(0, LoopEvent.TASKS, -1, count);
        }

        private void close(Peer peer) {
            run.log("the server closes the connection of client " + peer.seen.number);
            if (run.random.chance(50)) {
                peer.connection().close();
            } else {
                peer.connection().reset();
            }
            expectTask(peer);
            leaves(peer);
        }

        private void leaves(Peer peer) {
            expect(peer, LoopEvent.CLOSED, 0);
            peers.remove(peer);
            gone++;
            if (full == peer) {
                full = null;
                freed = network.proactor(peer.connection().loop());
            }
        }

        private void end(Peer peer) throws IOException {
            if (peer.isHigh) {
                return;
            }
            if (run.random.chance(50)) {
                run.log("client " + peer.seen.number + " resets its connection");
                peer.client.reset();
            } else {
                run.log("client " + peer.seen.number + " ends its output");
                peer.client.endOutput();
                expect(peer, LoopEvent.INPUT_ENDED, 0);
            }
            leaves(peer);
        }

        // ---- turns

        /** Turns the loops. One of them, if any, waits and works for a time in its first turn. */
        private void turn(long waitNanos, long workNanos, int busy) throws IOException {
            for (int round = 0; round < 4; round++) {
                for (int i = 0; i < loops && !run.hasFailed(); i++) {
                    boolean isBusy = round == 0 && i == busy;
                    if (isBusy) {
                        network.proactor(i).duringNextWait(() -> network.pass(waitNanos));
                    }
                    int before = recorder.turns.size();
                    int done = network.turn(i);
                    run.same(Rule.CALLBACKS, "calls of the observer after a turn", recorder.turns.size(), before + 1);
                    if (!run.hasFailed()) {
                        run.same(Rule.CALLBACKS, "the call of the observer after a turn", recorder.turns.getLast(),
                                new Turn(i, isBusy ? waitNanos : 0, isBusy ? workNanos : 0, done));
                    }
                }
            }
        }

        /** The counters of the statistics are the sums of the events. */
        private void checkCounters(LoopStats stats, int loop) {
            run.same(Rule.GAUGES, "tasks", stats.tasks(), recorder.sum(loop, LoopEvent.TASKS));
            run.same(Rule.GAUGES, "bytes received", stats.bytesIn(), recorder.sum(loop, LoopEvent.RECEIVED));
            run.same(Rule.GAUGES, "bytes sent", stats.bytesOut(), recorder.sum(loop, LoopEvent.SENT));
            run.same(Rule.GAUGES, "messages received", stats.messagesIn(), recorder.sum(loop, LoopEvent.DELIVERED));
            run.same(Rule.GAUGES, "messages dropped", stats.dropped(), recorder.sum(loop, LoopEvent.DROPPED));
            run.same(Rule.GAUGES, "accepted", stats.accepted(), recorder.count(loop, LoopEvent.ACCEPTED));
            run.same(Rule.GAUGES, "closed", stats.closed(), recorder.count(loop, LoopEvent.CLOSED));
            run.same(Rule.GAUGES, "connections", (long) stats.connections(),
                    recorder.count(loop, LoopEvent.OPENED) - recorder.count(loop, LoopEvent.CLOSED));
        }

        private void check() {
            for (int i = 0; i < loops && !run.hasFailed(); i++) {
                int loop = i;
                run.same(Rule.CALLBACKS, "the events of loop " + loop,
                        recorder.events.stream().filter(each -> each.loop == loop).toList(), expected.get(loop));
                checkCounters(server.stats().loops().get(i), i);
            }
            for (ConnectionSnapshot each : server.connections()) {
                for (Peer peer : peers) {
                    if (peer.connection().id() == each.id()) {
                        run.same(Rule.GAUGES, "how often its socket was full", each.timesFull(), peer.timesFull);
                        run.same(Rule.GAUGES, "the bytes in its queue", each.queueBytes(), (long) peer.queued());
                        run.same(Rule.GAUGES, "the messages in its queue", each.queueMessages(), peer.queue.size());
                    }
                }
            }
        }
    }
}
