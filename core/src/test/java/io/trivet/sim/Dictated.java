package io.trivet.sim;

import io.trivet.net.Interest;
import io.trivet.net.TcpStream;
import java.util.IdentityHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A kernel's own decisions, for a simulated network that is held against it: what is left open is decided as the kernel did, and objected to
 * where no kernel may decide so.
 */
public final class Dictated extends Bookkeeping {
    /** What the kernel needs at most for its own records of one send, in each buffer; generously. */
    private static final int OVERHEAD_BYTES = 4096;

    private static final class Told {
        /** Negative: nobody knows. */
        long arrived = -1;
        boolean writable = true;
        boolean readable;
        int sends;
        long segmentBytesMax;
        /** The smallest receive buffer that the other end has had: a larger one counts only when the peer has been told of it. */
        int receiveBytesMin = Integer.MAX_VALUE;
    }

    private final IdentityHashMap<TcpEnd, Told> told = new IdentityHashMap<>();
    private int taken;
    private @Nullable String objection;

    private Dictated() {}

    /** Decides for a network from now on. */
    public static Dictated decidesFor(SimNetwork network) {
        Dictated dictated = new Dictated();
        network.kernel.bookkeeping = dictated;
        return dictated;
    }

    /** The next send took so many bytes. */
    public void taken(int bytes) {
        taken = bytes;
    }

    /** Nobody knows how many of a stream's bytes have arrived: the other end is not accepted yet, or closed. */
    public void arrivalUnknown(TcpStream stream) {
        TcpEnd end = ((SimTcpStream) stream).end;
        told(end).arrived = -1;
        end.out.push();
    }

    /** Of a stream's bytes, so many have arrived by now. */
    public void arrived(TcpStream stream, long bytes) {
        TcpEnd end = ((SimTcpStream) stream).end;
        Told of = told(end);
        of.receiveBytesMin = Math.min(of.receiveBytesMin, end.peer().options.receiveBytes);
        if (end.out.isDead() || !end.peer().takesData()) {
            end.out.push();
            return;
        }
        if (bytes < of.arrived || bytes > end.out.written) {
            object(stream + ": " + bytes + " bytes have arrived, of " + end.out.written + ", after " + of.arrived);
        }
        // A window that was closed opens when there is room for a segment as large as those that came.
        of.segmentBytesMax = Math.max(of.segmentBytesMax, bytes - Math.max(0, of.arrived));
        boolean roomy = of.receiveBytesMin > 4 * (end.out.written - end.out.read) + 2 * of.segmentBytesMax
                + (long) of.sends * OVERHEAD_BYTES;
        if (roomy && bytes < end.out.written) {
            object(stream + ": only " + bytes + " bytes have arrived, of " + end.out.written + ", and there is room for all");
        }
        of.arrived = Math.max(of.arrived, Math.min(bytes, end.out.written));
        end.out.push();
    }

    /** Whether a stream sees an urgent byte, and be it that the bytes before it did not fit. */
    public void urgent(TcpStream stream, boolean seen) {
        Flow in = ((SimTcpStream) stream).end.in;
        if (seen != (in.urgent == Flow.Urgent.VALID)) {
            in.announceAhead(seen);
        }
    }

    /** Whether a stream is readable, and be it for fewer bytes than its low-water mark; and whether a poller is told so. */
    public void readable(TcpStream stream, boolean readable, boolean told) {
        TcpEnd end = ((SimTcpStream) stream).end;
        told(end).readable = readable;
        if (told) {
            end.changed(Interest.READ);
        }
    }

    /** Whether a connected stream is writable now, and whether a poller is told so. */
    public void writable(TcpStream stream, boolean writable, boolean told) {
        TcpEnd end = ((SimTcpStream) stream).end;
        Told of = told(end);
        of.writable = writable;
        if (told) {
            end.changed(Interest.WRITE | OpenFile.ROOM_AGAIN);
        }
        if (!end.refusesWrites()) {
            boolean roomy = end.options.sendBytes > 4 * end.out.written + (long) of.sends * OVERHEAD_BYTES;
            boolean full = end.out.unacknowledged() > end.options.sendBytes / 3 * 2 + 1;
            if (writable ? full : roomy && end.options.notSentLowWater == 0) {
                object(stream + ": " + (writable ? "writable" : "not writable") + " with " + end.out.unacknowledged() + " of "
                        + end.options.sendBytes + " bytes on their way");
            }
        }
    }

    /** What the kernel decided, and may not decide; told once. */
    public @Nullable String objection() {
        String once = objection;
        objection = null;
        return once;
    }

    @Override
    int taken(TcpEnd end, long asked, int room) {
        Told of = told(end);
        of.sends++;
        boolean roomy = end.options.sendBytes > 4 * (end.out.written + asked) + (long) of.sends * OVERHEAD_BYTES;
        boolean tooMuch = end.out.unacknowledged() + taken > end.options.sendBytes + (long) Flow.SEGMENT_BYTES;
        if (taken > asked || (taken < asked && roomy && end.options.notSentLowWater == 0) || tooMuch) {
            object(end + ": a send of " + asked + " took " + taken + ", with " + end.out.unacknowledged() + " of "
                    + end.options.sendBytes + " bytes on their way");
        }
        return (int) Math.min(asked, taken);
    }

    @Override
    long reach(Flow flow, long byBytes) {
        long arrived = told(flow.from()).arrived;
        if (!flow.from().peer().takesData()) {
            return flow.written; // it is answered by a reset, if it had fitted
        }
        return arrived < 0 ? byBytes : arrived;
    }

    @Override
    boolean isWritable(TcpEnd end, boolean byBytes) {
        return told(end).writable;
    }

    @Override
    boolean isWindowClosed(TcpEnd end, boolean byBytes) {
        return told(end).readable;
    }

    private Told told(TcpEnd end) {
        return told.computeIfAbsent(end, unknown -> new Told());
    }

    private void object(String what) {
        if (objection == null) {
            objection = what;
        }
    }
}
