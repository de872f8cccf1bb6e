package io.trivet.scenarios;

import io.trivet.net.Loop;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ClosedConnection;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ConnectionState;
import io.trivet.observe.ReadState;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.Remainder;
import io.trivet.server.Server;
import io.trivet.server.Session;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Sessions that receive, also for a limited time, send, sleep, are interrupted, return and throw. Their clients send more than is held
 * for a session, read now and then, and end in any way; the server drains. What each call returns, and when, is known to the nanosecond.
 */
final class SessionTrial implements Trial {
    private static final long MILLI = 1_000_000;
    private static final int BUFFER_BYTES = 8192;
    /** Bytes of messages that wait for a session, with four for each message, at which nothing more is read. */
    private static final int INBOX_BYTES = 16 * 1024;

    /**
     * What all sessions of a trial have in common.
     *
     * @param callsMax how many calls a session makes at most, before it ends
     * @param sleepNanosMax how long it sleeps at most
     * @param sleepsPercent how often it sleeps
     * @param highBytes the mark at which send waits
     * @param lowBytes the mark at which it continues
     * @param pausesWhenHigh nothing is read while more than the low mark waits, since the high mark was reached
     * @param bytesOut the number of bytes that all sockets have accepted
     */
    record Settings(int callsMax, long sleepNanosMax, int sleepsPercent, int highBytes, int lowBytes, boolean pausesWhenHigh,
            LongSupplier bytesOut) {}

    @Override
    public void run(TrialRun run) throws IOException {
        new Steps(run).perform();
    }

    private static final class Steps {
        final TrialRun run;
        final TrialNetwork network;
        final int loops;
        final Server server;
        final Settings settings;
        final List<SessionPeer> peers = new ArrayList<>();
        /** Clients send more than is held for their sessions, which sleep most of the time. */
        final boolean floods;
        /** The policy for a message that is unfinished at the end of a client's output. */
        final Remainder remainder;
        long drainNanos = SessionPeer.NEVER;

        Steps(TrialRun run) throws IOException {
            this.run = run;
            SeededRandom random = run.random;
            network = run.anyNetwork();
            run.sim.buffers(BUFFER_BYTES, BUFFER_BYTES);
            boolean pauses = random.chance(40);
            int high = (int) random.logUniform(1, 30_000);
            int low = random.number(0, high / 2, high);
            Limits limits = LIMITS.withQueueBytesMax(Math.max(high, random.number(high, 4 * high))).withQueueMarks(high, low)
                    .withWriteTimeout(Duration.ZERO).withLingerTimeout(Duration.ZERO).withIdleTimeout(Duration.ZERO)
                    .withFirstMessageTimeout(Duration.ZERO).withMessageTimeout(Duration.ZERO).withLingerBytesMax(1 << 20);
            loops = random.number(1, 1, 2);
            remainder = random.pick(Remainder.DELIVER, Remainder.DELIVER, Remainder.DROP, Remainder.ERROR);
            server = Server.builder().network(network).listen(run.address).session(this::serve).limits(limits)
                    .framing(Framing.lines().withRemainder(remainder)).loops(loops)
                    .overflow(pauses ? Overflow.PAUSE_READING : Overflow.DISCONNECT).open();
            floods = random.chance(30);
            settings = new Settings(random.number(3, 20, 60), floods ? 1_000 * MILLI : 50 * MILLI, floods ? 50 : 10, high,
                    Math.min(low, high - 1), pauses, () -> server.stats().total().bytesOut());
            network.settle();
            int clients = floods ? 1 : random.number(1, 1, 2, 3);
            for (int i = 0; i < clients; i++) {
                peers.add(new SessionPeer(run, network, settings, i, TrialClient.connect(run, run.address)));
                network.settle();
            }
            run.log(clients + " clients, high mark of " + high + " bytes, low " + low);
        }

        private void serve(Session session) throws Exception {
            InetSocketAddress remote = session.connection().remoteAddress();
            for (SessionPeer peer : peers) {
                if (remote.equals(peer.client.address())) {
                    peer.serve(session);
                    return;
                }
            }
            run.fail(Rule.CALLBACKS, "a session is started for an unknown connection");
        }

        void perform() throws IOException {
            check();
            int steps = run.random.between(5, 50);
            for (int i = 0; i < steps && !run.hasFailed(); i++) {
                step(peers.get(run.random.below(peers.size())));
                network.settle();
                check();
            }
            for (SessionPeer peer : peers) {
                if (!run.hasFailed()) {
                    end(peer);
                }
            }
            run.close(network, server);
            for (SessionPeer peer : peers) {
                run.same(Rule.CALLBACKS, peer + " was started this often", peer.started, 1);
                run.expect(Rule.CALLBACKS, peer.ended, peer + " has not ended");
            }
        }

