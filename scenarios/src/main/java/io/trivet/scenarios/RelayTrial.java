package io.trivet.scenarios;

import io.trivet.observe.ConnectionState;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Overflow;
import io.trivet.server.SendResult;
import io.trivet.server.Server;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A relay from one client to another, of a number of bytes or until the end of the input, between messages to the target. Reading is
 * paused, and either connection is finished meanwhile. After each step everything that can have arrived must have arrived. A relay that is
 * cut before its end is visibly cut at both ends. Sometimes the target is slow, see {@link SlowRelay}.
 */
final class RelayTrial implements Trial {
    private static final String FIRST = "go";

    /** Why a relay is refused. */
    private enum Refusal {
        TARGET_FULL, TARGET_CLOSED, SOURCE_FINISHED
    }

    @Override
    public void run(TrialRun run) throws IOException {
        if (run.random.chance(35)) {
            new SlowRelay(run).perform();
            return;
        }
        Steps steps = new Steps(run);
        if (run.random.chance(15)) {
            steps.refuse(run.random.pick(Refusal.values()));
        } else {
            steps.perform();
        }
    }

    /** The bytes that a relay reserves in the queue of its target. */
    private static final int RESERVED_BYTES = 1024;

    private static final class Steps {
        final TrialRun run;
        final TrialNetwork network;
        final TrialHandler handler;
        final Server server;
        final TrialClient client;
        final TrialClient target;
        final boolean counted;
        final boolean finishesSource;
        final boolean finishesTarget;
        final byte[] relayed;
        final List<String> before = new ArrayList<>();
        final List<String> behind = new ArrayList<>();
        final List<String> lines = new ArrayList<>();
        private int ends;
        private long endedAfter = -1;
        private long cutAfter = -1;
        private @Nullable IOException failure;
        private boolean started;
        private @Nullable Refusal refusal;
        /** The relay is cut before its end. */
        private final boolean cuts;

        Steps(TrialRun run) throws IOException {
            this.run = run;
            network = run.anyNetwork();
            run.sim.buffers(256 << 10, 256 << 10);
            counted = run.random.chance(60);
            finishesSource = run.random.chance(30);
            finishesTarget = run.random.chance(30);
            relayed = new byte[(int) run.random.logUniform(1, run.random.chance(20) ? 120_000 : 3_000)];
            for (int i = 0; i < relayed.length; i++) {
                relayed[i] = (byte) run.random.number('a', 'b', 'c', '\n');
            }
            for (int i = run.random.between(0, 3); i > 0; i--) {
                before.add("before " + i);
            }
            for (int i = run.random.between(0, 3); i > 0; i--) {
                behind.add("behind " + i);
            }
            for (int i = counted ? run.random.between(0, 3) : 0; i > 0; i--) {
                lines.add("line " + i);
            }
            cuts = run.random.chance(35);
            handler = new TrialHandler() {
                @Override
                public void onMessage(Connection connection, ByteBuffer message) throws Exception {
                    super.onMessage(connection, message);
                    if (seen(connection).messages.size() == 1 && seen(connection).number == 0) {
                        start(connection, all.get(1).connection);
                    }
                }

                @Override
                public void onEndOfInput(Connection connection) {
                    seen(connection).inputEnded = true;
                }
            };
            server = run.builder(network, handler, LIMITS).framing(Framing.lines()).overflow(Overflow.DISCONNECT)
                    .open();
            client = TrialClient.connect(run, run.address);
            network.settle();
            target = TrialClient.connect(run, run.address);
            network.settle();
            run.log((counted ? relayed.length + " bytes are relayed" : "everything is relayed, " + relayed.length + " bytes")
                    + ", after " + before + ", before " + behind + (finishesSource ? ", the source is finished" : "")
                    + (finishesTarget ? ", the target is finished" : ""));
        }

        private void start(Connection source, Connection to) {
            if (refusal != null) {
                startRefused(source, to, refusal);
                return;
            }
            started = true;
            before.forEach(each -> run.same(Rule.CALLBACKS, "a message before the relay", to.send(each), SendResult.QUEUED));
            SendResult result = source.relayTo(to, counted ? relayed.length : -1, (of, bytes, cause) -> {
                ends++;
                endedAfter = cause == null ? bytes : -1;
                cutAfter = bytes;
                failure = cause;
            });
            run.same(Rule.CALLBACKS, "the relay", result, SendResult.QUEUED);
            behind.forEach(each -> run.same(Rule.CALLBACKS, "a message behind the relay", to.send(each), SendResult.QUEUED));
            if (finishesSource) {
                source.finish();
            }
            if (finishesTarget) {
                to.finish();
            }
        }

