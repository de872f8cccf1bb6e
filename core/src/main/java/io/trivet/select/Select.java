package io.trivet.select;

import io.trivet.net.Network;
import io.trivet.net.Selectable;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * {@code select}: waits until at least one of many sockets is ready, and returns those that are.
 *
 * {@snippet :
 * Ready<TcpStream> ready = Select.select(streams, List.of(), streams, Duration.ofSeconds(3));
 * for (TcpStream stream : ready.exceptional()) {
 *     System.out.println("urgent: " + (char) stream.receiveUrgent()); // before reading: a plain read would destroy it
 * }
 * for (TcpStream stream : ready.readable()) {
 *     stream.read(buffer); // 0: the read would have blocked; -1: end of input
 * }
 * }
 *
 * <p><b>Lists.</b> Each list is evaluated by itself. An object in several lists can be returned in each of them, and an object that
 * appears three times in a list is returned three times. The lists are copied when the call starts, so later changes to them have no
 * effect. A call with three empty lists and a timeout sleeps. The sockets stay the caller's: nothing is registered beyond the call.
 *
 * <p><b>Errors</b> do not appear in the third list. A reset or a refused connection makes a socket readable and writable, and the next
 * call on the socket throws the error. A ready socket may still report that it would block; in that case select again.
 *
 * <p><b>Timeout.</b> With {@code null} the call waits without limit. With zero it checks and returns at once. Otherwise it waits for at
 * most that time, in nanoseconds and never shortened by rounding. A negative timeout is rejected, and one above 292 years counts as 292
 * years. Signals do not end the wait. If the waiting thread is {@linkplain Thread#interrupt interrupted} and nothing is ready, the call
 * throws {@link java.io.InterruptedIOException} at once and leaves the thread's interrupt status set. The same happens if the status
 * is already set when a call would have to wait.
 *
 * <p><b>Threads.</b> Any number of threads may call these methods at the same time. A virtual thread that waits parks, and does not
 * hold its carrier. On Linux all waits of virtual threads share one epoll, polled by a daemon thread. A virtual thread waits in the
 * kernel, and holds its carrier, only if epoll cannot wait for it: no descriptor or memory is left for the shared epoll, or it waits
 * for urgent data alone on a socket that has failed or hung up. If another thread closes one of the sockets during the wait, only the
 * other sockets, the timeout and an interrupt end it.
 *
 * <p><b>System call and cost.</b> The static methods use poll(2) for Linux sockets, which has no limit of 1,024 descriptors. Sockets of
 * another network use that network's own call. {@link #on} chooses a network explicitly. The cost of a call grows with the length of
 * the lists, even if most sockets are idle. For many mostly idle sockets use a {@link io.trivet.net.Poller}.
 *
 * <p><b>Descriptors.</b> On Linux any number of threads can wait, also when the process has no descriptor left. The first eight waits at
 * the same time open one each for the interrupt, which later calls reuse; all others share one. If none could ever be opened, an
 * interrupt ends a wait within 100 ms. A call on the networks epoll and uring opens an epoll; if that is impossible, it uses poll(2).
 * java.nio needs descriptors for each call.
 *
 * <p><b>Files.</b> A regular file, a directory, and a device without readiness such as {@code /dev/null} are always readable and writable.
 * epoll cannot watch them, so the networks epoll and uring throw {@link io.trivet.net.ErrorCode#EPERM}. A descriptor that was opened with
 * O_PATH counts as not open ({@link io.trivet.net.ErrorCode#EBADF}) on every network, and the message gives the reason.
 *
 * <p>Sources: man 2 select, man 2 poll; Python's {@code select.select}.
 */
public final class Select {
    private Select() {}

    /**
     * Waits until one of the listed objects is ready. Uses the network of the sockets.
     *
     * @param rlist objects to check for reading
     * @param wlist objects to check for writing
     * @param xlist objects to check for urgent data
     * @param timeout the longest time to wait; null waits without limit, zero does not wait
     * @param <S> the type of the listed objects: sockets, or objects that have one
     * @return the objects that are ready, in three lists; all empty if the timeout expired
     * @throws NullPointerException if a list is null, or contains null; the message names the list and the index
     * @throws IllegalArgumentException if the timeout is negative, a member is not a {@link Selectable} or returns no socket, or the
     *     sockets belong to two networks
     * @throws UnsupportedOperationException if the network cannot make such a check (java.nio cannot check for urgent data, so its
     *     xlist must be empty); the message names networks that can
     * @throws io.trivet.net.ClosedSocketException if one of the sockets is closed; the whole call fails, and the message names the socket
     *     and its position in the lists
     * @throws io.trivet.net.NetworkException if the kernel refuses one of the sockets; the message starts with its position, for instance
     *     {@code rlist[2]}
     * @throws java.io.InterruptedIOException if the thread was interrupted
     * @throws IOException if the system call fails
     */
    public static <S extends Selectable> Ready<S> select(Collection<? extends S> rlist, Collection<? extends S> wlist,
            Collection<? extends S> xlist, @Nullable Duration timeout) throws IOException {
        return new ListSelect(null).select(rlist, wlist, xlist, timeout);
    }

    /**
     * Waits until one of the descriptors is ready, as in C. Uses the system's network. The call removes from each set the descriptors
     * that are not ready. If one set is passed as several arguments, it holds the result of the last of them, as in C.
     *
     * @param nfds one more than the highest descriptor to check; bits at or above it are ignored and left unchanged
     * @param readSet descriptors to check for reading, or null
     * @param writeSet descriptors to check for writing, or null
     * @param exceptSet descriptors to check for urgent data, or null
     * @param timeout the longest time to wait; null waits without limit, zero does not wait
     * @return the number of bits set in the three sets below nfds; 0 if the timeout expired
     * @throws IllegalArgumentException if nfds or the timeout is negative
     * @throws UnsupportedOperationException if the system's network has no descriptors
     * @throws java.io.InterruptedIOException if the thread was interrupted; like every exception, it leaves the sets unchanged
     * @throws io.trivet.net.NetworkException if a descriptor is not open ({@link io.trivet.net.ErrorCode#EBADF}), or cannot be watched;
     *     {@link io.trivet.net.NetworkException#descriptor} returns its number
     * @throws IOException if the system call fails
     */
    public static int select(int nfds, @Nullable FdSet readSet, @Nullable FdSet writeSet, @Nullable FdSet exceptSet,
            @Nullable Duration timeout) throws IOException {
        return new FdSetSelect(Network.system().forOneCall()).select(nfds, readSet, writeSet, exceptSet, timeout);
    }

    /**
     * Returns an object with the same two methods that uses the readiness call of the given network.
     *
     * @param network the network; the sockets may belong to any network of its {@linkplain Network#family family}
     * @return both forms of select on that network
     */
    public static NetworkSelect on(Network network) {
        return new NetworkSelect(network);
    }
}
