package io.trivet.scenarios;

import io.trivet.observe.MemoryStats;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.Server;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The memory of a server that does the same again and again: after the first time it allocates nothing more, so queues, input and
 * spare buffers together stay the same. What is not held is spare, up to a quarter of the budget.
 */
final class MemoryTrial implements Trial {
    private static final int ROUNDS = 4;

    @Override
    public void run(TrialRun run) throws IOException {
        TrialNetwork network = run.readinessNetwork();
        run.sim.buffers(run.random.number(512, 4096), 1024);
        boolean scarce = run.random.chance(30);
        long budget = scarce ? 512 << 10 : 64 << 20;
        Limits limits = LIMITS.withQueueBytesMax(4 << 20).withQueueMarks(4 << 20, 0).withQueueBudgetBytes(budget)
                .withWriteTimeout(Duration.ZERO).withMessageTimeout(Duration.ZERO).withMessageBytesMax(64 << 10);
        TrialHandler handler = new TrialHandler();
        int connections = run.random.between(1, 5);
        int[][] sizes = new int[connections][];
        int[] parts = new int[connections];
        for (int i = 0; i < connections; i++) {
            sizes[i] = new int[run.random.between(0, 6)];
            for (int k = 0; k < sizes[i].length; k++) {
                sizes[i][k] = (int) run.random.logUniform(1, scarce ? 4_000 : 200_000);
            }
            parts[i] = run.random.chance(50) ? (int) run.random.logUniform(1, 1000) : 0;
        }
        try (Server server = run.builder(network, handler, limits).overflow(Overflow.DISCONNECT).framing(Framing.lines())
                .open()) {
            List<TrialClient> clients = new ArrayList<>();
            for (int i = 0; i < connections; i++) {
                clients.add(TrialClient.connect(run, run.address));
                network.settle();
            }
            long total = -1;
            for (int round = 0; round < ROUNDS && !run.hasFailed(); round++) {
                run.log("round " + round + ": messages wait for " + connections + " clients, and their input is incomplete");
                hold(network, handler, clients, sizes, parts);
                check(run, server, total, budget, round);
                release(network, clients, parts);
                MemoryStats memory = server.stats().memory();
                run.same(Rule.GAUGES, "bytes of queues without messages", memory.queues(), 0L);
                run.same(Rule.GAUGES, "bytes of input that was delivered", memory.input(), 0L);
                run.same(Rule.GAUGES, "bytes in the budget when nothing is held", server.stats().queueBytes(), 0L);
                check(run, server, total, budget, round);
                total = scarce ? -1 : memory.total();
            }
            run.close(network, server);
            run.same(Rule.LEAKS, "spare bytes of a closed server", server.stats().memory().spare(), 0L);
        }
    }

    private static void hold(TrialNetwork network, TrialHandler handler, List<TrialClient> clients, int[][] sizes, int[] parts)
            throws IOException {
        for (int i = 0; i < clients.size(); i++) {
            Connection connection = handler.all.get(i).connection;
            for (int size : sizes[i]) {
                connection.send(new byte[size]);
            }
            network.settle();
            if (parts[i] > 0) {
                clients.get(i).write("x".repeat(parts[i]));
                network.settle();
            }
        }
    }

    private static void release(TrialNetwork network, List<TrialClient> clients, int[] parts) throws IOException {
        for (int i = 0; i < clients.size(); i++) {
            while (clients.get(i).readAll() > 0) {
                network.settle();
            }
            if (parts[i] > 0) {
                clients.get(i).write("\n");
                network.settle();
            }
        }
    }

    private static void check(TrialRun run, Server server, long total, long budget, int round) {
        MemoryStats memory = server.stats().memory();
        if (round > 0 && total >= 0) {
            run.same(Rule.GAUGES, "bytes of all memory in round " + round + ", which repeats the one before", memory.total(),
                    total);
        }
        if (memory.spare() < 0 || memory.spare() > budget / 4) {
            run.fail(Rule.GAUGES, memory.spare() + " bytes are kept for reuse, maximum " + budget / 4);
        }
    }
}
