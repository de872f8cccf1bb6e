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
 * What the ring has under way, and for which connections: shared by those who accept, receive and send. What a caller wants of a connection
 * is noted by {@link #queueChange}, and brought in line with what the kernel does at the next poll: so everything may be called before there is a
 * ring. One thread.
 */
final class UringOperations {
    static final int WAKEUP = 1;
    static final int ACCEPT = 2;
    static final int RECEIVE = 3;
    static final int POLL_INPUT = 4;
    static final int POLL_WRITABLE = 5;
    static final int SEND = 6;
    /** A send that has a completion only when the kernel did not take all of it. */
    static final int SILENT_SEND = 7;
    static final int CANCEL = 8;

    private static final int KIND_SHIFT = 28;
    private static final int INDEX_MASK = (1 << KIND_SHIFT) - 1;

    final UringConnections connections = new UringConnections();
    private final SlotQueue changed = new SlotQueue();
    private @Nullable Ring ring;
    private @Nullable BufferRing buffers;
    /** Operations whose last completion has not come; but for silent sends, which need not have one. */
    private int inFlight;

    void open(Ring newRing, BufferRing newBuffers) {
        ring = newRing;
        buffers = newBuffers;
    }

    /** No operation begins any more. */
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

    /** What an operation's completions carry: its kind, and the slot, or index, that it is for. */
    static long userData(int kind, int index) {
        return (long) kind << KIND_SHIFT | index;
    }

    static int kind(int userData) {
        return userData >>> KIND_SHIFT;
    }

    static int index(int userData) {
        return userData & INDEX_MASK;
    }

    /** Every operation begins here, and ends with a completion that says that no more will come. */
    void start(int opcode, int flags, int ioprio, int fd, long address, int length, int operationFlags, long userData) {
        ring().push(opcode, flags, ioprio, fd, address, length, operationFlags, userData);
        inFlight++;
    }

    /** A send that has a completion only when not all of it was taken; the others are known when the kernel has been handed them. */
    void startSilently(int opcode, int fd, long address, int length, int operationFlags, long userData) {
        ring().push(opcode, Uring.SQE_CQE_SKIP_SUCCESS, 0, fd, address, length, operationFlags, userData);
    }

    void cancel(long userData) {
        if (ring != null) {
            start(Uring.OP_ASYNC_CANCEL, 0, 0, -1, userData, 0, 0, userData(CANCEL, 0));
        }
    }

    /** A completion was taken. */
    void countCompletion(int userData, int flags) {
        if ((flags & Uring.CQE_MORE) == 0 && kind(userData) != SILENT_SEND) {
            inFlight--;
        }
    }

    int inFlight() {
        return inFlight;
    }

    // ---- connections

    /** The connection's operations are looked at by the next poll. */
    void queueChange(int slot) {
        if (!connections.is(slot, CHANGE_QUEUED)) {
            connections.set(slot, CHANGE_QUEUED);
            changed.add(slot);
        }
    }

    /** The next connection to look at, or -1. */
    int nextChanged() {
        int slot = changed.take();
        while (slot >= 0 && !connections.is(slot, CHANGE_QUEUED)) { // it has gone, and another has its slot
            slot = changed.take();
        }
        if (slot >= 0) {
            connections.clear(slot, CHANGE_QUEUED);
        }
        return slot;
    }

    /** A descriptor's result of a call that writes, as so many bytes. */
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
        return Errno.failure(call, "stream " + Addresses.toString(connections.remote(slot)), errno);
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
