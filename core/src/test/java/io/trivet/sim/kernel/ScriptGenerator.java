package io.trivet.sim.kernel;

import io.trivet.net.Interest;
import io.trivet.sim.kernel.Step.Op;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Generates the scripts for the readiness view. Most operations address sockets that exist. Each script omits some kinds of operation and
 * favours others, so that rare operations coincide in some of the scripts.
 */
final class ScriptGenerator {
    private static final int STEPS_MIN = 50;
    private static final int STEPS_MAX = 100;

    /** With a smaller receive buffer, timers open and close a window of a few bytes. */
    private static final int RECEIVE_BYTES_MIN = 8192;

    /** Relative frequency of each operation, before a script omits or favours it. */
    private static final Map<Op, Integer> WEIGHTS = new EnumMap<>(Op.class);

    static {
        WEIGHTS.put(Op.LISTEN, 1);
        WEIGHTS.put(Op.CONNECT, 6);
        WEIGHTS.put(Op.FINISH_CONNECT, 2);
        WEIGHTS.put(Op.ACCEPT, 8);
        WEIGHTS.put(Op.READ, 24);
        WEIGHTS.put(Op.WRITE, 22);
        WEIGHTS.put(Op.GATHER, 3);
        WEIGHTS.put(Op.SEND_URGENT, 6);
        WEIGHTS.put(Op.RECEIVE_URGENT, 5);
        WEIGHTS.put(Op.AT_MARK, 3);
        WEIGHTS.put(Op.SHUTDOWN_INPUT, 2);
        WEIGHTS.put(Op.SHUTDOWN_OUTPUT, 4);
        WEIGHTS.put(Op.CLOSE, 4);
        WEIGHTS.put(Op.RESET, 3);
        WEIGHTS.put(Op.RECEIVE_LOW_WATER, 4);
        WEIGHTS.put(Op.NOT_SENT_LOW_WATER, 1);
        WEIGHTS.put(Op.URGENT_INLINE, 2);
        WEIGHTS.put(Op.SEND_BUFFER, 1);
        WEIGHTS.put(Op.RECEIVE_BUFFER, 1);
        WEIGHTS.put(Op.UDP_OPEN, 2);
        WEIGHTS.put(Op.UDP_CONNECT, 2);
        WEIGHTS.put(Op.UDP_SEND, 5);
        WEIGHTS.put(Op.UDP_RECEIVE, 5);
        WEIGHTS.put(Op.PIPE_OPEN, 1);
        WEIGHTS.put(Op.REGISTER, 6);
        WEIGHTS.put(Op.MODIFY, 4);
        WEIGHTS.put(Op.DEREGISTER, 2);
        WEIGHTS.put(Op.SELECT, 4);
    }

    /** Returns true for operations that java.nio lacks or that behave differently there. */
    private static boolean isBeyondNio(Op op) {
        return switch (op) {
            case SEND_URGENT, RECEIVE_URGENT, AT_MARK, RECEIVE_LOW_WATER, NOT_SENT_LOW_WATER, URGENT_INLINE, SHUTDOWN_INPUT,
                    FINISH_CONNECT, UDP_CONNECT ->
                true;
            default -> false;
        };
    }

    private final SplittableRandom random;
    private final boolean buffersFill;
    private final boolean forNio;
    private final List<Step> steps = new ArrayList<>();
    private final List<Op> weightedOps = new ArrayList<>();
    /** The connection that most reads and writes go to in a script that fills buffers. */
    private int busiest;
    /** Whether listeners have small backlogs: some connects then stay unanswered for the duration of a script. */
    private final boolean smallBacklogs;
    /** Whether buffers are filled with small writes, so that the kernel's per-packet overhead exceeds the payload. */
    private final boolean smallWrites;
    /** Slots that may hold a socket. An accept counts as filling a slot although it may find no connection. */
    private final boolean[] occupied = new boolean[Slot.COUNT];

    ScriptGenerator(long seed, boolean buffersFill, boolean forNio) {
        this.random = new SplittableRandom(seed * 0x9e3779b97f4a7c15L + 1);
        this.buffersFill = buffersFill;
        this.forNio = forNio;
        this.smallBacklogs = random.nextInt(4) == 0;
        this.smallWrites = buffersFill && random.nextInt(4) == 0;
    }

    List<Step> generate() {
        for (Op op : Op.values()) {
            int weight = WEIGHTS.getOrDefault(op, 0);
            int roll = random.nextInt(10);
            int factor = roll == 0 ? 0 : roll == 1 ? 4 : 1;
            boolean needed = op == Op.CONNECT || op == Op.ACCEPT || op == Op.READ || op == Op.WRITE;
            for (int i = 0; i < weight * (needed ? Math.max(1, factor) : factor); i++) {
                if (!forNio || !isBeyondNio(op)) {
                    weightedOps.add(op);
                }
            }
        }
        addOpeningSteps();
        int length = STEPS_MIN + random.nextInt(STEPS_MAX - STEPS_MIN + 1);
        while (steps.size() < length) {
            addRandomStep(weightedOps.get(random.nextInt(weightedOps.size())));
        }
        return List.copyOf(steps);
    }

