package io.trivet.scenarios;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Makes a few scenarios exceed one of the bounds of a server that others do not reach: the initial sizes of its tables, and what it
 * does in one turn. The others stay small, so that they are fast.
 */
final class Extremes {
    private static final long MILLI = 1_000_000;
    private static final int ONE_IN = 16;
    /** One in this number of scenarios of a kind goes far beyond its bound. */
    private static final int MANY_ONE_IN = 64;
    private static final int LONG_MESSAGE_BYTES_MAX = 400_000;

    private enum Kind {
        /** More connections than a table has at first. */
        CONNECTIONS,
        /** More messages at once than one delivery handles. */
        MESSAGES,
        /** A queue with more bytes than one flush sends. */
        QUEUE,
        /** More tasks and timers than one turn runs. */
        TASKS,
        /** Messages longer than one receive. */
        LONG_MESSAGES
    }

    private final SeededRandom random;
    /** Null for most scenarios. */
    private final @Nullable Kind kind;
    private final int server;
    private int lengthMax;

    /** Draws whether a scenario gets an extreme, from a separate random sequence. */
    Extremes(long seed, int serverCount) {
        random = new SeededRandom(seed ^ 0x65787472656d65L << 8); // "extreme" in ASCII
        kind = random.below(ONE_IN) == 0 ? random.pick(Kind.values()) : null;
        server = random.below(serverCount);
    }

    /** Returns a server with the limits that the extreme needs. */
    ServerPlan widen(ServerPlan plan) {
        if (kind == null || plan.number() != server) {
            return plan;
        }
        lengthMax = plan.framing().lengthMax();
        return switch (kind) {
            case CONNECTIONS, MESSAGES, TASKS -> plan;
            case QUEUE -> plan.withLimits(plan.limits().withQueueBytesMax(8 << 20).withQueueMarks(6 << 20, 1 << 20)
                    .withQueueBudgetBytes(64 << 20));
            case LONG_MESSAGES -> plan.withLimits(plan.limits().withMessageBytesMax(LONG_MESSAGE_BYTES_MAX)
                    .withQueueBudgetBytes(64 << 20));
        };
    }

    /** Adds the clients that reach the extreme. */
    void addClients(List<ClientPlan> clients) {
        if (kind == null) {
            return;
        }
        switch (kind) {
            case CONNECTIONS -> {
                int count = random.below(MANY_ONE_IN) == 0 ? random.between(1_000, 2_000) : random.between(70, 140);
                for (int i = 0; i < count; i++) {
                    clients.add(client(clients.size(), 300 * MILLI, i % 4 == 0 ? small(1) : List.of()));
                }
            }
            case MESSAGES -> {
                for (int i = 0; i < 2; i++) {
                    clients.add(client(clients.size(), 100 * MILLI, small(random.between(1_025, 2_500))));
                }
            }
            case QUEUE -> {
                int size = Math.min(random.between(300_000, 900_000), lengthMax);
                clients.add(client(clients.size(), 100 * MILLI, List.of(new Request(RequestKind.REPLY, 10, 5, size, 0))));
            }
            case TASKS -> {
                boolean many = random.below(MANY_ONE_IN) == 0;
                int tasks = many ? random.between(100_000, 900_000) : random.between(1_025, 2_500);
                int timers = many ? random.between(30_000, 60_000) : random.between(1_025, 2_500);
                clients.add(client(clients.size(), 100 * MILLI, List.of(
                        new Request(RequestKind.TASKS, 10, tasks, 1, 0),
                        new Request(RequestKind.TIMERS, 10, timers, 1, random.logUniform(1_000, 50 * MILLI)))));
            }
            case LONG_MESSAGES -> {
                int longest = Math.min(LONG_MESSAGE_BYTES_MAX, lengthMax);
                for (int i = 0; i < 2; i++) {
                    int length = random.between(Math.min(longest, 70_000), longest);
                    ClientPlan sender = client(clients.size(), 1_000 * MILLI,
                            List.of(new Request(RequestKind.NO_REPLY, length, 1, 1, 0)));
                    clients.add(i == 0 ? sender : sender.withSteps(List.of(sender.steps().getFirst(), partial(longest))));
                }
            }
        }
    }

    /** The beginning of a message, often in the same receive as the end of the one before: a few bytes that are held for long. */
    private Step partial(int longest) {
        int length = Math.min(longest, 200);
        return new Step(0, new ClientAction.SendPartial(length, random.between(1, length - 1)));
    }

    private List<Request> small(int count) {
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            requests.add(new Request(i % 8 == 0 ? RequestKind.ECHO : RequestKind.NO_REPLY, random.below(4), 1, 1, 0));
        }
        return requests;
    }

    private ClientPlan client(int number, long startNanosMax, List<Request> requests) {
        List<Step> steps = requests.isEmpty() ? List.of()
                : List.of(new Step(random.logUniform(0, MILLI), new ClientAction.SendMessages(requests)));
        return new ClientPlan(number, requests.isEmpty() ? ClientKind.SILENT : ClientKind.STEADY,
                random.below(Scenario.CLIENT_HOSTS), server, false, true, random.logUniform(MILLI, startNanosMax),
                Pace.FULL_SPEED, false, 0, steps);
    }
}
