package io.trivet.server;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Called when a transfer has ended: a message that {@link Connection#sendFrom} or {@link Connection#sendFile} streams, the input
 * of another connection that {@link Connection#relayTo} relays, or a message that was {@linkplain Connection#send(java.nio.ByteBuffer, TransferListener) sent with a listener}.
 */
@FunctionalInterface
public interface TransferListener {
    /**
     * Called when a transfer has ended: exactly once for each transfer that was accepted, on the thread of the connection's loop,
     * and never within the call that has started the transfer. The source is closed by then. If the connection ends first, this is called
     * before {@link Handler#onClose}, unless the transfer was started by another thread at the same moment.
     *
     * @param connection the connection to which the bytes were sent
     * @param bytes the number of bytes of the transfer that the kernel has accepted for the peer
     * @param failure null: all bytes were accepted. Otherwise the transfer was cut, and the peer gets a reset: the source has
     *     thrown this, or has ended too early; or the connection was closed
     * @throws Exception closes the connection with {@link io.trivet.observe.CloseReason#HANDLER_FAILED}
     */
    void done(Connection connection, long bytes, @Nullable IOException failure) throws Exception;
}
