package io.trivet.sim;

import io.trivet.net.Interest;
import io.trivet.net.TcpStream;
import java.util.IdentityHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A kernel's own records, for a simulated network that is held against it: what is left open is counted as the kernel did, and objected to
 * where no kernel may count so. What follows from the numbers, the simulation says by itself.
 */
public final class KernelAccounting extends BufferAccounting {
    /** What the kernel needs at most for its own records of one send, in each buffer; generously. */
    private static final int OVERHEAD_BYTES = 4096;

    /**
     * What the kernel's records of one end say at one moment.
     *
     * @param sendTaken how much of the send buffer is taken (sk_wmem_queued)
     * @param sendBytes how large the send buffer is (sk_sndbuf)
     * @param acknowledged how many of the bytes that were written are acknowledged, and perhaps the end of the output
     * @param notSent how many bytes were written, and never sent
     * @param receiveTaken how much of the receive buffer is taken (sk_rmem_alloc)
     * @param receiveBytes how large the receive buffer is (sk_rcvbuf)
     * @param window how many bytes the peer may still send; negative: nobody can be asked
     * @param segmentBytes how long segments are that come here (rcv_mss)
     */
    public record Accounts(int sendTaken, int sendBytes, long acknowledged, int notSent, int receiveTaken, int receiveBytes,
            long window,
            int segmentBytes) {
        /** What a stream has of which nothing happened yet. */
        static final Accounts NONE = new Accounts(0, 1 << 20, 0, 0, 0, 1 << 20, 1 << 16, 1);

        boolean knowsWindow() {
            return window >= 0;
        }

        /** Whether a send takes nothing, unless it fills up the last segment (sk_stream_memory_free). */
        boolean isSenderFull(int notSentLowWater) {
            return sendTaken >= sendBytes || (notSentLowWater != 0 && notSent >= notSentLowWater);
        }

        /** Whether a low-water mark does not count any more (tcp_epollin_ready). */
        boolean isUnderMemoryPressure() {
            return receiveTaken > receiveBytes - (receiveBytes >> 3) || (knowsWindow() && window <= segmentBytes);
        }
    }

    private static final class Told {
        /** Negative: nobody knows. */
        long arrived = -1;
        Accounts accounts = Accounts.NONE;
        /** So far its bytes have been sent. */
        long sent;
        /** Whether it is readable, where nobody can be asked about its window. */
        boolean readable;
        int sends;
        long segmentBytesMax;
        /** The smallest receive buffer that the other end has had: a larger one counts only when the peer has been told of it. */
        int receiveBytesMin = Integer.MAX_VALUE;
    }

    private final IdentityHashMap<TcpEndpoint, Told> told = new IdentityHashMap<>();
    private int taken;
    private @Nullable String objection;

    private KernelAccounting() {}

    /** Decides for a network from now on. */
    public static KernelAccounting decidesFor(SimNetwork network) {
        KernelAccounting dictated = new KernelAccounting();
        network.kernel.accounting = dictated;
        return dictated;
    }

    /** The next send took so many bytes. */
    public void taken(int bytes) {
        taken = bytes;
    }

    /** Nobody knows how many of a stream's bytes have arrived: the other end is not accepted yet, or closed. */
    public void arrivalUnknown(TcpStream stream) {
        TcpEndpoint end = ((SimTcpStream) stream).end;
        told(end).arrived = -1;
        end.out.push();
    }

