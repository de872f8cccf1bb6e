package io.trivet.sim.kernel;

import java.util.Locale;

/**
 * One operation of a script for the completion view.
 *
 * @param op what is done
 * @param end the end it is done to: twice the connection's number, and one more for the end that was accepted
 * @param value how much, or how
 * @param holds whether the next step follows before anything can complete
 */
record RingStep(Op op, int end, int value, boolean holds) {
    /** Operations. An end that belongs to the ring does them by the ring, another one by calls. */
    enum Op {
        /** The value's bits: the ring connects; the ring's listener is the one; there is no listener. */
        CONNECT,
        /** What waits at the plain listener. */
        ACCEPT, STOP_ACCEPTING, ACCEPT_AGAIN, SEND,
        /** In three parts. */
        GATHER,
        /** From the heap. */
        SEND_FROM_HEAP, URGENT, FINISH, CLOSE, RESET, READ, RECEIVE, STOP_RECEIVING, WATCH_URGENT,
        /** Sends back what it receives from now on, straight from where that lies. */
        ECHO,
        /** Stops, or closes, in the midst of the next completion. */
        STOP_AT_NEXT, CLOSE_AT_NEXT,
        /** Sends until nothing more fits. */
        FILL,
        /** Reads until nothing more comes. */
        DRAIN,
        /** Waits for a moment. */
        WAIT,
        /** A wait for ever, which was ended before it began. */
        WAKE
    }

    static final int BY_RING = 1;
    static final int TO_RING = 2;
    static final int TO_NOBODY = 4;

    @Override
    public String toString() {
        return (end < 0 ? "" : "c" + end / 2 + (end % 2 == 0 ? "" : "'") + " ")
                + op.name().toLowerCase(Locale.ROOT).replace('_', ' ') + (value == 0 ? "" : " " + value) + (holds ? " +" : "");
    }
}
