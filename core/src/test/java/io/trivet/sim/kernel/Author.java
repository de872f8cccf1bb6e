package io.trivet.sim.kernel;

import io.trivet.net.Interest;
import io.trivet.sim.kernel.Step.Op;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Writes scripts. Operations are mostly on sockets that are there; each script leaves some kinds of operation out and favours others, so
 * that rare things meet each other in some of them.
 */
final class Author {
    private static final int STEPS_MIN = 50;
    private static final int STEPS_MAX = 100;

    /** Below this a window of a few bytes is opened and closed by timers. */
    private static final int RECEIVE_BYTES_MIN = 8192;

    /** How often each kind is drawn where a script does not say otherwise. */
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

    /** What java.nio lacks, or understands otherwise. */
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
    private final List<Op> urn = new ArrayList<>();
    /** The connection that fills first, where buffers fill. */
    private int hose;
    /** Whether listeners take few who wait: then some connects are not answered, and are not in a script's time. */
    private final boolean crowded;
    /** Whether buffers are filled by few bytes at a time, so that the kernel's records of them fill more than the bytes do. */
    private final boolean dribbles;
    /** Where a socket may stand: an accept can fail to find anybody. */
    private final boolean[] taken = new boolean[Slot.COUNT];

    Author(long seed, boolean buffersFill, boolean forNio) {
        this.random = new SplittableRandom(seed * 0x9e3779b97f4a7c15L + 1);
        this.buffersFill = buffersFill;
        this.forNio = forNio;
        this.crowded = random.nextInt(4) == 0;
        this.dribbles = buffersFill && random.nextInt(4) == 0;
    }

    List<Step> write() {
        for (Op op : Op.values()) {
            int weight = WEIGHTS.getOrDefault(op, 0);
            int drawn = random.nextInt(10);
            int factor = drawn == 0 ? 0 : drawn == 1 ? 4 : 1;
            boolean needed = op == Op.CONNECT || op == Op.ACCEPT || op == Op.READ || op == Op.WRITE;
            for (int i = 0; i < weight * (needed ? Math.max(1, factor) : factor); i++) {
                if (!forNio || !isBeyondNio(op)) {
                    urn.add(op);
                }
            }
        }
        begin();
        int length = STEPS_MIN + random.nextInt(STEPS_MAX - STEPS_MIN + 1);
        while (steps.size() < length) {
            draw(urn.get(random.nextInt(urn.size())));
        }
        return List.copyOf(steps);
    }