    /** Of a stream's bytes, so many have arrived by now. */
    public void arrived(TcpStream stream, long bytes) {
        TcpEndpoint end = ((SimTcpStream) stream).end;
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
            Told sender = told(in.from());
            if (seen && in.urgentEnd > in.written - sender.accounts.notSent) {
                object(stream + ": an urgent byte is seen that was never sent; " + sender.accounts);
            }
            announceAhead(in, ((SimTcpStream) stream).end, seen);
        }
    }

    /** A segment that did not fit has announced an urgent byte, or brought it: Linux looks for urgent data before it looks for room. */
    private static void announceAhead(Flow in, TcpEndpoint to, boolean brought) {
        if (in.urgentEnd > in.arrived && !in.isDead()) {
            in.announce(in.urgentEnd - 1);
            if (brought && in.urgent == Flow.Urgent.ANNOUNCED) {
                in.urgent = Flow.Urgent.VALID;
                in.urgentByte = in.at(in.urgentAt);
                to.changed(Interest.READ | Interest.PRIORITY);
            }
        }
    }

    /** What the records of a stream say by now. */
    public void accounts(TcpStream stream, Accounts accounts) {
        TcpEndpoint end = ((SimTcpStream) stream).end;
        Told of = told(end);
        of.accounts = accounts;
        of.sent = Math.max(of.sent, end.out.written - accounts.notSent);
        if (!end.peer().takesData()) {
            end.out.push();
        }
    }

    /** Whether a poller is told that a stream is readable; and whether it is, which counts only where nobody can be asked about its window. */
    public void readable(TcpStream stream, boolean readable, boolean isTold) {
        TcpEndpoint end = ((SimTcpStream) stream).end;
        Told of = told(end);
        of.readable = readable;
        if (isTold && isUnderMemoryPressure(end, false)) {
            end.changed(Interest.READ);
        }
    }

    /** The records may say that there is room again; and they are looked at for what no kernel may write down. */
    public void room(TcpStream stream) {
        TcpEndpoint end = ((SimTcpStream) stream).end;
        if (end.hasRoomAgain()) {
            end.changed(Interest.WRITE | OpenFile.ROOM_AGAIN);
        }
        Told of = told(end);
        if (!end.isConnected() || end.refusesWrites() || of.arrived < end.out.arrived) {
            return; // what has arrived was not known before it was accepted
        }
        Accounts accounts = of.accounts;
        long onTheWay = end.out.unacknowledged();
        boolean tooFew = accounts.sendTaken < onTheWay || accounts.acknowledged > end.out.arrived;
        boolean tooMany = accounts.notSent > onTheWay
                || accounts.sendTaken > 4 * end.out.written + (long) of.sends * OVERHEAD_BYTES
                || (accounts.sendTaken > 0 && accounts.acknowledged == end.out.written);
        if (tooFew || tooMany) {
            object(stream + ": " + accounts + ", with " + onTheWay + " of " + end.out.written + " bytes on their way");
        }
    }

    /** What the kernel decided, and may not decide; told once. */
    public @Nullable String objection() {
        String once = objection;
        objection = null;
        return once;
    }

    @Override
    int accepted(TcpEndpoint end, long asked, int room) {
        Told of = told(end);
        of.sends++;
        if (!end.isConnected()) {
            return 0;
        }
        boolean roomy = end.options.sendBytes > 4 * (end.out.written + asked) + (long) of.sends * OVERHEAD_BYTES;
        // Of an end that nobody has accepted only the kernel knows how far its window is open, and it may have taken more than we think.
        long onTheWay = Math.min(end.out.unacknowledged(), end.out.written - of.accounts.acknowledged);
        boolean tooMuch = onTheWay + taken > end.options.sendBytes + (long) Flow.SEGMENT_BYTES;
        boolean full = of.accounts.isSenderFull(end.options.notSentLowWater);
        boolean stuck = taken == 0 && asked > 0 && !full;
        boolean squeezed = taken > 0 && full && of.accounts.notSent == 0;
        if (taken > asked || (taken < asked && roomy && end.options.notSentLowWater == 0) || tooMuch || stuck || squeezed) {
            object(end + ": a send of " + asked + " took " + taken + ", with " + onTheWay + " of "
                    + end.options.sendBytes + " bytes on their way; " + of.accounts);
        }
        return (int) Math.min(asked, taken);
    }

    @Override
    long deliverableEnd(Flow flow, long byBytes) {
        long arrived = told(flow.from()).arrived;
        if (!flow.from().peer().takesData()) { // what comes is answered by a reset; but what does not fit is not even sent
            return Math.max(flow.arrived, told(flow.from()).sent);
        }
        return arrived < 0 ? reachOfUnknown(flow, byBytes) : arrived;
    }

    /** Where the receiver cannot be asked, what was acknowledged has arrived, and all where there is room for all. */
    private long reachOfUnknown(Flow flow, long byBytes) {
        TcpEndpoint end = flow.from();
        Told of = told(end);
        boolean roomy = end.peer().options.receiveBytes > 2 * flow.written + (long) of.sends * OVERHEAD_BYTES;
        return roomy ? byBytes : Math.min(byBytes, Math.max(flow.arrived, of.accounts.acknowledged));
    }

    @Override
    long sendBufferUsed(TcpEndpoint end, long byBytes) {
        return told(end).accounts.sendTaken;
    }

    @Override
    long sendBufferBytes(TcpEndpoint end) {
        return told(end).accounts.sendBytes;
    }

    @Override
    long unsent(TcpEndpoint end, long byBytes) {
        return told(end).accounts.notSent;
    }

    @Override
    boolean isUnderMemoryPressure(TcpEndpoint end, boolean byBytes) {
        Told of = told(end);
        return of.accounts.isUnderMemoryPressure() || (!of.accounts.knowsWindow() && of.readable);
    }

    private Told told(TcpEndpoint end) {
        return told.computeIfAbsent(end, unknown -> new Told());
    }

    private void object(String what) {
        if (objection == null) {
            objection = what;
        }
    }
}
