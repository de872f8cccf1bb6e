package io.trivet.scenarios;

/** What a client sends in plaintext, although the connection changes to TLS. */
enum PlaintextInjection {
    /** Nothing. */
    NONE,
    /** Messages, in one write with the request. */
    WITH_REQUEST,
    /** The beginning of a message, in one write with the request. */
    PART_WITH_REQUEST,
    /** A message, behind the server's answer: the server must reject it, because it is not TLS. */
    BEHIND_ANSWER
}
