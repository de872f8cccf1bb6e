package io.trivet.scenarios;

import io.trivet.observe.LoopStats;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Remainder;
import io.trivet.server.Server;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** The counters of each loop, after every step, and in the middle of callbacks. */
final class StatsTrial implements Trial {
    /** What one loop must have counted. */
    private static final class Counts {
        int connections;
        long turns;
        long accepted;
        long refused;
        long messagesIn;
        long messagesOut;
        long bytesIn;
        long bytesOut;
        long closed;
    }

    @Override
    public void run(TrialRun run) throws IOException {
        new Steps(run).perform();
    }

    private static final class Steps {
        final TrialRun run;
        final TrialNetwork network;
        final int loops;
        final int perAddressMax;
        final List<Counts> counts = new ArrayList<>();
        final TrialHandler handler;
        final Server server;
        final List<TrialClient> clients = new ArrayList<>();
        private final boolean deliversRest;
        private long tasks;

        Steps(TrialRun run) throws IOException {
            this.run = run;
            network = run.readinessNetwork();
            run.sim.buffers(1 << 20, 1 << 20);
            loops = run.random.between(1, 3);
            perAddressMax = run.random.number(0, 3, 6);
            for (int i = 0; i < loops; i++) {
                counts.add(new Counts());
            }
            handler = new TrialHandler() {
                @Override
                public void onMessage(Connection connection, ByteBuffer message) {
                    checkWithinCallback(connection);
                }
            };
            deliversRest = run.random.chance(50);
            server = run.builder(network, handler, LIMITS.withConnectionsPerAddressMax(perAddressMax))
                    .framing(Framing.lines().withRemainder(deliversRest ? Remainder.DELIVER : Remainder.DROP)).loops(loops)
                    .open();
            run.log((deliversRest ? "unfinished lines are delivered, " : "") + loops + " loops, "
                    + (perAddressMax == 0 ? "no limit" : "at most " + perAddressMax) + " per address");
        }

        void perform() throws IOException {
            int steps = run.random.between(3, 25);
            for (int i = 0; i < steps && !run.hasFailed(); i++) {
                step();
                turn();
                check();
            }
            run.close(network, server);
        }

        private void turn() throws IOException {
            for (int round = 0; round < 4; round++) {
                for (int i = 0; i < loops; i++) {
                    network.turn(i);
                    counts.get(i).turns++;
                }
            }
        }

        private Counts of(TrialHandler.Seen seen) {
            return counts.get(seen.connection.loop());
        }

        private void step() throws IOException {
            if (clients.isEmpty() || run.random.chance(25)) {
                connect();
                return;
            }
            int number = run.random.below(clients.size());
            TrialClient client = clients.get(number);
            TrialHandler.Seen seen = handler.all.get(number);
            if (!seen.isOpen()) {
                return;
            }
            switch (run.random.below(7)) {
                case 0, 1 -> {
                    int messages = run.random.between(1, 5);
                    run.log("client " + number + " sends " + messages + " messages");
                    client.write("abc\n".repeat(messages));
                    of(seen).messagesIn += messages;
                    of(seen).bytesIn += 4L * messages;
                }
                case 2 -> {
                    run.log("the server sends two messages to client " + number);
                    seen.connection.execute(() -> {
                        seen.connection.send("xy");
                        seen.connection.send("z");
                    });
                    tasks++;
                    of(seen).messagesOut += 2;
                    of(seen).bytesOut += 5;
                }
                case 3 -> broadcast();
                case 4 -> {
                    run.log("client " + number + " leaves");
                    if (deliversRest && run.random.chance(50)) {
                        leaveWithinALine(client, seen);
                    }
                    client.close();
                    of(seen).closed++;
                    of(seen).connections--;
                }
                case 5 -> {
                    run.log("the server finishes the connection of client " + number + ", which then resets it");
                    seen.connection.finish();
                    turn();
                    client.reset();
                    turn();
                    of(seen).closed++;
                    of(seen).connections--;
                    run.same(Rule.ENDS, "the connection, whose peer had got everything, is", seen.end(), "FINISHED");
                }
                default -> {
                    run.log("the server closes the connection of client " + number);
                    seen.connection.close();
                    of(seen).closed++;
                    of(seen).connections--;
                }
            }
        }

