package io.trivet.scenarios;

import io.trivet.server.Connection;
import io.trivet.server.Server;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;

/**
 * Tasks: they run in order, at most 1,024 in a turn, and are rejected exactly when a million wait. What has run makes room for
 * others.
 */
final class TaskTrial implements Trial {
    private static final int PER_TURN_MAX = 1024;
    private static final int WAITING_MAX = 1 << 20;
    /** One in this number of trials fills the queue of tasks. */
    private static final int FLOOD_ONE_IN = 60;

    private int next;
    private boolean inOrder = true;

    @Override
    public void run(TrialRun run) throws IOException {
        next = 0;
        inOrder = true;
        TrialNetwork network = run.anyNetwork();
        TrialHandler handler = new TrialHandler();
        try (Server server = run.builder(network, handler, LIMITS).open()) {
            TrialClient.connect(run, run.address);
            network.settle();
            Connection connection = handler.all.getFirst().connection;
            if (run.random.below(FLOOD_ONE_IN) == 0) {
                flood(run, network, connection);
            } else {
                few(run, network, server, connection);
            }
            run.close(network, server);
        }
    }

    private void few(TrialRun run, TrialNetwork network, Server server, Connection connection) throws IOException {
        int submitted = 0;
        int ran = 0;
        long tasksBefore = server.stats().total().tasks();
        int rounds = run.random.between(1, 6);
        for (int i = 0; i < rounds && !run.hasFailed(); i++) {
            int count = run.random.number(0, 1, 2, 10, PER_TURN_MAX - 1, PER_TURN_MAX, PER_TURN_MAX + 1);
            run.log(count + " tasks are submitted");
            for (int k = 0; k < count; k++) {
                int number = submitted++;
                Runnable task = () -> runs(number);
                if (run.random.chance(50)) {
                    server.execute(task);
                } else {
                    connection.execute(task);
                }
            }
            network.turn(0);
            ran = Math.min(submitted, ran + PER_TURN_MAX);
            run.same(Rule.CALLBACKS, "tasks that have run", next, ran);
            run.same(Rule.GAUGES, "tasks of the statistics", server.stats().total().tasks() - tasksBefore, (long) ran);
        }
        network.settle();
        run.same(Rule.CALLBACKS, "tasks that have run at the end", next, submitted);
        run.expect(Rule.ORDER, inOrder, "tasks have run in another order than they were submitted in");
        List<Integer> nested = new ArrayList<>();
        connection.execute(() -> {
            nested.add(1);
            connection.execute(() -> nested.add(2));
            connection.execute(() -> TestExceptions.throwUndeclared(0));
            connection.execute(() -> nested.add(3));
        });
        network.settle();
        run.same(Rule.CALLBACKS, "tasks that were submitted by a task", nested, List.of(1, 2, 3));
    }

    private void runs(int number) {
        inOrder &= number == next;
        next++;
    }

    private void flood(TrialRun run, TrialNetwork network, Connection connection) throws IOException {
        run.log("tasks are submitted until they are rejected");
        run.reached("TASKS_REJECTED");
        long[] ran = new long[1];
        Runnable task = () -> ran[0]++;
        long submitted = 0;
        for (int round = 0; round < 2 && !run.hasFailed(); round++) {
            long before = submitted - ran[0];
            int accepted = 0;
            try {
                while (accepted <= WAITING_MAX) {
                    connection.execute(task);
                    accepted++;
                }
            } catch (RejectedExecutionException e) {
                // The queue of tasks is full.
            }
            submitted += accepted;
            run.same(Rule.CAPS, "tasks that were accepted while " + before + " waited", (long) accepted, WAITING_MAX - before);
            int turns = round == 0 ? 3 : WAITING_MAX / PER_TURN_MAX + 1;
            for (int i = 0; i < turns; i++) {
                network.turn(0);
            }
            run.same(Rule.CALLBACKS, "tasks that have run in " + turns + " turns", ran[0],
                    Math.min(submitted, round == 0 ? 3L * PER_TURN_MAX : submitted));
        }
    }
}
