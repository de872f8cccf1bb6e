package io.trivet.sim.kernel;

import io.trivet.sim.kernel.RingStep.Op;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Generates scripts for the completion view. Each script omits some kinds of operation and favours others. */
final class RingScriptGenerator {
    static final int CONNECTIONS = 6;
    private static final int CONNECTIONS_AT_FIRST = 4;
    private static final int STEPS_MIN = 50;
    private static final int STEPS_MAX = 90;
    /** Fits into the buffers of every loopback connection. */
    private static final int FLOOD_BYTES = 200_000;

    private static final Map<Op, Integer> WEIGHTS = new EnumMap<>(Op.class);

    static {
        WEIGHTS.put(Op.CONNECT, 6);
        WEIGHTS.put(Op.ACCEPT, 3);
        WEIGHTS.put(Op.STOP_ACCEPTING, 1);
        WEIGHTS.put(Op.ACCEPT_AGAIN, 2);
        WEIGHTS.put(Op.SEND, 24);
        WEIGHTS.put(Op.GATHER, 4);
        WEIGHTS.put(Op.SEND_FROM_HEAP, 2);
        WEIGHTS.put(Op.URGENT, 4);
        WEIGHTS.put(Op.SHUTDOWN_OUTPUT, 5);
        WEIGHTS.put(Op.CLOSE, 6);
        WEIGHTS.put(Op.RESET, 4);
        WEIGHTS.put(Op.READ, 6);
        WEIGHTS.put(Op.RECEIVE, 14);
        WEIGHTS.put(Op.STOP_RECEIVING, 6);
        WEIGHTS.put(Op.WATCH_URGENT, 2);
        WEIGHTS.put(Op.ECHO, 2);
        WEIGHTS.put(Op.STOP_ON_NEXT_RECEIVE, 2);
        WEIGHTS.put(Op.CLOSE_ON_NEXT_RECEIVE, 1);
        WEIGHTS.put(Op.FILL, 2);
        WEIGHTS.put(Op.DRAIN, 4);
        WEIGHTS.put(Op.WAIT, 1);
        WEIGHTS.put(Op.WAKE, 1);
    }

    private final SplittableRandom random;
    private final boolean buffersFill;
    private final List<RingStep> steps = new ArrayList<>();

    RingScriptGenerator(long seed, boolean buffersFill) {
        this.random = new SplittableRandom(seed * 0x9e3779b97f4a7c15L + 2);
        this.buffersFill = buffersFill;
    }

    List<RingStep> generate() {
        List<Op> weightedOps = new ArrayList<>();
        for (Op op : Op.values()) {
            int roll = random.nextInt(10);
            int factor = roll == 0 ? 0 : roll == 1 ? 4 : 1;
            boolean needed = op == Op.SEND || op == Op.RECEIVE;
            boolean wanted = buffersFill || op != Op.FILL;
            for (int i = WEIGHTS.get(op) * (needed ? Math.max(1, factor) : factor); wanted && i > 0; i--) {
                weightedOps.add(op);
            }
        }
        int skipPollOneIn = random.nextInt(3) == 0 ? 2 : 6;
        for (int i = 0; i < CONNECTIONS_AT_FIRST; i++) {
            add(Op.CONNECT, 2 * i, 1 + random.nextInt(3), false);
            add(Op.ACCEPT, -1, 0, false);
            for (int end = 2 * i; end <= 2 * i + 1; end++) {
                if (random.nextInt(4) != 0) {
                    add(Op.RECEIVE, end, 0, false);
                }
            }
        }
        int length = STEPS_MIN + random.nextInt(STEPS_MAX - STEPS_MIN + 1);
        while (steps.size() < length) {
            addRandomStep(weightedOps.get(random.nextInt(weightedOps.size())), random.nextInt(skipPollOneIn) == 0);
        }
        return List.copyOf(steps);
    }

    private void addRandomStep(Op op, boolean skipsPoll) {
        switch (op) {
            case CONNECT -> add(op, 2 * random.nextInt(CONNECTIONS),
                    1 + random.nextInt(3) + (random.nextInt(6) == 0 ? RingStep.TO_CLOSED_PORT : 0), skipsPoll);
            case ACCEPT, ACCEPT_AGAIN -> add(op, -1, 0, skipsPoll);
            // These enter the ring at once, and submit what was queued before.
            case STOP_ACCEPTING, WAIT, WAKE -> add(op, -1, 0, false);
            case SEND, GATHER, SEND_FROM_HEAP, READ -> add(op, end(), bytes(), skipsPoll);
            case FILL, DRAIN -> add(op, end(), 0, false);
            case URGENT, SHUTDOWN_OUTPUT, CLOSE, RESET, RECEIVE, STOP_RECEIVING, WATCH_URGENT, ECHO, STOP_ON_NEXT_RECEIVE,
                    CLOSE_ON_NEXT_RECEIVE ->
                add(op, end(), 0, skipsPoll);
        }
    }

    private void add(Op op, int end, int value, boolean skipsPoll) {
        steps.add(new RingStep(op, end, value, skipsPoll));
    }

    /** Returns a random end; the first two connections are favoured. */
    private int end() {
        int connection = random.nextBoolean() ? random.nextInt(2) : random.nextInt(CONNECTIONS);
        return 2 * connection + random.nextInt(2);
    }

    /** Returns a length, often near 8 KiB and 16 KiB, where engines change their strategy. */
    private int bytes() {
        return switch (random.nextInt(8)) {
            case 0 -> 1;
            case 1 -> 8 * 1024 - 1 + random.nextInt(3);
            case 2 -> 16 * 1024 - 1 + random.nextInt(3);
            case 3 -> 1 + random.nextInt(FLOOD_BYTES / 4);
            default -> 1 + random.nextInt(1 << (1 + random.nextInt(12)));
        };
    }
}
