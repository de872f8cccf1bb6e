package io.trivet.sim.kernel;

import io.trivet.net.TcpStream;
import java.io.IOException;

/** How a network, and what it tells, comes to rest after a step. */
interface RingSettling {
    /** Polls until nothing more comes. */
    void settle(RingActor actor) throws IOException;

    /** The number to ask about a stream by; negative: nobody is asked. */
    int descriptor(TcpStream stream);

    /** Where everything happens at once. */
    RingSettling SIMULATED = new RingSettling() {
        private static final int QUIET_ENOUGH = 2;

        @Override
        public void settle(RingActor actor) throws IOException {
            for (int quiet = 0; quiet < QUIET_ENOUGH;) {
                for (RingEnd end : actor.ends()) {
                    if (end != null) {
                        actor.finishConnect(end);
                    }
                }
                quiet = actor.proactor().poll(actor, 0) == 0 ? quiet + 1 : 0;
            }
        }

        @Override
        public int descriptor(TcpStream stream) {
            return -1;
        }
    };
}
