package io.trivet.scenarios;

import io.trivet.net.Loop;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ClosedConnection;
import io.trivet.server.Connection;
import io.trivet.server.FrameDecoder;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.Remainder;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Checks when and how connections end after a broken rule, to the nanosecond. Several connections have queued messages at the
 * same time. Their peers read late, send more, end their output, or do nothing. A rule is broken by a message that is too long,
 * by input that breaks the protocol, by an unfinished message at the end of the input, by a handler that fails, or by a deadline.
 * Other connections finish, or are closed.
 */
final class EndingTrial implements Trial {
    @Override
    public void run(TrialRun run) throws IOException {
        new Steps(run).perform();
    }

    private static final class Steps extends TrialHandler {
        private static final long MILLI = 1_000_000;
        private static final int MESSAGE_BYTES_MAX = 40;
        private static final int BUFFER_BYTES = 512;

        final TrialRun run;
        final SeededRandom random;
        final TrialNetwork network;
        final Server server;
        final Limits limits;
        final Ending.AtEnd atEnd;
        final Remainder remainder;
        /** True if the decoder rejects an exclamation mark. Otherwise a rule is broken by a line that is too long. */
        final boolean isCustom;
        final List<Ending> endings = new ArrayList<>();
        private final List<Ending> open = new ArrayList<>();

        Steps(TrialRun run) throws IOException {
            this.run = run;
            random = run.random;
            network = run.readinessNetwork();
            run.sim.buffers(BUFFER_BYTES, BUFFER_BYTES);
            atEnd = random.pick(Ending.AtEnd.values());
            remainder = random.pick(Remainder.DROP, Remainder.ERROR);
            isCustom = random.chance(40);
            limits = LIMITS.withIdleTimeout(Duration.ZERO).withQueueBytesMax(1 << 20).withQueueMarks(1 << 20, 0)
                    .withMessageBytesMax(MESSAGE_BYTES_MAX).withLingerBytesMax(random.number(0, 50, 200, 1_000))
                    .withLingerTimeout(timeout(10)).withWriteTimeout(timeout(60)).withMessageTimeout(timeout(30))
                    .withFirstMessageTimeout(timeout(50)).withReadIdleTimeout(timeout(70));
            Framing framing = isCustom ? Framing.of(decoder()) : Framing.delimited((byte) '\n');
            server = run.builder(network, this, limits).overflow(Overflow.DISCONNECT).framing(framing.withRemainder(remainder))
                    .loops(random.number(1, 1, 2)).open();
            run.log("limits: " + Simplification.describeUnusual(limits) + ", " + atEnd + ", remainder " + remainder);
        }

        private Duration timeout(int zeroPercent) {
            return random.chance(zeroPercent) ? Duration.ZERO : Duration.ofNanos(random.logUniform(5 * MILLI, 500 * MILLI));
        }

        private static FrameDecoder decoder() {
            return (in, from, to, frame) -> {
                for (int at = from; at < to; at++) {
                    if (in.get(at) == '!') {
                        throw new ProtocolException("drawn");
                    }
                    if (in.get(at) == '\n') {
                        frame.message(from, at, at + 1);
                        return;
                    }
                }
            };
        }

        // ---- the handler: a message "s300" is answered by 300 bytes, and "f300" too, before the handler fails

        @Override
        public void onMessage(Connection connection, ByteBuffer message) throws Exception {
            String text = StandardCharsets.ISO_8859_1.decode(message).toString();
            seen(connection).messages.add(text);
            int bytes = Integer.parseInt(text.substring(1));
            if (bytes > 0) {
                connection.send(new byte[bytes]);
            }
            if (text.startsWith("f")) {
                throw new IllegalStateException("drawn");
            }
        }

        @Override
        public void onEndOfInput(Connection connection) throws Exception {
            seen(connection).inputEnded = true;
            switch (atEnd) {
                case NOTHING -> {
                }
                case FINISH -> connection.finish();
                case FAIL -> throw new IOException("drawn");
            }
        }

        // ---- the run