    /** Opens a listener, several connections and sometimes UDP sockets and a pipe, and registers some of the streams. */
    private void addOpeningSteps() {
        add(Op.LISTEN, Slot.FIRST_LISTENER, backlog());
        if (smallWrites) {
            add(Op.RECEIVE_BUFFER, Slot.FIRST_LISTENER, RECEIVE_BYTES_MIN + random.nextInt(2048));
        } else if (buffersFill && random.nextInt(3) != 0) {
            // On the listener, not on a stream: a window that was advertised cannot be withdrawn; bytes would be dropped and retransmitted later.
            add(Op.RECEIVE_BUFFER, Slot.FIRST_LISTENER, RECEIVE_BYTES_MIN + random.nextInt(1 << 15));
        }
        int connections = 2 + random.nextInt(Slot.CONNECTIONS - 1);
        busiest = random.nextInt(connections);
        for (int i = 0; i < connections; i++) {
            add(Op.CONNECT, Slot.FIRST_CLIENT + i, Slot.FIRST_LISTENER);
            if (!smallBacklogs || i == 0 || random.nextInt(3) == 0) {
                add(Op.ACCEPT, Slot.FIRST_LISTENER, 0);
            }
            if (buffersFill) {
                fill(i);
            }
            if (random.nextBoolean()) {
                add(Op.REGISTER, Slot.FIRST_CLIENT + i, interest());
            }
            if (random.nextBoolean()) {
                add(Op.REGISTER, Slot.FIRST_SERVER + i, interest());
            }
        }
        if (random.nextInt(3) == 0) {
            add(Op.UDP_OPEN, Slot.FIRST_DATAGRAM, 0);
            add(Op.UDP_OPEN, Slot.FIRST_DATAGRAM + 1, 0);
        }
        if (random.nextInt(3) == 0) {
            add(Op.PIPE_OPEN, Slot.SOURCE, 0);
        }
    }

    /** Makes room scarce: by a small send buffer, by a low TCP_NOTSENT_LOWAT, or by a high SO_RCVLOWAT at the reader. */
    private void fill(int connection) {
        if (connection == busiest && random.nextInt(3) == 0) {
            add(Op.NOT_SENT_LOW_WATER, Slot.FIRST_CLIENT + connection, 1 + random.nextInt(1 << (8 + random.nextInt(8))));
        } else if (connection == busiest || random.nextBoolean()) {
            add(Op.SEND_BUFFER, Slot.FIRST_CLIENT + connection, smallBuffer());
        }
        if (connection == busiest && smallWrites) {
            add(Op.RECEIVE_LOW_WATER, Slot.FIRST_SERVER + connection,
                    RECEIVE_BYTES_MIN / 2 + random.nextInt(RECEIVE_BYTES_MIN / 2));
        }
    }

    private void addRandomStep(Op op) {
        switch (op) {
            case LISTEN -> add(op, Slot.FIRST_LISTENER + random.nextInt(Slot.LISTENERS), backlog());
            case ACCEPT -> add(op, Slot.FIRST_LISTENER + (random.nextInt(8) == 0 ? 1 : 0), 0);
            case CONNECT -> add(op, Slot.FIRST_CLIENT + random.nextInt(Slot.CONNECTIONS),
                    Slot.FIRST_LISTENER + (random.nextInt(6) == 0 ? 1 : 0));
            case FINISH_CONNECT -> add(op, Slot.FIRST_CLIENT + random.nextInt(Slot.CONNECTIONS), 0);
            case READ -> {
                int slot = random.nextInt(8) == 0 ? Slot.SOURCE : preferredStream(Slot.FIRST_SERVER);
                add(op, slot, slot == Slot.SOURCE ? pipeBytes() : bytes(true));
            }
            case WRITE -> {
                int slot = random.nextInt(8) == 0 ? Slot.SINK : preferredStream(Slot.FIRST_CLIENT);
                add(op, slot, slot == Slot.SINK ? pipeBytes() : bytes(false));
            }
            case GATHER -> add(op, anyStream(), bytes(false));
            case SEND_URGENT, RECEIVE_URGENT, AT_MARK, SHUTDOWN_INPUT, SHUTDOWN_OUTPUT -> add(op, anyStream(), 0);
            case CLOSE, RESET -> {
                if (buffersFill && random.nextInt(3) != 0) {
                    return; // otherwise no connection lives long enough to fill its buffers
                }
                int roll = random.nextInt(10);
                add(op, op == Op.RESET ? anyStream() : roll == 0 ? anySlot() : roll == 1 ? Slot.SOURCE + random.nextInt(2)
                        : anyStream(),
                        0);
            }
            case RECEIVE_LOW_WATER -> add(op, streamOrListener(), 1 + random.nextInt(random.nextBoolean() ? 20 : 200));
            case NOT_SENT_LOW_WATER -> add(op, streamOrListener(), 1 + random.nextInt(100_000));
            case URGENT_INLINE -> add(op, streamOrListener(), random.nextInt(3) == 0 ? 0 : 1);
            case SEND_BUFFER -> add(op, streamOrListener(), buffersFill ? smallBuffer() : largeBuffer());
            case RECEIVE_BUFFER -> add(op, streamOrListener(), largeBuffer());
            case UDP_OPEN -> add(op, anyDatagram(), 0);
            case UDP_CONNECT -> add(op, anyDatagram(), anyDatagram());
            // The value is the length. Its parity selects the target socket; on a connected socket half of the sends go to the peer.
            case UDP_SEND -> add(op, anyDatagram(), random.nextInt(4) == 0 ? random.nextInt(4) : random.nextInt(200));
            case UDP_RECEIVE -> add(op, anyDatagram(), random.nextInt(4) == 0 ? 1 + random.nextInt(20) : 256);
            case PIPE_OPEN -> add(op, Slot.SOURCE, 0);
            case REGISTER, MODIFY -> add(op, anySlot(), interest());
            case DEREGISTER -> add(op, anySlot(), 0);
            case SELECT -> add(op, Slot.FIRST_LISTENER, random.nextInt());
        }
    }

