package io.trivet.scenarios;

import io.trivet.net.Loop;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.SendResult;
import io.trivet.server.Server;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * A drain: what waits is sent, nothing else is accepted or delivered, each connection ends when its peer does, or after its linger
 * timeout, and the server is closed with the last of them, or exactly at the deadline. A second drain changes the deadline.
 */
final class DrainTrial implements Trial {
    private static final long MILLI = 1_000_000;
    private static final long NEVER = Long.MAX_VALUE;

    /** One connection, and how it must end. */
    private static final class Peer {
        final TrialClient client;
        final TrialHandler.Seen seen;
        int unsent;
        boolean peerEnded;
        /** When it has lingered long enough. */
        long lingerNanos = NEVER;
        boolean outputEnded;
        @Nullable String reason;

        Peer(TrialClient client, TrialHandler.Seen seen) {
            this.client = client;
            this.seen = seen;
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
        final Limits limits;
        final int loops;
        final Server server;
        final List<Peer> peers = new ArrayList<>();
        long deadlineNanos;
        boolean mustBeClosed;

        Steps(TrialRun run) throws IOException {
            this.run = run;
            network = run.readinessNetwork();
            run.sim.buffers(1024, 1024);
            limits = LIMITS.withWriteTimeout(Duration.ZERO).withQueueBytesMax(1 << 20).withLingerTimeout(
                    run.random.chance(30) ? Duration.ZERO : Duration.ofNanos(run.random.logUniform(MILLI, 1_000 * MILLI)));
            loops = run.random.number(1, 1, 2, 3);
            server = run.builder(network, handler, limits).overflow(Overflow.DISCONNECT).loops(loops)
                    .open();
            int count = run.random.between(0, 5);
            for (int i = 0; i < count; i++) {
                TrialClient client = TrialClient.connect(run, run.address);
                network.settle();
                Peer peer = new Peer(client, handler.all.getLast());
                peers.add(peer);
                if (run.random.chance(40)) {
                    int bytes = (int) run.random.logUniform(1, 20_000);
                    peer.seen.connection.execute(() -> peer.seen.connection.send(new byte[bytes]));
                    network.settle();
                    peer.unsent = peer.seen.connection.queue().bytes();
                }
            }
        }

        void perform() throws IOException {
            server.schedule(Duration.ofHours(1), () -> run.fail(Rule.CALLBACKS, "a task runs an hour too early"));
            drain();
            int steps = run.random.between(2, 25);
            for (int i = 0; i < steps && !run.hasFailed() && !mustBeClosed; i++) {
                step();
                follow();
                check();
            }
            run.close(network, server);
        }

        private void drain() throws IOException {
            long timeout = run.random.chance(10) ? 0 : run.random.logUniform(MILLI, 3_000 * MILLI);
            run.log("the server drains within " + ReportText.duration(timeout));
            server.drain(Duration.ofNanos(timeout));
            deadlineNanos = network.now() + timeout;
            turnAsWoken();
            follow();
            check();
            try {
                server.connect(run.address, handler);
                run.fail(Rule.CALLBACKS, "a draining server connects");
            } catch (RejectedExecutionException e) {
                // As it must be.
            }
        }

        /** Turns the loops, any of them first; those without connections only if they have been woken or have something to do. */
        private void turnAsWoken() throws IOException {
            int first = run.random.below(loops);
            int quiet = 0;
            while (quiet < 3) {
                int done = 0;
                for (int i = 0; i < loops; i++) {
                    int loop = (first + i) % loops;
                    boolean hasPeers = peers.stream().anyMatch(peer -> peer.seen.isOpen() && peer.seen.connection.loop() == loop);
                    if (network.endsWait(loop) || hasPeers) {
                        done += network.turn(loop);
                    }
                }
                quiet = done == 0 ? quiet + 1 : 0;
            }
        }

        private void step() throws IOException {
            SeededRandom random = run.random;
            if (peers.isEmpty() || random.chance(35)) {
                pass();
                return;
            }
            Peer peer = peers.get(random.below(peers.size()));
            switch (random.below(6)) {
                case 0, 1 -> {
                    run.log("client " + peer.seen.number + " reads");
                    while (peer.client.read(random.number(100, 100_000)) > 0 && random.chance(80)) {
                        network.settle();
                    }
                }
                case 2 -> {
                    if (!peer.peerEnded) {
                        run.log("client " + peer.seen.number + " ends its output");
                        peer.client.endOutput();
                        peer.peerEnded = true;
                    }
                }
                case 3 -> {
                    if (peer.seen.isOpen()) {
                        run.same(Rule.CALLBACKS, "a message while the server drains", peer.seen.connection.send(new byte[5]),
                                SendResult.CLOSED);
                    }
                }
                case 4 -> {
                    if (random.chance(30)) {
                        drain();
                    }
                }
                default -> {
                    if (!peer.peerEnded && peer.reason == null) {
                        run.log("client " + peer.seen.number + " sends a message, which is not delivered");
                        peer.client.write("x");
                    }
                }
            }
            network.settle();
        }

        private void pass() throws IOException {
            long next = deadlineNanos;
            for (Peer peer : peers) {
                next = peer.reason == null ? Math.min(next, peer.lingerNanos) : next;
            }
            long by = Math.max(0, next - network.now() - run.random.number(0, 1));
            run.log(ReportText.duration(by) + " pass");
            network.pass(by);
            network.settle();
        }

        /** Computes what must have happened by now. */
        private void follow() {
            long now = network.now();
            boolean over = now >= deadlineNanos;
            for (Peer peer : peers) {
                if (peer.reason != null) {
                    continue;
                }
                // a connection that is closed before the deadline has sent everything
                peer.unsent = peer.seen.isOpen() ? peer.seen.connection.queue().bytes() : over ? peer.unsent : 0;
                if (peer.unsent == 0 && !peer.outputEnded) {
                    peer.outputEnded = true;
                    peer.lingerNanos = limits.lingerTimeout().isZero() ? NEVER : now + limits.lingerTimeout().toNanos();
                }
                if (peer.outputEnded && (peer.peerEnded || peer.lingerNanos <= now)) {
                    peer.reason = "DRAINED";
                } else if (over) {
                    peer.reason = "SERVER_CLOSED";
                }
            }
            mustBeClosed = over || peers.stream().allMatch(peer -> peer.reason != null);
        }

        private void check() {
            for (Peer peer : peers) {
                String reason = peer.reason;
                long left = deadlineNanos - network.now();
                run.same(Rule.DEADLINES, "the connection of client " + peer.seen.number + ", "
                        + ReportText.duration(Math.abs(left)) + (left > 0 ? " before" : " after") + " the timeout of the drain",
                        peer.seen.end(), reason == null ? "open" : reason);
                run.same(Rule.DELIVERY, "messages that were delivered by a draining server", peer.seen.messages.size(), 0);
            }
            run.same(Rule.DEADLINES, "the server is closed", server.isClosed(), mustBeClosed);
            if (!mustBeClosed) {
                for (Peer peer : peers) {
                    long next = network.nextDeadline(peer.seen.connection.loop());
                    boolean waits = next != Loop.NO_DEADLINE && next <= deadlineNanos;
                    run.expect(Rule.DEADLINES, !peer.seen.isOpen() || waits, "the loop of client " + peer.seen.number
                            + " does not wait for the end of the drain");
                }
            }
        }
    }
}
