package io.trivet.sim.kernel;

import io.trivet.sim.kernel.RingStep.Op;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Writes scripts for the completion view; each leaves some kinds of operation out and favours others. */
final class RingAuthor {
    static final int CONNECTIONS = 6;
    private static final int CONNECTIONS_AT_FIRST = 4;
    private static final int STEPS_MIN = 50;
    private static final int STEPS_MAX = 90;
    /** Fits into the buffers of every connection over loopback. */
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
        WEIGHTS.put(Op.FINISH, 5);
        WEIGHTS.put(Op.CLOSE, 6);
        WEIGHTS.put(Op.RESET, 4);
        WEIGHTS.put(Op.READ, 6);
        WEIGHTS.put(Op.RECEIVE, 14);
        WEIGHTS.put(Op.STOP_RECEIVING, 6);
        WEIGHTS.put(Op.WATCH_URGENT, 2);
        WEIGHTS.put(Op.ECHO, 2);
        WEIGHTS.put(Op.STOP_AT_NEXT, 2);
        WEIGHTS.put(Op.CLOSE_AT_NEXT, 1);
        WEIGHTS.put(Op.FILL, 2);
        WEIGHTS.put(Op.DRAIN, 4);
        WEIGHTS.put(Op.WAIT, 1);
        WEIGHTS.put(Op.WAKE, 1);
    }

    private final SplittableRandom random;
    private final boolean fills;
    private final List<RingStep> steps = new ArrayList<>();

    RingAuthor(long seed, boolean fills) {
        this.random = new SplittableRandom(seed * 0x9e3779b97f4a7c15L + 2);
        this.fills = fills;
    }

    List<RingStep> write() {
        List<Op> urn = new ArrayList<>();
        for (Op op : Op.values()) {
            int drawn = random.nextInt(10);
            int factor = drawn == 0 ? 0 : drawn == 1 ? 4 : 1;
            boolean needed = op == Op.SEND || op == Op.RECEIVE;
            boolean wanted = fills || op != Op.FILL;
            for (int i = WEIGHTS.get(op) * (needed ? Math.max(1, factor) : factor); wanted && i > 0; i--) {
                urn.add(op);
            }
        }
        int holdOneIn = random.nextInt(3) == 0 ? 2 : 6;
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
            draw(urn.get(random.nextInt(urn.size())), random.nextInt(holdOneIn) == 0);
        }
        return List.copyOf(steps);
    }

    private void draw(Op op, boolean holds) {
        switch (op) {
            case CONNECT -> add(op, 2 * random.nextInt(CONNECTIONS),
                    1 + random.nextInt(3) + (random.nextInt(6) == 0 ? RingStep.TO_NOBODY : 0), holds);
            case ACCEPT, ACCEPT_AGAIN -> add(op, -1, 0, holds);
            // That one enters the ring at once, and what was handed over before goes with it.
            case STOP_ACCEPTING, WAIT, WAKE -> add(op, -1, 0, false);
            case SEND, GATHER, SEND_FROM_HEAP, READ -> add(op, end(), bytes(), holds);
            case FILL, DRAIN -> add(op, end(), 0, false);
            case URGENT, FINISH, CLOSE, RESET, RECEIVE, STOP_RECEIVING, WATCH_URGENT, ECHO, STOP_AT_NEXT, CLOSE_AT_NEXT ->
                add(op, end(), 0, holds);
        }
    }

    private void add(Op op, int end, int value, boolean holds) {
        steps.add(new RingStep(op, end, value, holds));
    }

    /** Some connections more often than others. */
    private int end() {
        int connection = random.nextBoolean() ? random.nextInt(2) : random.nextInt(CONNECTIONS);
        return 2 * connection + random.nextInt(2);
    }

    /** Around the lengths at which engines do otherwise: 8 KiB and 16 KiB. */
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
