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
 * The sends of a ring. A short send is pending until the kernel looks at it: only then is its memory read, and as much accepted
 * as there is room for. A longer send is a plain call. A caller that was left without room is notified when there is room again.
 *
 * <p>A short send whose bytes all lie in the buffer that is being delivered is silent: it is accepted at once, submitted when the
 * ring is entered next, and completes only if it fails. What the socket refuses of it is kept and sent when there is room; from
 * then on every send of that connection completes.
 */
final class RingSends {
    /** Longer sends are plain calls. */
    private static final int RING_SEND_BYTES_MAX = 16 * 1024;
    private static final int RING_PARTS_MAX = 16;

    private final Kernel kernel;
    private final FaultInjector faults;
    private final RingSchedule schedule;
    private final CompletionQueue queue;
    private final RingBuffers buffers;
    /** Ended sends, to be reused. */
    private final List<RingSend> pool = new ArrayList<>();

    RingSends(SimHost host, RingSchedule schedule, CompletionQueue queue, RingBuffers buffers) {
        kernel = host.kernel;
        faults = host.faults;
        this.schedule = schedule;
        this.queue = queue;
        this.buffers = buffers;
    }

    // Called by the user of the proactor.

    long send(RingConnection connection, ByteBuffer[] parts, int from, int count, boolean mayBePending) throws IOException {
        if (connection.send != null && !connection.send.silent) {
            throw new IllegalStateException("a send is pending already on " + connection.stream());
        }
        if (unsentBytes(connection) > 0) {
            return 0; // what was accepted before goes first
        }
        long length = Buffers.remaining(parts, from, count);
        boolean direct = mayBePending;
        for (int i = from; i < from + count; i++) {
            direct &= parts[i].isDirect();
        }
        if (length == 0) {
            return 0;
        }
        if (direct && length <= RING_SEND_BYTES_MAX && count <= RING_PARTS_MAX && !connection.connecting
                && !connection.hasFailed()) {
            boolean silent = !connection.refusedBefore && buffers.containsAll(parts, from, count);
            submit(connection, parts, from, count, (int) length, silent);
            if (!silent) {
                return Proactor.PENDING;
            }
            for (int i = from; i < from + count; i++) {
                parts[i].position(parts[i].limit());
            }
            return length;
        }
        long accepted = connection.stream().write(parts, from, count);
        if (accepted < length) {
            connection.awaitsWritable = true;
            schedule.visit(connection);
        }
        return accepted;
    }

    private void submit(RingConnection connection, ByteBuffer[] parts, int from, int count, int length, boolean silent) {
        RingSend send = pool.isEmpty() ? new RingSend() : pool.removeLast();
        send.start(parts, from, count, length);
        send.silent = silent;
        // A silent send is over once the ring was entered, so it is never late.
        send.dueNanos = !silent && faults.happens(Fault.SEND_LATE) ? schedule.drawLateTime(Fault.SEND_LATE) : 0;
        send.buffer = buffers.lend(parts, from, count);
        connection.send = send;
        schedule.visit(connection);
    }

    /** Returns how many bytes were accepted and not sent yet. If there are any, the caller is notified when they are sent. */
    long unsentBytes(RingConnection connection) {
        RingSend send = connection.send;
        RingSend unsent = connection.unsent;
        long bytes = unsent != null ? unsent.remaining() : send != null && send.silent ? send.length() : 0;
        if (bytes > 0) {
            connection.awaitsWritable = true;
        }
        return bytes;
    }

    /** Returns whether something waits for the kernel or for room; a silent send only does after it was refused. */
    static boolean waits(RingConnection connection) {
        RingSend send = connection.send;
        return connection.awaitsWritable || connection.unsent != null || (send != null && !send.silent);
    }

    void shutdownOutput(RingConnection connection) throws IOException {
        if (connection.send != null || connection.unsent != null) {
            connection.shutdownPending = true;
        } else {
            connection.stream().shutdownOutput();
        }
    }

