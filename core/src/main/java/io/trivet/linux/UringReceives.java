package io.trivet.linux;

import static io.trivet.linux.UringConnections.AWAITING_BUFFER;
import static io.trivet.linux.UringConnections.BULK;
import static io.trivet.linux.UringConnections.CANCELLING_INPUT;
import static io.trivet.linux.UringConnections.CLOSING;
import static io.trivet.linux.UringConnections.CONNECTING;
import static io.trivet.linux.UringConnections.FAILED;
import static io.trivet.linux.UringConnections.INPUT_WANTED;
import static io.trivet.linux.UringConnections.POLLING_INPUT;
import static io.trivet.linux.UringConnections.POLLING_URGENT;
import static io.trivet.linux.UringConnections.READ_QUEUED;
import static io.trivet.linux.UringConnections.READ_UNTIL_EMPTY;
import static io.trivet.linux.UringConnections.RECEIVING;
import static io.trivet.linux.UringConnections.URGENT_WANTED;

import io.trivet.net.Completions;
import io.trivet.net.Interest;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Receives bytes. Normally a multishot receive fills buffers that the kernel picks from a {@link BufferRing} when bytes arrive.
 * Two kinds of connections are polled for readiness instead, and read by plain calls: those where many bytes arrive at a time,
 * and those that watch for urgent data, which a receive waiting in the kernel would destroy.
 */
final class UringReceives {
    /** Maximum number of bytes per read by a plain call. */
    static final int READ_BYTES = 64 * 1024;
    /**
     * Minimum number of bytes per receive for plain calls. From here on they are faster: they read into the same memory each
     * time.
     */
    static final int BULK_BYTES = 8 * 1024;
    /** Maximum number of consecutive smaller reads by plain calls. After them, a multishot receive is used again. */
    static final int SMALL_READS_MAX = 32;

    private final UringOperations operations;
    private final UringConnections connections;
    private final SlotQueue starved = new SlotQueue();
    private final SlotQueue readable = new SlotQueue();

    UringReceives(UringOperations operations) {
        this.operations = operations;
        connections = operations.connections;
    }

    // ---- what the caller wants

    void receive(int slot) {
        if (!connections.is(slot, INPUT_WANTED | FAILED)) {
            connections.set(slot, INPUT_WANTED);
            // with urgent data, a read might skip the urgent byte
            if (connections.is(slot, BULK) && !connections.is(slot, URGENT_WANTED)) {
                queueRead(slot); // the multishot poll may have reported while receiving was stopped
            }
            operations.queueChange(slot);
        }
    }

    void stop(int slot) {
        connections.clear(slot, INPUT_WANTED);
        operations.queueChange(slot);
    }

    void watchUrgent(int slot) {
        connections.set(slot, URGENT_WANTED);
        operations.queueChange(slot);
    }

    /** Starts and cancels operations, so that the kernel does what the caller wants. */
    void reconcile(int slot) {
        int state = connections.state(slot);
        boolean input = (state & INPUT_WANTED) != 0 && (state & (FAILED | CLOSING | CONNECTING)) == 0;
        boolean byPoll = (state & (URGENT_WANTED | BULK)) != 0;
        boolean urgent = (state & URGENT_WANTED) != 0;
        if ((state & RECEIVING) != 0) {
            if (!input || byPoll) {
                cancel(slot, UringOperations.RECEIVE);
            }
        } else if ((state & POLLING_INPUT) != 0) {
            boolean kindHasChanged = ((state & POLLING_URGENT) != 0) != urgent || !byPoll;
            if ((state & (FAILED | CLOSING)) != 0 || (input && kindHasChanged)) {
                cancel(slot, UringOperations.POLL_INPUT);
            }
        } else if (input && byPoll) {
            connections.set(slot, urgent ? POLLING_INPUT | POLLING_URGENT : POLLING_INPUT);
            operations.start(Uring.OP_POLL_ADD, 0, 0, connections.descriptor(slot), 0, urgent ? 0 : Uring.POLL_ADD_MULTI,
                    PollBits.POLLIN | PollBits.POLLPRI,
                    UringOperations.userData(UringOperations.POLL_INPUT, slot));
        } else if (input && (state & AWAITING_BUFFER) == 0) {
            connections.set(slot, RECEIVING);
            operations.start(Uring.OP_RECV, Uring.SQE_BUFFER_SELECT, Uring.RECV_MULTISHOT, connections.descriptor(slot), 0, 0, 0,
                    UringOperations.userData(UringOperations.RECEIVE, slot));
        }
    }

    private void cancel(int slot, int kind) {
        if (!connections.is(slot, CANCELLING_INPUT)) {
            connections.set(slot, CANCELLING_INPUT);
            operations.cancel(UringOperations.userData(kind, slot));
        }
    }

    /** Returns whether receives wait for a free buffer. */
    boolean hasStarved() {
        return starved.size() > 0;
    }

    /** Restarts receives that found no free buffer. */
    void retryStarved() {
        if (starved.size() == 0) {
            return;
        }
        // Not all at once: the first of them may use up all buffers, and would be the first again.
        int retries = (operations.buffers().free() + 1) / 2;
        for (int i = Math.min(starved.size(), retries); i > 0; i--) {
            int slot = starved.take();
            if (connections.is(slot, AWAITING_BUFFER)) {
                connections.clear(slot, AWAITING_BUFFER);
                operations.queueChange(slot);
            }
        }
    }

