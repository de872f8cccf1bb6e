package io.trivet.sim.kernel;

import io.trivet.linux.TcpProgress;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Polls until everything sent has arrived and its completions have been delivered. On loopback this is nearly always so when the call returns.
 * Otherwise polls as long as something is known to be missing, and a little longer.
 */
final class RingKernelSettler implements RingSettler {
    private static final int QUIET_ENOUGH = 2;
    private static final int SPINS = 4;
    private static final int ATTEMPTS_MAX = 24;
    private static final int ATTEMPTS_FOR_FULL_BUFFERS = 3;
    private static final long PAUSE_NANOS = 50_000;

    private final TcpProgress progress = new TcpProgress();

    @Override
    @SuppressWarnings("ThreadPriorityCheck") // lets the kernel's own thread run, if it has work
    public void settle(RingScriptRunner runner) throws IOException {
        int quietPolls = 0;
        int attempts = 0;
        while (true) {
            quietPolls = runner.proactor().poll(runner, 0) == 0 ? quietPolls + 1 : 0;
            attempts = quietPolls == 0 ? 0 : attempts + 1;
            boolean incomplete = false;
            boolean full = false;
            for (RingEnd end : runner.ends()) {
                if (end != null) {
                    runner.finishConnect(end);
                    incomplete |= isIncomplete(end, runner.isAccepting());
                    full |= end.full;
                }
            }
            if ((!incomplete && quietPolls >= QUIET_ENOUGH) || attempts >= ATTEMPTS_MAX
                    || (full && attempts >= ATTEMPTS_FOR_FULL_BUFFERS)) {
                return;
            }
            if (quietPolls > SPINS) {
                LockSupport.parkNanos(PAUSE_NANOS);
            } else if (quietPolls > 1) {
                Thread.yield();
            }
        }
    }

    @Override
    public int descriptor(TcpStream stream) {
        return stream.fd();
    }

    /** Returns true if a completion or input is still to come. */
    private boolean isIncomplete(RingEnd end, boolean accepting) {
        if (end.closed) {
            return end.onRing && !end.released;
        }
        if (end.connecting || (end.isSending() && !end.failed)) {
            return true;
        }
        RingEnd peer = end.peer;
        if (peer == null) {
            return end.targetsRing && accepting && end.index % 2 == 0 && !end.failed;
        }
        return !end.failed && !end.inputEnded && isInputIncomplete(end, peer);
    }

    private boolean isInputIncomplete(RingEnd end, @Nullable RingEnd peer) {
        if (peer == null || peer.full) {
            return false;
        }
        boolean ended = (peer.outputEnded || peer.closed) && peer.pending == 0;
        if (end.receiving) {
            return ended || end.received < peer.sent - peer.urgentSent;
        }
        if (end.fd < 0 || !progress.ask(end.fd) || progress.state() == TcpProgress.CLOSE) {
            return false;
        }
        return progress.bytesReceived() < peer.sent || (ended && !progress.isInputOver());
    }
}
