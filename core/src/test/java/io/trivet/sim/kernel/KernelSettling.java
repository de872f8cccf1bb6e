package io.trivet.sim.kernel;

import io.trivet.linux.TcpProgress;
import io.trivet.sim.KernelAccounting;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * On loopback what is sent has nearly always arrived when the call returns. Nearly: under load a thread of the kernel brings it a little
 * later. So the receiving end is asked how much it has received. What a full buffer holds back does not come by waiting: then it is enough
 * that nothing moves.
 */
final class KernelSettling implements Settling {
    private static final int ATTEMPTS_MAX = 2000;
    private static final int SPINS = 3;
    private static final int STILL_ENOUGH = 3;
    private static final long PAUSE_NANOS = 20_000;
    private static final KernelAccounting.@Nullable Accounts[] NO_ACCOUNTS = new KernelAccounting.Accounts[0];

    private final TcpProgress progress = new TcpProgress();
    private final boolean buffersFill;
    private final long[] acknowledged = new long[Slot.COUNT];
    private long moved;

    KernelSettling(boolean buffersFill) {
        this.buffersFill = buffersFill;
    }

    @Override
    @SuppressWarnings("ThreadPriorityCheck") // the kernel's own thread is to be let run, if it has anything to do
    public boolean settle(@Nullable Held[] held) {
        int still = 0;
        for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
            long before = moved;
            if (hasArrived(held)) {
                return true;
            }
            still = moved == before ? still + 1 : 0;
            if (buffersFill && still >= STILL_ENOUGH) {
                noteWhereAnEndIsHeldBack(held);
                return true;
            }
            if (attempt < SPINS) {
                Thread.yield();
            } else {
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
        return false;
    }

    @Override
    public KernelAccounting.@Nullable Accounts[] accounts(@Nullable Held[] held) {
        if (!buffersFill) {
            return NO_ACCOUNTS;
        }
        KernelAccounting.@Nullable Accounts[] accounts = new KernelAccounting.Accounts[Slot.COUNT];
        for (int slot = Slot.FIRST_CLIENT; slot < Slot.FIRST_DATAGRAM; slot++) {
            Held one = held[slot];
            acknowledged[slot] = one != null && !one.closed && progress.ask(one.socket.fd()) ? progress.bytesAcknowledged() : -1;
        }
        for (int slot = Slot.FIRST_CLIENT; slot < Slot.FIRST_DATAGRAM; slot++) {
            Held one = held[slot];
            if (one != null && !one.closed && progress.askMemory(one.socket.fd())) {
                accounts[slot] = new KernelAccounting.Accounts(progress.sendTaken(), progress.sendBytes(), acknowledged(one),
                        progress.bytesNotSent(), progress.receiveTaken(), progress.receiveBytes(), window(one.peer),
                        progress.segmentBytes());
            }
        }
        return accounts;
    }

    /** What is left of the window that the peer was told of last, with an acknowledgement of all that had come by then. */
    private long window(@Nullable Held peer) {
        if (peer == null || peer.closed || progress.receiveWindow() < 0) {
            return -1;
        }
        return Math.max(0, progress.receiveWindow() - (progress.bytesReceived() - acknowledged(peer)));
    }

    /** How many of the bytes that a stream has written are acknowledged. */
    private long acknowledged(Held one) {
        return acknowledged[one.slot] - (Slot.isClient(one.slot) ? 1 : 0);
    }

    @Override
    public boolean hasMoved(@Nullable Held[] held) {
        long before = moved;
        hasArrived(held);
        return moved != before;
    }

    /** An end of output that has no room either comes with a timer. */
    private static void noteWhereAnEndIsHeldBack(@Nullable Held[] held) {
        for (int slot = Slot.FIRST_CLIENT; slot < Slot.FIRST_DATAGRAM; slot++) {
            Held one = held[slot];
            Held peer = one == null ? null : one.peer;
            if (one != null && peer != null && !one.closed && !one.over && peer.finished && !peer.finishArrived) {
                one.endHeldBack = true;
                peer.endHeldBack = true;
            }
        }
    }

    private boolean hasArrived(@Nullable Held[] held) {
        boolean all = true;
        for (int slot = Slot.FIRST_CLIENT; slot < Slot.FIRST_DATAGRAM; slot++) {
            Held one = held[slot];
            if (one != null && !one.closed && !one.over && one.peer != null) {
                all &= hasArrivedAt(one, one.peer);
            }
        }
        return all;
    }

    /** Whether an end that is open knows all that the other has done. */
    private boolean hasArrivedAt(Held one, Held peer) {
        boolean bytesMissing = peer.arrived < peer.sent;
        boolean endMissing = peer.finished && !peer.finishArrived;
        boolean resetMissing = peer.closed && one.sent > one.sentBeforePeerClosed;
        if (!bytesMissing && !endMissing && !resetMissing) {
            return true;
        }
        if (!progress.ask(one.socket.fd())) {
            return true;
        }
        if (progress.state() == TcpProgress.CLOSE) {
            one.over = true;
            return true;
        }
        if (progress.bytesReceived() != peer.arrived) {
            moved++;
            peer.arrived = progress.bytesReceived();
        }
        peer.finishArrived = peer.finished && progress.isInputOver();
        return peer.arrived >= peer.sent && peer.finishArrived == peer.finished && !resetMissing;
    }
}
