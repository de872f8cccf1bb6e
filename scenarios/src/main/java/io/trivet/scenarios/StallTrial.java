package io.trivet.scenarios;

import io.trivet.server.Connection;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.Server;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Overdue peers, a handler that takes long, and a proactor that is behind. A peer is judged by the time at which the loop started to
 * wait. While the proactor is behind, overdue peers are spared for 32 completions for each connection, or 12 polls without any; and
 * so are the next ones that become overdue.
 */
final class StallTrial implements Trial {
    private static final long MILLI = 1_000_000;
    private static final int COMPLETIONS_PER_CONNECTION = 32;
    private static final int FRUITLESS_POLLS = 12;

    @Override
    public void run(TrialRun run) throws IOException {
        new Steps(run).perform();
    }

    private static final class Steps {
        final TrialRun run;
        final TrialNetwork network;
        final TrialHandler handler;
        final Server server;
        final TrialClient busy;
        final long timeoutNanos;
        /** The write deadline of each connection; {@link Long#MAX_VALUE} if it has none, or is closed. */
        final List<Long> deadlines = new ArrayList<>();
        /** How long the next callback takes. */
        long busyNanos;
        int load;
        /** Closes that the next poll reports. */
        int closing;
        long seen;

        Steps(TrialRun run) throws IOException {
            this.run = run;
            network = run.readinessNetwork();
            run.sim.buffers(1024, 1024);
            timeoutNanos = run.random.logUniform(10 * MILLI, 100 * MILLI);
            handler = new TrialHandler() {
                @Override
                public void onMessage(Connection connection, ByteBuffer message) {
                    network.pass(busyNanos);
                }
            };
            Limits limits = LIMITS.withWriteTimeout(Duration.ofNanos(timeoutNanos));
            server = run.builder(network, handler, limits).overflow(Overflow.DISCONNECT).open();
            busy = TrialClient.connect(run, run.address);
            network.settle();
            load = 1;
            deadlines.add(Long.MAX_VALUE);
        }

        void perform() throws IOException {
            int victims = run.random.between(1, 7);
            long passMax = Math.min(5 * MILLI, timeoutNanos / (victims + 1)); // none is overdue before all are there
            for (int i = 0; i < victims; i++) {
                TrialClient.connect(run, run.address);
                network.settle();
                load++;
                Connection connection = handler.all.getLast().connection;
                connection.send(new byte[10_000]);
                network.settle();
                deadlines.add(network.now() + timeoutNanos);
                network.pass(run.random.number(0, 1, 1) * run.random.logUniform(1, passMax));
            }
            network.proactor(0).behind(false);
            int behindPercent = run.random.number(0, 20, 85, 100);
            int waitsPercent = run.random.number(0, 4, 8, 25);
            int turns = run.random.between(20, 120);
            for (int i = 0; i < turns && !run.hasFailed(); i++) {
                if (run.random.chance(10)) {
                    pass();
                }
                turn(run.random.chance(behindPercent), run.random.chance(30), run.random.chance(20),
                        run.random.chance(waitsPercent));
            }
            run.close(network, server);
        }

        private long next() {
            return deadlines.stream().mapToLong(each -> each).min().orElseThrow();
        }

        /** Returns a time within which one more deadline passes, if there is one. */
        private long untilNext(long now) {
            long next = deadlines.stream().mapToLong(each -> each).filter(each -> each > now).min().orElse(Long.MAX_VALUE);
            return next == Long.MAX_VALUE ? MILLI : next - now;
        }

        private void pass() {
            long next = next();
            long by = next == Long.MAX_VALUE || next < network.now() ? MILLI : next - network.now() - run.random.number(0, 1, 1);
            run.log(ReportText.duration(Math.max(0, by)) + " pass");
            network.pass(Math.max(0, by));
        }

        private void turn(boolean behind, boolean receives, boolean takesLong, boolean waits) throws IOException {
            network.proactor(0).behind(behind);
            busyNanos = takesLong ? run.random.logUniform(1, 200 * MILLI) : 0;
            if (receives) {
                busy.write("x");
            }
            long pollNanos = network.now();
            if (waits) {
                long nanos = untilNext(pollNanos);
                network.proactor(0).duringNextWait(() -> network.pass(nanos));
            }
            long next = next();
            int completions = closing + (receives ? 1 : 0);
            closing = 0;
            network.turn(0);
            if (next == Long.MAX_VALUE || next > pollNanos) {
                seen = 0;
            } else {
                judge(pollNanos, behind, completions);
            }
            check(behind, completions);
        }

        private void judge(long pollNanos, boolean behind, int completions) {
            long most = (long) COMPLETIONS_PER_CONNECTION * (load + 1);
            if (behind && seen < most) {
                seen += completions > 0 ? completions : most / FRUITLESS_POLLS + 1;
                run.reached("SPARED");
                return;
            }
            seen = 0;
            for (int i = 0; i < deadlines.size(); i++) {
                if (deadlines.get(i) <= pollNanos) {
                    run.log("connection " + i + " has to be closed");
                    deadlines.set(i, Long.MAX_VALUE);
                    load--;
                    closing++;
                    expectClosed(i);
                }
            }
        }

        private void expectClosed(int number) {
            run.same(Rule.DEADLINES, "connection " + number + ", whose write timeout has passed", handler.all.get(number).end(),
                    "WRITE_TIMEOUT");
        }

        private void check(boolean behind, int completions) {
            for (int i = 0; i < deadlines.size(); i++) {
                if (deadlines.get(i) != Long.MAX_VALUE && !handler.all.get(i).isOpen()) {
                    run.fail(Rule.DEADLINES,
                            "connection " + i + " was closed with " + handler.all.get(i).end() + " in a turn with "
                                    + completions + " completions, " + (behind ? "behind" : "not behind") + ", although "
                                    + (deadlines.get(i) > network.now() ? "its deadline has not passed"
                                            : "it had to be spared, or its deadline has passed during the turn"));
                }
            }
        }
    }
}
