package io.trivet.sim.kernel;

import io.trivet.linux.TcpProgress;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * What was sent over loopback has nearly always arrived when the call returns. Where it has not, or is not told yet, it is waited for as long as
 * something is known to be missing, and a little longer.
 */
final class RingKernelSettling implements RingSettling {
    private static final int QUIET_ENOUGH = 2;
    private static final int SPINS = 4;
    private static final int ATTEMPTS_MAX = 24;
    private static final int ATTEMPTS_FOR_FULL_BUFFERS = 3;
    private static final long PAUSE_NANOS = 50_000;

    private final TcpProgress progress = new TcpProgress();

    @Override
    @SuppressWarnings("ThreadPriorityCheck") // the kernel's own thread is to be let run, if it has anything to do
    public void settle(RingActor actor) throws IOException {
        int quiet = 0;
        int attempts = 0;
        while (true) {
            quiet = actor.proactor().poll(actor, 0) == 0 ? quiet + 1 : 0;
            attempts = quiet == 0 ? 0 : attempts + 1;
            boolean misses = false;
            boolean full = false;
            for (RingEnd end : actor.ends()) {
                if (end != null) {
                    actor.finishConnect(end);
                    misses |= misses(end, actor.isAccepting());
                    full |= end.full;
                }
            }
            if ((!misses && quiet >= QUIET_ENOUGH) || attempts >= ATTEMPTS_MAX
                    || (full && attempts >= ATTEMPTS_FOR_FULL_BUFFERS)) {
                return;
            }
            if (quiet > SPINS) {
                LockSupport.parkNanos(PAUSE_NANOS);
            } else if (quiet > 1) {
                Thread.yield();
            }
        }
    }

    @Override
    public int descriptor(TcpStream stream) {
        return stream.fd();
    }

    /** Whether something that must come has not come. */
    private boolean misses(RingEnd end, boolean accepting) {
        if (end.closed) {
            return end.byRing && !end.gone;
        }
        if (end.connecting || (end.isBusy() && !end.failed)) {
            return true;
        }
        RingEnd peer = end.peer;
        if (peer == null) {
            return end.toRing && accepting && end.number % 2 == 0 && !end.failed;
        }
        return !end.failed && !end.inputEnded && missesInput(end, peer);
    }

    private boolean missesInput(RingEnd end, @Nullable RingEnd peer) {
        if (peer == null || peer.full) {
            return false;
        }
        boolean over = (peer.finished || peer.closed) && peer.pending == 0;
        if (end.receiving) {
            return over || end.received < peer.sent - peer.urgentSent;
        }
        if (end.fd < 0 || !progress.ask(end.fd) || progress.state() == TcpProgress.CLOSE) {
            return false;
        }
        return progress.bytesReceived() < peer.sent || (over && !progress.isInputOver());
    }
}
