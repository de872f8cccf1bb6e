package io.trivet.sim;

import io.trivet.net.Interest;
import io.trivet.net.TcpStream;
import java.util.IdentityHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The accounting of a real kernel, for a simulated network that is compared with it. Decisions that the simulation leaves open
 * are made as the kernel made them, with an objection where no kernel may decide so. What follows from the numbers is the
 * simulation's own.
 */
public final class KernelAccounting extends BufferAccounting {
    /** A generous upper bound of the kernel's overhead for one send, in each buffer. */
    private static final int OVERHEAD_BYTES = 4096;

    /**
     * The kernel's counters of one end at one moment.
     *
     * @param sendTaken the used part of the send buffer (sk_wmem_queued)
     * @param sendBytes the size of the send buffer (sk_sndbuf)
     * @param acknowledged the number of written bytes that are acknowledged, perhaps with the end of the output
     * @param notSent the number of bytes that were written and never sent
     * @param receiveTaken the used part of the receive buffer (sk_rmem_alloc)
     * @param receiveBytes the size of the receive buffer (sk_rcvbuf)
     * @param window the number of bytes that the peer may still send; negative: unknown
     * @param segmentBytes the size of received segments (rcv_mss)
     */
    public record Accounts(int sendTaken, int sendBytes, long acknowledged, int notSent, int receiveTaken, int receiveBytes,
            long window,
            int segmentBytes) {
        /** The counters of a stream on which nothing has happened yet. */
        static final Accounts NONE = new Accounts(0, 1 << 20, 0, 0, 0, 1 << 20, 1 << 16, 1);

        boolean knowsWindow() {
            return window >= 0;
        }

        /** Returns whether a send accepts nothing, unless it fills up the last segment (sk_stream_memory_free). */
        boolean isSenderFull(int notSentLowWater) {
            return sendTaken >= sendBytes || (notSentLowWater != 0 && notSent >= notSentLowWater);
        }

        /** Returns whether a low-water mark no longer counts (tcp_epollin_ready). */
        boolean isUnderMemoryPressure() {
            return receiveTaken > receiveBytes - (receiveBytes >> 3) || (knowsWindow() && window <= segmentBytes);
        }
    }

    private static final class EndState {
        /** Negative: unknown. */
        long arrived = -1;
        Accounts accounts = Accounts.NONE;
        /** The position up to which its bytes have been sent. */
        long sent;
        /** Whether it is readable, where its window is unknown. */
        boolean readable;
        int sends;
        long segmentBytesMax;
        /** The smallest receive buffer that the other end has had: a larger one counts only when it was announced. */
        int receiveBytesMin = Integer.MAX_VALUE;
    }

    private final IdentityHashMap<TcpEndpoint, EndState> states = new IdentityHashMap<>();
    private int taken;
    private @Nullable String objection;

    private KernelAccounting() {}

    /** Makes the decisions of a network from now on. */
    public static KernelAccounting decidesFor(SimNetwork network) {
        KernelAccounting dictated = new KernelAccounting();
        network.kernel.accounting = dictated;
        return dictated;
    }

    /** Sets how many bytes the next send accepts. */
    public void taken(int bytes) {
        taken = bytes;
    }

    /** Notes that it is unknown how many of a stream's bytes have arrived: the other end is not accepted yet, or closed. */
    public void arrivalUnknown(TcpStream stream) {
        TcpEndpoint end = ((SimTcpStream) stream).end;
        state(end).arrived = -1;
        end.out.push();
    }

    /** Sets how many of a stream's bytes have arrived by now. */
    public void arrived(TcpStream stream, long bytes) {
        TcpEndpoint end = ((SimTcpStream) stream).end;
        EndState state = state(end);
        state.receiveBytesMin = Math.min(state.receiveBytesMin, end.peer().options.receiveBytes);
        if (end.out.isCancelled() || !end.peer().acceptsData()) {
            end.out.push();
            return;
        }
        if (bytes < state.arrived || bytes > end.out.written) {
            object(stream + ": " + bytes + " bytes have arrived, of " + end.out.written + ", after " + state.arrived);
        }
        // A closed window opens when there is room for a segment as large as those received.
        state.segmentBytesMax = Math.max(state.segmentBytesMax, bytes - Math.max(0, state.arrived));
        boolean roomy = state.receiveBytesMin > 4 * (end.out.written - end.out.read) + 2 * state.segmentBytesMax
                + (long) state.sends * OVERHEAD_BYTES;
        if (roomy && bytes < end.out.written) {
            object(stream + ": only " + bytes + " bytes have arrived, of " + end.out.written + ", and there is room for all");
        }
        state.arrived = Math.max(state.arrived, Math.min(bytes, end.out.written));
        end.out.push();
    }

    /** Sets whether a stream has an urgent byte, even if the bytes before it did not fit. */
    public void urgent(TcpStream stream, boolean seen) {
        Flow in = ((SimTcpStream) stream).end.in;
        if (seen != (in.urgent == Flow.Urgent.VALID)) {
            EndState sender = state(in.from());
            if (seen && in.urgentEnd > in.written - sender.accounts.notSent) {
                object(stream + ": an urgent byte is seen that was never sent; " + sender.accounts);
            }
            announceAhead(in, ((SimTcpStream) stream).end, seen);
        }
    }

