package io.trivet.sim;

import java.util.function.IntPredicate;

/** The ephemeral ports (net.ipv4.ip_local_port_range), assigned one after the other. */
final class EphemeralPorts {
    private static final int PORT_MIN = 32_768;
    private static final int PORT_MAX = 60_999;
    private static final int COUNT = PORT_MAX - PORT_MIN + 1;

    private int next;

    /** Starts at the lowest port. */
    EphemeralPorts() {
        next = PORT_MIN;
    }

    /** Starts at a random port. */
    EphemeralPorts(SimRandom random) {
        next = PORT_MIN + random.below(COUNT - 1);
    }

    /** Returns the next free port; 0 if none is free. */
    int find(IntPredicate isFree) {
        for (int tried = 0; tried < COUNT; tried++) {
            int port = next;
            next = port == PORT_MAX ? PORT_MIN : port + 1;
            if (isFree.test(port)) {
                return port;
            }
        }
        return 0;
    }
}
