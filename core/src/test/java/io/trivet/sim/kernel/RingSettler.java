package io.trivet.sim.kernel;

import io.trivet.net.TcpStream;
import java.io.IOException;

/** Waits after each step until everything sent has arrived and its completions have been delivered. */
interface RingSettler {
    /** Polls until no more completions arrive. */
    void settle(RingScriptRunner runner) throws IOException;

    /** Returns the descriptor for reading a stream's TCP_INFO; negative if it is not read. */
    int descriptor(TcpStream stream);

    /** For the simulated network, where everything happens at once. */
    RingSettler SIMULATED = new RingSettler() {
        private static final int QUIET_ENOUGH = 2;

        @Override
        public void settle(RingScriptRunner runner) throws IOException {
            for (int quietPolls = 0; quietPolls < QUIET_ENOUGH;) {
                for (RingEnd end : runner.ends()) {
                    if (end != null) {
                        runner.finishConnect(end);
                    }
                }
                quietPolls = runner.proactor().poll(runner, 0) == 0 ? quietPolls + 1 : 0;
            }
        }

        @Override
        public int descriptor(TcpStream stream) {
            return -1;
        }
    };
}
