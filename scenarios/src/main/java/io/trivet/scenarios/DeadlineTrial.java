package io.trivet.scenarios;

import io.trivet.net.Loop;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ReadState;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.Remainder;
import io.trivet.server.SendResult;
import io.trivet.server.Server;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All deadlines of one connection, to the nanosecond: of the first message, of each message, of idleness, of the input, of the
 * output, and of lingering. Its limits change while it runs.
 */
final class DeadlineTrial implements Trial {
    private static final long MILLI = 1_000_000;
    /** Idleness is measured in steps of about a millisecond, rounded up. */
    private static final long IDLE_STEP_NANOS = 2_200_000;
    private static final long NEVER = Long.MAX_VALUE;

    private enum State {
        OPEN, INPUT_ENDED, DRAINING, LINGERING, CLOSED
    }

    @Override
    public void run(TrialRun run) throws IOException {
        new Steps(run).perform();
    }

    private static final class Steps {
        final TrialRun run;
        final TrialNetwork network;
        final boolean finishesAtEnd;
        /** An unfinished line at the end of the input is delivered. */
        final boolean deliversRemainder;
        final boolean completesMessages;
        final TrialHandler handler;
        final Server server;
        final TrialClient client;
        final Connection connection;
        Limits limits;

        // What must hold.
        State state = State.OPEN;
        /** Set once the connection is to end. */
        @Nullable CloseReason reason;
        /** It ends because of a deadline: it sends what was accepted, within the linger timeout. */
        boolean brokenOff;
        boolean peerEnded;
        boolean outputFinished;
        boolean paused;
        boolean hasMessage;
        boolean partial;
        long stateDeadline;
        long activeNanos;
        long receivedNanos;
        long beganNanos;
        long progressNanos;
        long lingered;
        long queued;
        boolean waits;

        Steps(TrialRun run) throws IOException {
            this.run = run;
            network = run.readinessNetwork();
            run.sim.buffers(1024, 1024);
            finishesAtEnd = run.random.chance(50);
            deliversRemainder = run.random.chance(50);
            completesMessages = run.random.chance(75);
            handler = new TrialHandler() {
                @Override
                public void onEndOfInput(Connection of) {
                    seen(of).inputEnded = true;
                    if (finishesAtEnd) {
                        of.finish();
                    }
                }
            };
            limits = draw(LIMITS.withLingerBytesMax(run.random.between(0, 200)).withQueueBytesMax(1 << 20)
                    .withQueueMarks(1 << 20, 0));
            server = run.builder(network, handler, limits).overflow(Overflow.DISCONNECT).urgent(true)
                    .framing(Framing.lines().withRemainder(deliversRemainder ? Remainder.DELIVER : Remainder.DROP)).open();
            client = TrialClient.connect(run, run.address);
            network.pass(run.random.logUniform(1, 10 * MILLI));
            network.settle();
            connection = handler.all.getFirst().connection;
            long now = network.now();
            activeNanos = now;
            receivedNanos = now;
            stateDeadline = after(now, limits.firstMessageTimeout());
            run.log("limits: " + Simplification.describeUnusual(limits));
        }

        private Limits draw(Limits from) {
            return from.withMessageTimeout(timeout()).withFirstMessageTimeout(timeout()).withIdleTimeout(timeout())
                    .withReadIdleTimeout(timeout()).withWriteTimeout(timeout()).withLingerTimeout(timeout());
        }

        private Duration timeout() {
            return run.random.chance(40) ? Duration.ZERO : Duration.ofNanos(run.random.logUniform(5 * MILLI, 500 * MILLI));
        }

        void perform() throws IOException {
            if (run.random.chance(20)) {
                begin();
                turn();
                check();
            }
            int steps = run.random.between(5, 50);
            for (int i = 0; i < steps && !run.hasFailed() && state != State.CLOSED; i++) {
                step();
                turn();
                check();
            }
            run.close(network, server);
        }

        // ---- what happens