        void perform() throws IOException {
            connect();
            if (random.chance(60)) {
                breakWhileMessagesWait(open.getFirst());
            }
            int steps = random.between(5, 40);
            for (int i = 0; i < steps && !run.hasFailed(); i++) {
                if (open.size() < 4 && random.chance(open.isEmpty() ? 70 : 15)) {
                    connect();
                } else if (open.isEmpty() || random.chance(45)) {
                    pass(open.isEmpty() || random.chance(50) ? open : List.of(open.get(random.below(open.size()))));
                } else {
                    step(open.get(random.below(open.size())));
                }
                check();
            }
            run.close(network, server);
        }

        /** A rule is broken while messages wait; then the peer reads late. */
        private void breakWhileMessagesWait(Ending of) throws IOException {
            message(of, "s", 4 * BUFFER_BYTES);
            settle();
            switch (random.below(3)) {
                case 0 -> message(of, "f", 10);
                case 1 -> breakRule(of);
                default -> sendPart(of);
            }
            settle();
            check();
            for (int i = random.between(1, 3); i > 0 && !open.isEmpty() && !run.hasFailed(); i--) {
                pass(open);
                check();
            }
            if (!open.isEmpty() && !run.hasFailed()) {
                readEverything(of);
                check();
            }
            for (int i = random.between(1, 2); i > 0 && !open.isEmpty() && !run.hasFailed(); i--) {
                pass(open);
                check();
            }
        }

        private void connect() throws IOException {
            network.pass(random.logUniform(1, 10 * MILLI));
            expire();
            TrialClient client = TrialClient.connect(run, run.address);
            network.settle();
            Ending made = new Ending(all.getLast(), client, limits, isCustom ? 0 : 1, network.now());
            endings.add(made);
            open.add(made);
            run.log("connection " + made.number() + " opens");
            check();
        }

        private void step(Ending of) throws IOException {
            long now = network.now();
            int number = of.number();
            switch (of.isEnding() ? random.number(6, 7, 8, 9, 9, 10, 10, 11) : random.below(12)) {
                case 0, 1, 2 -> message(of, "s", answerBytes());
                case 3 -> message(of, "f", answerBytes());
                case 4 -> breakRule(of);
                case 5 -> {
                    sendPart(of);
                }
                case 6 -> {
                    if (!of.peerEnded && random.chance(40)) {
                        run.log("client " + number + " ends its output");
                        of.client.endOutput();
                        of.peerEnds(atEnd, remainder, now);
                    }
                }
                case 7 -> {
                    if (random.chance(60)) {
                        run.log("connection " + number + " is finished");
                        of.seen.connection.finish();
                        of.finish();
                    }
                }
                case 8 -> {
                    if (random.chance(15)) {
                        run.log("connection " + number + " is closed");
                        of.seen.connection.close();
                        of.close(CloseReason.CLOSED);
                    }
                }
                case 9 -> {
                    if (of.isEnding() && !of.peerEnded) {
                        int bytes = (int) random.logUniform(1, 200);
                        run.log("client " + number + " sends " + bytes + " bytes to a connection that ends");
                        write(of, "w".repeat(bytes));
                    }
                }
                case 10 -> {
                    readEverything(of);
                }
                default -> {
                    int bytes = of.client.read((int) random.logUniform(1, 2_000));
                    run.log("client " + number + " reads " + bytes + " bytes");
                }
            }
            settle();
        }

        private void sendPart(Ending of) {
            if (of.receives() && of.partialBytes < 30) {
                int bytes = random.between(1, 3);
                run.log("client " + of.number() + " sends a part of a message");
                write(of, "s".repeat(bytes));
                of.receivesPart(bytes, network.now());
            }
        }

        private void readEverything(Ending of) throws IOException {
            run.log("client " + of.number() + " reads everything");
            while (of.client.readAll() > 0) {
                settle();
            }
        }

        private void write(Ending of, String text) {
            of.client.write(text);
            of.clientSends(text.length());
        }

        private int answerBytes() {
            return random.chance(20) ? 0 : random.chance(50) ? random.between(1_000, 3_000) : random.between(1, 300);
        }

        private void message(Ending of, String kind, int bytes) {
            if (of.receives() && of.partialBytes == 0) {
                boolean more = random.chance(20);
                run.log("client " + of.number() + " sends " + kind + bytes + (more ? ", and begins another message" : ""));
                write(of, kind + bytes + "\n" + (more ? "s" : ""));
                of.receivesMessage(bytes, network.now());
                if (kind.equals("f")) {
                    of.breakOff(CloseReason.HANDLER_FAILED, network.now());
                } else if (more) {
                    of.receivesPart(1, network.now());
                }
            }
        }

