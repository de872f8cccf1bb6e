package io.trivet.scenarios;

/** How the connection of a {@link SecureTrial} ends. */
enum SecuredEnd {
    /** The server finishes the connection, or its session returns. */
    FINISH,
    /** The server ends its output, and still receives. */
    FINISH_OUTPUT,
    /** The client ends its output with a close_notify. */
    CLIENT_ENDS,
    /** The client ends its output without a close_notify. */
    CLIENT_CUTS
}