    /**
     * Called when the connection is being closed. A pending send is cancelled, which may come too late. What was accepted is sent
     * as far as there is room; if some is left, the connection is reset.
     */
    void close(RingConnection connection) {
        RingSend send = connection.send;
        if (connection.unsent != null) {
            sendOrReset(connection);
        } else if (send != null && send.silent) {
            return; // it is submitted before the close
        }
        if (send != null && !connection.sendCompleted && faults.happens(Fault.CANCEL_LOSES)) {
            send.outlivesClose = true;
            send.dueNanos = schedule.drawLateTime(Fault.CANCEL_LOSES); // it is in progress, which takes its time
        } else if (send != null && !send.started) {
            send.outlivesClose = true; // submitted together with the cancellation, and ahead of it
        }
    }

    // The kernel's part, when the ring is entered.

    /**
     * Sends as much as there is room for.
     *
     * @return the number of completions delivered: when a silent send is done, a caller that waited for it is notified at once
     */
    int advance(RingConnection connection, Completions completions) {
        RingSend send = connection.send;
        if (send == null || connection.sendCompleted) {
            return 0;
        }
        if (connection.hasFailed() || (connection.closing && !send.silent && !send.outlivesClose)) {
            postEnd(connection);
            return 0;
        }
        if (send.dueNanos > kernel.now()) {
            schedule.visitAt(connection, send.dueNanos);
            return 0;
        }
        send.started = true;
        TcpEndpoint end = connection.end();
        if (end.refusesWrites()) {
            ErrorCode error = end.takeError();
            queue.postFailed(connection,
                    new NetworkException("send", connection.stream(), error == null ? ErrorCode.EPIPE : error));
            postEnd(connection);
            return 0;
        }
        int room = Math.min(send.remaining(), end.room());
        if (room > 1 && faults.happens(Fault.SHORT_WRITE)) {
            room = faults.random(Fault.SHORT_WRITE).part(room);
        }
        if (room > 0) {
            send.write(connection.stream(), end.out, room);
            if (kernel.isTraced()) {
                kernel.trace(end + " writes " + room);
            }
            end.out.push();
        }
        if (send.silent && send.remaining() == 0) {
            free(connection, send);
            return allSent(connection, completions);
        }
        postEnd(connection);
        return 0;
    }

    private void postEnd(RingConnection connection) {
        connection.sendCompleted = true;
        queue.post(connection, Kind.SENT);
    }

    /** Posts a completion if there is room for a caller, or for kept bytes, that wait for it. */
    void findRoom(RingConnection connection) {
        if ((connection.awaitsWritable || connection.unsent != null) && connection.send == null && !connection.roomPosted
                && (connection.end().ready() & (Interest.WRITE | Interest.ERROR)) != 0) {
            connection.roomPosted = true;
            queue.post(connection, Kind.ROOM);
        }
    }

    /** Called when the ring is closed: sends what is pending, as far as there is room. */
    void flush(RingConnection connection) {
        RingSend send = connection.send;
        TcpEndpoint end = connection.end();
        if (send != null && !connection.sendCompleted && !end.refusesWrites()) {
            send.write(connection.stream(), end.out, Math.min(send.remaining(), end.room()));
            end.out.push();
        }
        if (send != null && send.silent && send.remaining() > 0) {
            resetOnClose(connection);
        } else if (connection.unsent != null) {
            sendOrReset(connection);
        }
    }

    /** Sends kept bytes for the last time. */
    private void sendOrReset(RingConnection connection) {
        RingSend unsent = Objects.requireNonNull(connection.unsent);
        try {
            unsent.writeKept(connection.stream());
        } catch (IOException e) {
            // The connection was reset already.
        }
        if (unsent.remaining() > 0) {
            resetOnClose(connection);
        }
        removeUnsent(connection, unsent);
    }

