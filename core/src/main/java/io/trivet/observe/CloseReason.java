package io.trivet.observe;

/**
 * Why a connection was closed. The handler, the log and the snapshots report the same reason.
 *
 * <p>The peer can always tell a complete stream from a cut one. A FIN, which it reads as the end of the stream, means that
 * everything accepted for sending was delivered to it. If anything was dropped, the peer gets a reset: its next call fails with
 * ECONNRESET.
 *
 * <table>
 * <caption>What the peer sees</caption>
 * <tr><th>reason</th><th>what happens to accepted messages</th><th>what the peer sees</th></tr>
 * <tr><td>FINISHED, PEER_FINISHED, DRAINED</td><td>they are sent, however long it takes (write timeout)</td>
 *     <td>everything, then the end</td></tr>
 * <tr><td>MESSAGE_TOO_LONG, PROTOCOL_ERROR, MESSAGE_TIMEOUT, FIRST_MESSAGE_TIMEOUT, IDLE_TIMEOUT, HANDLER_FAILED,
 *     TRUNCATED</td><td>they are sent within the
 *     linger timeout</td><td>everything, then the end; if the time was too short, a reset</td></tr>
 * <tr><td>CLOSED, SERVER_CLOSED, QUEUE_FULL, BUDGET_EXCEEDED, WRITE_TIMEOUT, TRANSFER_FAILED, SPINNING,
 *     FAILED</td><td>they are dropped, if the
 *     kernel has not taken them</td>
 *     <td>a reset if anything was dropped, or after {@code Connection.reset()}; otherwise everything, then the end</td></tr>
 * <tr><td>RESET, CONNECT_FAILED, CONNECT_TIMEOUT</td><td>they are dropped</td><td>there is no connection any more</td></tr>
 * <tr><td>HANDSHAKE_FAILED, HANDSHAKE_TIMEOUT</td><td>they are dropped</td>
 *     <td>an alert with the reason, if it can still be sent, then the end</td></tr>
 * <tr><td>TOO_MANY_FROM_ADDRESS</td><td>there are none</td><td>the end at once, or a reset if it has sent something</td></tr>
 * <tr><td>ADDRESS_DENIED</td><td>there are none</td><td>a reset</td></tr>
 * </table>
 *
 * <p>Independently of the reason, the kernel resets a connection that is closed while bytes from the peer are unread.
 */
public enum CloseReason {
    /** The peer ended its output, everything sent to it was delivered, and our output ended too. */
    PEER_FINISHED("the peer finished"),
    /**
     * The application finished the connection: all queued messages were sent, and the peer closed or the linger limits were
     * reached.
     */
    FINISHED("finished"),
    /** The application closed or reset the connection at once. Messages that were still queued were dropped. */
    CLOSED("closed by the application"),
    /** The server was drained: it accepted no further messages, and everything queued for the peer was delivered. */
    DRAINED("the server drained"),
    /** The server was closed, or its drain time expired before this connection was finished. */
    SERVER_CLOSED("the server closed"),
    /** The peer reset the connection, or the network failed (ETIMEDOUT, EHOSTUNREACH and the like). */
    RESET("reset by the peer"),
    /** A system call on the socket failed with another error. */
    FAILED("a system call failed"),
    /** An outgoing connection could not be established. */
    CONNECT_FAILED("the connect failed"),
    /** An outgoing connection was not established within the connect timeout. */
    CONNECT_TIMEOUT("the connect timed out"),
    /** A message did not fit into the connection's send queue. */
    QUEUE_FULL("the send queue was full"),
    /** The memory held by all connections together exceeded the server's budget, and this connection held the most. */
    BUDGET_EXCEEDED("it held the most when the memory of all connections was used up"),
    /** The peer accepted no byte of the queued messages within the write timeout. */
    WRITE_TIMEOUT("the peer accepted no data for too long"),
    /**
     * No byte was received or sent within the idle timeout, or none was received within the read idle timeout. Then queued messages
     * were sent, within the linger timeout.
     */
    IDLE_TIMEOUT("idle for too long"),
    /** A message was not complete within the message timeout. */
    MESSAGE_TIMEOUT("a message took too long"),
    /** The first message was not complete within its timeout. */
    FIRST_MESSAGE_TIMEOUT("the first message took too long"),
    /** A received message was longer than the limit. */
    MESSAGE_TOO_LONG("a message was too long"),
    /**
     * The input broke the protocol: the application's decoder threw an exception or reported impossible indices, or an unfinished
     * message remained at the end of input. {@code Connection.failure()} has the message. Also an encoder that failed on a message
     * that had been accepted. With TLS, also a record that was forged or not allowed.
     */
    PROTOCOL_ERROR("the protocol was broken"),
    /**
     * The TLS handshake failed: the peer does not speak TLS, or one side refuses the other's certificate, version or name. {@code
     * Connection.failure()} has the message. The handler gets only {@code onClose}.
     */
    HANDSHAKE_FAILED("the TLS handshake failed"),
    /** The TLS handshake was not complete within its timeout. The handler gets only {@code onClose}. */
    HANDSHAKE_TIMEOUT("the TLS handshake took too long"),
    /**
     * The peer's TCP connection ended without TLS's close_notify: what was received may have been cut off. Everything that had
     * arrived was delivered, and what was queued is sent.
     */
    TRUNCATED("the TLS stream was cut off"),
    /** The handler threw an exception. */
    HANDLER_FAILED("the handler failed"),
    /**
     * A streamed message could not be completed: its source failed, or ended too early. Or the connection had a relay, and the
     * other connection was cut.
     */
    TRANSFER_FAILED("a transfer or a relay was cut"),
    /** The peer's address already had the maximum number of connections. */
    TOO_MANY_FROM_ADDRESS("too many connections from that address"),
    /**
     * The access list of the server refuses the peer's address. No handler is called. If the address is from the header of a
     * trusted proxy, only {@code onClose} is called; the same holds for TOO_MANY_FROM_ADDRESS.
     */
    ADDRESS_DENIED("the access list refuses that address"),
    /** The socket was reported as ready again and again without any progress, which kept its loop busy. */
    SPINNING("it kept its loop busy without progress");

    private final String description;

    CloseReason(String description) {
        this.description = description;
    }

    /**
     * Returns the reason as a phrase for logs and messages.
     *
     * @return a clause in lower case, without a full stop
     */
    public String description() {
        return description;
    }
}
