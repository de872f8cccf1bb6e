package io.trivet.sim;

import io.trivet.net.Completions;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.NetworkException;
import io.trivet.sim.CompletionQueue.Kind;
import java.io.IOException;

/**
 * The receives of a ring. A multishot receive completes repeatedly, each time into a ring buffer, until it ends by itself, finds
 * no free buffer, or is cancelled. A cancellation may come too late. While urgent data is watched, the ring polls for readiness
 * instead, and reads the bytes with a plain call.
 */
final class RingReceives {
    /** At most this many completions of one receive in a row; then other connections get their turn. */
    private static final int RECEIVES_IN_A_ROW = 32;

    private final Kernel kernel;
    private final FaultInjector faults;
    private final RingSchedule schedule;
    private final CompletionQueue queue;
    private final RingBuffers buffers;

    RingReceives(SimHost host, RingSchedule schedule, CompletionQueue queue, RingBuffers buffers) {
        kernel = host.kernel;
        faults = host.faults;
        this.schedule = schedule;
        this.queue = queue;
        this.buffers = buffers;
    }

    // Called by the user of the proactor.

    void receive(RingConnection connection) {
        if (!connection.hasFailed()) {
            connection.wantsInput = true;
            schedule.visit(connection);
        }
    }

    void stop(RingConnection connection) {
        if (connection.wantsInput) {
            connection.wantsInput = false;
            cancel(connection);
        }
    }

    void watchUrgent(RingConnection connection) {
        connection.urgentWatched = true;
        cancel(connection);
    }

    /** Cancels the active receive, which may still complete before the cancellation reaches it. */
    private void cancel(RingConnection connection) {
        if (connection.receiving && !connection.receiveEnded) {
            connection.cancelPending = true;
            if (!faults.happens(Fault.CANCEL_LOSES)) {
                connection.cancelPending = false;
                postEnd(connection);
            }
        }
        schedule.visit(connection);
    }

    /** Ends the receive of a connection that is being closed. */
    void end(RingConnection connection) {
        if (connection.receiving && !connection.receiveEnded) {
            postEnd(connection);
        }
    }

    // The kernel's part, when the ring is entered.

    /**
     * Receives the available input.
     *
     * @return the number of completions delivered at once: an urgent byte, or none; other completions are posted
     */
    int advance(RingConnection connection, Completions completions) {
        if (connection.urgentWatched) {
            return advanceByReadiness(connection, completions);
        }
        advanceReceive(connection);
        return 0;
    }

    private void advanceReceive(RingConnection connection) {
        if (!connection.receiving && connection.wantsInput) {
            if (!buffers.hasFree()) {
                buffers.await(connection);
                return;
            }
            connection.receiving = true;
            connection.receiveEnded = false;
            connection.cancelPending = false;
        }
        if (!connection.receiving || connection.receiveEnded) {
            return;
        }
        for (int i = 0; i < RECEIVES_IN_A_ROW; i++) {
            if (!receiveOnce(connection)) {
                break;
            }
        }
        if (connection.cancelPending && !connection.receiveEnded) {
            connection.cancelPending = false;
            kernel.trace(Fault.CANCEL_LOSES, connection.stream());
            postEnd(connection);
        }
        if (!connection.receiveEnded && connection.end().in.unread() > 0) {
            schedule.visit(connection);
        }
    }

    private void postEnd(RingConnection connection) {
        connection.receiveEnded = true;
        queue.post(connection, Kind.RECEIVE_ENDED);
    }

    /** Posts one completion of a receive. Returns whether there may be more. */
    private boolean receiveOnce(RingConnection connection) {
        TcpEndpoint end = connection.end();
        if (end.in.unread() == 0) {
            return receiveNothing(connection);
        }
        if (!buffers.hasFree() || faults.happens(Fault.BUFFERS_EXHAUSTED)) {
            postEnd(connection); // ENOBUFS: re-armed when that completion was delivered
            return false;
        }
        int buffer = buffers.take();
        int most = Math.min(buffers.bytes(), end.readable());
        if (most > 1 && faults.happens(Fault.SHORT_READ)) {
            most = faults.random(Fault.SHORT_READ).part(most);
        }
        int count = end.read(buffers.slice(buffer), most);
        if (count == 0) { // only the urgent byte was there, and this read has discarded it
            buffers.release(buffer);
            return receiveNothing(connection);
        }
        queue.postReceived(connection, buffer, count);
        if (faults.happens(Fault.MULTISHOT_ENDS)) {
            postEnd(connection);
            return false;
        }
        return true;
    }

