package io.trivet.scenarios;

import io.trivet.observe.ClosedConnection;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.LoopEvent;
import io.trivet.observe.LoopObserver;
import io.trivet.observe.LoopStats;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.Server;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * What a server tells about itself: the ends of its last connections, newest first; totals that are the sums of all loops;
 * snapshots, whose connections may have the memory of earlier ones; and observers, which may throw.
 */
final class ObserveTrial implements Trial {
    /** The number of ends that each loop keeps. */
    private static final int ENDS_MAX = 128;
    private static final List<ToLongFunction<LoopStats>> COUNTERS = List.of(LoopStats::connections, LoopStats::turns,
            LoopStats::completions, LoopStats::accepted, LoopStats::acceptFailures, LoopStats::refused, LoopStats::messagesIn,
            LoopStats::messagesOut, LoopStats::bytesIn, LoopStats::bytesOut, LoopStats::closed, LoopStats::dropped,
            LoopStats::tasks);

    /** An end that must be told. */
    private record End(long id, String reason, long bytesIn, long bytesOut, long atNanos) {}

    /** Counts what it is told, and throws at a number of events. */
    private static final class Observer implements LoopObserver {
        private int throwsAfter;
        int events;
        int turns;
        boolean thrown;

        Observer(int throwsAfter) {
            this.throwsAfter = throwsAfter;
        }

        @Override
        public void event(int loop, LoopEvent event, long connection, long amount) {
            events++;
            failIfDue();
        }

        @Override
        public void turned(int loop, long waitNanos, long workNanos, int done) {
            turns++;
            failIfDue();
        }

        private void failIfDue() {
            if (throwsAfter > 0 && --throwsAfter == 0) {
                thrown = true;
                throw new IllegalStateException("drawn");
            }
        }
    }

    @Override
    public void run(TrialRun run) throws IOException {
        new Steps(run).perform();
    }

    private static final class Steps {
        final TrialRun run;
        final TrialNetwork network;
        final TrialHandler handler = new TrialHandler();
        final int loops;
        final Server server;
        final List<TrialClient> clients = new ArrayList<>();
        final Deque<End> ends = new ArrayDeque<>();
        Observer observer = new Observer(0);

        Steps(TrialRun run) throws IOException {
            this.run = run;
            network = run.readinessNetwork();
            run.sim.buffers(2048, 2048);
            loops = run.random.number(1, 1, 2, 3);
            Limits limits = LIMITS.withQueueBytesMax(1 << 20).withQueueMarks(1 << 20, 0)
                    .withWriteTimeout(Duration.ZERO);
            server = run.builder(network, handler, limits).overflow(Overflow.DISCONNECT).framing(Framing.lines()).loops(loops)
                    .open();
            network.settle();
        }

        void perform() throws IOException {
            boolean many = loops == 1 && run.random.chance(15);
            int steps = many ? run.random.between(ENDS_MAX - 2, ENDS_MAX + 20) : run.random.between(3, 25);
            for (int i = 0; i < steps && !run.hasFailed(); i++) {
                step(many);
                check();
            }
            run.close(network, server);
        }

        private void step(boolean many) throws IOException {
            network.pass(run.random.logUniform(1, 10_000_000));
            if (many || clients.isEmpty() || run.random.chance(20)) {
                clients.add(TrialClient.connect(run, run.address));
                network.settle();
            }
            int number = many ? 0 : run.random.below(clients.size());
            TrialHandler.Seen seen = many ? handler.all.getLast() : handler.all.get(number);
            TrialClient client = many ? clients.removeFirst() : clients.get(number);
            Connection connection = seen.connection;
            if (many || run.random.chance(30)) {
                close(seen, client, many);
                return;
            }
            if (!seen.isOpen()) {
                return;
            }
            switch (run.random.below(6)) {
                case 5 -> fill(connection);
                case 0 -> client.write("abc\n".repeat(run.random.between(1, 9)));
                case 1 -> connection.execute(() -> connection.send(new byte[run.random.between(1, 5_000)]));
                case 2 -> client.readAll();
                case 3 -> observe();
                default -> network.turn(run.random.below(loops));
            }
            network.settle();
        }

