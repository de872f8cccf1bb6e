package io.trivet.observe;

/** What happens in the turn of a loop, see {@link LoopObserver}. */
public enum LoopEvent {
    /** A listening socket was readable, and a client was accepted. The amount is the index of the listener. */
    ACCEPTED,
    /** A connection was opened: its socket is watched from now on. */
    OPENED,
    /** A socket was readable. The amount is the number of bytes received. */
    RECEIVED,
    /** Messages were delivered to the handler. The amount is their number. */
    DELIVERED,
    /** The kernel has accepted bytes for sending. The amount is their number. */
    SENT,
    /**
     * The socket's buffer is full, so the rest waits in the send queue, and the socket is watched for output. The amount is the
     * number of bytes in the queue.
     */
    SOCKET_FULL,
    /** A socket that was full is writable again. */
    WRITABLE,
    /**
     * The kernel has accepted what was offered to a socket that was full, so the socket is not watched for output any more. The amount
     * is the number of bytes in the queue: 0, or those that are sent after the other connections have had their turn.
     */
    SOCKET_DRAINED,
    /**
     * The send queue has reached its high mark, and reading from the peer is paused. Only with {@code PAUSE_READING}. The amount is
     * the number of bytes in the queue.
     */
    QUEUE_HIGH,
    /**
     * After {@link #QUEUE_HIGH}: the send queue is at its low mark or below, and reading continues. The amount is the number of
     * bytes in the queue.
     */
    QUEUE_LOW,
    /** Messages in the send queue were dropped by {@code DROP_OLDEST}. The amount is their number. */
    DROPPED,
    /** A socket had urgent data. The amount is the byte, from 0 to 255. */
    URGENT,
    /** The peer has ended its output: the socket was readable, and a read returned the end of input. */
    INPUT_ENDED,
    /** A connection was closed: its socket is in no list any more. {@code Server.recentlyClosed} has the reason. */
    CLOSED,
    /** Tasks of other threads were run. The amount is their number. */
    TASKS
}
