package io.trivet.linux;

import static io.trivet.linux.UringConnections.AWAITING_WRITABLE;
import static io.trivet.linux.UringConnections.CHANGE_QUEUED;
import static io.trivet.linux.UringConnections.CLOSING;
import static io.trivet.linux.UringConnections.FAILED;
import static io.trivet.linux.UringConnections.INPUT_WANTED;

import io.trivet.net.Addresses;
import io.trivet.net.Completions;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The operations that a ring has in flight, and their connections; shared by accepting, receiving and sending. What a caller
 * wants of a connection is recorded by {@link #queueChange}, and reconciled with the kernel's operations at the next poll. So
 * callers may start operations before there is a ring. One thread.
 */
final class UringOperations {
    static final int WAKEUP = 1;
    static final int ACCEPT = 2;
    static final int RECEIVE = 3;
    static final int POLL_INPUT = 4;
    static final int POLL_WRITABLE = 5;
    static final int SEND = 6;
    /** A send that has a completion only if the socket did not accept all of it. */
    static final int SILENT_SEND = 7;
    static final int CANCEL = 8;

    private static final int KIND_SHIFT = 28;
    private static final int INDEX_MASK = (1 << KIND_SHIFT) - 1;

    final UringConnections connections = new UringConnections();
    private final SlotQueue changed = new SlotQueue();
    private @Nullable Ring ring;
    private @Nullable BufferRing buffers;
    /** Operations whose last completion has not arrived, except silent sends, which may have none. */
    private int inFlight;

    void open(Ring newRing, BufferRing newBuffers) {
        ring = newRing;
        buffers = newBuffers;
    }

    /** Detaches the ring: no operations can be started any more. */
    void detach() {
        ring = null;
    }

    boolean isOpen() {
        return ring != null;
    }

    Ring ring() {
        return Objects.requireNonNull(ring);
    }

    BufferRing buffers() {
        return Objects.requireNonNull(buffers);
    }

    // ---- operations

    /** Returns the user data of an operation's completions: its kind, and its slot or index. */
    static long userData(int kind, int index) {
        return (long) kind << KIND_SHIFT | index;
    }

    static int kind(int userData) {
        return userData >>> KIND_SHIFT;
    }

    static int index(int userData) {
        return userData & INDEX_MASK;
    }

    /** Starts an operation. It ends with a completion without CQE_MORE. Every operation except a silent send is started here. */
    void start(int opcode, int flags, int ioprio, int fd, long address, int length, int operationFlags, long userData) {
        ring().push(opcode, flags, ioprio, fd, address, length, operationFlags, userData);
        inFlight++;
    }

    /**
     * Starts a send that has a completion only if the socket did not accept all of it. Otherwise it is complete once it has been
     * handed over.
     */
    void startSilently(int opcode, int fd, long address, int length, int operationFlags, long userData) {
        ring().push(opcode, Uring.SQE_CQE_SKIP_SUCCESS, 0, fd, address, length, operationFlags, userData);
    }

    void cancel(long userData) {
        if (ring != null) {
            start(Uring.OP_ASYNC_CANCEL, 0, 0, -1, userData, 0, 0, userData(CANCEL, 0));
        }
    }

    /** Counts a completion. */
    void countCompletion(int userData, int flags) {
        if ((flags & Uring.CQE_MORE) == 0 && kind(userData) != SILENT_SEND) {
            inFlight--;
        }
    }

    int inFlight() {
        return inFlight;
    }

    /** Sets the number of operations in flight, after those of a former ring were abandoned. */
    void resetInFlight(int count) {
        inFlight = count;
    }

    // ---- connections

    /** Queues a connection for reconciliation at the next poll. */
    void queueChange(int slot) {
        if (!connections.is(slot, CHANGE_QUEUED)) {
            connections.set(slot, CHANGE_QUEUED);
            changed.add(slot);
        }
    }

    /** Returns the next connection to reconcile, or -1. */
    int nextChanged() {
        int slot = changed.take();
        while (slot >= 0 && !connections.is(slot, CHANGE_QUEUED)) { // that connection is closed, and another one has its slot
            slot = changed.take();
        }
        if (slot >= 0) {
            connections.clear(slot, CHANGE_QUEUED);
        }
        return slot;
    }

    /** Converts the result of a call that writes to the number of bytes written. */
    long writeResult(int slot, String call, long result) throws IOException {
        if (result == -Errno.EAGAIN || result == -Errno.EINTR) {
            return 0;
        }
        if (result < 0) {
            throw failure(slot, call, (int) -result);
        }
        return result;
    }

    IOException failure(int slot, String call, int errno) {
        return Errno.failure(call, "stream " + Addresses.toString(connections.remote(slot)), errno, connections.descriptor(slot));
    }

    int fail(int slot, IOException failure, Completions completions) {
        if (connections.is(slot, FAILED | CLOSING)) {
            return 0;
        }
        connections.set(slot, FAILED);
        connections.clear(slot, INPUT_WANTED | AWAITING_WRITABLE);
        queueChange(slot);
        completions.failed(connections.handle(slot), failure);
        return 1;
    }
}
