package io.trivet.scenarios;

import io.trivet.net.Loop;
import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.ScheduledTask;
import io.trivet.server.SendResult;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Calls from outside of a loop, and from callbacks of other loops: messages, ends, pauses, tasks, and timers that are scheduled and
 * cancelled. A loop is turned only when it has been woken or something is due, so each call must wake the loop that it concerns. Tasks
 * and timers run on the loop of their connection, in order, once.
 */
final class LoopTrial implements Trial {
    private static final long MILLI = 1_000_000;
    private static final long NEVER = Long.MAX_VALUE;

    /** A connection, and what must become of it. */
    private static final class Peer {
        final TrialClient client;
        final TrialHandler.Seen seen;
        final Connection connection;
        final StringBuilder expected = new StringBuilder();
        int pending;
        boolean outputFinished;
        @Nullable CloseReason end;
        boolean paused;
        int sent;

        Peer(TrialClient client, TrialHandler.Seen seen) {
            this.client = client;
            this.seen = seen;
            connection = seen.connection;
        }

        boolean isOpen() {
            return end == null;
        }
    }

    /** A timer. */
    private static final class Planned {
        final @Nullable Peer owner;
        final long dueNanos;
        @Nullable ScheduledTask task;
        boolean over;
        boolean mustRun;
        int runs;