        /** Leaves 0 or one byte too few for what a relay reserves, after a message and its line feed. */
        private void startRefused(Connection source, Connection to, Refusal why) {
            switch (why) {
                case TARGET_FULL -> to.send("x".repeat(LIMITS.queueBytesMax() - run.random.number(1, RESERVED_BYTES)));
                case TARGET_CLOSED -> to.close();
                case SOURCE_FINISHED -> source.finish();
            }
            SendResult result = source.relayTo(to, counted ? relayed.length : -1, (_, _, _) -> ends++);
            run.same(Rule.CALLBACKS, "a relay that is refused", result,
                    why == Refusal.TARGET_FULL ? SendResult.FULL : SendResult.CLOSED);
        }

        /** Lets a relay be refused. Only a target that is full is closed, and what the source sends is delivered. */
        void refuse(Refusal why) throws IOException {
            run.log("a relay is refused: " + why);
            refusal = why;
            client.write(FIRST + "\nlater\n");
            settle();
            TrialHandler.Seen source = handler.all.getFirst();
            boolean isFinished = why == Refusal.SOURCE_FINISHED;
            run.same(Rule.CALLBACKS, "calls of the listener of a relay that is refused", ends, 0);
            run.same(Rule.ENDS, "the target of a relay that is refused", handler.all.getLast().end(), switch (why) {
                case TARGET_FULL -> "QUEUE_FULL";
                case TARGET_CLOSED -> "CLOSED";
                case SOURCE_FINISHED -> "open";
            });
            run.same(Rule.ENDS, "its source", source.connection.state(),
                    isFinished ? ConnectionState.LINGERING : ConnectionState.OPEN);
            run.same(Rule.DELIVERY, "the messages of its source", source.messages,
                    isFinished ? List.of(FIRST) : List.of(FIRST, "later"));
            for (TrialHandler.Seen each : handler.all) {
                each.connection.finish();
            }
            network.settle();
            client.close();
            target.close();
            network.settle();
            run.close(network, server);
        }

        void perform() throws IOException {
            byte[] head = MessageContent.ascii(FIRST + "\n");
            byte[] rest = MessageContent.ascii(String.join("", lines.stream().map(each -> each + "\n").toList()));
            byte[] all = Arrays.copyOf(head, head.length + relayed.length + rest.length);
            System.arraycopy(relayed, 0, all, head.length, relayed.length);
            System.arraycopy(rest, 0, all, head.length + relayed.length, rest.length);
            Connection source = handler.all.getFirst().connection;
            int sent = 0;
            boolean paused = false;
            while (sent < all.length && !run.hasFailed()) {
                int length = (int) Math.min(run.random.logUniform(1, 60_000), all.length - sent);
                client.write(Arrays.copyOfRange(all, sent, sent + length));
                sent += length;
                settle();
                check(paused ? -1 : sent - head.length, sent == all.length);
                if (cuts && started && ends == 0 && !paused && !run.hasFailed()) {
                    cut(source, handler.all.get(1).connection, sent - head.length);
                    return;
                }
                if (started && !finishesSource && run.random.chance(15)) {
                    paused = !paused;
                    run.log(paused ? "reading from the source is paused" : "reading from the source is resumed");
                    if (paused) {
                        source.pauseReading();
                    } else {
                        source.resumeReading();
                    }
                    settle();
                }
            }
            if (paused) {
                source.resumeReading();
                settle();
            }
            if (!counted) {
                client.endOutput();
                settle();
                run.same(Rule.CALLBACKS, "the end of the input was delivered", handler.all.getFirst().inputEnded,
                        !finishesSource);
            }
            check(sent - head.length, true);
            end();
        }