        // ---- what happens

        private void step(SessionPeer peer) throws IOException {
            SeededRandom random = run.random;
            switch (random.below(14)) {
                case 0, 1, 2, 3, 4 -> write(peer);
                case 5, 6 -> run.log("client " + peer.number + " reads "
                        + peer.client.read((int) random.logUniform(1, 30_000)) + " bytes");
                case 7 -> {
                    if (random.chance(30)) {
                        endOutput(peer);
                    }
                }
                case 8 -> {
                    if (random.chance(40)) {
                        cut(peer);
                    }
                }
                case 9 -> {
                    if (random.chance(floods ? 60 : 20)) {
                        drain();
                    } else {
                        misuse(peer);
                    }
                }
                default -> pass();
            }
        }

        private boolean isOpen(SessionPeer peer) {
            ConnectionState state = peer.connection().state();
            return state == ConnectionState.OPEN && peer.closed == null && !peer.finished && !peer.drained && !peer.ended;
        }

        private @Nullable ConnectionSnapshot snapshot(SessionPeer peer) {
            for (ConnectionSnapshot each : server.connections()) {
                if (each.id() == peer.connection().id()) {
                    return each;
                }
            }
            return null;
        }

        private void write(SessionPeer peer) {
            ConnectionSnapshot before = snapshot(peer);
            if (peer.outputEnded || before == null) {
                return;
            }
            int room = BUFFER_BYTES - (int) (peer.sentBytes - before.bytesIn());
            if (!isOpen(peer)) {
                if (peer.closed == null && room > 0) {
                    writeLate(peer, room);
                }
                return;
            }
            int count = run.random.between(1, 5);
            StringBuilder lines = new StringBuilder();
            int messages = 0;
            for (int i = 0; i < count; i++) {
                int length = floods ? run.random.between(500, 4_000)
                        : (int) run.random.logUniform(0, run.random.chance(30) ? 6_000 : 300);
                if (lines.length() + length + 1 > room) {
                    break;
                }
                char[] text = new char[length];
                Arrays.fill(text, (char) ('a' + peer.sent.size() % 26));
                peer.sent.add(new String(text));
                lines.append(text).append('\n');
                messages++;
            }
            run.log("client " + peer.number + " sends " + messages + " messages, " + lines.length() + " bytes");
            peer.sentBytes += lines.length();
            peer.client.write(lines.toString());
        }

        /** Sends messages that the session must not receive: the server drains, or the connection is finished. */
        private void writeLate(SessionPeer peer, int room) {
            String late = "late\n".repeat(run.random.between(1, Math.max(1, Math.min(room / 5, 500))));
            if (late.length() <= room) {
                run.log("client " + peer.number + " sends " + late.length() + " bytes too late");
                peer.sentBytes += late.length();
                peer.client.write(late);
            }
        }

        private void endOutput(SessionPeer peer) throws IOException {
            if (!peer.outputEnded && peer.closed == null) {
                boolean mayFail = remainder == Remainder.ERROR && peer.connection().queue().bytes() > 0;
                if (isOpen(peer) && !peer.paused && !mayFail && run.random.chance(50)) {
                    leaveUnfinished(peer);
                }
                run.log("client " + peer.number + " ends its output");
                peer.outputEnded = true;
                peer.client.endOutputIfOpen();
                peer.peerEnded = peer.isUnfinished || isOpen(peer);
            }
        }

        /** Sends a last message without its line feed. It may be long enough to pause reading by itself. */
        private void leaveUnfinished(SessionPeer peer) throws IOException {
            int length = run.random.chance(40) ? INBOX_BYTES + run.random.between(-5, 2_000)
                    : (int) run.random.logUniform(1, 300);
            run.log("client " + peer.number + " sends " + length + " bytes of a message, " + remainder);
            byte[] text = new byte[length];
            Arrays.fill(text, (byte) 'u');
            for (int at = 0; at < length; at += BUFFER_BYTES) {
                peer.client.write(Arrays.copyOfRange(text, at, Math.min(length, at + BUFFER_BYTES)));
                network.settle();
            }
            peer.sentBytes += length;
            switch (remainder) {
                case DROP -> {
                }
                case ERROR -> peer.closed = CloseReason.PROTOCOL_ERROR;
                case DELIVER -> peer.sent.add(new String(text, StandardCharsets.ISO_8859_1));
            }
            peer.isUnfinished = true;
        }