        Planned(@Nullable Peer owner, long dueNanos) {
            this.owner = owner;
            this.dueNanos = dueNanos;
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
        final Server server;
        final int loops;
        final List<Peer> peers = new ArrayList<>();
        final List<Planned> timers = new ArrayList<>();
        final List<Integer> ran = new ArrayList<>();
        final List<Integer> submitted = new ArrayList<>();
        private int numbers;
        /** The loop that makes calls now; -1: none. */
        private int current = -1;

        Steps(TrialRun run) throws IOException {
            this.run = run;
            network = run.readinessNetwork();
            run.sim.buffers(1 << 20, 1 << 20);
            loops = run.random.number(2, 2, 3);
            Limits limits = LIMITS.withLingerTimeout(Duration.ZERO).withWriteTimeout(Duration.ZERO)
                    .withMessageTimeout(Duration.ZERO);
            server = run.builder(network, handler, limits).framing(Framing.lines()).overflow(Overflow.DISCONNECT).loops(loops)
                    .open();
            int count = run.random.between(2, 6);
            for (int i = 0; i < count; i++) {
                TrialClient client = TrialClient.connect(run, run.address);
                network.settle();
                peers.add(new Peer(client, handler.all.getLast()));
            }
            for (int i = 0; i < loops; i++) {
                network.proactor(i).takeWakeup();
            }
        }

        void perform() throws IOException {
            int steps = run.random.between(4, 25);
            for (int i = 0; i < steps && !run.hasFailed(); i++) {
                ran.clear();
                submitted.clear();
                if (run.random.chance(25)) {
                    pass();
                } else {
                    call();
                }
                turnAsWoken();
                check();
            }
            run.close(network, server);
        }

        // ---- what happens

        private void call() {
            int count = run.random.between(1, 5);
            int from = run.random.below(4);
            Peer source = peers.get(run.random.below(peers.size()));
            if (from == 0 && source.isOpen()) {
                run.log("calls from a callback of connection " + source.seen.number);
                source.connection.execute(() -> calls(source.connection.loop(), count));
            } else if (from == 1) {
                run.log("calls from a task of the server");
                server.execute(() -> calls(0, count));
            } else {
                calls(-1, count);
            }
        }

        private void calls(int loop, int count) {
            current = loop;
            for (int i = 0; i < count; i++) {
                make(peers.get(run.random.below(peers.size())));
            }
            current = -1;
        }

        private void make(Peer peer) {
            switch (run.random.below(12)) {
                case 0, 1, 2 -> send(peer);
                case 3, 4 -> execute(peer);
                case 5, 6 -> schedule(peer);
                case 7 -> cancel();
                case 8 -> {
                    if (peer.isOpen() && !peer.outputFinished) {
                        run.log("reading of connection " + peer.seen.number + " is paused or resumed");
                        peer.paused = !peer.paused;
                        if (peer.paused) {
                            peer.connection.pauseReading();
                        } else {
                            peer.connection.resumeReading();
                        }
                    }
                }
                case 9 -> {
                    run.log("client " + peer.seen.number + " sends a message");
                    if (peer.isOpen()) {
                        peer.client.write("in " + peer.sent++ + "\n");
                    }
                }
                case 10 -> broadcast();
                default -> {
                    if (run.random.chance(30)) {
                        end(peer);
                    }
                }
            }
        }

        private void send(Peer peer) {
            if (!peer.isOpen() || peer.outputFinished) {
                return; // whether it counts as open depends on whether its loop has learned of its end
            }
            String text = "m" + numbers++;
            run.log(text + " for connection " + peer.seen.number);
            SendResult result = switch (run.random.below(3)) {
                case 0 -> peer.connection.send(text);
                case 1 -> peer.connection.send(ByteBuffer.wrap(MessageContent.ascii(text)));
                default -> peer.connection.offer(MessageContent.ascii(text));
            };
            run.same(Rule.CALLBACKS, "the result of a message", result, SendResult.QUEUED);
            peer.expected.append(text).append('\n');
            peer.pending += text.length() + 1;
            run.same(Rule.GAUGES, "bytes in the queue as soon as a message is accepted", peer.connection.queue().bytes(),
                    peer.pending);
        }

        private void broadcast() {
            String text = "b" + numbers++;
            for (Peer each : peers) {
                if (each.isOpen() && each.outputFinished) {
                    return;
                }
            }
            boolean anyEnds = peers.stream().anyMatch(each -> each.isOpen() != each.seen.isOpen());
            if (anyEnds || current >= 0) {
                return; // on its own loop it counts at once, on another one later
            }
            run.log("a broadcast of " + text);
            server.broadcast(ByteBuffer.wrap(MessageContent.ascii(text)));
            for (Peer each : peers) {
                if (each.isOpen()) {
                    each.expected.append(text).append('\n');
                }
            }
        }

        private void execute(Peer peer) {
            int number = numbers++;
            boolean hasEnded = !peer.isOpen();
            peer.connection.execute(() -> {
                ran.add(number);
                checkOwnLoop(peer);
            });
            submitted.add(number);
            run.log("task " + number + " of connection " + peer.seen.number + (hasEnded ? ", which has ended" : ""));
        }

        /** Options can be read on the connection's loop only. */
        private void checkOwnLoop(Peer peer) {
            try {
                peer.connection.getOption(StandardSocketOptions.TCP_NODELAY);
            } catch (IllegalStateException e) {
                run.fail(Rule.CALLBACKS, "a task or timer does not run on the loop of its connection: " + e.getMessage());
            } catch (IOException e) {
                // It is closed.
            }
        }

        private void schedule(Peer peer) {
            if (!peer.isOpen()) {
                return;
            }
            long delay = run.random.number(0, 1, 1) * run.random.logUniform(1, 20 * MILLI);
            Peer owner = run.random.chance(30) ? null : peer;
            Planned planned = new Planned(owner, network.now() + delay);
            Runnable task = () -> {
                planned.runs++;
                if (owner != null) {
                    checkOwnLoop(owner);
                }
            };
            planned.task = owner == null ? server.schedule(Duration.ofNanos(delay), task)
                    : owner.connection.schedule(Duration.ofNanos(delay), task);
            timers.add(planned);
            run.log("a timer of " + (owner == null ? "the server" : "connection " + owner.seen.number) + " in "
                    + ReportText.duration(delay));
        }

        private void cancel() {
            if (timers.isEmpty()) {
                return;
            }
            Planned chosen = timers.get(run.random.below(timers.size()));
            ScheduledTask task = chosen.task;
            Peer owner = chosen.owner;
            if (task == null || (owner != null && owner.isOpen() != owner.seen.isOpen())) {
                return; // its loop may not have learned of the end of its connection
            }
            boolean isOver = chosen.over || chosen.runs > 0 || (owner != null && !owner.isOpen());
            run.log("a timer is cancelled" + (isOver ? ", which is over" : ""));
            run.same(Rule.CALLBACKS, "the result of cancel", task.cancel(), !isOver);
            chosen.over = true;
        }

        private void end(Peer peer) {
            if (!peer.isOpen() || peer.outputFinished || peer.paused) {
                return;
            }
            switch (run.random.below(3)) {
                case 0 -> {
                    run.log("connection " + peer.seen.number + " is closed");
                    peer.connection.close();
                    peer.end = CloseReason.CLOSED;
                }
                case 1 -> {
                    run.log("connection " + peer.seen.number + " is reset");
                    peer.connection.reset();
                    peer.end = CloseReason.CLOSED;
                }
                default -> {
                    run.log("the output of connection " + peer.seen.number + " is finished");
                    peer.connection.finishOutput();
                    peer.outputFinished = true;
                }
            }
        }

        private void pass() {
            long next = timers.stream().filter(each -> !each.over && each.runs == 0).mapToLong(each -> each.dueNanos).min()
                    .orElse(NEVER);
            long by = next == NEVER || run.random.chance(30) ? run.random.logUniform(1, 10 * MILLI)
                    : Math.max(0, next - network.now() - run.random.number(0, 0, 1));
            run.log(ReportText.duration(by) + " pass");
            network.pass(by);
        }

        // ---- turns

        /** Turns the loops that were woken, or have something to do: any of them first. */
        private void turnAsWoken() throws IOException {
            int first = run.random.below(loops);
            int quiet = 0;
            int turns = 0;
            while (quiet < 3 && turns++ < 100) {
                boolean any = false;
                for (int i = 0; i < loops; i++) {
                    int loop = (first + i) % loops;
                    if (network.endsWait(loop) || hasArrived(loop)) {
                        any |= network.turn(loop) > 0;
                    }
                }
                quiet = any ? 0 : quiet + 1;
            }
            run.expect(Rule.SPIN, turns < 100, "the loops have not come to rest after " + turns + " turns");
        }

        /** Returns true if a client of the loop has sent something that is read: then a kernel would end the wait. */
        private boolean hasArrived(int loop) {
            return peers.stream().anyMatch(each -> each.connection.loop() == loop && !each.paused && each.isOpen()
                    && each.sent > each.seen.messages.size());
        }

        private void check() {
            run.same(Rule.CALLBACKS, "tasks that have run", ran.stream().sorted().toList(), submitted.stream().sorted().toList());
            for (Peer each : peers) {
                String of = " of connection " + each.seen.number;
                each.pending = 0;
                run.same(Rule.ENDS, "the end" + of, each.seen.end(), each.isOpen() ? "open" : String.valueOf(each.end));
                run.same(Rule.GAUGES, "bytes in the queue" + of, each.connection.queue().bytes(), 0);
                if (each.isOpen()) {
                    each.client.readAll();
                    run.same(Rule.ORDER, "what the client has received" + of, each.client.text(), each.expected.toString());
                    run.same(Rule.ENDS, "the end that the client has read" + of, each.client.hasEnded(), each.outputFinished);
                    run.expect(Rule.DELIVERY, each.paused || each.seen.messages.size() == each.sent,
                            "messages" + of + ": " + each.seen.messages.size() + " instead of " + each.sent);
                }
            }
            for (Planned each : timers) {
                Peer owner = each.owner;
                boolean isDue = each.dueNanos <= network.now() && !each.over;
                if (owner != null && !owner.isOpen()) {
                    each.over = true;
                } else if (isDue) {
                    run.same(Rule.CALLBACKS, "how often a timer has run that is due", each.runs, 1);
                    each.over = true;
                    each.mustRun = true;
                } else if (!each.mustRun) {
                    run.same(Rule.CALLBACKS, "how often a timer has run that is not due, or was cancelled", each.runs, 0);
                }
            }
            for (int i = 0; i < loops; i++) {
                long next = network.nextDeadline(i);
                run.same(Rule.DEADLINES, "the next deadline of loop " + i, next == Loop.NO_DEADLINE ? NEVER : next, nextTimer(i));
            }
        }

        private long nextTimer(int loop) {
            return timers.stream().filter(each -> !each.over && (each.owner == null ? 0 : each.owner.connection.loop()) == loop)
                    .mapToLong(each -> each.dueNanos).min().orElse(NEVER);
        }
    }
}
