package io.trivet.server;

import io.trivet.observe.CloseReason;
import java.nio.ByteBuffer;

/**
 * An application's callbacks for its connections. They are called on the loop thread of the connection, one at a time for all
 * connections of that loop, so none may block. If a callback throws an exception, its connection is closed
 * ({@link CloseReason#HANDLER_FAILED}), and no other connection is affected. An {@link Error} stops the server, and is logged.
 *
 * <p><b>Order.</b> For each connection, onOpen is called first and onClose last; the others may be called any number of times in
 * between. For a connection that cannot be established, that ends before its TLS handshake is complete, or whose proxy sends no
 * valid PROXY header, only
 * onClose is called.
 */
@FunctionalInterface
public interface Handler {
    /**
     * Called when the connection is open.
     *
     * @param connection the connection
     * @throws Exception closes the connection
     */
    default void onOpen(Connection connection) throws Exception {}

    /**
     * Called for each whole message that has arrived.
     *
     * @param connection the connection
     * @param message the content of the {@linkplain Framing frame}, from position to limit. The position need not be 0, so do not
     *     rewind the buffer: what surrounds the content does not belong to the message. Read-only, and valid only during the
     *     call: copy what you keep
     * @throws Exception closes the connection
     */
    void onMessage(Connection connection, ByteBuffer message) throws Exception;

    /**
     * Called with the bytes that {@link Connection#receiveParts} has requested, as they arrive.
     *
     * @param connection the connection
     * @param part the bytes from position to limit; read-only, and valid only during the call, as for {@link #onMessage}
     * @param last true if the requested bytes are complete with this part, which may be empty
     * @throws Exception closes the connection. By default, an {@link UnsupportedOperationException}
     */
    default void onPart(Connection connection, ByteBuffer part, boolean last) throws Exception {
        throw new UnsupportedOperationException("receiveParts was called, and the handler has no onPart");
    }

    /**
     * Called when TCP's urgent byte has arrived, if the server was built with {@code urgent(true)}.
     *
     * @param connection the connection
     * @param b the byte
     * @throws Exception closes the connection
     */
    default void onUrgent(Connection connection, byte b) throws Exception {}

    /**
     * Called when the peer has finished its output. We may still send, unless {@link Connection#finishOutput} was called before.
     * An unfinished message has been handled as {@link Framing#withRemainder} sets. Without an override, everything that waits is
     * sent, and the connection is closed.
     *
     * @param connection the connection
     * @throws Exception closes the connection
     */
    default void onEndOfInput(Connection connection) throws Exception {
        connection.finish();
    }

    /**
     * Called when the queue had reached its high mark and has now fallen to the low mark: a good time to continue sending. It is
     * called once each time the queue was high, even if the socket accepted everything at once.
     *
     * @param connection the connection
     * @throws Exception closes the connection
     */
    default void onDrained(Connection connection) throws Exception {}

    /**
     * Called when the policy {@link Overflow#DROP_OLDEST} has dropped messages, once for all drops since the last call. It comes after
     * the send that has caused the drop, and before a graceful close. The handler may send from here. Drops that these
     * messages cause, on this or another connection of the loop, are added up and notified later: when more is dropped, when the
     * queue is empty, or before a graceful close.
     *
     * @param connection the connection
     * @param messages the number of dropped messages
     * @param bytes their bytes, frames included
     * @throws Exception closes the connection
     */
    default void onDropped(Connection connection, int messages, long bytes) throws Exception {}

    /**
     * Called when the connection is closed. Nothing more can be sent. If the network ended it, or the protocol was broken, {@link
     * Connection#failure} returns the error.
     *
     * <p>If the connection is closed at once, this is called in the same turn of the loop: after a reset by the peer, another error of
     * the network, {@link Connection#close}, or a full queue. <b>Otherwise it is called later</b>, when the connection has lingered. After
     * {@link Connection#finish} everything that waits is sent first, as long as the peer accepts it within {@link
     * Limits#writeTimeout}. Then this waits for the peer's end of output, for {@link Limits#lingerTimeout} at most. After a broken protocol, a
     * message that was too long, a timeout of a message, or an exception of the handler, both together take at most the linger
     * timeout, and no other callback is called meanwhile. An application that has to act on the loss of a peer sooner, such as to publish its will,
     * acts in {@link #onEndOfInput}, and before it calls {@code finish}; or it sets a short linger timeout.
     *
     * @param connection the connection
     * @param reason why it was closed
     * @throws Exception is logged
     */
    default void onClose(Connection connection, CloseReason reason) throws Exception {}
}
