package io.trivet.observe;

/**
 * Where a connection stands in its life.
 *
 * <pre>
 * CONNECTING ──► OPEN ──► INPUT_ENDED ──► DRAINING ──► LINGERING ──► CLOSED
 *                  └───────────────────────►┘
 * </pre>
 *
 * From every state CLOSED can follow at once.
 */
public enum ConnectionState {
    /** Begun by us, not there yet. */
    CONNECTING,
    /** Both directions are open. */
    OPEN,
    /** The peer has finished; we may still send. */
    INPUT_ENDED,
    /** Nothing more is taken: what waits goes out, then our output ends. */
    DRAINING,
    /** Our output has ended; what still comes is read and dropped, so that no reset destroys the last reply. */
    LINGERING,
    /** Gone. */
    CLOSED
}
