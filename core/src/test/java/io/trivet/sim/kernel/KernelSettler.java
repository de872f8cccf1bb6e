package io.trivet.sim.kernel;

import io.trivet.linux.TcpProgress;
import io.trivet.sim.KernelAccounting;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Waits until everything sent has arrived. On loopback this is nearly always so when the call returns, but under load a kernel thread
 * delivers it slightly later. Therefore the TCP_INFO of the receiving end is polled. Bytes held back by a full buffer do not arrive by
 * waiting: in scripts that fill buffers, waiting ends as soon as there is no more progress.
 */
final class KernelSettler implements Settler {
    private static final int ATTEMPTS_MAX = 2000;
    private static final int SPINS = 3;
    private static final int IDLE_ATTEMPTS_MAX = 3;
    private static final long PAUSE_NANOS = 20_000;
    private static final KernelAccounting.@Nullable Accounts[] NO_ACCOUNTS = new KernelAccounting.Accounts[0];

    private final TcpProgress progress = new TcpProgress();
    private final boolean buffersFill;
    private final long[] acknowledged = new long[Slot.COUNT];
    private long progressCount;

    KernelSettler(boolean buffersFill) {
        this.buffersFill = buffersFill;
    }

    @Override
    @SuppressWarnings("ThreadPriorityCheck") // lets the kernel's own thread run, if it has work
    public boolean settle(@Nullable TrackedSocket[] slots) {
        int idleAttempts = 0;
        for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
            long before = progressCount;
            if (hasAllArrived(slots)) {
                return true;
            }
            idleAttempts = progressCount == before ? idleAttempts + 1 : 0;
            if (buffersFill && idleAttempts >= IDLE_ATTEMPTS_MAX) {
                markBlockedFins(slots);
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
    public KernelAccounting.@Nullable Accounts[] accounts(@Nullable TrackedSocket[] slots) {
        if (!buffersFill) {
            return NO_ACCOUNTS;
        }
        KernelAccounting.@Nullable Accounts[] accounts = new KernelAccounting.Accounts[Slot.COUNT];
        for (int slot = Slot.FIRST_CLIENT; slot < Slot.FIRST_DATAGRAM; slot++) {
            TrackedSocket tracked = slots[slot];
            acknowledged[slot] = tracked != null && !tracked.closed && progress.ask(tracked.socket.fd())
                    ? progress.bytesAcknowledged() : -1;
        }
        for (int slot = Slot.FIRST_CLIENT; slot < Slot.FIRST_DATAGRAM; slot++) {
            TrackedSocket tracked = slots[slot];
            if (tracked != null && !tracked.closed && progress.askMemory(tracked.socket.fd())) {
                accounts[slot] = new KernelAccounting.Accounts(progress.sendTaken(), progress.sendBytes(), acknowledged(tracked),
                        progress.bytesNotSent(), progress.receiveTaken(), progress.receiveBytes(), window(tracked.peer),
                        progress.segmentBytes());
            }
        }
        return accounts;
    }

    /** Returns the rest of the window that was last advertised to the peer, together with the acknowledgement of all bytes received by then. */
    private long window(@Nullable TrackedSocket peer) {
        if (peer == null || peer.closed || progress.receiveWindow() < 0) {
            return -1;
        }
        return Math.max(0, progress.receiveWindow() - (progress.bytesReceived() - acknowledged(peer)));
    }

    /** Returns how many of the bytes written by a stream have been acknowledged. */
    private long acknowledged(TrackedSocket tracked) {
        return acknowledged[tracked.slot] - (Slot.isClient(tracked.slot) ? 1 : 0);
    }

    @Override
    public boolean hasProgressed(@Nullable TrackedSocket[] slots) {
        long before = progressCount;
        hasAllArrived(slots);
        return progressCount != before;
    }

    /** Marks the connections whose FIN did not fit into the receive buffer: a timer decides when it arrives. */
    private static void markBlockedFins(@Nullable TrackedSocket[] slots) {
        for (int slot = Slot.FIRST_CLIENT; slot < Slot.FIRST_DATAGRAM; slot++) {
            TrackedSocket tracked = slots[slot];
            TrackedSocket peer = tracked == null ? null : tracked.peer;
            if (tracked != null && peer != null && !tracked.closed && !tracked.connectionEnded && peer.outputEnded
                    && !peer.finArrived) {
                tracked.finBlocked = true;
                peer.finBlocked = true;
            }
        }
    }

    private boolean hasAllArrived(@Nullable TrackedSocket[] slots) {
        boolean all = true;
        for (int slot = Slot.FIRST_CLIENT; slot < Slot.FIRST_DATAGRAM; slot++) {
            TrackedSocket tracked = slots[slot];
            if (tracked != null && !tracked.closed && !tracked.connectionEnded && tracked.peer != null) {
                all &= hasArrivedAt(tracked, tracked.peer);
            }
        }
        return all;
    }

    /** Returns true if an open end has received everything that its peer has sent, including a FIN or a reset. */
    private boolean hasArrivedAt(TrackedSocket tracked, TrackedSocket peer) {
        boolean bytesMissing = peer.arrived < peer.sent;
        boolean finMissing = peer.outputEnded && !peer.finArrived;
        boolean resetMissing = peer.closed && tracked.sent > tracked.sentBeforePeerClosed;
        if (!bytesMissing && !finMissing && !resetMissing) {
            return true;
        }
        if (!progress.ask(tracked.socket.fd())) {
            return true;
        }
        if (progress.state() == TcpProgress.CLOSE) {
            tracked.connectionEnded = true;
            return true;
        }
        if (progress.bytesReceived() != peer.arrived) {
            progressCount++;
            peer.arrived = progress.bytesReceived();
        }
        peer.finArrived = peer.outputEnded && progress.isInputOver();
        return peer.arrived >= peer.sent && peer.finArrived == peer.outputEnded && !resetMissing;
    }
}