    // ---- multishot receives

    /** Handles a completion of a receive: it has delivered bytes, or has ended. */
    int received(int slot, int result, int flags, Completions completions) {
        if ((flags & Uring.CQE_MORE) == 0) {
            connections.clear(slot, RECEIVING | CANCELLING_INPUT);
            operations.queueChange(slot);
        }
        int delivered = 0;
        if ((flags & Uring.CQE_BUFFER) != 0) {
            BufferRing pool = operations.buffers();
            int buffer = flags >>> Uring.CQE_BUFFER_SHIFT;
            int from = pool.received(buffer);
            if (result > 0 && !connections.is(slot, CLOSING | FAILED)) {
                completions.received(connections.handle(slot), pool.memory(), from, from + result);
                delivered = 1;
            }
            pool.release(buffer);
            if (result >= BULK_BYTES && !connections.is(slot, BULK | CLOSING)) {
                connections.set(slot, BULK);
                operations.queueChange(slot);
            }
        }
        return result > 0 || connections.is(slot, CLOSING | FAILED) ? delivered : receiveEnded(slot, result, completions);
    }

    private int receiveEnded(int slot, int result, Completions completions) {
        return switch (-result) {
            case 0 -> {
                connections.clear(slot, INPUT_WANTED);
                completions.inputEnded(connections.handle(slot));
                yield 1;
            }
            case Errno.ENOBUFS -> {
                if (!connections.is(slot, AWAITING_BUFFER)) {
                    connections.set(slot, AWAITING_BUFFER);
                    starved.add(slot);
                }
                yield 0;
            }
            case Errno.ECANCELED, Errno.EINTR, Errno.EAGAIN -> 0;
            default -> operations.fail(slot, operations.failure(slot, "recv", -result), completions);
        };
    }

    // ---- plain reads

    /** Handles a completion of a poll for input: exceptional before readable, and one read. */
    int ready(int slot, int result, int flags, Completions completions) {
        if ((flags & Uring.CQE_MORE) == 0) {
            connections.clear(slot, POLLING_INPUT | POLLING_URGENT | CANCELLING_INPUT);
            operations.queueChange(slot);
        }
        if (result >= 0 && (result & ~PollBits.POLLIN) != 0 && !connections.is(slot, URGENT_WANTED)) {
            connections.set(slot, READ_UNTIL_EMPTY);
        }
        if (result < 0 || connections.is(slot, CLOSING | FAILED) || !connections.is(slot, INPUT_WANTED)) {
            return 0;
        }
        int delivered = 0;
        if ((result & PollBits.POLLPRI) != 0 && connections.is(slot, URGENT_WANTED)) {
            delivered += receiveUrgent(slot, completions);
        }
        boolean readable = connections.is(slot, READ_UNTIL_EMPTY) || Interest.fold(PollBits.events(result), Interest.READ) != 0;
        if (readable && connections.is(slot, INPUT_WANTED) && !connections.is(slot, CLOSING | FAILED)) {
            delivered += readOnce(slot, completions);
        }
        return delivered;
    }

    private int receiveUrgent(int slot, Completions completions) {
        MemorySegment memory = Scratch.ofThread().number;
        int result = (int) Libc.recv(connections.descriptor(slot), memory.address(), 1, Libc.MSG_OOB);
        if (result == 1) {
            completions.urgent(connections.handle(slot), memory.get(ValueLayout.JAVA_BYTE, 0));
            return 1;
        }
        return switch (-result) {
            case 0, Errno.EINVAL, Errno.EAGAIN, Errno.EINTR -> 0; // already received, not yet arrived, or end of input
            default -> operations.fail(slot, operations.failure(slot, "recv", -result), completions);
        };
    }

    private int readOnce(int slot, Completions completions) {
        BufferRing pool = operations.buffers();
        int result = (int) Libc.recv(connections.descriptor(slot), pool.readAreaAddress(), pool.readAreaBytes(), 0);
        if (result <= 0) {
            connections.clear(slot, READ_UNTIL_EMPTY);
            return receiveEnded(slot, result, completions);
        }
        if (!connections.is(slot, URGENT_WANTED)) {
            if (result == pool.readAreaBytes() || connections.is(slot, READ_UNTIL_EMPTY)) {
                queueRead(slot);
            }
            if (connections.countSmallReads(slot, result < BULK_BYTES) >= SMALL_READS_MAX) {
                connections.clear(slot, BULK);
                operations.queueChange(slot);
            }
        }
        completions.received(connections.handle(slot), pool.memory(), 0, result);
        return 1;
    }

    private void queueRead(int slot) {
        if (!connections.is(slot, READ_QUEUED)) {
            connections.set(slot, READ_QUEUED);
            readable.add(slot);
        }
    }

    boolean hasQueuedReads() {
        return readable.size() > 0;
    }

    /** Continues with connections whose last read did not read everything. */
    int continueReads(Completions completions) {
        int delivered = 0;
        for (int i = readable.size(); i > 0; i--) {
            int slot = readable.take();
            if (connections.is(slot, READ_QUEUED)) {
                connections.clear(slot, READ_QUEUED);
                // A multishot receive, once it is started, delivers the rest, in order.
                if (connections.is(slot, INPUT_WANTED) && !connections.is(slot, CLOSING | FAILED | RECEIVING | URGENT_WANTED)) {
                    delivered += readOnce(slot, completions);
                }
            }
        }
        return delivered;
    }
}
