package io.trivet.scenarios;

/** What a client of the {@link SecuredServer} does to its connection. */
enum SecuredClientKind {
    /** Sends its messages, and ends its output with a close_notify. */
    COMPLETES,
    /** Sends its messages, and ends the TCP stream between two records, without a close_notify. */
    TRUNCATES,
    /** Sends its messages, and ends the TCP stream within a record. */
    CUTS_RECORD,
    /** Sends its messages, and resets the connection. */
    RESETS,
    /** Sends its messages, and then a record of which one bit was changed. */
    FORGES,
    /** Sends the beginning of its first message of the handshake, or all of it, and nothing more. */
    STALLS,
    /** Sends the beginning of its first message of the handshake, or all of it, and ends the TCP stream. */
    CUTS_HANDSHAKE,
    /** Sends a close_notify in place of a handshake. */
    ENDS_HANDSHAKE,
    /** Sends bytes that are no TLS. */
    SENDS_GARBAGE,
    /** Sends its first message of the handshake, and then bytes that are no TLS. */
    SENDS_GARBAGE_WITHIN;

    /** Returns true if the client completes its handshake. */
    boolean connects() {
        return switch (this) {
            case COMPLETES, TRUNCATES, CUTS_RECORD, RESETS, FORGES -> true;
            case STALLS, CUTS_HANDSHAKE, ENDS_HANDSHAKE, SENDS_GARBAGE, SENDS_GARBAGE_WITHIN -> false;
        };
    }
}