    private void add(Op op, int slot, int value) {
        switch (op) {
            case LISTEN, CONNECT, UDP_OPEN -> occupied[slot] = true;
            case PIPE_OPEN -> {
                occupied[Slot.SOURCE] = true;
                occupied[Slot.SINK] = true;
            }
            case ACCEPT -> {
                for (int i = Slot.FIRST_SERVER; i < Slot.FIRST_SERVER + Slot.CONNECTIONS; i++) {
                    if (!occupied[i]) {
                        occupied[i] = true;
                        break;
                    }
                }
            }
            case CLOSE, RESET -> occupied[slot] = false;
            default -> {
            }
        }
        steps.add(new Step(op, slot, value));
    }

    /** Returns the slot of a stream, in most cases of one that exists. */
    private int anyStream() {
        int slot = Slot.FIRST_CLIENT + random.nextInt(2 * Slot.CONNECTIONS);
        for (int attempt = 0; attempt < 4 && !occupied[slot]; attempt++) {
            slot = Slot.FIRST_CLIENT + random.nextInt(2 * Slot.CONNECTIONS);
        }
        return slot;
    }

    /** Returns the slot of a stream, or sometimes of a listener, whose options are inherited by the streams it accepts. */
    private int streamOrListener() {
        return !forNio && random.nextInt(8) == 0 ? Slot.FIRST_LISTENER : anyStream();
    }

    /** Returns the slot of a stream to read from or write to; in a script that fills buffers mostly the same one. */
    private int preferredStream(int first) {
        return buffersFill && random.nextInt(3) != 0 ? first + busiest : anyStream();
    }

    private int anyDatagram() {
        return Slot.FIRST_DATAGRAM + random.nextInt(Slot.DATAGRAMS);
    }

    private int anySlot() {
        int slot = random.nextInt(Slot.COUNT);
        for (int attempt = 0; attempt < 4 && !occupied[slot]; attempt++) {
            slot = random.nextInt(Slot.COUNT);
        }
        return slot;
    }

    private int smallBuffer() {
        return 1 + random.nextInt(1 << (1 + random.nextInt(16)));
    }

    /** Returns a size that no script without filling exceeds in flight, and that every system's default limits allow. */
    private int largeBuffer() {
        return (1 << 16) + random.nextInt(1 << 15);
    }

    /** Returns small lengths as often as large ones. A read is sometimes long enough for everything that can have arrived. */
    private int bytes(boolean toRead) {
        if (smallWrites && random.nextInt(8) != 0) {
            return 1 + random.nextInt(toRead ? 64 : 256);
        }
        if (buffersFill && random.nextInt(4) != 0) {
            return 1 + random.nextInt(1 << ((toRead ? 1 : 6) + random.nextInt(toRead ? 16 : 11)));
        }
        int roll = random.nextInt(6);
        return roll == 0 && toRead ? 4096 : roll == 1 ? 1 : 1 + random.nextInt(1 << (1 + random.nextInt(7)));
    }

    /** Returns a length near a multiple of the page size, since a pipe is writable by whole pages. */
    private int pipeBytes() {
        return switch (random.nextInt(5)) {
            case 0 -> 1 + random.nextInt(100);
            case 1 -> 4096;
            case 2 -> 4096 * (1 + random.nextInt(16)) - random.nextInt(2);
            case 3 -> 1 + random.nextInt(4096);
            default -> 1 + random.nextInt(70_000);
        };
    }

    private int backlog() {
        return smallBacklogs && random.nextInt(4) != 0 ? 1 + random.nextInt(3) : 8;
    }

    private int interest() {
        int mask = forNio ? Interest.READ | Interest.WRITE : Interest.ALL;
        return random.nextInt(8) == 0 ? 0 : (1 + random.nextInt(Interest.ALL)) & mask;
    }
}
