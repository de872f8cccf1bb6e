package io.trivet.sim;

import io.trivet.net.Completions;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.NetworkException;
import io.trivet.net.Proactor;
import io.trivet.sim.CompletionQueue.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Sending by a ring. A short send is pending until the kernel has looked at it, which reads its memory only then, and takes what there is room
 * for; a longer one is a plain call. Who was left without room is told when there is some again.
 */
final class RingSends {
    /** Longer sends are made at once. */
    private static final int RING_SEND_BYTES_MAX = 16 * 1024;
    private static final int RING_PARTS_MAX = 16;

    private final Kernel kernel;
    private final Faults faults;
    private final RingAgenda agenda;
    private final CompletionQueue queue;
    private final RingBuffers buffers;
    private final List<RingSend> idle = new ArrayList<>();

    RingSends(SimHost host, RingAgenda agenda, CompletionQueue queue, RingBuffers buffers) {
        kernel = host.kernel;
        faults = host.faults;
        this.agenda = agenda;
        this.queue = queue;
        this.buffers = buffers;
    }

    // Beginning.

    long send(RingConnection connection, ByteBuffer[] parts, int from, int count, boolean mayBePending) throws IOException {
        if (connection.send != null) {
            throw new IllegalStateException("a send is pending already on " + connection.stream());
        }
        long length = 0;
        boolean direct = mayBePending;
        for (int i = from; i < from + count; i++) {
            length += parts[i].remaining();
            direct &= parts[i].isDirect();
        }
        if (length == 0) {
            return 0;
        }
        if (direct && length <= RING_SEND_BYTES_MAX && count <= RING_PARTS_MAX && !connection.connecting
                && !connection.hasFailed()) {
            begin(connection, parts, from, count, (int) length);
            return Proactor.PENDING;
        }
        long taken = connection.stream().write(parts, from, count);
        if (taken < length) {
            connection.awaitsRoom = true;
            agenda.touch(connection);
        }
        return taken;
    }

    private void begin(RingConnection connection, ByteBuffer[] parts, int from, int count, int length) {
        RingSend send = idle.isEmpty() ? new RingSend() : idle.removeLast();
        send.begin(parts, from, count, length);
        send.dueNanos = faults.happens(SimFault.SEND_LATE) ? agenda.drawTime(SimFault.SEND_LATE) : 0;
        send.buffer = buffers.lend(parts, from, count);
        connection.send = send;
        agenda.touch(connection);
    }

    void shutdownOutput(RingConnection connection) throws IOException {
        if (connection.send != null) {
            connection.endsOutput = true;
        } else {
            connection.stream().shutdownOutput();
        }
    }

    /** The connection is being closed, and what is pending cancelled, which may come too late. */
    void cancel(RingConnection connection) {
        RingSend send = connection.send;
        if (send != null && !connection.sendOver && faults.happens(SimFault.CANCEL_LOSES)) {
            send.outlivesClose = true;
            send.dueNanos = agenda.drawTime(SimFault.CANCEL_LOSES); // it is being done just now, which takes its time
        } else if (send != null && !send.tried) {
            send.outlivesClose = true; // what is handed over together with a cancellation stands before it
        }
    }

    // What the kernel does, when it is entered.

    /** Writes what there is room for. */
    void advance(RingConnection connection) {
        RingSend send = connection.send;
        if (send == null || connection.sendOver) {
            return;
        }
        if (connection.hasFailed() || (connection.closing && !send.outlivesClose)) {
            postEnd(connection);
            return;
        }
        if (send.dueNanos > kernel.now()) {
            agenda.touchAt(connection, send.dueNanos);
            return;
        }
        send.tried = true;
        TcpEnd end = connection.end();
        if (end.refusesWrites()) {
            ErrorCode error = end.takeError();
            queue.postFailed(connection,
                    new NetworkException("send", connection.stream(), error == null ? ErrorCode.EPIPE : error));
            postEnd(connection);
            return;
        }
        int room = Math.min(send.left(), end.room());
        if (room > 1 && faults.happens(SimFault.SHORT_WRITE)) {
            room = faults.random(SimFault.SHORT_WRITE).part(room);
        }
        if (room > 0) {
            send.write(connection.stream(), end.out, room);
            if (kernel.isTraced()) {
                kernel.tell(end + " writes " + room);
            }
            end.out.push();
        }
        postEnd(connection);
    }

    private void postEnd(RingConnection connection) {
        connection.sendOver = true;
        queue.post(connection, Kind.SENT);
    }

    /** Looks whether there is room for whom a call left without. */
    void findRoom(RingConnection connection) {
        if (connection.awaitsRoom && !connection.roomTold
                && (connection.end().ready() & (Interest.WRITE | Interest.ERROR)) != 0) {
            connection.roomTold = true;
            queue.post(connection, Kind.ROOM);
        }
    }

    /** All is being closed: what is pending goes, as far as there is room. */
    void flush(RingConnection connection) {
        RingSend send = connection.send;
        TcpEnd end = connection.end();
        if (send != null && !connection.sendOver && !end.refusesWrites()) {
            send.write(connection.stream(), end.out, Math.min(send.left(), end.room()));
            end.out.push();
        }
    }

    // Telling.

    int sent(RingConnection connection, Completions completions) {
        RingSend send = Objects.requireNonNull(connection.send);
        int lent = send.buffer;
        int bytes = send.gone();
        connection.awaitsRoom |= connection.isOpen() && send.left() > 0; // a send that was cancelled is told nobody
        send.check(connection.stream());
        send.end();
        idle.add(send);
        connection.send = null;
        connection.sendOver = false;
        int told = connection.isOpen() ? tellSent(connection, bytes, completions) : 0;
        if (lent >= 0) {
            buffers.release(lent); // only now: until it is told, the memory is as it was
        }
        return told;
    }

    private static int tellSent(RingConnection connection, int bytes, Completions completions) {
        if (connection.endsOutput) {
            connection.endsOutput = false;
            try {
                connection.stream().shutdownOutput();
            } catch (IOException e) {
                return connection.fail(e, completions);
            }
        }
        completions.sent(connection.handle(), bytes);
        return 1;
    }

    int room(RingConnection connection, Completions completions) {
        connection.awaitsRoom = false;
        connection.roomTold = false;
        if (!connection.isOpen()) {
            return 0;
        }
        completions.sent(connection.handle(), 0);
        return 1;
    }
}