        private void cut(SessionPeer peer) throws IOException {
            if (!isOpen(peer)) {
                return;
            }
            peer.deliveredMin = peer.paused ? peer.received : peer.sent.size();
            switch (run.random.below(4)) {
                case 0 -> {
                    run.log("the application closes the connection of client " + peer.number);
                    peer.closed = CloseReason.CLOSED;
                    peer.connection().close();
                }
                case 1, 2 -> {
                    run.log("the application finishes the connection of client " + peer.number);
                    ConnectionSnapshot now = snapshot(peer);
                    peer.deliveredMax = now == null ? peer.received : messagesWithin(peer, now.bytesIn());
                    peer.finish();
                }
                default -> {
                    if (!peer.paused && !peer.outputEnded) {
                        run.log("client " + peer.number + " resets its connection");
                        peer.closed = CloseReason.RESET;
                        peer.client.reset();
                    } else {
                        peer.deliveredMin = -1;
                    }
                }
            }
        }

        private void drain() {
            if (drainNanos != SessionPeer.NEVER) {
                return;
            }
            run.log("the server drains");
            for (SessionPeer peer : peers) {
                ConnectionState state = peer.connection().state();
                boolean asks = !peer.ended && (state == ConnectionState.OPEN || state == ConnectionState.INPUT_ENDED);
                if (asks) {
                    peer.drained = true;
                    peer.deliveredMin = peer.paused ? peer.received : peer.sent.size();
                    ConnectionSnapshot now = snapshot(peer);
                    peer.deliveredMax = now == null ? peer.received : messagesWithin(peer, now.bytesIn());
                }
            }
            drainNanos = network.now() + Duration.ofHours(1).toNanos();
            server.drain(Duration.ofHours(1));
        }

        private static int messagesWithin(SessionPeer peer, long bytes) {
            int messages = 0;
            for (long left = bytes; messages < peer.sent.size(); messages++) {
                boolean isUnfinished = peer.isUnfinished && messages == peer.sent.size() - 1;
                left -= peer.sent.get(messages).length() + (isUnfinished ? 0 : 1);
                if (left < 0) {
                    break;
                }
            }
            return messages;
        }

        /** Calls that only the session itself may make. */
        private void misuse(SessionPeer peer) throws IOException {
            Session session = peer.session;
            if (session == null) {
                return;
            }
            try {
                switch (run.random.below(4)) {
                    case 0 -> session.receive();
                    case 1 -> session.receive(Duration.ZERO);
                    case 2 -> session.send("x");
                    default -> session.sleep(Duration.ZERO);
                }
                run.fail(Rule.CALLBACKS, "another thread may call the methods of " + peer);
            } catch (IllegalStateException e) {
                // As it must be.
            }
        }

        private void pass() {
            long next = SessionPeer.NEVER;
            for (SessionPeer peer : peers) {
                next = Math.min(next, peer.callEnds());
            }
            long by = next == SessionPeer.NEVER || run.random.chance(20) ? run.random.logUniform(1, 50 * MILLI)
                    : Math.max(0, next - network.now() - run.random.number(0, 0, 1));
            run.log(ReportText.duration(by) + " pass");
            network.pass(by);
        }

        // ---- what must hold

        private void check() {
            boolean holdsNothing = true;
            for (SessionPeer peer : peers) {
                if (run.hasFailed()) {
                    return;
                }
                ConnectionSnapshot now = snapshot(peer);
                boolean isClosed = peer.connection().state() == ConnectionState.CLOSED;
                String problem = peer.mustContinue(isClosed);
                run.expect(Rule.LIVENESS, problem == null, peer + " " + problem);
                if (now != null) {
                    checkOpen(peer, now);
                }
                if (isClosed) {
                    checkReason(peer);
                }
                peer.arrived = peer.sent.size();
                checkReceived(peer);
                run.expect(Rule.DELIVERY, peer.received <= peer.deliveredMax, peer + " has received " + peer.received
                        + " messages, although only " + peer.deliveredMax + " had been read when the server began to drain");
                holdsNothing &= peer.holdsNothing() && (isClosed || peer.connection().queue().bytes() == 0) && !peer.paused;
            }
            if (holdsNothing && !run.hasFailed()) {
                run.same(Rule.GAUGES, "messages sent", server.stats().total().messagesOut(),
                        peers.stream().mapToLong(peer -> peer.acceptedEnds.size()).sum());
                run.same(Rule.LEAKS, "bytes in the budget, although no message waits", server.stats().queueBytes(), 0L);
            }
            checkDeadlines();
        }

