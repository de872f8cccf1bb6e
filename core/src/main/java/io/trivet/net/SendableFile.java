package io.trivet.net;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Provider interface (SPI): a regular file that is open for reading, whose bytes can be sent. {@link Network#openFile} opens one.
 *
 * <p><b>Threads.</b> One at a time.
 */
public interface SendableFile extends AutoCloseable {
    /** Result of {@link TcpStream#sendFile}: the position is at or after the end of the file. */
    long ENDED = -1;

    /**
     * Result of {@link TcpStream#sendFile}: the network or the file system cannot send files. {@linkplain #read Read} the file
     * instead.
     */
    long UNSUPPORTED = -2;

    /**
     * Returns the current length of the file.
     *
     * @return the number of bytes
     * @throws IOException the file cannot be examined, or is closed
     */
    long size() throws IOException;

    /**
     * Reads bytes.
     *
     * @param into receives the bytes; its position advances over them
     * @param position the index of the first byte in the file; never less than that of an earlier read
     * @return the number of bytes; 0 only if the buffer is full; -1: the position is at or after the end of the file
     * @throws IOException the file cannot be read, or is closed
     */
    int read(ByteBuffer into, long position) throws IOException;

    @Override
    void close() throws IOException;
}
