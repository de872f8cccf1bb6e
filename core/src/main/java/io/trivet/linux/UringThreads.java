package io.trivet.linux;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import java.io.IOException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Opens and replaces the ring of the polling thread. The ring of a platform thread is bound to that thread, which makes it fast.
 * If another thread polls after that thread has ended, a ring that any thread can use replaces it. A {@link UringHandover} then
 * holds the unfinished work of the bound ring. A virtual thread gets a ring for any thread from the beginning.
 */
final class UringThreads {
    /**
     * Maximum time during which opening a ring is retried after ENOMEM: the kernel releases the locked memory of a closed ring
     * some time after the close.
     */
    private static final long MEMORY_NANOS_MAX = 250_000_000L;

    private static final long MEMORY_PAUSE_NANOS = 5_000_000L;

    private final UringSizes sizes;
    private final UringOperations operations;
    private @Nullable Ring ring;
    /** The thread that a bound ring belongs to. */
    private @Nullable Thread thread;
    /** The unfinished work of a former ring. */
    private @Nullable UringHandover handover;
    private boolean closed;

    UringThreads(UringSizes sizes, UringOperations operations) {
        this.sizes = sizes;
        this.operations = operations;
    }

    /** Returns the ring; null if no thread has polled yet, or after {@link #end}. */
    @Nullable
    Ring ring() {
        return ring;
    }

    /** Returns the ring for the current thread. Opens it if there is none, and replaces it if it is bound to another thread. */
    Ring ringOfThisThread() throws IOException {
        Ring current = ring;
        if (current != null && (isOwnThread() || current.binding() == Ring.Binding.NONE)) {
            return current;
        }
        if (closed) {
            throw new IllegalStateException("the proactor is closed");
        }
        try {
            return current == null ? open() : replace(current);
        } catch (NetworkException e) {
            throw UringProbe.explained(e);
        }
    }

    private Ring open() throws IOException {
        Ring.Binding binding = Thread.currentThread().isVirtual() ? Ring.Binding.NONE : Ring.Binding.THREAD;
        long start = System.nanoTime();
        while (true) {
            try {
                Ring current = new Ring(sizes.submissions(), sizes.completions(), binding);
                try {
                    use(current, new BufferRing(current, sizes.buffers(), sizes.bufferBytes(), UringReceives.READ_BYTES));
                    return current;
                } catch (IOException | RuntimeException e) {
                    current.close();
                    throw e;
                }
            } catch (NetworkException e) {
                if (e.code() != ErrorCode.ENOMEM || System.nanoTime() - start > MEMORY_NANOS_MAX) {
                    throw e;
                }
                LockSupport.parkNanos(MEMORY_PAUSE_NANOS);
            }
        }
    }

    /** Replaces the ring of another thread. That thread has ended, or has only prepared the proactor. */
    private Ring replace(Ring old) throws IOException {
        boolean isUnused = operations.inFlight() == 0;
        if (isUnused) {
            ring = null;
            operations.detach();
            old.close();
            return open();
        }
        UringHandover left = new UringHandover(old);
        Ring current = new Ring(sizes.submissions(), sizes.completions(), Ring.Binding.NONE);
        try {
            operations.buffers().moveTo(current, left.filledBuffers());
        } catch (IOException | RuntimeException e) {
            current.close();
            throw e;
        }
        current.copyUnsubmitted(old);
        old.close();
        use(current, operations.buffers());
        handover = left;
        return current;
    }

    private void use(Ring current, BufferRing buffers) {
        operations.open(current, buffers);
        thread = Thread.currentThread();
        ring = current;
    }

    /** Returns the unfinished work of a former ring and forgets it; null if there is none. */
    @Nullable
    UringHandover takeHandover() {
        UringHandover left = handover;
        handover = null;
        return left;
    }

    /** Returns whether the current thread may use the ring. */
    boolean mayEnter() {
        Ring current = ring;
        return isOwnThread() || (current != null && current.binding() == Ring.Binding.NONE);
    }

    @SuppressWarnings("ReferenceEquality") // threads are compared by identity
    private boolean isOwnThread() {
        return Thread.currentThread() == thread;
    }

    /** Stops opening rings. Returns the current ring for the caller to close, or null. */
    @Nullable
    Ring end() {
        closed = true;
        Ring last = ring;
        ring = null;
        return last;
    }
}
