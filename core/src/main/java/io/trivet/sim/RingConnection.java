package io.trivet.sim;

import io.trivet.net.Completions;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A slot of a ring, and the connection that has it: a record that every room of the ring reads. Each field stands with the room that writes
 * it; what ends them all, a failure and the clearing of the slot, is here.
 */
final class RingConnection extends OpenFile.Watcher {
    final int slot;
    private final RingAgenda agenda;
    private int generation;

    // Of SimProactor.

    boolean connecting;
    /** Whether the connect went well has completed, and was not told yet. */
    boolean answered;
    boolean closing;

    // Of RingSlots.

    @Nullable SimTcpStream stream;
    boolean gone;

    // Of RingAgenda.

    boolean touched;

    // Of RingReceives.

    boolean wantsInput;
    boolean urgent;
    /** A receive is under way; until its last completion was told. */
    boolean receiving;
    /** The kernel has told its last. */
    boolean receiveOver;
    boolean cancels;
    /** With urgent data watched: the poll found nothing ready, and waits. */
    boolean pollWaits;
    /** And has said that there is something to read, when no buffer was free. */
    boolean owesRead;

    // Of RingBuffers.

    /** It stands among those that found no buffer. */
    boolean starves;

    // Of RingSends.

    @Nullable RingSend send;
    /** The send has completed, and was not told yet. */
    boolean sendOver;
    boolean awaitsRoom;
    boolean roomTold;
    boolean endsOutput;
    /** What was called taken, and the socket has refused: it goes when there is room. */
    @Nullable RingSend rest;
    /** The socket has refused something that was called taken: from then on every send tells how it went. */
    boolean tight;

    // Of CompletionQueue.

    /** Completions that were not told yet. */
    int waiting;
    /** One of them must not overtake another. */
    long notBeforeNanos;
    /** The last poll had to leave something of it behind. */
    boolean held;

    private boolean failed;

    RingConnection(int slot, RingAgenda agenda) {
        this.slot = slot;
        this.agenda = agenda;
    }

    SimTcpStream stream() {
        return Objects.requireNonNull(stream);
    }

    TcpEnd end() {
        return stream().end;
    }

    long handle() {
        return (long) generation << 32 | slot;
    }

    /** Whether a handle of this slot means the connection that has it now, and its caller has not closed it. */
    boolean isMeantBy(long handle) {
        return stream != null && !closing && generation == (int) (handle >>> 32);
    }

    /** Whether its caller still wants to know of it. */
    boolean isOpen() {
        return !closing && !failed;
    }

    boolean hasFailed() {
        return failed;
    }

    /** Whether the ring has nothing of it under way, and nothing left to tell. */
    boolean isIdle() {
        return !receiving && send == null && waiting == 0;
    }

    @Override
    void changed(int what) {
        agenda.touch(this);
    }

    /** Tells that it has failed, once, and not whom it does not concern any more; how much was told. */
    int fail(IOException failure, Completions completions) {
        if (!isOpen()) {
            return 0;
        }
        failed = true;
        wantsInput = false;
        awaitsRoom = false;
        completions.failed(handle(), failure);
        return 1;
    }

    /** The slot is another's from now on, and the handle stale. */
    void clear() {
        generation = generation + 1 & Integer.MAX_VALUE;
        stream = null;
        connecting = false;
        answered = false;
        closing = false;
        gone = false;
        wantsInput = false;
        urgent = false;
        receiving = false;
        receiveOver = false;
        cancels = false;
        pollWaits = false;
        owesRead = false;
        sendOver = false;
        awaitsRoom = false;
        roomTold = false;
        endsOutput = false;
        rest = null;
        tight = false;
        notBeforeNanos = 0;
        failed = false;
    }
}
