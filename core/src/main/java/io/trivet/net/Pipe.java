package io.trivet.net;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A pipe of the kernel: bytes written to the sink can be read from the source. In the three lists, each end is a socket of its
 * own.
 *
 * <p>Linux reports a full pipe as writable again only when a whole page of 4,096 bytes is free.
 */
public interface Pipe extends AutoCloseable {
    /**
     * Returns the end to read from.
     *
     * @return the source
     */
    Source source();

    /**
     * Returns the end to write to.
     *
     * @return the sink
     */
    Sink sink();

    /**
     * Closes both ends.
     *
     * @throws IOException the kernel reports an error; both ends are closed nevertheless
     */
    @Override
    void close() throws IOException;

    /** The end to read from. Threads: see {@link Socket}. */
    interface Source extends Socket {
        /**
         * Reads the available bytes.
         *
         * @param buffer receives the bytes; its position advances by the bytes read
         * @return the number of bytes; 0: it would block (or the buffer is full); -1: the sink is closed and all bytes were read
         * @throws IOException the kernel reports an error, or this end is closed
         */
        int read(ByteBuffer buffer) throws IOException;
    }

    /** The end to write to. Threads: see {@link Socket}. */
    interface Sink extends Socket {
        /**
         * Writes as many bytes as fit.
         *
         * @param buffer the bytes; its position advances by the bytes written
         * @return the number of bytes written; 0: it would block (or the buffer is empty)
         * @throws NetworkException {@link ErrorCode#EPIPE}: the source is closed
         * @throws IOException this end is closed
         */
        int write(ByteBuffer buffer) throws IOException;
    }
}
