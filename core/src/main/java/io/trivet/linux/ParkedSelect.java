package io.trivet.linux;

import io.trivet.net.Socket;
import java.io.IOException;
import java.util.Arrays;

/**
 * Implements {@link io.trivet.net.Network#selectOnce} for a virtual thread without blocking its carrier: checks the sockets,
 * parks until one may be ready ({@link ParkedWaits}), and checks again. The checks are the network's own calls with timeout zero,
 * so the results and errors are the same as those of a platform thread.
 */
final class ParkedSelect {
    private ParkedSelect() {}

    /** The network's call, which blocks the carrier while it waits. */
    interface KernelCall {
        int select(Socket[] sockets, int[] interests, int count, long timeoutNanos) throws IOException;
    }

    static int select(KernelCall call, Socket[] sockets, int[] interests, int count, long timeoutNanos) throws IOException {
        int[] asked = Arrays.copyOf(interests, count);
        long start = timeoutNanos < 0 ? 0 : System.nanoTime();
        long left = timeoutNanos;
        while (true) {
            int ready = call.select(sockets, interests, count, 0);
            if (ready > 0 || left == 0 || Thread.currentThread().isInterrupted()) {
                return ready;
            }
            System.arraycopy(asked, 0, interests, 0, count);
            ParkedWaits.Wait wait = new ParkedWaits.Wait();
            boolean started = false;
            try {
                started = ParkedWaits.SHARED.start(wait, sockets, asked, count);
                if (started) {
                    wait.park(left);
                }
            } finally {
                ParkedWaits.SHARED.end(wait);
            }
            left = timeoutNanos < 0 ? timeoutNanos : Math.max(0, timeoutNanos - (System.nanoTime() - start));
            if (!started || wait.isRefused()) {
                return call.select(sockets, interests, count, left);
            }
        }
    }
}