        private void breakRule(Ending of) {
            if (of.receives()) {
                run.log("client " + of.number() + (isCustom ? " breaks the protocol" : " sends too long a message"));
                write(of, isCustom ? "a!" : "l".repeat(MESSAGE_BYTES_MAX + 1 + random.number(0, 1, 60)));
                of.breakOff(isCustom ? CloseReason.PROTOCOL_ERROR : CloseReason.MESSAGE_TOO_LONG, network.now());
            }
        }

        private void settle() throws IOException {
            network.settle();
            for (Ending each : open) {
                each.settled(network.now());
            }
        }

        /** Lets time pass until a deadline of one of these connections, or just before it, or for some time. */
        private void pass(List<Ending> of) throws IOException {
            long now = network.now();
            List<Long> deadlines = of.stream().flatMap(each -> each.deadlines().stream())
                    .filter(each -> each != Ending.NEVER && each > now).toList();
            long by = random.logUniform(1, 200 * MILLI);
            if (!deadlines.isEmpty() && random.chance(85)) {
                long left = deadlines.get(random.below(deadlines.size())) - now;
                by = random.chance(40) ? random.logUniform(1, left) : left - random.number(0, 0, 1);
            }
            run.log(ReportText.duration(by) + " pass");
            network.pass(by);
            expire();
        }

        private void expire() throws IOException {
            for (Ending each : open) {
                each.expire(network.now());
            }
            settle();
        }

        // ---- what is compared

        private void check() {
            long next = Ending.NEVER;
            int left = 0;
            for (Ending each : List.copyOf(open)) {
                run.same(Rule.DEADLINES, "connection " + each.number() + " is", each.seen.end(), each.end());
                if (run.hasFailed()) {
                    return;
                }
                if (each.isClosed()) {
                    open.remove(each);
                    closed(each);
                    continue;
                }
                left++;
                run.same(Rule.DEADLINES, "the state of connection " + each.number(), each.seen.connection.state().name(),
                        each.state.name());
                run.same(Rule.CALLBACKS, "onEndOfInput of connection " + each.number() + " was called", each.seen.inputEnded,
                        each.endReported);
                for (long deadline : each.deadlines()) {
                    next = Math.min(next, deadline);
                }
            }
            run.same(Rule.GAUGES, "open connections", server.stats().total().connections(), left);
            run.same(Rule.GAUGES, "bytes received", server.stats().total().bytesIn(),
                    endings.stream().mapToLong(Ending::bytesIn).sum());
            long wakes = Ending.NEVER;
            for (int i = 0; i < server.stats().loops().size(); i++) {
                long until = network.nextDeadline(i);
                wakes = until == Loop.NO_DEADLINE ? wakes : Math.min(wakes, until);
            }
            run.expect(Rule.DEADLINES, wakes <= next, "no loop wakes up at the next deadline");
        }

        private void closed(Ending of) {
            run.reached("ENDED_" + of.end());
            ClosedConnection kept = server.recentlyClosed().stream().filter(each -> each.id() == of.seen.connection.id())
                    .findFirst().orElse(null);
            run.expect(Rule.ENDS, kept != null, "recentlyClosed() lacks connection " + of.number());
            if (kept == null) {
                return;
            }
            boolean isCut = of.isCut();
            run.same(Rule.ENDS, "connection " + of.number() + " was reset", kept.reset(), isCut);
            run.same(Rule.GAUGES, "bytes received by connection " + of.number(), kept.bytesIn(), of.bytesIn());
            run.same(Rule.GAUGES, "bytes sent by connection " + of.number(), kept.bytesOut(), of.bytesOut());
            run.same(Rule.GAUGES, "time since the end of connection " + of.number(), kept.sinceClosed(), Duration.ZERO);
            of.client.readAll();
            if (!of.hasUnreadInput()) {
                run.same(Rule.ENDS, "client " + of.number() + " sees", of.client.end(), isCut ? "ECONNRESET" : "ended");
                run.expect(Rule.BYTES, isCut || of.client.count() == of.bytesOut(), "client " + of.number() + " has received "
                        + of.client.count() + " bytes instead of " + of.bytesOut());
            }
        }
    }
}