        private void step() throws IOException {
            SeededRandom random = run.random;
            long now = network.now();
            switch (random.below(16)) {
                case 10 -> linger(now);
                case 11 -> urgent(now);
                case 0, 1 -> sendPart(now);
                case 2 -> {
                    if (receives() && completesMessages) {
                        boolean more = random.chance(30);
                        run.log("the client completes a message" + (more ? ", and begins another" : ""));
                        client.write(more ? "y\nz" : "y\n");
                        arrives(now);
                        hasMessage = true;
                        partial = more;
                        beganNanos = now;
                    }
                }
                case 3, 4 -> send((int) random.logUniform(1, 4000), now);
                case 5 -> run.log("the client reads " + client.read((int) random.logUniform(1, 4000)) + " bytes");
                case 6 -> {
                    if (state == State.OPEN) {
                        run.log("reading is paused");
                        connection.pauseReading();
                        paused = true;
                    }
                }
                case 7 -> {
                    if (state == State.OPEN && paused) {
                        run.log("reading is resumed");
                        connection.resumeReading();
                        paused = false;
                        resumed(now);
                    }
                }
                case 8 -> changeLimits(now);
                case 9 -> end();
                case 12 -> {
                    if (random.chance(20)) {
                        finishOutput();
                    }
                }
                default -> pass();
            }
        }

        /** Situations that single steps rarely reach: the input ends within the first message, or while the finished output waits. */
        private void begin() throws IOException {
            if (run.random.chance(50)) {
                send(4_000, network.now());
                turn();
                finishOutput();
            }
            if (run.random.chance(60)) {
                sendPart(network.now());
                turn();
            }
            if (run.random.chance(80)) {
                clientEnds();
            }
        }

        private void sendPart(long now) {
            if (receives()) {
                run.log("the client sends a part of a message");
                client.write("x".repeat(run.random.between(1, 5)));
                arrives(now);
                beganNanos = partial ? beganNanos : now;
                partial = true;
            }
        }

        private void send(int bytes, long now) {
            run.log("the server sends " + bytes + " bytes");
            boolean accepted = connection.send(new byte[bytes]) == SendResult.QUEUED;
            run.same(Rule.CALLBACKS, "the message is accepted", accepted,
                    (state == State.OPEN || state == State.INPUT_ENDED) && !outputFinished);
            if (accepted && !waits) {
                progressNanos = now;
            }
            if (accepted) {
                waits = true;
                queued += bytes + 1; // with the end of the line
            }
        }

        /** What arrives while the connection lingers is dropped, up to a number of bytes. */
        private void linger(long now) {
            if (state != State.LINGERING || peerEnded) {
                return;
            }
            int bytes = run.random.between(1, 60);
            run.log("the client sends " + bytes + " bytes to a connection that lingers");
            client.write("w".repeat(bytes));
            activeNanos = now;
            lingered += bytes;
            if (lingered > limits.lingerBytesMax()) {
                run.reached("LINGER_BYTES");
                state = State.CLOSED;
            }
        }

        private void urgent(long now) throws IOException {
            if (receives() && !partial) {
                run.log("the client sends an urgent byte");
                client.sendUrgent(200);
                activeNanos = now;
            }
        }

        private boolean receives() {
            return state == State.OPEN && !paused && !peerEnded;
        }

        private void arrives(long now) {
            activeNanos = now;
            receivedNanos = now;
        }

        private void resumed(long now) {
            if (!hasMessage) {
                stateDeadline = after(now, limits.firstMessageTimeout());
            }
            receivedNanos = now;
            beganNanos = now;
        }

        private void changeLimits(long now) {
            Limits before = limits;
            limits = draw(limits);
            if (outsideOfIdleStep(now, limits) != now) {
                limits = limits.withIdleTimeout(Duration.ZERO);
            }
            run.log("new limits: " + Simplification.describeUnusual(limits));
            connection.limits(limits);
            if (state == State.OPEN) {
                if (!hasMessage) {
                    stateDeadline = after(now, limits.firstMessageTimeout());
                }
                if (before.readIdleTimeout().isZero()) {
                    receivedNanos = now;
                }
            }
        }

        private void finishOutput() {
            if (outputFinished || (state != State.OPEN && state != State.INPUT_ENDED)) {
                return;
            }
            run.log("the server finishes its output");
            connection.finishOutput();
            outputFinished = true;
            if (state == State.INPUT_ENDED) {
                finish(CloseReason.PEER_FINISHED);
            }
        }

