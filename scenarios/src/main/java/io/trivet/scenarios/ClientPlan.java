package io.trivet.scenarios;

import java.util.List;

/**
 * One client of a scenario.
 *
 * @param number its number in the scenario
 * @param kind its behaviour
 * @param host the index of its host among those of the clients
 * @param server the number of its server
 * @param outgoing true if the server connects to the client, which listens
 * @param listens false if the client does not listen, so that the server's connect is refused
 * @param startNanos when it connects, or the server connects to it
 * @param pace how fast it reads and writes
 * @param receivesUrgent true if it receives urgent bytes; otherwise the kernel drops them
 * @param bufferBytes the size of its socket's buffers; 0 for the default
 * @param steps its script
 */
record ClientPlan(int number, ClientKind kind, int host, int server, boolean outgoing, boolean listens, long startNanos,
        Pace pace,
        boolean receivesUrgent, int bufferBytes, List<Step> steps) {
    ClientPlan withSteps(List<Step> others) {
        return new ClientPlan(number, kind, host, server, outgoing, listens, startNanos, pace, receivesUrgent, bufferBytes,
                others);
    }

    ClientPlan withPace(Pace other) {
        return new ClientPlan(number, kind, host, server, outgoing, listens, startNanos, other, receivesUrgent, bufferBytes,
                steps);
    }

    ClientPlan withBufferBytes(int other) {
        return new ClientPlan(number, kind, host, server, outgoing, listens, startNanos, pace, receivesUrgent, other, steps);
    }

    ClientPlan withReceivesUrgent(boolean other) {
        return new ClientPlan(number, kind, host, server, outgoing, listens, startNanos, pace, other, bufferBytes, steps);
    }
}