        private void leaveWithinALine(TrialClient client, TrialHandler.Seen seen) throws IOException {
            run.log("its last line is unfinished");
            client.write("rest");
            of(seen).messagesIn++;
            of(seen).bytesIn += 4;
            client.endOutput(); // a close would reset the connection if a reply is unread
            turn();
        }

        private void connect() throws IOException {
            int open = counts.stream().mapToInt(each -> each.connections).sum();
            TrialClient client = TrialClient.connect(run, run.address);
            counts.getFirst().accepted++;
            if (perAddressMax > 0 && open >= perAddressMax) {
                run.log("a client connects, which is one too many");
                counts.getFirst().refused++;
                turn();
                client.readAll();
                run.same(Rule.ENDS, "the refused client has read", client.end(), "ended");
                client.close();
                return;
            }
            run.log("a client connects");
            int least = 0;
            for (int i = 1; i < loops; i++) {
                least = counts.get(i).connections < counts.get(least).connections ? i : least;
            }
            counts.get(least).connections++;
            turn();
            clients.add(client);
            run.same(Rule.CAPS, "the loop of the new connection", handler.all.getLast().connection.loop(), least);
        }

        private void broadcast() {
            run.log("the server broadcasts");
            server.broadcast(ByteBuffer.wrap(new byte[9]));
            for (TrialHandler.Seen each : handler.all) {
                if (each.isOpen()) {
                    of(each).messagesOut++;
                    of(each).bytesOut += 10;
                }
            }
        }

        private void check() {
            List<LoopStats> all = server.stats().loops();
            for (int i = 0; i < loops && !run.hasFailed(); i++) {
                LoopStats stats = all.get(i);
                Counts right = counts.get(i);
                String of = " of loop " + i;
                run.same(Rule.GAUGES, "connections" + of, stats.connections(), right.connections);
                run.same(Rule.GAUGES, "turns" + of, stats.turns(), right.turns);
                run.same(Rule.GAUGES, "accepted" + of, stats.accepted(), right.accepted);
                run.same(Rule.GAUGES, "refused" + of, stats.refused(), right.refused);
                run.same(Rule.GAUGES, "messages received" + of, stats.messagesIn(), right.messagesIn);
                run.same(Rule.GAUGES, "messages sent" + of, stats.messagesOut(), right.messagesOut);
                run.same(Rule.GAUGES, "bytes received" + of, stats.bytesIn(), right.bytesIn);
                run.same(Rule.GAUGES, "bytes sent" + of, stats.bytesOut(), right.bytesOut);
                run.same(Rule.GAUGES, "closed" + of, stats.closed(), right.closed);
                run.same(Rule.GAUGES, "dropped" + of, stats.dropped(), 0L);
                run.same(Rule.GAUGES, "failed accepts" + of, stats.acceptFailures(), 0L);
            }
            run.expect(Rule.GAUGES, server.stats().total().tasks() >= tasks,
                    "tasks: " + server.stats().total().tasks() + " instead of at least " + tasks);
            run.same(Rule.GAUGES, "snapshots", server.connections().size(), server.stats().total().connections());
        }

        /** What has arrived counts before the handler is called. */
        private void checkWithinCallback(Connection connection) {
            Counts right = counts.get(connection.loop());
            LoopStats stats = server.stats().loops().get(connection.loop());
            run.same(Rule.GAUGES, "bytes received, within onMessage", stats.bytesIn(), right.bytesIn);
            run.same(Rule.GAUGES, "connections, within onMessage", stats.connections(), right.connections);
            run.expect(Rule.GAUGES, stats.messagesIn() <= right.messagesIn && stats.messagesIn() >= right.messagesIn - 5,
                    "messages received, within onMessage: " + stats.messagesIn() + " of " + right.messagesIn);
        }
    }
}