    /**
     * A segment that did not fit has announced an urgent byte, or brought it: Linux looks for urgent data before it looks for
     * room.
     */
    private static void announceAhead(Flow in, TcpEndpoint to, boolean brought) {
        if (in.urgentEnd > in.arrived && !in.isCancelled()) {
            in.announce(in.urgentEnd - 1);
            if (brought && in.urgent == Flow.Urgent.ANNOUNCED) {
                in.urgent = Flow.Urgent.VALID;
                in.urgentByte = in.at(in.urgentAt);
                to.changed(Interest.READ | Interest.PRIORITY);
            }
        }
    }

    /** Sets the counters of a stream. */
    public void accounts(TcpStream stream, Accounts accounts) {
        TcpEndpoint end = ((SimTcpStream) stream).end;
        EndState state = state(end);
        state.accounts = accounts;
        state.sent = Math.max(state.sent, end.out.written - accounts.notSent);
        if (!end.peer().acceptsData()) {
            end.out.push();
        }
    }

    /**
     * Sets whether a stream is readable, which counts only where its window is unknown, and whether a poller is notified of that.
     */
    public void readable(TcpStream stream, boolean readable, boolean notifies) {
        TcpEndpoint end = ((SimTcpStream) stream).end;
        EndState state = state(end);
        state.readable = readable;
        if (notifies && isUnderMemoryPressure(end, false)) {
            end.changed(Interest.READ);
        }
    }

    /** Finds room again if the counters say so, and checks them for what no kernel may count. */
    public void room(TcpStream stream) {
        TcpEndpoint end = ((SimTcpStream) stream).end;
        if (end.hasRoomAgain()) {
            end.changed(Interest.WRITE | OpenFile.ROOM_AGAIN);
        }
        EndState state = state(end);
        if (!end.isConnected() || end.refusesWrites() || state.arrived < end.out.arrived) {
            return; // before the accept it is unknown what has arrived
        }
        Accounts accounts = state.accounts;
        long inFlight = end.out.unacknowledged();
        boolean tooFew = accounts.sendTaken < inFlight || accounts.acknowledged > end.out.arrived;
        boolean tooMany = accounts.notSent > inFlight
                || accounts.sendTaken > 4 * end.out.written + (long) state.sends * OVERHEAD_BYTES
                || (accounts.sendTaken > 0 && accounts.acknowledged == end.out.written);
        if (tooFew || tooMany) {
            object(stream + ": " + accounts + ", with " + inFlight + " of " + end.out.written + " bytes in flight");
        }
    }

    /** Returns a decision that no kernel may make, once; null: there is none. */
    public @Nullable String objection() {
        String once = objection;
        objection = null;
        return once;
    }

    @Override
    int accepted(TcpEndpoint end, long asked, int room) {
        EndState state = state(end);
        state.sends++;
        if (!end.isConnected()) {
            return 0;
        }
        boolean roomy = end.options.sendBytes > 4 * (end.out.written + asked) + (long) state.sends * OVERHEAD_BYTES;
        // Only the kernel knows the window of an end that was not accepted yet: it may have accepted more than the simulation
        // thinks.
        long inFlight = Math.min(end.out.unacknowledged(), end.out.written - state.accounts.acknowledged);
        boolean tooMuch = inFlight + taken > end.options.sendBytes + (long) Flow.SEGMENT_BYTES;
        boolean full = state.accounts.isSenderFull(end.options.notSentLowWater);
        boolean stuck = taken == 0 && asked > 0 && !full;
        boolean squeezed = taken > 0 && full && state.accounts.notSent == 0;
        if (taken > asked || (taken < asked && roomy && end.options.notSentLowWater == 0) || tooMuch || stuck || squeezed) {
            object(end + ": a send of " + asked + " accepted " + taken + ", with " + inFlight + " of "
                    + end.options.sendBytes + " bytes in flight; " + state.accounts);
        }
        return (int) Math.min(asked, taken);
    }

    @Override
    long deliverableEnd(Flow flow, long byBytes) {
        long arrived = state(flow.from()).arrived;
        if (!flow.from().peer().acceptsData()) { // what arrives is answered by a reset, but what does not fit is not even sent
            return Math.max(flow.arrived, state(flow.from()).sent);
        }
        return arrived < 0 ? deliverableEndOfUnknown(flow, byBytes) : arrived;
    }

    /** Where the receiver is unknown, what was acknowledged has arrived, and everything where there is room for everything. */
    private long deliverableEndOfUnknown(Flow flow, long byBytes) {
        TcpEndpoint end = flow.from();
        EndState state = state(end);
        boolean roomy = end.peer().options.receiveBytes > 2 * flow.written + (long) state.sends * OVERHEAD_BYTES;
        return roomy ? byBytes : Math.min(byBytes, Math.max(flow.arrived, state.accounts.acknowledged));
    }

    @Override
    long sendBufferUsed(TcpEndpoint end, long byBytes) {
        return state(end).accounts.sendTaken;
    }

    @Override
    long sendBufferBytes(TcpEndpoint end) {
        return state(end).accounts.sendBytes;
    }

    @Override
    long unsent(TcpEndpoint end, long byBytes) {
        return state(end).accounts.notSent;
    }

    @Override
    boolean isUnderMemoryPressure(TcpEndpoint end, boolean byBytes) {
        EndState state = state(end);
        return state.accounts.isUnderMemoryPressure() || (!state.accounts.knowsWindow() && state.readable);
    }

    private EndState state(TcpEndpoint end) {
        return states.computeIfAbsent(end, unknown -> new EndState());
    }

    private void object(String what) {
        if (objection == null) {
            objection = what;
        }
    }
}
