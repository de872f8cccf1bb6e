package io.trivet.sim;

import io.trivet.net.Interest;
import java.nio.ByteBuffer;

/**
 * One direction of a TCP connection, from the sender's write to the receiver's read. All positions are counted in bytes from the
 * start of the stream. The bytes stay in one ring buffer; only the positions advance.
 *
 * <p>read ≤ arrived ≤ written, and arrived ≤ window. The window is the position up to which the receiver allows the sender to
 * send.
 */
final class Flow {
    /** The state of the receiver's urgent byte (in Linux, TCP_URG_NOTYET and so on). */
    enum Urgent {
        NONE, ANNOUNCED, VALID, TAKEN
    }

    /** The largest segment on the loopback device. A window that opens by less is not announced. */
    static final int SEGMENT_BYTES = 65_483;
    private static final byte[] EMPTY = new byte[0];
    private static final int RING_BYTES_MIN = 256;
    private static final long CLOGGED = Long.MAX_VALUE;
    private static final long STALL_NANOS_MIN = 100_000_000;
    private static final long STALL_NANOS_MAX = 20_000_000_000L;
    private static final long DRIBBLE_NANOS_MIN = 1_000;
    private static final long DRIBBLE_NANOS_MAX = 10_000_000;

    private final Kernel kernel;
    private final TcpEndpoint from;
    private byte[] ring = EMPTY;
    long written;
    long arrived;
    long read;
    long window;
    /** The position after the sender's last urgent byte; 0 if there was none. */
    long urgentEnd;
    Urgent urgent = Urgent.NONE;
    /** The position of the receiver's urgent byte. */
    long urgentAt;
    byte urgentByte;
    boolean finWritten;
    boolean finArrived;
    /** The sender has reset the connection. The reset arrives after the bytes in flight. */
    private boolean resetWritten;
    private boolean cancelled;
    /** Nothing arrives before this time. */
    private long stalledUntil;

    private final EventQueue.Event delivery = new EventQueue.Event() {
        @Override
        void fire() {
            deliver();
        }

        @Override
        public String toString() {
            return "delivery to " + to();
        }
    };

    Flow(Kernel kernel, TcpEndpoint from) {
        this.kernel = kernel;
        this.from = from;
    }

    TcpEndpoint from() {
        return from;
    }

    private TcpEndpoint to() {
        return from.peer();
    }

    int unread() {
        return (int) (arrived - read);
    }

    /** Returns how many bytes the sender's kernel still holds, because they have not arrived. */
    long unacknowledged() {
        return cancelled ? 0 : written - arrived;
    }

    /** Returns how many bytes the sender's kernel could not send yet, because the window is closed. */
    long unsent() {
        return cancelled ? 0 : written - Math.min(written, Math.max(window, arrived));
    }

    // The sender's side.

    /** Appends bytes of a buffer and advances its position. The next {@link #push} sends them. */
    void write(ByteBuffer source, int count) {
        makeRoom(count);
        int at = index(written);
        int first = Math.min(count, ring.length - at);
        source.get(ring, at, first);
        if (first < count) {
            source.get(ring, 0, count - first);
        }
        written += count;
    }

    void writeUrgent(byte b) {
        makeRoom(1);
        ring[index(written)] = b;
        written++;
        urgentEnd = written;
    }

    private int index(long position) {
        return (int) position & ring.length - 1;
    }

    private void makeRoom(int count) {
        long needed = written + count - read;
        if (needed > ring.length) {
            int size = Math.max(RING_BYTES_MIN, Integer.highestOneBit((int) needed - 1) << 1);
            byte[] larger = new byte[size];
            for (long i = read; i < written;) {
                int source = index(i);
                int target = (int) i & size - 1;
                int run = (int) Math.min(written - i, Math.min(ring.length - source, size - target));
                System.arraycopy(ring, source, larger, target, run);
                i += run;
            }
            ring = larger;
        }
    }

    void writeFin() {
        finWritten = true;
        push();
    }

    /** Called when the sender resets the connection. Some of the written bytes may still arrive. */
    void writeReset() {
        resetWritten = true;
        push();
    }

    /** Sends what can be sent. If a delivery is already scheduled, it will include these bytes. */
    void push() {
        if (cancelled || delivery.isScheduled() || !hasSomethingToDeliver()) {
            return;
        }
        long delay = drawDelay();
        if (delay == 0) {
            deliver();
        } else if (delay != CLOGGED) {
            kernel.events.schedule(delivery, kernel.now() + delay);
        }
    }

    /** Returns the position up to which bytes can arrive. */
    private long deliverableEnd() {
        return kernel.accounting.deliverableEnd(this, Math.min(written, window));
    }

    private boolean hasSomethingToDeliver() {
        return deliverableEnd() > arrived || (finWritten && !finArrived && written == arrived) || resetWritten;
    }

    private long drawDelay() {
        if (from.isUnix()) {
            return 0; // there is no network: the kernel appends what is written to the peer's queue
        }
        FaultInjector faults = kernel.faults;
        if (faults.happens(Fault.STALL)) {
            long stall = faults.random(Fault.STALL).between(STALL_NANOS_MIN, STALL_NANOS_MAX);
            stalledUntil = Math.max(stalledUntil, kernel.now() + stall);
            kernel.recordFault(Fault.STALL, from);
        }
        if (stalledUntil == CLOGGED) {
            return CLOGGED;
        }
        return Math.max(0, stalledUntil - kernel.now()) + kernel.drawLatency();
    }

