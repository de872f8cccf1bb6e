package io.trivet.net;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Readiness of registered sockets: the reactor's half of the seam. Level-triggered: what is ready is reported by every poll until
 * it no longer is.
 *
 * <p><b>Threads.</b> One thread at a time polls; a second is refused with {@link IllegalStateException}. Every other method may be
 * called from any thread, also while one waits. What is registered or modified meanwhile is watched from the next poll on at the
 * latest: select and poll have told the kernel already what to wait for. Whoever cannot wait for that calls {@link #wakeup}.
 *
 * <p><b>Closed sockets.</b> Deregister a socket before closing it. One that was closed all the same is reported as
 * {@link Interest#INVALID} by engines that name every descriptor at each call (select, poll), and vanishes in silence from the
 * others (select reports nothing else while it is there); its registration can be removed as before, and another socket that got its number is not touched.
 *
 * <p><b>Spurious events.</b> A socket that is "ready" may still say that it would block. <b>Stale events.</b> An event that was
 * reported may be about a socket that an earlier event's handling has closed: put a generation into the token and compare.
 * <b>Interest 0.</b> Known, and not watched: not even errors are reported, so a dead socket cannot make the loop spin.
 *
 * <p><b>Fairness.</b> A poll reports all that is ready, as far as the caller's buffer has room; when that is not enough, later polls
 * report the rest before those again.
 */
public interface Poller extends AutoCloseable {
    /**
     * Begins to watch a socket.
     *
     * @param socket an open socket of this poller's network family
     * @param interest bits of {@link Interest}: READ, WRITE, PRIORITY, or 0
     * @param token any number; its events carry it
     * @throws IllegalArgumentException unknown interest bits, a socket of another family, or one that is registered already
     * @throws UnsupportedOperationException the engine cannot watch that, and says which can
     * @throws NetworkException the kernel refuses; nothing stays registered
     * @throws IOException the socket is closed
     */
    void register(Socket socket, int interest, long token) throws IOException;

    /**
     * Changes what is watched, or the token. Changing the token alone makes no call of the kernel.
     *
     * @param socket a registered socket
     * @param interest the new interest
     * @param token the new token
     * @throws IllegalArgumentException unknown interest bits, or the socket is not registered
     * @throws UnsupportedOperationException the engine cannot watch that, and says which can
     * @throws NetworkException the kernel refuses; the socket is then no longer registered
     * @throws IOException the socket is closed; it is then no longer registered
     */
    void modify(Socket socket, int interest, long token) throws IOException;

    /**
     * Ceases to watch a socket, open or closed.
     *
     * @param socket a registered socket
     * @throws IllegalArgumentException the socket is not registered
     * @throws IOException the kernel refuses; the socket is no longer registered all the same
     */
    void deregister(Socket socket) throws IOException;

    /**
     * Looks a socket up.
     *
     * @param socket any socket
     * @return what is watched and the token, or null: it is not registered
     */
    @Nullable
    Registration registration(Socket socket);

    /**
     * Waits until something is ready, and says what.
     *
     * <p>A wait is ended by readiness, by {@link #wakeup}, by an interrupt of the waiting thread (its interrupt status stays set),
     * by {@link #close}, or when its time is over; a signal does not end it. It pins a virtual thread's carrier.
     *
     * @param out cleared, then filled
     * @param timeoutNanos negative: no limit; 0: does not wait; else the longest wait in nanoseconds, never cut short by rounding
     * @return the number of entries in {@code out}; 0 when the wait ended otherwise
     * @throws IllegalStateException another thread is polling, or the poller is closed
     * @throws IOException the kernel refuses
     */
    int poll(ReadyEvents out, long timeoutNanos) throws IOException;

    /** Ends the wait that is under way, or else the next one. From any thread; after {@link #close} it does nothing. */
    void wakeup();

    /**
     * Closes the poller, not the sockets; a second time does nothing. A waiting thread is woken first, and its poll throws
     * {@link IllegalStateException}.
     *
     * @throws IOException the kernel reports an error
     */
    @Override
    void close() throws IOException;
}
