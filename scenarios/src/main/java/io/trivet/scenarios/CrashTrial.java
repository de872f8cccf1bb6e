package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Server;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * A loop that cannot continue: a callback, a task or a timer throws an error, or the kernel refuses to wait. The turn throws it, all
 * loops end, every handler is notified once, and nothing is left.
 */
final class CrashTrial implements Trial {
    private enum Cause {
        MESSAGE, END_OF_INPUT, CLOSE, TASK, TIMER, POLL
    }

    /** The error that is thrown. */
    private static final class Thrown extends Error {
        private static final long serialVersionUID = 1;

        Thrown() {
            super("on request", null, false, false);
        }
    }

    @Override
    public void run(TrialRun run) throws IOException {
        TrialNetwork network = run.anyNetwork();
        Cause cause = run.random.pick(Cause.values());
        Thrown error = new Thrown();
        TrialHandler handler = handler(cause, error);
        int loops = run.random.number(1, 2, 3);
        run.log(loops + " loops; " + ReportText.words(cause) + " throws an error");
        Server server = run.builder(network, handler, LIMITS).loops(loops).open();
        List<TrialClient> clients = new ArrayList<>();
        int count = run.random.between(1, 5);
        for (int i = 0; i < count; i++) {
            clients.add(TrialClient.connect(run, run.address));
            network.settle();
        }
        int victim = run.random.below(count);
        TrialHandler.Seen seen = handler.all.get(victim);
        IOException refused = new IOException("drawn");
        switch (cause) {
            case MESSAGE -> clients.get(victim).write("x");
            case END_OF_INPUT -> clients.get(victim).endOutput();
            case CLOSE -> seen.connection.close();
            case TASK -> seen.connection.execute(() -> {
                throw error;
            });
            case TIMER -> seen.connection.schedule(Duration.ZERO, () -> {
                throw error;
            });
            case POLL -> network.proactor(seen.connection.loop()).failPoll(refused);
        }
        Throwable caught = turn(network, loops);
        run.expect(Rule.CRASH, Objects.equals(caught, cause == Cause.POLL ? refused : error), "the turn has thrown " + caught);
        turn(network, loops);
        check(run, server, handler, cause, victim);
        for (TrialClient client : clients) {
            client.readAll();
            run.expect(Rule.ENDS, !client.end().equals("open"), "the connection of a client is open, and its server has ended");
            client.close();
        }
        run.close(network, server);
    }

    private static TrialHandler handler(Cause cause, Thrown error) {
        return new TrialHandler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) {
                if (cause == Cause.MESSAGE) {
                    throw error;
                }
            }

            @Override
            public void onEndOfInput(Connection connection) throws Exception {
                if (cause == Cause.END_OF_INPUT) {
                    throw error;
                }
                super.onEndOfInput(connection);
            }

            @Override
            public void onClose(Connection connection, CloseReason reason) throws Exception {
                super.onClose(connection, reason);
                if (cause == Cause.CLOSE && reason == CloseReason.CLOSED) {
                    throw error;
                }
            }
        };
    }

    /** Turns all loops a few times. Returns what a turn has thrown first. */
    private static @Nullable Throwable turn(TrialNetwork network, int loops) {
        Throwable first = null;
        for (int round = 0; round < 4; round++) {
            for (int i = 0; i < loops; i++) {
                try {
                    network.turn(i);
                } catch (IOException | Thrown e) {
                    first = first == null ? e : first;
                }
            }
        }
        return first;
    }

    private static void check(TrialRun run, Server server, TrialHandler handler, Cause cause, int victim) {
        run.same(Rule.ENDS, "the server is closed", server.isClosed(), true);
        for (TrialHandler.Seen each : handler.all) {
            boolean closedBefore = cause == Cause.CLOSE && each.number == victim;
            run.same(Rule.ENDS, "connection " + each.number + " of a server that cannot continue", each.end(),
                    closedBefore ? "CLOSED" : "SERVER_CLOSED");
            run.same(Rule.CALLBACKS, "onClose was called this often", each.closes, 1);
        }
        try {
            server.execute(() -> {});
            run.fail(Rule.CALLBACKS, "a server that has ended accepts a task");
        } catch (RejectedExecutionException e) {
            // As it must be.
        }
    }
}
