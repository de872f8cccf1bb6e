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
 * The sends of a ring. A short send is pending until the kernel processes it: only then does the kernel read its memory, and
 * accept the bytes that fit. A longer send is a plain call. If not all bytes fit, the caller is notified when there is room
 * again.
 *
 * <p>A short send is <i>silent</i> if all its bytes lie in the receive buffer that is being delivered. It is accepted at once,
 * submitted when the ring is entered next, and completes only if the socket refuses some bytes. These are kept, and sent when
 * there is room. From then on, no send of that connection is silent.
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
            return 0; // bytes that were accepted earlier go first
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
        // A silent send ends when the ring is entered, so it is never late.
        send.dueNanos = !silent && faults.happens(Fault.SEND_LATE) ? schedule.drawLateTime(Fault.SEND_LATE) : 0;
        send.buffer = buffers.lend(parts, from, count);
        connection.send = send;
        schedule.visit(connection);
    }

    /** Returns how many bytes were accepted but not sent yet. If there are any, the caller is notified when they are sent. */
    long unsentBytes(RingConnection connection) {
        RingSend send = connection.send;
        RingSend unsent = connection.unsent;
        long bytes = unsent != null ? unsent.remaining() : send != null && send.silent ? send.length() : 0;
        if (bytes > 0) {
            connection.awaitsWritable = true;
        }
        return bytes;
    }

    /**
     * Returns whether the connection waits for a send to complete, or for room. A silent send counts only after the socket has
     * refused bytes of it.
     */
    static boolean isWaiting(RingConnection connection) {
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
     * Called when the connection is being closed. A pending send is cancelled, but the cancellation may come too late. Accepted
     * bytes are sent if they fit; if some are left, the connection is reset.
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
            send.dueNanos = schedule.drawLateTime(Fault.CANCEL_LOSES); // already in progress: it completes later
        } else if (send != null && !send.started) {
            send.outlivesClose = true; // submitted together with the cancellation, but before it
        }
    }

    // The kernel's part, when the ring is entered.

    /**
     * Sends the bytes that fit.
     *
     * @return the number of completions delivered at once: when a silent send has ended, a caller that waits for it is notified
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
        int asked = send.remaining();
        int room = Math.min(asked, end.room());
        if (room > 1 && faults.happens(Fault.SHORT_WRITE)) {
            room = faults.random(Fault.SHORT_WRITE).part(room);
        }
        if (room > 0) {
            send.write(connection.stream(), end.out, room);
        }
        if (kernel.isTraced() && asked > 0) {
            kernel.trace(end + " writes " + room + (room < asked ? " of " + asked : ""));
        }
        if (room > 0) {
            end.out.push();
        }
        if (send.silent && send.remaining() == 0) {
            releaseSend(connection, send);
            return allSent(connection, completions);
        }
        postEnd(connection);
        return 0;
    }

    private void postEnd(RingConnection connection) {
        connection.sendCompleted = true;
        queue.post(connection, Kind.SENT);
    }

    /** Posts a completion if a caller or kept bytes wait for room, and there is room now. */
    void findRoom(RingConnection connection) {
        if ((connection.awaitsWritable || connection.unsent != null) && connection.send == null && !connection.roomPosted
                && (connection.end().ready() & (Interest.WRITE | Interest.ERROR)) != 0) {
            connection.roomPosted = true;
            queue.post(connection, Kind.ROOM);
        }
    }

    /** Called when the ring is closed. Sends the pending bytes that fit. */
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

    /** Sends the kept bytes that fit. If some are left, makes the close a reset. */
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
    static void resetOnClose(RingConnection connection) {
        connection.end().options.linger = 0;
    }

    private void removeUnsent(RingConnection connection, RingSend unsent) {
        connection.unsent = null;
        pool.add(unsent);
    }

    /** Releases a send that has ended, and the ring buffer that was lent to it. */
    private void releaseSend(RingConnection connection, RingSend send) {
        int lent = detach(connection, send);
        pool.add(send);
        releaseLent(lent);
    }

    /** Ends the send of a connection and releases its memory. Returns the ring buffer that was lent to it; negative if none. */
    private static int detach(RingConnection connection, RingSend send) {
        int lent = send.buffer;
        send.releaseMemory();
        connection.send = null;
        connection.sendCompleted = false;
        return lent;
    }

    private void releaseLent(int buffer) {
        if (buffer >= 0) {
            buffers.release(buffer);
        }
    }

    // Delivering completions. Each method returns how many were delivered.

    int sent(RingConnection connection, Completions completions) {
        RingSend send = Objects.requireNonNull(connection.send);
        if (send.silent) {
            keepUnsent(connection, send);
            return 0;
        }
        int bytes = send.sent();
        connection.awaitsWritable |= connection.isOpen() && send.remaining() > 0; // nothing is delivered for a cancelled send
        send.check(connection.stream());
        int lent = detach(connection, send);
        pool.add(send);
        int delivered = connection.isOpen() ? deliverSent(connection, bytes, completions) : 0;
        releaseLent(lent); // not earlier: the memory stays unchanged until the completion is delivered
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

    /** Shuts the output down if the shutdown was waiting for bytes that have now been sent. */
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

    /** Called when a silent send has failed, or the socket has refused some of its bytes: keeps the unsent bytes. */
    private void keepUnsent(RingConnection connection, RingSend send) {
        send.check(connection.stream());
        if (connection.hasFailed()) {
            releaseSend(connection, send);
            return;
        }
        connection.refusedBefore = true;
        connection.unsent = send;
        releaseLent(detach(connection, send));
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
        return count == 0 ? 0 : deliverRoom(connection, completions); // a waiting caller is notified of the progress
    }

    /** Called when all accepted bytes have been sent. Shuts the output down if that is pending, and notifies a waiting caller. */
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
