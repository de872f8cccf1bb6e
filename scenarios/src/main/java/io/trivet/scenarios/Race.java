package io.trivet.scenarios;

/** What can come in an unexpected order between a loop and what completes its operations. */
enum Race {
    /** Input is told after receiving was stopped. */
    RECEIVED_AFTER_STOP,
    /** The end of the input is told after receiving was stopped. */
    END_AFTER_STOP,
    /** A send is on its way, and its memory with it. */
    SEND_PENDING,
    /** Something is received while a send is on its way. */
    RECEIVED_WHILE_SENDING,
    /** A connection is closed while a send is on its way. */
    CLOSED_WHILE_SENDING,
    /** A connection fails while a send is on its way. */
    FAILED_WHILE_SENDING,
    /** A connection is closed while a receive is under way. */
    CLOSED_WHILE_RECEIVING,
    /** Receiving begins anew in the very moment in which it was stopped. */
    RECEIVING_ANEW,
    /** A connection that was closed is gone only some time later. */
    GONE_LATER,
    /** What a ring has called taken has been refused by the socket, and goes later. */
    SILENT_REFUSED,
    /** A send finds that something before it, which was called taken, has not left. */
    SENT_BEHIND_UNSENT,
    /** An output is to end, and something that was called taken has not left. */
    ENDED_WHILE_UNSENT,
    /** Some of what was called taken and refused has left, and not all. */
    UNSENT_IN_STEPS,
    /** A connection is closed, and something that was called taken has not left. */
    CLOSED_WHILE_UNSENT
}
