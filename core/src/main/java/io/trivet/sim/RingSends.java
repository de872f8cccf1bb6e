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
 *
 * <p>A short send of bytes that all lie in the buffer that is being told is silent: called taken at once, handed over when the ring is entered
 * next, and no completion tells that it went well. What the socket refuses of it is kept, and goes when there is room; from then on every send
 * of that connection tells how it went.
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
        if (connection.send != null && !connection.send.silent) {
            throw new IllegalStateException("a send is pending already on " + connection.stream());
        }
        if (unsentBytes(connection) > 0) {
            return 0; // the next waits for what was called taken before it
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
            boolean silent = !connection.tight && buffers.tells(parts, from, count);
            begin(connection, parts, from, count, (int) length, silent);
            if (!silent) {
                return Proactor.PENDING;
            }
            for (int i = from; i < from + count; i++) {
                parts[i].position(parts[i].limit());
            }
            return length;
        }
        long taken = connection.stream().write(parts, from, count);
        if (taken < length) {
            connection.awaitsRoom = true;
            agenda.touch(connection);
        }
        return taken;
    }

    private void begin(RingConnection connection, ByteBuffer[] parts, int from, int count, int length, boolean silent) {
        RingSend send = idle.isEmpty() ? new RingSend() : idle.removeLast();
        send.begin(parts, from, count, length);
        send.silent = silent;
        // Once the ring was entered, a silent send is over: so it is never late.
        send.dueNanos = !silent && faults.happens(Fault.SEND_LATE) ? agenda.drawTime(Fault.SEND_LATE) : 0;
        send.buffer = buffers.lend(parts, from, count);
        connection.send = send;
        agenda.touch(connection);
    }

    /** What was called taken, and the kernel has not taken; its leaving is told. */
    long unsentBytes(RingConnection connection) {
        RingSend send = connection.send;
        RingSend rest = connection.rest;
        long unsent = rest != null ? rest.left() : send != null && send.silent ? send.length() : 0;
        if (unsent > 0) {
            connection.awaitsRoom = true;
        }
        return unsent;
    }

    /** Whether something waits for the kernel, or for room; silent sends wait only where they were refused. */
    static boolean waits(RingConnection connection) {
        RingSend send = connection.send;
        return connection.awaitsRoom || connection.rest != null || (send != null && !send.silent);
    }

    void shutdownOutput(RingConnection connection) throws IOException {
        if (connection.send != null || connection.rest != null) {
            connection.endsOutput = true;
        } else {
            connection.stream().shutdownOutput();
        }
    }

    /**
     * The connection is being closed, and what is pending cancelled, which may come too late. What was called taken leaves, as far as there is
     * room; else the peer learns that it is cut.
     */
    void close(RingConnection connection) {
        RingSend send = connection.send;
        if (connection.rest != null) {
            giveUp(connection);
        } else if (send != null && send.silent) {
            return; // it is handed over all the same
        }
        if (send != null && !connection.sendOver && faults.happens(Fault.CANCEL_LOSES)) {
            send.outlivesClose = true;
            send.dueNanos = agenda.drawTime(Fault.CANCEL_LOSES); // it is being done just now, which takes its time
        } else if (send != null && !send.tried) {
            send.outlivesClose = true; // what is handed over together with a cancellation stands before it
        }
    }

    // What the kernel does, when it is entered.

    /** Writes what there is room for; how much was told, since of a silent send that went well it is told at once what waited for it. */
    int advance(RingConnection connection, Completions completions) {
        RingSend send = connection.send;
        if (send == null || connection.sendOver) {
            return 0;
        }
        if (connection.hasFailed() || (connection.closing && !send.silent && !send.outlivesClose)) {
            postEnd(connection);
            return 0;
        }
        if (send.dueNanos > kernel.now()) {
            agenda.touchAt(connection, send.dueNanos);
            return 0;
        }
        send.tried = true;
        TcpEnd end = connection.end();
        if (end.refusesWrites()) {
            ErrorCode error = end.takeError();
            queue.postFailed(connection,
                    new NetworkException("send", connection.stream(), error == null ? ErrorCode.EPIPE : error));
            postEnd(connection);
            return 0;
        }
        int room = Math.min(send.left(), end.room());
        if (room > 1 && faults.happens(Fault.SHORT_WRITE)) {
            room = faults.random(Fault.SHORT_WRITE).part(room);
        }
        if (room > 0) {
            send.write(connection.stream(), end.out, room);
            if (kernel.isTraced()) {
                kernel.tell(end + " writes " + room);
            }
            end.out.push();
        }
        if (send.silent && send.left() == 0) {
            free(connection, send);
            return hasLeft(connection, completions);
        }
        postEnd(connection);
        return 0;
    }

    private void postEnd(RingConnection connection) {
        connection.sendOver = true;
        queue.post(connection, Kind.SENT);
    }

    /** Looks whether there is room for whom a call left without, and for what was refused. */
    void findRoom(RingConnection connection) {
        if ((connection.awaitsRoom || connection.rest != null) && connection.send == null && !connection.roomTold
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
        if (send != null && send.silent && send.left() > 0) {
            cut(connection);
        } else if (connection.rest != null) {
            giveUp(connection);
        }
    }

    /** What was refused goes now or never. */
    private void giveUp(RingConnection connection) {
        RingSend rest = Objects.requireNonNull(connection.rest);
        try {
            rest.writeKept(connection.stream());
        } catch (IOException e) {
            // Then it has been cut already.
        }
        if (rest.left() > 0) {
            cut(connection);
        }
        forgetRest(connection, rest);
    }

    /** The peer is not to take for the end what is not. */
    private static void cut(RingConnection connection) {
        connection.end().options.linger = 0;
    }

    private void forgetRest(RingConnection connection, RingSend rest) {
        connection.rest = null;
        idle.add(rest);
    }

    /** The kernel has let go of a send, and of its memory. */
    private void free(RingConnection connection, RingSend send) {
        int lent = send.buffer;
        send.end();
        idle.add(send);
        connection.send = null;
        connection.sendOver = false;
        if (lent >= 0) {
            buffers.release(lent);
        }
    }

    // Telling.

    int sent(RingConnection connection, Completions completions) {
        RingSend send = Objects.requireNonNull(connection.send);
        if (send.silent) {
            refused(connection, send);
            return 0;
        }
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
        int failures = endOutput(connection, completions);
        if (failures > 0) {
            return failures;
        }
        completions.sent(connection.handle(), bytes);
        return 1;
    }

    /** Ends the output, if that waits for what has left now; how many completions were told: a failure, or none. */
    private static int endOutput(RingConnection connection, Completions completions) {
        if (connection.endsOutput) {
            connection.endsOutput = false;
            try {
                connection.stream().shutdownOutput();
            } catch (IOException e) {
                return connection.fail(e, completions);
            }
        }
        return 0;
    }

    /** A silent send has failed, or was cut short: what is left of it is kept. */
    private void refused(RingConnection connection, RingSend send) {
        send.check(connection.stream());
        if (connection.hasFailed()) {
            free(connection, send);
            return;
        }
        int lent = send.buffer;
        connection.tight = true;
        connection.send = null;
        connection.sendOver = false;
        connection.rest = send;
        send.keep();
        if (lent >= 0) {
            buffers.release(lent);
        }
        if (connection.closing) {
            giveUp(connection);
        }
    }

    int room(RingConnection connection, Completions completions) {
        connection.roomTold = false;
        RingSend rest = connection.rest;
        if (!connection.isOpen()) {
            connection.awaitsRoom = false;
            return 0;
        }
        if (rest == null) {
            connection.awaitsRoom = false;
            completions.sent(connection.handle(), 0);
            return 1;
        }
        int gone;
        try {
            gone = rest.writeKept(connection.stream());
        } catch (IOException e) {
            return connection.fail(e, completions);
        }
        if (rest.left() == 0) {
            forgetRest(connection, rest);
            return hasLeft(connection, completions);
        }
        return gone == 0 ? 0 : tellRoom(connection, completions); // whoever waits is told of progress, and asks again
    }

    /** Everything that was called taken has left: what waited for that comes now. */
    private static int hasLeft(RingConnection connection, Completions completions) {
        if (!connection.isOpen()) {
            return 0;
        }
        int failures = endOutput(connection, completions);
        return failures > 0 ? failures : tellRoom(connection, completions);
    }

    private static int tellRoom(RingConnection connection, Completions completions) {
        if (!connection.awaitsRoom) {
            return 0;
        }
        connection.awaitsRoom = false;
        completions.sent(connection.handle(), 0);
        return 1;
    }
}