    /** Stops all deliveries until {@link #unclog}. */
    void clog() {
        stalledUntil = CLOGGED;
        kernel.events.cancel(delivery);
    }

    void unclog() {
        stalledUntil = 0;
        kernel.events.cancel(delivery);
        push();
    }

    /** Cancels the flow: nothing more arrives. */
    void cancel() {
        cancelled = true;
        kernel.events.cancel(delivery);
    }

    /** For tests: returns whether the flow was cancelled. */
    boolean isCancelled() {
        return cancelled;
    }

    // Arrivals.

    private void deliver() {
        if (cancelled) {
            return;
        }
        boolean breaks = written > arrived && !from.isUnix() && kernel.faults.happens(Fault.RESET);
        if (breaks) {
            kernel.recordFault(Fault.RESET, from);
        }
        deliverBytes(breaks);
        if (cancelled) {
            return;
        }
        if (breaks) {
            from.breakLink();
            return;
        }
        if (resetWritten) {
            cancel();
            to().receiveReset();
            return;
        }
        if (finWritten && arrived == written && !finArrived) {
            finArrived = true;
            if (kernel.isTraced()) {
                kernel.trace(to() + " gets the end");
            }
            to().receiveFin();
        }
        push();
    }

    private void deliverBytes(boolean breaks) {
        int count = drawCount((int) (deliverableEnd() - arrived), breaks);
        if (count <= 0) {
            return;
        }
        if (urgentEnd > arrived) {
            announce(urgentEnd - 1);
        }
        if (urgent == Urgent.ANNOUNCED && urgentAt < arrived + count) {
            urgent = Urgent.VALID;
            urgentByte = at(urgentAt);
        }
        if (!to().acceptsData()) { // checked only now: Linux processes a segment's urgent byte before it refuses the rest
            to().refuseData();
            return;
        }
        arrived += count;
        if (kernel.isTraced()) {
            kernel.trace(to() + " gets " + count);
        }
        to().changed(Interest.READ | Interest.PRIORITY);
        from.changed(from.hasRoomAgain() ? Interest.WRITE | OpenFile.ROOM_AGAIN : Interest.WRITE);
    }

    /** Draws how many of the deliverable bytes arrive now. */
    private int drawCount(int count, boolean breaks) {
        FaultInjector faults = kernel.faults;
        if (count <= 0) {
            return 0;
        }
        if (breaks) {
            return faults.random(Fault.RESET).below(count + 1);
        }
        if (resetWritten) {
            // Bytes sent before the reset are in transit. Without latency they all arrive; with latency, a random part of them.
            return faults.isEnabled(Fault.LATENCY) ? faults.random(Fault.LATENCY).below(count + 1) : count;
        }
        if (count > 1 && !from.isUnix() && faults.happens(Fault.DRIBBLE)) {
            int part = faults.random(Fault.DRIBBLE).part(count);
            long pause = faults.random(Fault.DRIBBLE).between(DRIBBLE_NANOS_MIN, DRIBBLE_NANOS_MAX);
            stalledUntil = Math.max(stalledUntil, kernel.now() + pause);
            return part;
        }
        return count;
    }

    /** Processes a segment's urgent pointer (Linux tcp_check_urg, with all its special cases). */
    void announce(long position) {
        if (read > position || position < arrived || (urgent != Urgent.NONE && position <= urgentAt)) {
            return;
        }
        if (urgent != Urgent.NONE && urgentAt == read && !to().isUrgentInline() && read != arrived) {
            read++; // skip the previous urgent byte at the head of the queue, so that it is not read as ordinary data
        }
        urgent = Urgent.ANNOUNCED;
        urgentAt = position;
    }

    // The receiver's side.

    boolean isAtMark() {
        return urgent != Urgent.NONE && urgentAt == read;
    }

    /**
     * Reads up to {@code most} bytes, but stops at the urgent mark. If the stream is already at the mark, skips the urgent byte,
     * unless it is inline, and reads on.
     *
     * @return the number of bytes; 0 if there are none
     */
    int read(ByteBuffer target, int most) {
        if (isAtMark() && arrived > read && !to().isUrgentInline()) {
            read++;
            urgent = Urgent.NONE;
        }
        long end = arrived;
        if (urgent != Urgent.NONE && urgentAt > read) {
            end = Math.min(end, urgentAt);
        }
        int count = (int) Math.min(end - read, most);
        if (count > 0) {
            int at = index(read);
            int first = Math.min(count, ring.length - at);
            target.put(ring, at, first);
            if (first < count) {
                target.put(ring, 0, count - first);
            }
            read += count;
            if (urgent != Urgent.NONE && read > urgentAt) {
                urgent = Urgent.NONE;
            }
        }
        return count;
    }

    /** Returns the byte at a position. */
    byte at(long position) {
        return ring[index(position)];
    }

    /**
     * Called when the receiver has read, or its buffer has grown. Opens the window if everything was read, or if the free space
     * is worth a segment: half of the buffer, or {@link #SEGMENT_BYTES}.
     */
    void openWindow(int receiveBytesMax) {
        long edge = read + receiveBytesMax;
        if (edge > window && (arrived == read || edge - window >= Math.min(receiveBytesMax / 2, SEGMENT_BYTES))) {
            window = edge;
            push();
        }
    }

    boolean isWindowClosed() {
        return window <= arrived;
    }
}
