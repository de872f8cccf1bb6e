package io.trivet.net;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * What {@link Proactor#poll} tells its caller: operations that have completed, one call each, on the thread that polls. A method may
 * start, stop and close whatever it likes; what it closes is told nothing more, but for {@link #closed}. None may throw.
 */
public interface Completions {
    /**
     * A connection was accepted. The receiver owns it, and {@linkplain Proactor#adopt adopts} it or closes it.
     *
     * @param token the listener's token
     * @param stream the connection
     */
    void accepted(long token, TcpStream stream);

    /**
     * Accepting failed, and will fail again while the cause lasts: {@linkplain Proactor#stopAccepting stop}, and come back later.
     *
     * @param token the listener's token
     * @param failure why: {@link ErrorCode#EMFILE}, …
     */
    void acceptFailed(long token, IOException failure);

    /**
     * A connect has succeeded.
     *
     * @param handle the connection
     */
    void connected(long handle);

    /**
     * Bytes have arrived. They lie in memory that the proactor picked, and are valid during the call; bytes that the call gives to
     * {@link Proactor#send}, as buffers over this memory, stay valid until that send has completed.
     *
     * @param handle the connection
     * @param memory a direct buffer; not to be changed
     * @param from the index of the first byte
     * @param to the index behind the last byte, above {@code from}
     */
    void received(long handle, ByteBuffer memory, int from, int to);

    /**
     * The urgent byte has arrived; told before the ordinary data that is ready with it.
     *
     * @param handle the connection
     * @param b the byte
     */
    void urgent(long handle, byte b);

    /**
     * The peer has finished: there is nothing more to receive, and receiving has stopped.
     *
     * @param handle the connection
     */
    void inputEnded(long handle);

    /**
     * A send may follow: the one that was {@link Proactor#PENDING} has gone out whole, or a socket that did not take all has room
     * again. Or it may not yet: of the pending send not all was taken, the socket is full, and a later call tells that it has room.
     * Then the rest is the caller's again, and lies where it lay at least until this call returns.
     *
     * @param handle the connection
     * @param bytes how many bytes of a pending send were taken, from 0 to all; 0 when none was pending
     */
    void sent(long handle, long bytes);

    /**
     * The connection, or the attempt to connect, has failed. It stays open until it is closed, and tells nothing more.
     *
     * @param handle the connection
     * @param failure why
     */
    void failed(long handle, IOException failure);

    /**
     * Readiness was reported many times in a row, and there was nothing to do: the kernel or this program is mistaken, and the loop
     * would burn a processor. The connection should be closed.
     *
     * @param handle the connection
     * @param description the descriptor, its events and its state, for the log
     */
    void spinning(long handle, String description);

    /**
     * A closed connection is gone, and with it every operation and all memory that was lent to it. The last call about a handle.
     *
     * @param handle the connection
     */
    void closed(long handle);
}
