package io.trivet.sim;

import io.trivet.net.Interest;
import java.nio.ByteBuffer;

/**
 * One direction of a TCP connection, from the sender's write to the receiver's read. All positions are counted in bytes from the beginning.
 * The bytes lie in one ring all the way: what moves is the positions.
 *
 * <p>read ≤ arrived ≤ written, and arrived ≤ window, which is how far the receiver lets the sender go.
 */
final class Flow {
    /** The urgent mark at the receiver, as the kernel has it (TCP_URG_NOTYET and so on). */
    enum Urgent {
        NONE, ANNOUNCED, VALID, TAKEN
    }

    /** What the kernel sends at once over the loopback device; a window that opens by less is not worth telling. */
    static final int SEGMENT_BYTES = 65_483;
    private static final byte[] EMPTY = new byte[0];
    private static final int RING_BYTES_MIN = 256;
    private static final long STALLED_FOR_GOOD = Long.MAX_VALUE;

    private final Kernel kernel;
    private final TcpEndpoint from;
    private byte[] ring = EMPTY;
    long written;
    long arrived;
    long read;
    long window;
    /** Behind the sender's last urgent byte; 0: there was none. */
    long urgentEnd;
    Urgent urgent = Urgent.NONE;
    /** Where the receiver's urgent byte stands. */
    long urgentAt;
    byte urgentByte;
    boolean finWritten;
    boolean finArrived;
    /** The sender has reset: behind what is on its way comes the reset. */
    private boolean resetWritten;
    private boolean dead;
    /** Nothing arrives before this. */
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

    /** What the sender's kernel still holds. */
    long unacknowledged() {
        return dead ? 0 : written - arrived;
    }

    /** What the sender's kernel could not even send, since the window is closed. */
    long unsent() {
        return dead ? 0 : written - Math.min(written, Math.max(window, arrived));
    }

    // The sender's side.

    /** The same from an array. */
    void write(byte[] source, int from, int count) {
        room(count);
        int at = (int) written & (ring.length - 1);
        int first = Math.min(count, ring.length - at);
        System.arraycopy(source, from, ring, at, first);
        System.arraycopy(source, from + first, ring, 0, count - first);
        written += count;
    }

    /** Takes so many bytes from a buffer. They leave with the next {@link #push}. */
    void write(ByteBuffer source, int count) {
        room(count);
        int at = (int) written & ring.length - 1;
        int first = Math.min(count, ring.length - at);
        source.get(ring, at, first);
        if (first < count) {
            source.get(ring, 0, count - first);
        }
        written += count;
    }

    void writeUrgent(byte b) {
        room(1);
        ring[(int) written & ring.length - 1] = b;
        written++;
        urgentEnd = written;
    }

    private void room(int count) {
        long needed = written + count - read;
        if (needed > ring.length) {
            int size = Math.max(RING_BYTES_MIN, Integer.highestOneBit((int) needed - 1) << 1);
            byte[] larger = new byte[size];
            for (long i = read; i < written;) {
                int source = (int) i & ring.length - 1;
                int target = (int) i & size - 1;
                int count2 = (int) Math.min(written - i, Math.min(ring.length - source, size - target));
                System.arraycopy(ring, source, larger, target, count2);
                i += count2;
            }
            ring = larger;
        }
    }

    void writeFin() {
        finWritten = true;
        push();
    }

    /** The sender is gone with a reset: of what it wrote, a part may still arrive. */
    void writeReset() {
        resetWritten = true;
        push();
    }

    /** Sends what can be sent, if nothing is on its way already that will take it along. */
    void push() {
        if (dead || delivery.isScheduled() || !hasCargo()) {
            return;
        }
        long delay = delayNanos();
        if (delay == 0) {
            deliver();
        } else if (delay != STALLED_FOR_GOOD) {
            kernel.events.schedule(delivery, kernel.now() + delay);
        }
    }

    /** How far the window lets the bytes go. */
    private long reach() {
        return kernel.accounting.deliverableEnd(this, Math.min(written, window));
    }

