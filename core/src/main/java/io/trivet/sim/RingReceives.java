package io.trivet.sim;

import io.trivet.net.Completions;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.NetworkException;
import io.trivet.sim.CompletionQueue.Kind;
import java.io.IOException;

/**
 * Receiving by a ring. A receive repeats itself, into buffers of which there are few, until it ends by itself, finds no buffer, or is
 * cancelled, which may come too late. Where urgent data is watched, readiness is polled for instead, and read by a plain call.
 */
final class RingReceives {
    /** The completions of one receive in a row, then others get their turn. */
    private static final int RECEIVES_IN_A_ROW = 32;

    private final Kernel kernel;
    private final Faults faults;
    private final RingAgenda agenda;
    private final CompletionQueue queue;
    private final RingBuffers buffers;

    RingReceives(SimHost host, RingAgenda agenda, CompletionQueue queue, RingBuffers buffers) {
        kernel = host.kernel;
        faults = host.faults;
        this.agenda = agenda;
        this.queue = queue;
        this.buffers = buffers;
    }

    // What is wanted.

    void receive(RingConnection connection) {
        if (!connection.hasFailed()) {
            connection.wantsInput = true;
            agenda.touch(connection);
        }
    }

    void stop(RingConnection connection) {
        if (connection.wantsInput) {
            connection.wantsInput = false;
            cancel(connection);
        }
    }

    void watchUrgent(RingConnection connection) {
        connection.urgent = true;
        cancel(connection);
    }

    /** What is under way may complete all the same, before the cancellation takes hold. */
    private void cancel(RingConnection connection) {
        if (connection.receiving && !connection.receiveOver) {
            connection.cancels = true;
            if (!faults.happens(Fault.CANCEL_LOSES)) {
                connection.cancels = false;
                postEnd(connection);
            }
        }
        agenda.touch(connection);
    }

    /** The connection is being closed. */
    void end(RingConnection connection) {
        if (connection.receiving && !connection.receiveOver) {
            postEnd(connection);
        }
    }

    // What the kernel does, when it is entered.

    /** Goes on with it; how much was told, since what is read where urgent data is watched is told at once. */
    int advance(RingConnection connection, Completions completions) {
        if (connection.urgent) {
            return advanceByReadiness(connection, completions);
        }
        advanceReceive(connection);
        return 0;
    }

    private void advanceReceive(RingConnection connection) {
        if (!connection.receiving && connection.wantsInput) {
            if (!buffers.hasFree()) {
                buffers.starve(connection);
                return;
            }
            connection.receiving = true;
            connection.receiveOver = false;
            connection.cancels = false;
        }
        if (!connection.receiving || connection.receiveOver) {
            return;
        }
        for (int i = 0; i < RECEIVES_IN_A_ROW; i++) {
            if (!receiveOnce(connection)) {
                break;
            }
        }
        if (connection.cancels && !connection.receiveOver) {
            connection.cancels = false;
            kernel.tell(Fault.CANCEL_LOSES, connection.stream());
            postEnd(connection);
        }
        if (!connection.receiveOver && connection.end().in.unread() > 0) {
            agenda.touch(connection);
        }
    }

    private void postEnd(RingConnection connection) {
        connection.receiveOver = true;
        queue.post(connection, Kind.RECEIVE_ENDED);
    }

    /** One completion of a receive; false: there is nothing more for now. */
    private boolean receiveOnce(RingConnection connection) {
        TcpEnd end = connection.end();
        if (end.in.unread() == 0) {
            return receiveNothing(connection);
        }
        if (!buffers.hasFree() || faults.happens(Fault.BUFFERS_EXHAUSTED)) {
            postEnd(connection); // ENOBUFS: it is begun anew when that was told
            return false;
        }
        int buffer = buffers.take();
        int most = Math.min(buffers.bytes(), end.readable());
        if (most > 1 && faults.happens(Fault.SHORT_READ)) {
            most = faults.random(Fault.SHORT_READ).part(most);
        }
        int count = end.read(buffers.place(buffer), most);
        if (count == 0) { // the urgent byte alone, which is lost by that
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

    /** No byte is there: it waits, unless none will come. */
    private boolean receiveNothing(RingConnection connection) {
        TcpEnd end = connection.end();
        ErrorCode error = end.isInputDone() ? null : end.takeError();
        if (error != null) {
            connection.receiveOver = true;
            queue.postFailed(connection, new NetworkException("recv", connection.stream(), error));
        } else if (end.isInputOver()) {
            connection.receiveOver = true;
            queue.post(connection, Kind.INPUT_ENDED);
        }
        return false;
    }

    /** With urgent data watched: exceptional before readable, and one read. The urgent byte is told at once. */
    private int advanceByReadiness(RingConnection connection, Completions completions) {
        if (connection.receiving || connection.waiting > 0) {
            return 0; // what the ring has is told first
        }
        int ready = connection.end().ready();
        boolean isReady = Interest.fold(ready, Interest.READ | Interest.PRIORITY) != 0;
        // A poll that waited is told by a wake-up, and that says of an urgent byte that there is something to read, too.
        boolean seemsReadable = connection.pollWaits && (ready & Interest.PRIORITY) != 0;
        connection.pollWaits = !isReady && (connection.pollWaits || connection.wantsInput);
        if (!connection.wantsInput) {
            return 0;
        }
        int told = 0;
        if ((ready & Interest.PRIORITY) != 0) {
            int urgent;
            try {
                urgent = connection.stream().receiveUrgent();
            } catch (IOException e) {
                queue.postFailed(connection, e);
                return 0;
            }
            if (urgent >= 0) {
                told++;
                completions.urgent(connection.handle(), (byte) urgent);
            }
        }
        boolean readable = seemsReadable || connection.owesRead || Interest.fold(ready, Interest.READ) != 0;
        if (readable && connection.wantsInput && connection.isOpen()) {
            readOnce(connection);
        }
        if (connection.wantsInput && (ready & Interest.PRIORITY) != 0) {
            agenda.touch(connection); // the poll begins anew, and finds its byte, if it could not be taken just now, or waits
        }
        return told;
    }

    private void readOnce(RingConnection connection) {
        connection.owesRead = !buffers.hasFree();
        if (connection.owesRead) {
            buffers.starve(connection);
            return;
        }
        int buffer = buffers.take();
        try {
            int count = connection.stream().read(buffers.place(buffer));
            if (count > 0) {
                queue.postReceived(connection, buffer, count);
                return;
            }
            if (count < 0) {
                queue.post(connection, Kind.INPUT_ENDED);
            } else {
                agenda.touch(connection);
            }
        } catch (IOException e) {
            queue.postFailed(connection, e);
        }
        buffers.release(buffer);
    }

    // Telling.

    int received(RingConnection connection, int buffer, int bytes, Completions completions) {
        boolean isOpen = connection.isOpen();
        if (isOpen) {
            buffers.beginTelling(buffer);
            try {
                int from = buffers.begin(buffer);
                completions.received(connection.handle(), buffers.memory(), from, from + bytes);
            } finally {
                buffers.endTelling();
            }
        }
        buffers.release(buffer);
        return isOpen ? 1 : 0;
    }

    /** The receive has ended, of which nobody is told: if input is still wanted, it is begun anew when the connection is looked at. */
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

    /** The connection has failed, which may have been its receive's last completion, or a send's. */
    void failed(RingConnection connection) {
        connection.receiving = connection.receiving && !connection.receiveOver;
    }
}
