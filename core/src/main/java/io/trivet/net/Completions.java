package io.trivet.net;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Provider interface (SPI): receives the completed operations of a {@link Proactor}. Applications use {@code io.trivet.server}
 * instead, whose event loop implements this interface.
 *
 * <p><b>Threads.</b> {@link Proactor#poll} calls every method on the polling thread, one call at a time.
 *
 * <p>A method may start and stop operations and close connections, including other connections than its own. After a connection
 * has been closed, only {@link #closed} is still called for it. No method may throw.
 */
public interface Completions {
    /**
     * A connection was accepted. The receiver of this call owns it and either {@linkplain Proactor#adopt adopts} or closes it.
     *
     * @param token the token of the listener
     * @param stream the connection
     */
    void accepted(long token, TcpStream stream);

    /**
     * Accepting failed, and will fail again while the cause lasts. {@linkplain Proactor#stopAccepting Stop accepting}, and try
     * again later.
     *
     * @param token the token of the listener
     * @param failure the cause: {@link ErrorCode#EMFILE}, …
     */
    void acceptFailed(long token, IOException failure);

    /**
     * A connect has succeeded.
     *
     * @param handle the connection
     */
    void connected(long handle);

    /**
     * Bytes have arrived. The proactor chooses the memory, which is valid only during this call. Exception: bytes that are passed
     * to {@link Proactor#send} during this call, as buffers over this memory, stay valid until that send has completed.
     *
     * @param handle the connection
     * @param memory a direct buffer; must not be modified
     * @param from the index of the first byte
     * @param to the index after the last byte, greater than {@code from}
     */
    void received(long handle, ByteBuffer memory, int from, int to);

    /**
     * An urgent byte has arrived. This is called before the ordinary data that is ready at the same time.
     *
     * @param handle the connection
     * @param b the byte
     */
    void urgent(long handle, byte b);

    /**
     * The peer has ended its output. No more bytes follow, and receiving has stopped.
     *
     * @param handle the connection
     */
    void inputEnded(long handle);

    /**
     * The stream from the peer has ended, but not in the way in which it ends when it is complete: on a connection with TLS, without
     * close_notify. No more bytes follow, and receiving has stopped. Sending is still possible.
     *
     * @param handle the connection
     * @param failure what is missing
     */
    default void inputTruncated(long handle, IOException failure) {
        failed(handle, failure);
    }

    /**
     * A send has completed, or the socket is writable again.
     *
     * <ul>
     *   <li>After {@link Proactor#PENDING}, if all bytes were written, the next send may follow.
     *   <li>After {@link Proactor#PENDING}, if the socket became full, the caller owns the remaining bytes again. They stay where
     *       they are at least until this call returns. A later call reports that the socket is writable.
     *   <li>After a send that did not write all bytes, the socket is writable again, and the next send may follow.
     * </ul>
     *
     * @param handle the connection
     * @param bytes the number of bytes of the pending send that were written, from 0 to all; 0 if no send was pending
     */
    void sent(long handle, long bytes);

    /**
     * The connection, or the attempt to connect, has failed. It stays open until it is closed, but completes no more operations.
     *
     * @param handle the connection
     * @param failure the cause
     */
    void failed(long handle, IOException failure);

    /**
     * Readiness was reported many times in a row although there was nothing to do. The kernel or this program has a bug, and the
     * loop would occupy a whole processor. Close the connection.
     *
     * @param handle the connection
     * @param description the descriptor, its events and its state, for the log
     */
    void spinning(long handle, String description);

    /**
     * A connection has been closed completely: all its operations have ended, and all memory that it borrowed is free. This is
     * the last call for a handle.
     *
     * @param handle the connection
     */
    void closed(long handle);
}
