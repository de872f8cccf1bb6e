package io.trivet.net;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A pipe of the kernel: what goes into the sink comes out of the source. Each end is a socket of its own for the lists.
 *
 * <p>Linux says that a full pipe is writable again only when a whole page of 4,096 bytes is free.
 */
public interface Pipe extends AutoCloseable {
    /**
     * The end to read from.
     *
     * @return the source
     */
    Source source();

    /**
     * The end to write to.
     *
     * @return the sink
     */
    Sink sink();

    /**
     * Closes both ends.
     *
     * @throws IOException the kernel reports an error; both are closed all the same
     */
    @Override
    void close() throws IOException;

    /** The end to read from. Threads: see {@link Socket}. */
    interface Source extends Socket {
        /**
         * Reads what is there.
         *
         * @param buffer where the bytes go; its position moves by the bytes read
         * @return the number of bytes; 0: it would block (or the buffer is full); -1: the sink is closed and all was read
         * @throws IOException an error of the kernel, or the end is closed
         */
        int read(ByteBuffer buffer) throws IOException;
    }

    /** The end to write to. Threads: see {@link Socket}. */
    interface Sink extends Socket {
        /**
         * Writes as much as fits.
         *
         * @param buffer the bytes; its position moves by what was taken
         * @return the number of bytes taken; 0: it would block (or the buffer is empty)
         * @throws NetworkException {@link ErrorCode#EPIPE} when the source is closed
         * @throws IOException the end is closed
         */
        int write(ByteBuffer buffer) throws IOException;
    }
}
