package io.trivet.net;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A descriptor that was opened outside of Trivet (standard input, a terminal, a file, an inherited socket), for use in the three
 * lists. Linux only.
 *
 * <p><b>Ownership.</b> The descriptor is borrowed: {@link #close} ends the use of this object and leaves the descriptor open. Its
 * flags are not changed either: a read of a blocking descriptor waits, unless the descriptor was reported as ready. Threads: see
 * {@link Socket}.
 */
public interface Descriptor extends Socket {
    /**
     * Wraps the number of an open descriptor. The number is not checked until it is used.
     *
     * @param fd the number, at least 0
     * @return an object for the lists
     * @throws IllegalArgumentException the number is negative
     * @throws UnsupportedOperationException this system's network has no descriptors
     */
    static Descriptor of(int fd) {
        return Networks.descriptor(fd);
    }

    /**
     * Returns standard input: descriptor 0. Do not mix it with {@link System#in}, which reads ahead.
     *
     * @return an object for the lists
     * @throws UnsupportedOperationException this system's network has no descriptors
     */
    static Descriptor standardInput() {
        return of(0);
    }

    /**
     * Reads the available bytes (man 2 read).
     *
     * @param buffer receives the bytes; its position advances by the bytes read
     * @return the number of bytes; 0: it would block (or the buffer is full); -1: end of input
     * @throws IOException the kernel reports an error, or this object is closed
     */
    int read(ByteBuffer buffer) throws IOException;

    /**
     * Writes as many bytes as the descriptor accepts (man 2 write).
     *
     * @param buffer the bytes; its position advances by the bytes written
     * @return the number of bytes written; 0: it would block (or the buffer is empty)
     * @throws IOException the kernel reports an error, or this object is closed
     */
    int write(ByteBuffer buffer) throws IOException;
}
