package io.trivet.select;

import io.trivet.net.Network;
import io.trivet.net.Selectable;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * {@code select}: waits until one of many sockets is ready, and says which.
 *
 * {@snippet :
 * Ready<TcpStream> ready = Select.select(streams, List.of(), streams, Duration.ofSeconds(3));
 * for (TcpStream stream : ready.exceptional()) {
 *     System.out.println("urgent: " + (char) stream.receiveUrgent()); // before reading: a plain read would destroy it
 * }
 * for (TcpStream stream : ready.readable()) {
 *     stream.read(buffer); // 0: it would have blocked after all; -1: the peer has finished
 * }
 * }
 *
 * <p><b>The lists.</b> An object that stands in several lists is answered in each; one that stands three times in a list is answered
 * three times. The lists are copied at the beginning of the call: changing one meanwhile changes nothing. Three empty lists and a
 * timeout make a sleep.
 *
 * <p><b>Errors</b> are no matter of the third list: a reset or a refused connection makes a socket readable and writable, and the
 * next call on it tells what happened. "Ready" can be followed by "would block": then go round again.
 *
 * <p><b>Timeout.</b> {@code null} waits without limit, zero asks and returns, anything else waits so long at most, in nanoseconds and
 * never cut short by rounding; a negative one is refused, and one beyond 292 years counts as that. The wait ends when something is
 * ready or the time is over. When the waiting thread is {@linkplain Thread#interrupt interrupted} and nothing is ready, the call ends
 * at once with an {@link java.io.InterruptedIOException}, and the thread's interrupt status stays set; a call that begins with the
 * status set and would have to wait does the same. A signal does not end the wait.
 *
 * <p><b>Threads.</b> Any number at the same time. A wait pins a virtual thread's carrier thread: the wait is a native call.
 *
 * <p><b>Which call of the kernel.</b> The static forms use poll(2) for Linux sockets, which has no limit of 1,024 descriptors; sockets
 * of another network are asked by that. {@link #on} chooses.
 *
 * <p>Source: man 2 select; Python's {@code select.select}.
 */
public final class Select {
    private Select() {}

    /**
     * The three-list call, on the sockets' own network.
     *
     * @param rlist to be told when readable
     * @param wlist to be told when writable
     * @param xlist to be told when urgent data has arrived
     * @param timeout null: no limit; zero: does not wait; else the longest wait
     * @param <S> what the lists hold: sockets, or objects that have one
     * @return the ready ones, in three lists; all empty when the time was over
     * @throws NullPointerException a list is null, or holds null; the message says where
     * @throws IllegalArgumentException the timeout is negative; a member is no {@link Selectable} or gives no socket; sockets of two
     *     networks
     * @throws UnsupportedOperationException the network cannot watch that (java.nio and a non-empty xlist), and says which can
     * @throws io.trivet.net.ClosedSocketException one of the sockets is closed: the whole call fails, and the message names it
     * @throws java.io.InterruptedIOException the thread was interrupted
     * @throws IOException the kernel refuses
     */
    public static <S extends Selectable> Ready<S> select(Collection<? extends S> rlist, Collection<? extends S> wlist,
            Collection<? extends S> xlist, @Nullable Duration timeout) throws IOException {
        return new ThreeLists(null).select(rlist, wlist, xlist, timeout);
    }

    /**
     * The C call, on this system's descriptors: the sets are changed in place to those that are ready. One that stands for several is left with
     * the last answer, as in C.
     *
     * @param nfds one more than the highest descriptor to look at; bits from there on are left alone
     * @param readSet to be told when readable; null: none
     * @param writeSet to be told when writable; null: none
     * @param exceptSet to be told when urgent data has arrived; null: none
     * @param timeout null: no limit; zero: does not wait; else the longest wait
     * @return how many bits are set in the three sets, below nfds; 0 when the time was over
     * @throws IllegalArgumentException nfds or the timeout is negative
     * @throws UnsupportedOperationException this system's network has no descriptors
     * @throws java.io.InterruptedIOException the thread was interrupted; the sets are unchanged, as after every exception
     * @throws IOException {@link io.trivet.net.ErrorCode#EBADF}: a descriptor is not open; or the kernel refuses
     */
    public static int select(int nfds, @Nullable FdSet readSet, @Nullable FdSet writeSet, @Nullable FdSet exceptSet,
            @Nullable Duration timeout) throws IOException {
        return new ThreeSets(Network.system().forOneCall()).select(nfds, readSet, writeSet, exceptSet, timeout);
    }

    /**
     * Both forms, by the readiness call of a network of your choice.
     *
     * @param network the network; the sockets may be of any network of its {@linkplain Network#family family}
     * @return an object with the same two methods
     */
    public static SelectOn on(Network network) {
        return new SelectOn(network);
    }
}