    /** Makes the close a reset, so that the peer does not take it for the end of the data. */
    private static void resetOnClose(RingConnection connection) {
        connection.end().options.linger = 0;
    }

    private void removeUnsent(RingConnection connection, RingSend unsent) {
        connection.unsent = null;
        pool.add(unsent);
    }

    /** Frees a completed send and its memory. */
    private void free(RingConnection connection, RingSend send) {
        int lent = send.buffer;
        send.releaseMemory();
        pool.add(send);
        connection.send = null;
        connection.sendCompleted = false;
        if (lent >= 0) {
            buffers.release(lent);
        }
    }

    // Delivering completions. Each method returns how many were delivered.

    int sent(RingConnection connection, Completions completions) {
        RingSend send = Objects.requireNonNull(connection.send);
        if (send.silent) {
            keepUnsent(connection, send);
            return 0;
        }
        int lent = send.buffer;
        int bytes = send.sent();
        connection.awaitsWritable |= connection.isOpen() && send.remaining() > 0; // of a cancelled send nothing is delivered
        send.check(connection.stream());
        send.releaseMemory();
        pool.add(send);
        connection.send = null;
        connection.sendCompleted = false;
        int delivered = connection.isOpen() ? deliverSent(connection, bytes, completions) : 0;
        if (lent >= 0) {
            buffers.release(lent); // not earlier: the memory stays unchanged until the completion is delivered
        }
        return delivered;
    }

    private static int deliverSent(RingConnection connection, int bytes, Completions completions) {
        int failures = endOutput(connection, completions);
        if (failures > 0) {
            return failures;
        }
        completions.sent(connection.handle(), bytes);
        return 1;
    }

    /** Shuts the output down if that was waiting for the bytes that are sent now. */
    private static int endOutput(RingConnection connection, Completions completions) {
        if (connection.shutdownPending) {
            connection.shutdownPending = false;
            try {
                connection.stream().shutdownOutput();
            } catch (IOException e) {
                return connection.fail(e, completions);
            }
        }
        return 0;
    }

    /** Called when a silent send has failed or was cut short: keeps what is unsent. */
    private void keepUnsent(RingConnection connection, RingSend send) {
        send.check(connection.stream());
        if (connection.hasFailed()) {
            free(connection, send);
            return;
        }
        int lent = send.buffer;
        connection.refusedBefore = true;
        connection.send = null;
        connection.sendCompleted = false;
        connection.unsent = send;
        send.releaseMemory();
        if (lent >= 0) {
            buffers.release(lent);
        }
        if (connection.closing) {
            sendOrReset(connection);
        }
    }

    int room(RingConnection connection, Completions completions) {
        connection.roomPosted = false;
        RingSend unsent = connection.unsent;
        if (!connection.isOpen()) {
            connection.awaitsWritable = false;
            return 0;
        }
        if (unsent == null) {
            connection.awaitsWritable = false;
            completions.sent(connection.handle(), 0);
            return 1;
        }
        int count;
        try {
            count = unsent.writeKept(connection.stream());
        } catch (IOException e) {
            return connection.fail(e, completions);
        }
        if (unsent.remaining() == 0) {
            removeUnsent(connection, unsent);
            return allSent(connection, completions);
        }
        return count == 0 ? 0 : deliverRoom(connection, completions); // a waiting caller learns of the progress, and asks again
    }

    /** Called when everything that was accepted is sent: does what was waiting for that. */
    private static int allSent(RingConnection connection, Completions completions) {
        if (!connection.isOpen()) {
            return 0;
        }
        int failures = endOutput(connection, completions);
        return failures > 0 ? failures : deliverRoom(connection, completions);
    }

    private static int deliverRoom(RingConnection connection, Completions completions) {
        if (!connection.awaitsWritable) {
            return 0;
        }
        connection.awaitsWritable = false;
        completions.sent(connection.handle(), 0);
        return 1;
    }
}