    private boolean hasCargo() {
        return reach() > arrived || (finWritten && !finArrived && written == arrived) || resetWritten;
    }

    private long delayNanos() {
        FaultInjector faults = kernel.faults;
        if (faults.happens(Fault.STALL)) {
            long stall = faults.random(Fault.STALL).between(100_000_000, 20_000_000_000L);
            stalledUntil = Math.max(stalledUntil, kernel.now() + stall);
            kernel.recordFault(Fault.STALL, from);
        }
        if (stalledUntil == STALLED_FOR_GOOD) {
            return STALLED_FOR_GOOD;
        }
        long delay = Math.max(0, stalledUntil - kernel.now());
        if (faults.happens(Fault.LATENCY)) {
            delay += faults.random(Fault.LATENCY).between(1_000, 100_000_000);
        }
        return delay;
    }

    /** Nothing arrives any more until {@link #unclog}. */
    void clog() {
        stalledUntil = STALLED_FOR_GOOD;
        kernel.events.cancel(delivery);
    }

    void unclog() {
        stalledUntil = 0;
        kernel.events.cancel(delivery);
        push();
    }

    /** Nothing will arrive any more. */
    void die() {
        dead = true;
        kernel.events.cancel(delivery);
    }

    boolean isDead() {
        return dead;
    }

    // What arrives.

    private void deliver() {
        if (dead) {
            return;
        }
        boolean breaks = (written > arrived) && kernel.faults.happens(Fault.RESET);
        if (breaks) {
            kernel.recordFault(Fault.RESET, from);
        }
        deliverBytes(breaks);
        if (dead) {
            return;
        }
        if (breaks) {
            from.breakLink();
            return;
        }
        if (resetWritten) {
            die();
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

    private void deliverBytes(boolean cutAnywhere) {
        int count = (int) (reach() - arrived);
        if (count <= 0) {
            return;
        }
        if (cutAnywhere) {
            count = kernel.faults.random(Fault.RESET).below(count + 1);
        } else if (resetWritten) {
            // What was sent before the reset has gone out; how far it got is anybody's guess only where the net is slow.
            count = kernel.faults.isEnabled(Fault.LATENCY) ? kernel.faults.random(Fault.LATENCY).below(count + 1) : count;
        } else if (count > 1 && kernel.faults.happens(Fault.DRIBBLE)) {
            count = kernel.faults.random(Fault.DRIBBLE).part(count);
            stalledUntil = Math.max(stalledUntil,
                    kernel.now() + kernel.faults.random(Fault.DRIBBLE).between(1_000, 10_000_000));
        }
        if (count == 0) {
            return;
        }
        if (urgentEnd > arrived) {
            announce(urgentEnd - 1);
        }
        if (urgent == Urgent.ANNOUNCED && urgentAt < arrived + count) {
            urgent = Urgent.VALID;
            urgentByte = at(urgentAt);
        }
        if (!to().takesData()) { // asked only now: the urgent byte of a segment is looked at before the rest is refused
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

    /** A segment tells of an urgent byte; Linux tcp_check_urg, comments and all. */
    void announce(long position) {
        if (read > position || position < arrived || (urgent != Urgent.NONE && position <= urgentAt)) {
            return;
        }
        if (urgent != Urgent.NONE && urgentAt == read && !to().isUrgentInline() && read != arrived) {
            read++; // the byte at the head was taken or not, it must not come again as data: it is dropped
        }
        urgent = Urgent.ANNOUNCED;
        urgentAt = position;
    }

    // The receiver's side.

    boolean isAtMark() {
        return urgent != Urgent.NONE && urgentAt == read;
    }

    /**
     * Reads up to that much: up to the mark, or over it when it stands there, and then without the urgent byte unless that is inline. The
     * number of bytes; 0: there are none.
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
            int at = (int) read & ring.length - 1;
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

    byte at(long position) {
        return ring[(int) position & ring.length - 1];
    }

    /** The receiver has read, or its buffer has grown: opens the window if that is worth a segment. */
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
