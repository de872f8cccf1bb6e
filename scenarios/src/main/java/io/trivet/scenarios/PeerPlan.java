package io.trivet.scenarios;

import java.util.List;

/**
 * One client: who it is, and what it does.
 *
 * @param number its number in the world
 * @param manner what kind of a client it is
 * @param host on which of the clients' hosts it lives
 * @param server the number of the server that it talks to
 * @param called it listens, and the server connects to it
 * @param listens whether it listens at all when it is called; else the connect is refused
 * @param startNanos when it comes, or is called
 * @param pace how fast it reads and writes
 * @param takesUrgent whether it takes urgent bytes; else the kernel drops them
 * @param bufferBytes the size of its socket's buffers; 0: as the system gives them
 * @param steps what it does
 */
record PeerPlan(int number, Manner manner, int host, int server, boolean called, boolean listens, long startNanos, Pace pace,
        boolean takesUrgent, int bufferBytes, List<Step> steps) {
    PeerPlan withSteps(List<Step> others) {
        return new PeerPlan(number, manner, host, server, called, listens, startNanos, pace, takesUrgent, bufferBytes, others);
    }
}
