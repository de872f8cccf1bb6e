package io.trivet.scenarios;

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

/**
 * A relay from one client to another, of a number of bytes or until the end of the input, between messages to the target. Reading is
 * paused, and either connection is finished meanwhile. After each step everything that can have arrived must have arrived.
 */
final class RelayTrial implements Trial {
    private static final String FIRST = "go";

    @Override
    public void run(TrialRun run) throws IOException {
        new Steps(run).perform();
    }

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
        private boolean started;

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
            started = true;
            before.forEach(each -> run.same(Rule.CALLBACKS, "a message before the relay", to.send(each), SendResult.QUEUED));
            SendResult result = source.relayTo(to, counted ? relayed.length : -1, (of, bytes, failure) -> {
                ends++;
                endedAfter = failure == null ? bytes : -1;
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
