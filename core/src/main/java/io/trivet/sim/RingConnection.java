package io.trivet.sim;

import io.trivet.net.Completions;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A slot of a ring with the connection that occupies it: a record that all parts of the ring read. Each field is listed under the
 * part that writes it; a failure and the clearing of the slot concern all and are here.
 */
final class RingConnection extends OpenFile.Watcher {
    final int slot;
    private final RingSchedule schedule;
    private int generation;

    // Of SimProactor.

    boolean connecting;
    /** The outcome of the connect was posted, and is not delivered yet. */
    boolean connectCompleted;
    boolean closing;

    // Of RingSlots.

    @Nullable SimTcpStream stream;
    /** The descriptor is closed; {@code closed} is still to be delivered. */
    boolean removed;

    // Of RingSchedule.

    boolean scheduled;

    // Of RingReceives.

    boolean wantsInput;
    boolean urgentWatched;
    /** A receive is active, until its last completion was delivered. */
    boolean receiving;
    /** The kernel has posted the receive's last completion. */
    boolean receiveEnded;
    boolean cancelPending;
    /** With urgent data watched: the poll found nothing ready, and waits. */
    boolean pollArmed;
    /** With urgent data watched: the poll has found input while no buffer was free. */
    boolean readPending;

    // Of RingBuffers.

    boolean awaitsBuffer;

    // Of RingSends.

    @Nullable RingSend send;
    /** The kernel has posted the send's completion. */
    boolean sendCompleted;
    boolean awaitsWritable;
    boolean roomPosted;
    boolean shutdownPending;
    /** A silent send that was accepted, and that the socket has refused: it is sent when there is room. */
    @Nullable RingSend unsent;
    /** The socket has refused a silent send: no further send of this connection is silent. */
    boolean refusedBefore;

    // Of CompletionQueue.

    /** The number of completions posted and not delivered yet. */
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

    /** Returns whether a handle of this slot refers to its present connection, and that was not closed by its caller. */
    boolean matches(long handle) {
        return stream != null && !closing && generation == (int) (handle >>> 32);
    }

    /** Returns whether completions are still to be delivered. */
    boolean isOpen() {
        return !closing && !failed;
    }

    boolean hasFailed() {
        return failed;
    }

    /** Returns whether no operation is active, and no completion undelivered. */
    boolean isIdle() {
        return !receiving && send == null && undelivered == 0;
    }

    @Override
    void changed(int what) {
        schedule.visit(this);
    }

    /** Delivers a failure, once, and only while the connection is open. Returns the number of completions delivered. */
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
