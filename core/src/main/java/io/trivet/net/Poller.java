package io.trivet.net;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Provider interface (SPI): reports the readiness of registered sockets. Applications use {@code io.trivet.select} or
 * {@code io.trivet.server}, which are built on it. {@link Network#poller} opens a poller.
 *
 * <p>A poller is level-triggered: every poll reports a socket as long as it is ready.
 *
 * <p><b>Threads.</b> Only one thread at a time may poll; a second one gets an {@link IllegalStateException}. Any thread may call
 * the other methods, even during a wait. A registration or modification takes effect at the next poll at the latest: during a
 * wait, the engines select and poll have already passed to the kernel what to wait for. To make it take effect at once, call
 * {@link #wakeup}.
 *
 * <p><b>Ownership.</b> The caller owns the sockets and the {@link ReadyEvents}, which it reuses for every poll.
 *
 * <p><b>Closed sockets.</b> Deregister a socket before closing it. If a registered socket is closed nevertheless, engines that
 * pass every descriptor to the kernel at each call (select, poll) report {@link Interest#INVALID}; select reports nothing else
 * until the socket is deregistered. The other engines stop reporting it silently. The closed socket can still be deregistered,
 * and a new socket with the same descriptor is not affected.
 *
 * <p><b>Spurious events.</b> A read or write on a socket that was reported as ready may still return that it would block.
 * <b>Stale events.</b> The handling of an earlier event may have closed the socket of a later one: put a generation into the
 * token and compare it. <b>Interest 0.</b> The socket stays registered but is not watched. Not even errors are reported, so a
 * failed socket cannot make the loop spin.
 *
 * <p><b>Fairness.</b> A poll reports everything that is ready, up to the capacity of the caller's buffer. If more sockets are
 * ready, later polls report the remaining ones before they report any of the others again.
 *
 * <p>Source: man 2 select, man 2 poll, man 7 epoll.
 */
public interface Poller extends AutoCloseable {
    /**
     * Registers a socket.
     *
     * @param socket an open socket of this poller's network family
     * @param interest bits of {@link Interest}: READ, WRITE, PRIORITY, or 0
     * @param token any number; the socket's events carry it
     * @throws IllegalArgumentException unknown interest bits, a socket of another family, or a socket that is already registered
     * @throws UnsupportedOperationException the engine cannot watch the socket for this interest; the message names
     *     engines that can
     * @throws NetworkException the kernel refuses; nothing stays registered
     * @throws IOException the socket is closed
     */
    void register(Socket socket, int interest, long token) throws IOException;

    /**
     * Changes the interest or the token. Changing only the token makes no system call.
     *
     * @param socket a registered socket
     * @param interest the new interest
     * @param token the new token
     * @throws IllegalArgumentException unknown interest bits, or the socket is not registered
     * @throws UnsupportedOperationException the engine cannot watch the socket for this interest; the message names
     *     engines that can
     * @throws NetworkException the kernel refuses; the socket is then no longer registered
     * @throws IOException the socket is closed; it is then no longer registered
     */
    void modify(Socket socket, int interest, long token) throws IOException;

    /**
     * Removes the registration of a socket, open or closed.
     *
     * @param socket a registered socket
     * @throws IllegalArgumentException the socket is not registered
     * @throws IOException the kernel refuses; the socket is no longer registered nevertheless
     */
    void deregister(Socket socket) throws IOException;

    /**
     * Returns the registration of a socket.
     *
     * @param socket any socket
     * @return its interest and token, or null if it is not registered
     */
    @Nullable
    Registration registration(Socket socket);

    /**
     * Waits until a socket is ready, and reports all ready sockets.
     *
     * <p>The wait ends when a socket is ready, when the timeout expires, or by {@link #wakeup}, {@link #close} or an interrupt of
     * the waiting thread, whose interrupt status stays set. A signal does not end it. The wait pins the carrier of a virtual
     * thread.
     *
     * @param out is cleared, then filled
     * @param timeoutNanos negative: waits without limit; 0: does not wait; otherwise the maximum wait in nanoseconds, never
     *     shortened by rounding
     * @return the number of entries in {@code out}; 0 if no socket became ready
     * @throws IllegalStateException another thread is polling, or the poller is closed
     * @throws IOException the kernel refuses
     */
    int poll(ReadyEvents out, long timeoutNanos) throws IOException;

    /** Ends the current wait, or if there is none the next one. Any thread may call it. After {@link #close} it does nothing. */
    void wakeup();

    /**
     * Closes the poller, but not the sockets. Closing it again does nothing. A waiting thread is woken first, and its poll throws
     * {@link IllegalStateException}.
     *
     * @throws IOException the kernel reports an error
     */
    @Override
    void close() throws IOException;
}
