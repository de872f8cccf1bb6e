package io.trivet.observe;

/**
 * The life cycle of a connection.
 *
 * <pre>
 * CONNECTING ──► OPEN ──► INPUT_ENDED ──► DRAINING ──► LINGERING ──► CLOSED
 *                  └───────────────────────►┘
 * </pre>
 *
 * Every state can be followed by CLOSED directly.
 */
public enum ConnectionState {
    /**
     * An outgoing connection that is not established yet, an accepted one whose proxy has yet to send the PROXY header, or any
     * connection in its TLS handshake.
     */
    CONNECTING,
    /** The connection is established, and the peer has not ended its output. */
    OPEN,
    /** The peer has ended its output (FIN). Messages can still be sent. */
    INPUT_ENDED,
    /** No further messages are accepted or delivered. What is queued is sent, then our output ends. */
    DRAINING,
    /**
     * Our output has ended. Input is read and discarded: closing with unread input sends a reset, which can destroy the last reply
     * before the peer has read it.
     */
    LINGERING,
    /** Closed. */
    CLOSED
}