    /** Something to play with: connections, some of them watched. */
    private void begin() {
        add(Op.LISTEN, Slot.FIRST_LISTENER, backlog());
        if (dribbles) {
            add(Op.RECEIVE_BUFFER, Slot.FIRST_LISTENER, RECEIVE_BYTES_MIN + random.nextInt(2048));
        } else if (buffersFill && random.nextInt(3) != 0) {
            // Here, and not on a stream: a window that the peer was told of cannot be taken back, and then bytes are dropped, and sent again later.
            add(Op.RECEIVE_BUFFER, Slot.FIRST_LISTENER, RECEIVE_BYTES_MIN + random.nextInt(1 << 15));
        }
        int connections = 2 + random.nextInt(Slot.CONNECTIONS - 1);
        hose = random.nextInt(connections);
        for (int i = 0; i < connections; i++) {
            add(Op.CONNECT, Slot.FIRST_CLIENT + i, Slot.FIRST_LISTENER);
            if (!crowded || i == 0 || random.nextInt(3) == 0) {
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

    /** Room shall become scarce: in the send buffer, or below the mark for what is not sent; and a reader may wait for much. */
    private void fill(int connection) {
        if (connection == hose && random.nextInt(3) == 0) {
            add(Op.NOT_SENT_LOW_WATER, Slot.FIRST_CLIENT + connection, 1 + random.nextInt(1 << (8 + random.nextInt(8))));
        } else if (connection == hose || random.nextBoolean()) {
            add(Op.SEND_BUFFER, Slot.FIRST_CLIENT + connection, smallBuffer());
        }
        if (connection == hose && dribbles) {
            add(Op.RECEIVE_LOW_WATER, Slot.FIRST_SERVER + connection,
                    RECEIVE_BYTES_MIN / 2 + random.nextInt(RECEIVE_BYTES_MIN / 2));
        }
    }

    private void draw(Op op) {
        switch (op) {
            case LISTEN -> add(op, Slot.FIRST_LISTENER + random.nextInt(Slot.LISTENERS), backlog());
            case ACCEPT -> add(op, Slot.FIRST_LISTENER + (random.nextInt(8) == 0 ? 1 : 0), 0);
            case CONNECT -> add(op, Slot.FIRST_CLIENT + random.nextInt(Slot.CONNECTIONS),
                    Slot.FIRST_LISTENER + (random.nextInt(6) == 0 ? 1 : 0));
            case FINISH_CONNECT -> add(op, Slot.FIRST_CLIENT + random.nextInt(Slot.CONNECTIONS), 0);
            case READ -> {
                int slot = random.nextInt(8) == 0 ? Slot.SOURCE : favourite(Slot.FIRST_SERVER);
                add(op, slot, slot == Slot.SOURCE ? pipeBytes() : bytes(true));
            }
            case WRITE -> {
                int slot = random.nextInt(8) == 0 ? Slot.SINK : favourite(Slot.FIRST_CLIENT);
                add(op, slot, slot == Slot.SINK ? pipeBytes() : bytes(false));
            }
            case GATHER -> add(op, stream(), bytes(false));
            case SEND_URGENT, RECEIVE_URGENT, AT_MARK, SHUTDOWN_INPUT, SHUTDOWN_OUTPUT -> add(op, stream(), 0);
            case CLOSE, RESET -> {
                if (buffersFill && random.nextInt(3) != 0) {
                    return; // or nothing lives long enough to fill
                }
                int drawn = random.nextInt(10);
                add(op, op == Op.RESET ? stream() : drawn == 0 ? any() : drawn == 1 ? Slot.SOURCE + random.nextInt(2) : stream(),
                        0);
            }
            case RECEIVE_LOW_WATER -> add(op, streamOrListener(), 1 + random.nextInt(random.nextBoolean() ? 20 : 200));
            case NOT_SENT_LOW_WATER -> add(op, streamOrListener(), 1 + random.nextInt(100_000));
            case URGENT_INLINE -> add(op, streamOrListener(), random.nextInt(3) == 0 ? 0 : 1);
            case SEND_BUFFER -> add(op, streamOrListener(), buffersFill ? smallBuffer() : largeBuffer());
            case RECEIVE_BUFFER -> add(op, streamOrListener(), largeBuffer());
            case UDP_OPEN -> add(op, datagram(), 0);
            case UDP_CONNECT -> add(op, datagram(), datagram());
            // The value says how long, and the parity to which of the two; where there is a peer, half go to that.
            case UDP_SEND -> add(op, datagram(), random.nextInt(4) == 0 ? random.nextInt(4) : random.nextInt(200));
            case UDP_RECEIVE -> add(op, datagram(), random.nextInt(4) == 0 ? 1 + random.nextInt(20) : 256);
            case PIPE_OPEN -> add(op, Slot.SOURCE, 0);
            case REGISTER, MODIFY -> add(op, any(), interest());
            case DEREGISTER -> add(op, any(), 0);
            case SELECT -> add(op, Slot.FIRST_LISTENER, random.nextInt());
        }
    }

    private void add(Op op, int slot, int value) {
        switch (op) {
            case LISTEN, CONNECT, UDP_OPEN -> taken[slot] = true;
            case PIPE_OPEN -> {
                taken[Slot.SOURCE] = true;
                taken[Slot.SINK] = true;
            }
            case ACCEPT -> {
                for (int i = Slot.FIRST_SERVER; i < Slot.FIRST_SERVER + Slot.CONNECTIONS; i++) {
                    if (!taken[i]) {
                        taken[i] = true;
                        break;
                    }
                }
            }
            case CLOSE, RESET -> taken[slot] = false;
            default -> {
            }
        }
        steps.add(new Step(op, slot, value));
    }

    /** A stream, most often one that is there. */
    private int stream() {
        int slot = Slot.FIRST_CLIENT + random.nextInt(2 * Slot.CONNECTIONS);
        for (int attempt = 0; attempt < 4 && !taken[slot]; attempt++) {
            slot = Slot.FIRST_CLIENT + random.nextInt(2 * Slot.CONNECTIONS);
        }
        return slot;
    }

    /** A listener's options are handed on to what it accepts. */
    private int streamOrListener() {
        return !forNio && random.nextInt(8) == 0 ? Slot.FIRST_LISTENER : stream();
    }

    /** A stream to read from or to write to: where buffers shall fill, most often the same one. */
    private int favourite(int first) {
        return buffersFill && random.nextInt(3) != 0 ? first + hose : stream();
    }

    private int datagram() {
        return Slot.FIRST_DATAGRAM + random.nextInt(Slot.DATAGRAMS);
    }

    private int any() {
        int slot = random.nextInt(Slot.COUNT);
        for (int attempt = 0; attempt < 4 && !taken[slot]; attempt++) {
            slot = random.nextInt(Slot.COUNT);
        }
        return slot;
    }

    private int smallBuffer() {
        return 1 + random.nextInt(1 << (1 + random.nextInt(16)));
    }

    /** Large enough for what is on its way where buffers shall not fill, and no more than every system allows. */
    private int largeBuffer() {
        return (1 << 16) + random.nextInt(1 << 15);
    }

    /** Small numbers as often as large ones; reads are sometimes long enough for all that can have come. */
    private int bytes(boolean toRead) {
        if (dribbles && random.nextInt(8) != 0) {
            return 1 + random.nextInt(toRead ? 64 : 256);
        }
        if (buffersFill && random.nextInt(4) != 0) {
            return 1 + random.nextInt(1 << ((toRead ? 1 : 6) + random.nextInt(toRead ? 16 : 11)));
        }
        int drawn = random.nextInt(6);
        return drawn == 0 && toRead ? 4096 : drawn == 1 ? 1 : 1 + random.nextInt(1 << (1 + random.nextInt(7)));
    }

    /** A pipe decides by pages, so its lengths lie around them. */
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
        return crowded && random.nextInt(4) != 0 ? 1 + random.nextInt(3) : 8;
    }

    private int interest() {
        int mask = forNio ? Interest.READ | Interest.WRITE : Interest.ALL;
        return random.nextInt(8) == 0 ? 0 : (1 + random.nextInt(Interest.ALL)) & mask;
    }
}