        private void clientEnds() throws IOException {
            run.log("the client ends its output");
            client.endOutput();
            peerEnded = true;
            if (state == State.OPEN) {
                hasMessage |= partial && deliversRemainder;
                partial = false;
                state = State.INPUT_ENDED;
                if (finishesAtEnd || outputFinished) {
                    finish(CloseReason.PEER_FINISHED);
                }
            }
        }

        private void end() throws IOException {
            if (run.random.chance(completesMessages || !partial ? 40 : 10)) {
                return;
            }
            if (run.random.chance(completesMessages ? 50 : 80) && !paused && !peerEnded) {
                clientEnds();
            } else if (state == State.OPEN || state == State.INPUT_ENDED) {
                run.log("the server finishes");
                connection.finish();
                finish(state == State.INPUT_ENDED ? CloseReason.PEER_FINISHED : CloseReason.FINISHED);
            }
        }

        private void finish(CloseReason why) {
            reason = why;
            state = State.DRAINING;
            stateDeadline = NEVER;
            partial = false;
        }

        /** Lets time pass until a deadline, or just before it, or for some time. */
        private void pass() {
            long now = network.now();
            long[] deadlines = {stateDeadlineNow(), messageDeadline(), writeDeadline(), readIdleDeadline(), idleDeadline(),
                idleDeadline() == NEVER ? NEVER : idleDeadline() + IDLE_STEP_NANOS};
            long next = deadlines[run.random.below(deadlines.length)];
            long by = next == NEVER || next < now || run.random.chance(30) ? run.random.logUniform(1, 100 * MILLI)
                    : next - now - run.random.number(0, 1);
            long to = outsideOfIdleStep(now + Math.max(0, by), limits);
            run.log(ReportText.duration(to - now) + " pass");
            network.pass(to - now);
        }

        /** Returns a time, or a later one at which it is certain that the idle timeout has passed. */
        private long outsideOfIdleStep(long nanos, Limits of) {
            long idle = after(activeNanos, of.idleTimeout());
            return idle <= nanos && nanos - idle < IDLE_STEP_NANOS ? idle + IDLE_STEP_NANOS : nanos;
        }

        // ---- the deadlines

        private static long after(long since, Duration timeout) {
            return timeout.isZero() ? NEVER : since + timeout.toNanos();
        }

        private long stateDeadlineNow() {
            boolean isMet = (state == State.OPEN && (hasMessage || paused)) || (state == State.INPUT_ENDED && hasMessage);
            return isMet ? NEVER : stateDeadline;
        }

        private long messageDeadline() {
            return state == State.OPEN && partial && !paused ? after(beganNanos, limits.messageTimeout()) : NEVER;
        }

        private long writeDeadline() {
            return waits && state != State.CLOSED ? after(progressNanos, limits.writeTimeout()) : NEVER;
        }

        private long readIdleDeadline() {
            return state == State.OPEN && !paused ? after(receivedNanos, limits.readIdleTimeout()) : NEVER;
        }

        private long idleDeadline() {
            boolean ends = state == State.LINGERING || (state == State.DRAINING && brokenOff);
            return state == State.CLOSED || (ends && !limits.lingerTimeout().isZero()) ? NEVER
                    : after(activeNanos, limits.idleTimeout());
        }

        // ---- turns

        private void turn() throws IOException {
            long now = network.now();
            // A deadline is compared with the time at which the loop starts to wait, and after what has arrived was received.
            long before = server.stats().total().bytesOut();
            network.settle();
            long sent = server.stats().total().bytesOut() - before;
            if (sent > 0) {
                progressNanos = now;
                activeNanos = now;
            }
            queued -= sent;
            waits = queued > 0;
            for (int i = 0; i < 3; i++) { // one deadline may lead to another
                expire(now);
            }
            if (state == State.DRAINING && !waits) {
                if (peerEnded) {
                    state = State.CLOSED;
                } else {
                    state = State.LINGERING;
                    stateDeadline = brokenOff && stateDeadline != NEVER ? stateDeadline : after(now, limits.lingerTimeout());
                }
            }
            if (state == State.LINGERING && peerEnded) {
                state = State.CLOSED;
            }
        }

