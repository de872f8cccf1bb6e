package io.trivet.net;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A descriptor that somebody else opened (standard input, a terminal, a file, an inherited socket), so that it can stand in the
 * three lists. Linux only.
 *
 * <p>It is borrowed: {@link #close} ends the use of this object, and leaves the descriptor open for its owner. Its flags are left
 * as they are too, so a read of a blocking descriptor that was not said to be ready waits. Threads: see {@link Socket}.
 */
public interface Descriptor extends Socket {
    /**
     * Wraps the number of an open descriptor. Nothing is checked before it is used.
     *
     * @param fd the number, from 0
     * @return an object for the lists
     * @throws IllegalArgumentException the number is negative
     * @throws UnsupportedOperationException this system's network has no descriptors
     */
    static Descriptor of(int fd) {
        return Networks.descriptor(fd);
    }

    /**
     * Standard input: descriptor 0. Do not mix it with {@link System#in}, which reads ahead.
     *
     * @return an object for the lists
     * @throws UnsupportedOperationException this system's network has no descriptors
     */
    static Descriptor standardInput() {
        return of(0);
    }

    /**
     * Reads what is there (man 2 read).
     *
     * @param buffer where the bytes go; its position moves by the bytes read
     * @return the number of bytes; 0: it would block (or the buffer is full); -1: the end of input
     * @throws IOException an error of the kernel, or closed
     */
    int read(ByteBuffer buffer) throws IOException;

    /**
     * Writes what is taken (man 2 write).
     *
     * @param buffer the bytes; its position moves by what was taken
     * @return the number of bytes taken; 0: it would block (or the buffer is empty)
     * @throws IOException an error of the kernel, or closed
     */
    int write(ByteBuffer buffer) throws IOException;
}
