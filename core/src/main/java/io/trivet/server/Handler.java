package io.trivet.server;

import io.trivet.observe.CloseReason;
import java.nio.ByteBuffer;

/**
 * What an application does with its connections. Every method is called on the connection's loop, one at a time for all connections of
 * that loop: none may wait. One that throws an exception loses its connection ({@link CloseReason#HANDLER_FAILED}) and nothing else; an
 * {@link Error} stops the server, loudly.
 *
 * <p>The order, for each connection: onOpen, then any of the others, then onClose, which is the last. An outgoing connection that does
 * not come about is told onClose alone.
 */
@FunctionalInterface
public interface Handler {
    /**
     * The connection is there.
     *
     * @param connection the connection
     * @throws Exception closes the connection
     */
    default void onOpen(Connection connection) throws Exception {}

    /**
     * A whole message has arrived.
     *
     * @param connection the connection
     * @param message what the {@linkplain Framing frame} holds, from position to limit; the position need not be 0, so count from there, and
     *     do not rewind: what lies around it is not the message. Read-only, and valid during the call: copy what is to be kept
     * @throws Exception closes the connection
     */
    void onMessage(Connection connection, ByteBuffer message) throws Exception;

    /**
     * TCP's urgent byte has arrived. Only when the server was built with {@code urgent(true)}.
     *
     * @param connection the connection
     * @param b the byte
     * @throws Exception closes the connection
     */
    default void onUrgent(Connection connection, byte b) throws Exception {}

    /**
     * The peer has finished; we may still send, unless we have {@linkplain Connection#finishOutput finished} before. An unfinished message was
     * dropped. Unless overridden, everything that waits is delivered and the connection closed.
     *
     * @param connection the connection
     * @throws Exception closes the connection
     */
    default void onEndOfInput(Connection connection) throws Exception {
        connection.finish();
    }

    /**
     * The queue has reached its high mark, and has fallen to the low one: it is a good time to send on. Told once for each time that it
     * was high, also when the socket took everything at once.
     *
     * @param connection the connection
     * @throws Exception closes the connection
     */
    default void onDrained(Connection connection) throws Exception {}

    /**
     * The policy {@link Overflow#DROP_OLDEST} has dropped messages. It may be answered by a message: what that drops, here or at any other
     * connection of the loop, is told later, added up: when more is dropped, when the queue has become empty, or before an end in good order.
     *
     * @param connection the connection
     * @param messages how many
     * @param bytes how many bytes they had, frames included
     * @throws Exception closes the connection
     */
    default void onDropped(Connection connection, int messages, long bytes) throws Exception {}

    /**
     * The connection is closed. Nothing can be sent any more. What the network said, if it was the network: {@link Connection#failure}.
     *
     * @param connection the connection
     * @param reason why
     * @throws Exception is logged
     */
    default void onClose(Connection connection, CloseReason reason) throws Exception {}
}
