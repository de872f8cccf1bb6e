package io.trivet.net;

import java.io.IOException;

/**
 * Provider interface (SPI): moves bytes from one stream to another within the kernel, without copying them through this process.
 * {@link Network#splicing} makes one for each proactor. Bytes that the target does not accept stay in a pipe, which belongs to the
 * target meanwhile. The number of pipes is bounded.
 *
 * <p><b>Threads.</b> One at a time.
 *
 * <p>Source: man 2 splice.
 */
public interface Splicing extends AutoCloseable {
    /**
     * Moves bytes that have arrived for a stream into a pipe, if no bytes wait for the target.
     *
     * @param from the stream
     * @param target identifies the target
     * @param count the maximum number of bytes, at least 1
     * @return the number of bytes that wait for the target; 0: nothing has arrived, the input has ended, no pipe is available, or
     *     the kernel cannot do it. A read tells which
     * @throws IOException the stream has failed, or is closed
     */
    int fill(TcpStream from, long target, int count) throws IOException;

    /**
     * Sends bytes that wait for a target.
     *
     * @param target identifies the target
     * @param to its stream
     * @param count the number of bytes, not more than wait for it
     * @return the number of bytes accepted for sending; 0: it would block
     * @throws IOException the stream has failed
     */
    int drain(long target, TcpStream to, int count) throws IOException;

    /**
     * Drops the bytes that wait for a target, if there are any.
     *
     * @param target identifies the target
     */
    void drop(long target);

    @Override
    void close();
}