        /** One of the two connections ends, or the input ends too early: the other one must not look complete. */
        private void cut(Connection source, Connection to, int sent) throws IOException {
            int how = run.random.below(counted ? 5 : 4);
            how = how == 1 && finishesTarget ? 0 : how; // a connection that is finished and has nothing to send notices no reset
            run.log("the relay is cut: "
                    + List.of("the target is closed", "its client resets it", "the source is closed", "its client resets it",
                            "the input ends").get(how));
            switch (how) {
                case 0 -> to.close();
                case 1 -> target.reset();
                case 2 -> source.close();
                case 3 -> client.reset();
                default -> client.endOutput();
            }
            network.settle();
            if (how != 1) {
                target.readAll();
                run.same(Rule.ENDS, "the target has read", target.end(), "ECONNRESET");
            }
            if (how != 3) {
                client.readAll();
                run.same(Rule.ENDS, "the source has read", client.end(), how == 2 || finishesSource ? "ended" : "ECONNRESET");
            }
            run.same(Rule.CALLBACKS, "the listener of a relay that was cut was called this often", ends, 1);
            run.expect(Rule.CALLBACKS, failure != null, "the listener of a relay that was cut gets no failure");
            run.same(Rule.CALLBACKS, "bytes of the relay that was cut", cutAfter, (long) Math.min(sent, relayed.length));
            String own = how == 0 || how == 2 ? "CLOSED" : how == 4 ? "TRANSFER_FAILED" : "RESET";
            run.same(Rule.ENDS, "the source is", handler.all.get(0).end(), how < 2 ? "TRANSFER_FAILED" : own);
            run.same(Rule.ENDS, "the target is", handler.all.get(1).end(), how < 2 ? own : "TRANSFER_FAILED");
            for (Connection each : List.of(source, to)) {
                boolean fails = each == source ? how != 2 : how != 0;
                run.expect(Rule.ENDS, (each.failure() != null) == fails, "failure() of " + each + " is " + each.failure());
            }
            run.same(Rule.CALLBACKS, "the end of the input was delivered", handler.all.getFirst().inputEnded, false);
            run.same(Rule.DELIVERY, "messages of the source", handler.all.getFirst().messages, List.of(FIRST));
            client.close();
            target.close();
            run.close(network, server);
        }

        private void settle() throws IOException {
            network.settle();
            target.readAll();
            network.settle();
            target.readAll();
        }

        /** Checks what has arrived after that number of bytes that are relayed, or lines; -1: it is not known. */
        private void check(int sent, boolean isAll) {
            if (sent < 0 || !started || run.hasFailed()) {
                return;
            }
            boolean complete = counted ? sent >= relayed.length : ends > 0;
            StringBuilder right = new StringBuilder();
            before.forEach(each -> right.append(each).append('\n'));
            right.append(new String(relayed, 0, Math.min(sent, relayed.length), StandardCharsets.ISO_8859_1));
            if (complete) {
                behind.forEach(each -> right.append(each).append('\n'));
            }
            run.same(Rule.DELIVERY, "bytes that the target has received", target.count(), right.length());
            run.expect(Rule.BYTES, target.text().contentEquals(right), "the target has received other bytes");
            run.same(Rule.CALLBACKS, "the listener was called this often", ends, complete ? 1 : 0);
            if (complete) {
                run.same(Rule.CALLBACKS, "bytes of the relay", endedAfter, (long) relayed.length);
                run.same(Rule.ENDS, "the target has read", target.end(), finishesTarget ? "ended" : "open");
                client.readAll();
                run.same(Rule.ENDS, "the source has read", client.end(), finishesSource ? "ended" : "open");
            }
            if (complete && isAll && !finishesSource) {
                List<String> messages = new ArrayList<>(List.of(FIRST));
                messages.addAll(lines);
                run.same(Rule.DELIVERY, "the messages of the source", handler.all.getFirst().messages, messages);
            }
        }

        private void end() throws IOException {
            for (TrialHandler.Seen each : handler.all) {
                each.connection.finish();
            }
            network.settle();
            client.close();
            target.close();
            network.settle();
            for (TrialHandler.Seen each : handler.all) {
                boolean isFinished = each.end().equals("FINISHED") || each.end().equals("PEER_FINISHED");
                run.expect(Rule.ENDS, run.hasFailed() || isFinished, "connection " + each.number + " is " + each.end());
            }
            run.close(network, server);
        }
    }
}