        private void close(TrialHandler.Seen seen, TrialClient client, boolean many) throws IOException {
            if (!seen.isOpen()) {
                return;
            }
            run.log("the connection of client " + seen.number + " is closed");
            ConnectionSnapshot before = snapshot(seen.connection);
            if (run.random.chance(50)) {
                seen.connection.close();
            } else {
                seen.connection.reset();
            }
            network.settle();
            run.same(Rule.ENDS, "the connection that was closed is", seen.end(), "CLOSED");
            ends.addFirst(new End(before.id(), "CLOSED", before.bytesIn(), before.bytesOut(), network.now()));
            client.close();
            network.settle();
            if (many) {
                handler.all.removeLast();
            }
        }

        private ConnectionSnapshot snapshot(Connection connection) {
            for (ConnectionSnapshot each : server.connections()) {
                if (each.id() == connection.id()) {
                    return each;
                }
            }
            throw new AssertionError("an open connection has no snapshot: " + connection);
        }

        /** The socket refuses the first bytes of a queue: exactly once, whatever the memory of the queue was used for before. */
        private void fill(Connection connection) throws IOException {
            if (connection.queue().messages() > 0) {
                return;
            }
            network.proactor(connection.loop()).fill();
            connection.execute(() -> connection.send(new byte[run.random.between(1, 5_000)]));
            network.settle();
            run.same(Rule.GAUGES, "how often the socket has refused bytes of a new queue", snapshot(connection).timesFull(), 1);
            network.proactor(connection.loop()).makeRoom();
        }

        /** An observer is told of the turns from now on. If it throws, it is told nothing more. */
        private void observe() throws IOException {
            observer = new Observer(loops == 1 && run.random.chance(60) ? run.random.between(1, 6) : 0);
            server.observe(observer);
            network.settle();
            run.expect(Rule.CALLBACKS, observer.turns > 0, "an observer is told of no turn");
            for (int i = 0; i < 4; i++) {
                network.settle();
            }
            if (observer.thrown) {
                run.reached("OBSERVER_THREW");
                int told = observer.events + observer.turns;
                server.execute(() -> {});
                network.settle();
                run.same(Rule.CALLBACKS, "what an observer that has thrown is told afterwards",
                        observer.events + observer.turns - told, 0);
            } else if (run.random.chance(50)) {
                server.observe(null);
                network.settle();
                int told = observer.events + observer.turns;
                server.execute(() -> {});
                network.settle();
                run.same(Rule.CALLBACKS, "what an observer that was removed is told", observer.events + observer.turns - told, 0);
            }
        }

        private void check() {
            List<ClosedConnection> told = server.recentlyClosed();
            run.same(Rule.GAUGES, "ends that are told", told.size(), loops == 1 ? Math.min(ENDS_MAX, ends.size()) : ends.size());
            int at = 0;
            for (End each : ends) {
                if (at == told.size() || run.hasFailed()) {
                    break;
                }
                ClosedConnection closed = told.get(at++);
                run.same(Rule.GAUGES, "end " + at + ", the newest first",
                        new End(closed.id(), closed.reason().name(), closed.bytesIn(), closed.bytesOut(),
                                network.now() - closed.sinceClosed().toNanos()),
                        each);
            }
            LoopStats total = server.stats().total();
            for (ToLongFunction<LoopStats> counter : COUNTERS) {
                long sum = server.stats().loops().stream().mapToLong(counter).sum();
                run.same(Rule.GAUGES, "counter " + COUNTERS.indexOf(counter) + " of the total " + total,
                        counter.applyAsLong(total), sum);
            }
            for (ConnectionSnapshot each : server.connections()) {
                run.expect(Rule.GAUGES, each.queueBytes() > 0 || each.timesFull() == 0, "a queue that is empty was full "
                        + each.timesFull() + " times");
            }
        }
    }
}
