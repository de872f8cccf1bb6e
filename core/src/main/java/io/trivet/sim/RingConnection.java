package io.trivet.sim;

import io.trivet.net.Completions;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A slot of a ring, and the connection that occupies it. All parts of the ring read these fields. Each field is listed under the
 * part that writes it.
 */
final class RingConnection extends OpenFile.Watcher {
    final int slot;
    private final RingSchedule schedule;
    private int generation;

    // Written by SimProactor.

    boolean connecting;
    /** The outcome of the connect was posted, but not delivered yet. */
    boolean connectCompleted;
    boolean closing;

    // Written by RingSlots.

    @Nullable SimTcpStream stream;
    /** The descriptor is closed; the completion {@code closed} has not been delivered yet. */
    boolean removed;

    // Written by RingSchedule.

    boolean scheduled;

    // Written by RingReceives.

    boolean wantsInput;
    boolean urgentWatched;
    /** A receive was started, and its last completion has not been delivered yet. */
    boolean receiving;
    /** The kernel has posted the receive's last completion. */
    boolean receiveEnded;
    boolean cancelPending;
    /** Only while urgent data is watched: the readiness poll has found nothing and is waiting. */
    boolean pollArmed;
    /** Only while urgent data is watched: the readiness poll has found input, but no buffer was free. */
    boolean readPending;

    // Written by RingBuffers.

    boolean awaitsBuffer;

    // Written by RingSends.

    @Nullable RingSend send;
    /** The kernel has posted the send's completion. */
    boolean sendCompleted;
    boolean awaitsWritable;
    boolean roomPosted;
    boolean shutdownPending;
    /** A silent send of which the socket has refused some bytes. They are sent when there is room. */
    @Nullable RingSend unsent;
    /** The socket has refused bytes of a silent send, so no further send of this connection is silent. */
    boolean refusedBefore;

    // Written by CompletionQueue.

    /** The number of completions that were posted and not delivered yet. */
    int undelivered;
    /** No completion is delivered before this time, so that none overtakes a late one. */
    long notBeforeNanos;
    /** During a delivery: a completion was held back, so all later ones are too. */
    boolean heldBack;

    private boolean failed;

    RingConnection(int slot, RingSchedule schedule) {
        this.slot = slot;
        this.schedule = schedule;
    }

    SimTcpStream stream() {
        return Objects.requireNonNull(stream);
    }

    TcpEndpoint end() {
        return stream().end;
    }

    long handle() {
        return (long) generation << 32 | slot;
    }

    /** Returns whether a handle of this slot refers to the current connection, and the caller has not closed it. */
    boolean matches(long handle) {
        return stream != null && !closing && generation == (int) (handle >>> 32);
    }

    /**
     * Returns whether the connection has neither failed nor been closed by the caller. Otherwise only {@code closed} is
     * delivered.
     */
    boolean isOpen() {
        return !closing && !failed;
    }

    boolean hasFailed() {
        return failed;
    }

    /** Returns whether no operation is active, and no completion is undelivered. */
    boolean isIdle() {
        return !receiving && send == null && undelivered == 0;
    }

    @Override
    void changed(int what) {
        schedule.visit(this);
    }

    /** Delivers a failure if the connection is {@linkplain #isOpen open}. Returns the number of completions delivered. */
    int fail(IOException failure, Completions completions) {
        if (!isOpen()) {
            return 0;
        }
        failed = true;
        wantsInput = false;
        awaitsWritable = false;
        completions.failed(handle(), failure);
        return 1;
    }

    /** Frees the slot for another connection. The handle becomes stale. */
    void clear() {
        generation = generation + 1 & Integer.MAX_VALUE;
        stream = null;
        connecting = false;
        connectCompleted = false;
        closing = false;
        removed = false;
        wantsInput = false;
        urgentWatched = false;
        receiving = false;
        receiveEnded = false;
        cancelPending = false;
        pollArmed = false;
        readPending = false;
        sendCompleted = false;
        awaitsWritable = false;
        roomPosted = false;
        shutdownPending = false;
        unsent = null;
        refusedBefore = false;
        notBeforeNanos = 0;
        failed = false;
    }
}
