package io.trivet.server;

import io.trivet.net.Proactor;
import io.trivet.net.SendableFile;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Where the bytes of a {@link Transfer} come from. One thread. */
interface TransferSource extends Closeable {
    /**
     * Reads the next bytes.
     *
     * @param piece the free space to fill
     * @param at the number of bytes that were read before
     * @return the number of bytes; 0: there are none now; -1: the source has ended
     * @throws IOException the source has failed
     */
    int read(ByteBuffer piece, long at) throws IOException;

    /**
     * Returns the number of bytes that {@link #sendTo} can send now. If there are none, the source continues the transfer when it
     * has some.
     */
    default long available() {
        return Long.MAX_VALUE;
    }

    /**
     * Sends bytes without reading them, where that is possible.
     *
     * @param count no more than are {@linkplain #available available}
     * @return as {@link Proactor#sendFile}
     * @throws IOException the source or the connection has failed
     */
    default long sendTo(Proactor proactor, long handle, long at, long count) throws IOException {
        return SendableFile.UNSUPPORTED;
    }
}
