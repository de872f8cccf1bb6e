package io.trivet.sim.kernel;

import java.util.Locale;

/**
 * One operation of a script for the completion view.
 *
 * @param op the operation
 * @param end the index of the end: twice the connection's number, plus one for the accepted end; negative if there is none
 * @param value a length, or the flags of a connect
 * @param skipsPoll whether the next step follows without a poll, before anything can complete
 */
record RingStep(Op op, int end, int value, boolean skipsPoll) {
    /** Operations. An end on the ring uses the proactor; another one uses system calls. */
    enum Op {
        /** The value has the flags {@link #FROM_RING}, {@link #TO_RING} and {@link #TO_CLOSED_PORT}. */
        CONNECT,
        /** Accepts everything that waits at the plain listener. */
        ACCEPT, STOP_ACCEPTING, ACCEPT_AGAIN, SEND,
        /** Sends three buffers at once. */
        GATHER,
        /** Sends a heap buffer. */
        SEND_FROM_HEAP, URGENT, SHUTDOWN_OUTPUT, CLOSE, RESET, READ, RECEIVE, STOP_RECEIVING, WATCH_URGENT,
        /** From now on echoes what it receives, directly from the received view. */
        ECHO,
        /** Stops receiving, or closes, inside the next completion. */
        STOP_ON_NEXT_RECEIVE, CLOSE_ON_NEXT_RECEIVE,
        /** Sends until the buffers are full. */
        FILL,
        /** Reads until nothing more arrives. */
        DRAIN,
        /** Polls with a short timeout. */
        WAIT,
        /** Polls with a long timeout after a wakeup: the poll must return at once. */
        WAKE
    }

    /** The ring connects; otherwise a plain socket does. */
    static final int FROM_RING = 1;
    /** Connects to the listener on the ring; otherwise to the plain one. */
    static final int TO_RING = 2;
    /** Connects to a port without a listener. */
    static final int TO_CLOSED_PORT = 4;

    @Override
    public String toString() {
        return (end < 0 ? "" : "c" + end / 2 + (end % 2 == 0 ? "" : "'") + " ")
                + op.name().toLowerCase(Locale.ROOT).replace('_', ' ') + (value == 0 ? "" : " " + value)
                + (skipsPoll ? " +" : "");
    }
}