        private void checkOpen(SessionPeer peer, ConnectionSnapshot now) {
            int unsent = peer.accepted.size() - (int) now.bytesOut();
            int messages = 0;
            for (int i = peer.acceptedEnds.size() - 1; i >= 0 && peer.acceptedEnds.get(i) > now.bytesOut(); i--) {
                messages++;
            }
            run.same(Rule.GAUGES, "bytes that wait for client " + peer.number, now.queueBytes(), (long) unsent);
            run.same(Rule.GAUGES, "messages that wait for client " + peer.number, now.queueMessages(), messages);
            boolean isHeldUp = now.readState() == ReadState.PAUSED_BY_QUEUE;
            peer.paused = isHeldUp || now.readState() == ReadState.PAUSED_BY_SESSION;
            if (isOpen(peer)) {
                boolean mayBeHeldUp = settings.pausesWhenHigh && unsent > settings.lowBytes;
                boolean mustBeHeldUp = mayBeHeldUp && unsent >= settings.highBytes;
                run.expect(Rule.CAPS, isHeldUp ? mayBeHeldUp : !mustBeHeldUp, "reading for " + peer + " is "
                        + (isHeldUp ? "" : "not ") + "paused by its queue with " + unsent + " bytes");
            }
            if (isOpen(peer) && !peer.peerEnded && !isHeldUp) {
                long waiting = 0;
                for (int i = peer.received; i < peer.sent.size(); i++) {
                    waiting += 4 + peer.sent.get(i).length();
                }
                peer.taken = waiting == 0 ? peer.received : peer.taken;
                // until the session receives the next message, it has taken nothing of what waits; then it takes all
                boolean isExact = peer.received == peer.taken;
                if (peer.paused ? waiting < INBOX_BYTES : isExact && waiting >= INBOX_BYTES) {
                    run.fail(Rule.CAPS, "reading for " + peer + " is " + (peer.paused ? "" : "not ") + "paused with " + waiting
                            + " bytes that it has not received");
                }
            }
        }

        private void checkReason(SessionPeer peer) {
            for (ClosedConnection each : server.recentlyClosed()) {
                if (each.id() == peer.connection().id()) {
                    run.expect(Rule.ENDS, peer.endReasons().contains(each.reason()), "the connection of " + peer + " is "
                            + each.reason() + " instead of " + peer.endReasons());
                    return;
                }
            }
            run.fail(Rule.GAUGES, "the end of the connection of " + peer + " is unknown");
        }

        private void checkReceived(SessionPeer peer) {
            byte[] right = peer.accepted.toByteArray();
            int count = peer.client.count();
            int mismatch = Arrays.mismatch(peer.client.received(), 0, count, right, 0, Math.min(count, right.length));
            run.expect(Rule.BYTES, mismatch < 0,
                    "client " + peer.number + " has received other bytes than its session has sent, from "
                            + mismatch + " on");
        }

        /** Each loop must wait exactly until the next call ends by itself. */
        private void checkDeadlines() {
            for (int loop = 0; loop < loops && !run.hasFailed(); loop++) {
                long right = drainNanos;
                boolean hasEnded = drainNanos != SessionPeer.NEVER; // a loop that drains ends with its last connection
                for (SessionPeer peer : peers) {
                    boolean isServed = peer.connection().loop() == loop;
                    right = isServed ? Math.min(right, peer.callEnds()) : right;
                    hasEnded &= !isServed || peer.connection().state() == ConnectionState.CLOSED;
                }
                long next = network.nextDeadline(loop);
                if (!hasEnded) {
                    run.same(Rule.DEADLINES, "the time until which loop " + loop + " waits",
                            next == Loop.NO_DEADLINE ? SessionPeer.NEVER : next, right);
                }
            }
        }

        // ---- the end

        private void end(SessionPeer peer) throws IOException {
            boolean isCut = peer.closed != null;
            for (int i = 0; i < 2_000 && !peer.ended && !run.hasFailed(); i++) {
                peer.client.readAll();
                endOutput(peer);
                pass();
                network.settle();
                check();
            }
            for (int i = 0; i < 1_000 && peer.client.end().equals("open") && !isCut; i++) {
                network.settle();
                peer.client.readAll();
            }
            if (!isCut && !run.hasFailed()) {
                run.same(Rule.DELIVERY, "bytes that client " + peer.number + " has received", peer.client.count(),
                        peer.accepted.size());
                run.same(Rule.ENDS, "client " + peer.number + " has read", peer.client.end(), "ended");
            }
            peer.client.close();
            network.settle();
            run.same(Rule.ENDS, "the state of the connection of " + peer, peer.connection().state(), ConnectionState.CLOSED);
            check();
        }
    }
}