        private void expire(long now) {
            if (stateDeadlineNow() <= now) {
                if (state == State.OPEN || state == State.INPUT_ENDED) {
                    breakOff(CloseReason.FIRST_MESSAGE_TIMEOUT, now);
                } else {
                    state = State.CLOSED;
                }
            } else if (messageDeadline() <= now) {
                breakOff(CloseReason.MESSAGE_TIMEOUT, now);
            } else if (writeDeadline() <= now) {
                reason = brokenOff ? reason : CloseReason.WRITE_TIMEOUT;
                state = State.CLOSED;
            } else if (readIdleDeadline() <= now) {
                breakOff(CloseReason.IDLE_TIMEOUT, now);
            } else if (idleDeadline() != NEVER && idleDeadline() + IDLE_STEP_NANOS <= now) {
                if (state == State.LINGERING || brokenOff) {
                    state = State.CLOSED;
                } else {
                    breakOff(CloseReason.IDLE_TIMEOUT, now);
                }
            }
        }

        private void breakOff(CloseReason why, long now) {
            run.reached(why.name());
            reason = why;
            brokenOff = true;
            partial = false;
            state = State.DRAINING;
            stateDeadline = after(now, limits.lingerTimeout());
        }

        private void check() {
            TrialHandler.Seen seen = handler.all.getFirst();
            CloseReason why = reason;
            run.same(Rule.DEADLINES,
                    "the connection is, " + ReportText.duration(network.now() - activeNanos) + " after the last byte",
                    seen.end(),
                    state == State.CLOSED ? why == null ? "?" : why.name() : "open");
            run.same(Rule.ENDS, "its failure", String.valueOf(connection.failure()), "null");
            if (state != State.CLOSED && !run.hasFailed()) {
                run.same(Rule.DEADLINES, "its state", connection.state().name(), state.name());
                checkSnapshot();
                checkNextDeadline();
            }
        }

        private void checkSnapshot() {
            List<ConnectionSnapshot> all = server.connections();
            run.same(Rule.GAUGES, "snapshots", all.size(), 1);
            if (run.hasFailed()) {
                return;
            }
            ConnectionSnapshot snapshot = all.getFirst();
            run.same(Rule.GAUGES, "the state of its snapshot", snapshot.state().name(), state.name());
            run.same(Rule.GAUGES, "the reason of its snapshot", String.valueOf(snapshot.closeReason()), String.valueOf(reason));
            run.same(Rule.GAUGES, "bytes in its queue", snapshot.queueBytes(), queued);
            run.same(Rule.GAUGES, "the time without progress", snapshot.sinceProgress().toNanos(),
                    waits ? network.now() - progressNanos : 0L);
            run.same(Rule.GAUGES, "its write timeout", snapshot.writeTimeout(), limits.writeTimeout());
            long inactive = network.now() - activeNanos - snapshot.sinceActivity().toNanos();
            run.expect(Rule.GAUGES, Math.abs(inactive) < IDLE_STEP_NANOS,
                    "the time without activity is " + snapshot.sinceActivity()
                            + " instead of " + ReportText.duration(network.now() - activeNanos));
            ReadState read = switch (state) {
                case OPEN -> paused ? ReadState.PAUSED_BY_APPLICATION : ReadState.READING;
                case INPUT_ENDED -> ReadState.INPUT_ENDED;
                case DRAINING -> ReadState.DRAINING;
                case LINGERING -> ReadState.READING_TO_END;
                case CLOSED -> ReadState.CLOSED;
            };
            run.same(Rule.GAUGES, "whether it is read", snapshot.readState(), read);
            run.same(Rule.GAUGES, "whether its socket is watched for input", snapshot.readable(),
                    read == ReadState.READING || read == ReadState.READING_TO_END);
            run.same(Rule.GAUGES, "whether its socket is watched for output", snapshot.writable(), waits);
        }

        /** The loop must wake up at the next deadline; earlier, it may. */
        private void checkNextDeadline() {
            long idle = idleDeadline();
            long next = Math.min(Math.min(stateDeadlineNow(), messageDeadline()), Math.min(writeDeadline(), readIdleDeadline()));
            next = idle == NEVER ? next : Math.min(next, idle + IDLE_STEP_NANOS);
            long waitsUntil = network.nextDeadline(0);
            run.expect(Rule.DEADLINES, next == NEVER || (waitsUntil != Loop.NO_DEADLINE && waitsUntil <= next),
                    "the loop does not wake up at the next deadline, in " + ReportText.duration(next - network.now()));
        }
    }
}
