package io.trivet.scenarios;

/** How a session has ended, as its code saw it. */
enum SessionEnd {
    /** It has received the end of the input. */
    INPUT_ENDED,
    /** It has received the end of the input since its server drains. */
    DRAINED,
    /** It has returned before the end of the input. */
    RETURNED,
    /** It has thrown an exception of its own. */
    THREW,
    /** A call has thrown since the connection was closed. */
    CLOSED
}
