package io.trivet.scenarios;

/** Races between a loop and the completions of its operations. */
enum Race {
    /** Bytes are received after receiving was stopped. */
    RECEIVED_AFTER_STOP,
    /** The input ends after receiving was stopped. */
    END_AFTER_STOP,
    /** A send is pending, and the kernel reads its memory. */
    SEND_PENDING,
    /** Bytes are received while a send is pending. */
    RECEIVED_WHILE_SENDING,
    /** A connection is closed while a send is pending. */
    CLOSED_WHILE_SENDING,
    /** A connection fails while a send is pending. */
    FAILED_WHILE_SENDING,
    /** A connection is closed while it receives. */
    CLOSED_WHILE_RECEIVING,
    /** Receiving is resumed at the same moment at which it was stopped. */
    RECEIVING_RESUMED_AT_ONCE,
    /** The last completion of a closed connection comes some time after the close. */
    CLOSED_LATE,
    /** The socket has refused bytes that a ring had accepted; they are sent later. */
    ACCEPTED_THEN_REFUSED,
    /** A send is made while bytes that were accepted earlier are unsent. */
    SEND_AFTER_UNSENT,
    /** The output is to be shut down while accepted bytes are unsent. */
    ENDED_WHILE_UNSENT,
    /** Unsent bytes are sent in several steps. */
    UNSENT_SENT_IN_STEPS,
    /** A connection is closed while accepted bytes are unsent. */
    CLOSED_WHILE_UNSENT
}