    /** Called when there is nothing to read. Posts a pending error or the end of the input; otherwise waits. */
    private boolean receiveNothing(RingConnection connection) {
        TcpEndpoint end = connection.end();
        ErrorCode error = end.hidesError() ? null : end.takeError();
        if (error != null) {
            connection.receiveEnded = true;
            queue.postFailed(connection, new NetworkException("recv", connection.stream(), error));
        } else if (end.isInputOver()) {
            connection.receiveEnded = true;
            queue.post(connection, Kind.INPUT_ENDED);
        }
        return false;
    }

    /** Used while urgent data is watched. Receives an urgent byte first, and then makes a single read. */
    private int advanceByReadiness(RingConnection connection, Completions completions) {
        if (connection.receiving || connection.undelivered > 0) {
            return 0; // earlier completions are delivered first
        }
        int ready = connection.end().ready();
        boolean isReady = Interest.fold(ready, Interest.READ | Interest.PRIORITY) != 0;
        // A waiting poll trusts the wakeup that completes it, and so reports an urgent byte as readable, too.
        boolean seemsReadable = connection.pollArmed && (ready & Interest.PRIORITY) != 0;
        connection.pollArmed = !isReady && (connection.pollArmed || connection.wantsInput);
        if (!connection.wantsInput) {
            return 0;
        }
        int delivered = 0;
        if ((ready & Interest.PRIORITY) != 0) {
            int urgent;
            try {
                urgent = connection.stream().receiveUrgent();
            } catch (IOException e) {
                queue.postFailed(connection, e);
                return 0;
            }
            if (urgent >= 0) {
                delivered++;
                completions.urgent(connection.handle(), (byte) urgent);
            }
        }
        boolean readable = seemsReadable || connection.readPending || Interest.fold(ready, Interest.READ) != 0;
        if (readable && connection.wantsInput && connection.isOpen()) {
            readOnce(connection);
        }
        if (connection.wantsInput && (ready & Interest.PRIORITY) != 0) {
            schedule.visit(connection); // re-arms the poll, which finds the byte again if it was not received just now
        }
        return delivered;
    }

    private void readOnce(RingConnection connection) {
        connection.readPending = !buffers.hasFree();
        if (connection.readPending) {
            buffers.await(connection);
            return;
        }
        int buffer = buffers.take();
        try {
            int count = connection.stream().read(buffers.slice(buffer));
            if (count > 0) {
                queue.postReceived(connection, buffer, count);
                return;
            }
            if (count < 0) {
                queue.post(connection, Kind.INPUT_ENDED);
            } else {
                schedule.visit(connection);
            }
        } catch (IOException e) {
            queue.postFailed(connection, e);
        }
        buffers.release(buffer);
    }

    // Delivering completions. Each method returns how many were delivered.

    int received(RingConnection connection, int buffer, int bytes, Completions completions) {
        boolean isOpen = connection.isOpen();
        if (isOpen) {
            buffers.beginDelivery(buffer);
            try {
                int from = buffers.begin(buffer);
                completions.received(connection.handle(), buffers.memory(), from, from + bytes);
            } finally {
                buffers.endDelivery();
            }
        }
        buffers.release(buffer);
        return isOpen ? 1 : 0;
    }

    /** Ends the receive without delivering anything. If input is still wanted, the next visit re-arms it. */
    void ended(RingConnection connection) {
        connection.receiving = false;
    }

    int inputEnded(RingConnection connection, Completions completions) {
        connection.receiving = false;
        connection.wantsInput = false;
        if (!connection.isOpen()) {
            return 0;
        }
        completions.inputEnded(connection.handle());
        return 1;
    }

    /** Called when a failure is delivered. Ends the receive if the failure was its last completion, and not that of a send. */
    void failed(RingConnection connection) {
        connection.receiving = connection.receiving && !connection.receiveEnded;
    }
}
