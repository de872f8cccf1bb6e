package io.trivet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.contract.Case;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.NotSimulated;
import io.trivet.contract.Pair;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** Start and end of a wait. */
final class PollerWaitTest {
    private static final long FOREVER = -1;
    private static final long MILLI = 1_000_000;
    /** Long enough for a thread to enter its wait. The assertions hold even if it has not. */
    private static final Duration MOMENT = Duration.ofMillis(20);

    /** A thread that waits in a poller. */
    private static final class Waiter {
        final CountDownLatch started = new CountDownLatch(1);
        final FutureTask<Integer> result;
        final Thread thread;

        Waiter(Lab lab, Poller poller, ReadyEvents out, long timeoutNanos) throws IOException {
            this(lab, () -> poller.poll(out, timeoutNanos));
        }

        Waiter(Lab lab, Callable<Integer> wait) throws IOException {
            result = new FutureTask<>(() -> {
                started.countDown();
                return wait.call();
            });
            thread = Thread.ofPlatform().daemon().start(result);
            try {
                started.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            lab.pause(MOMENT);
        }

        int result() throws Exception {
            return result.get(Lab.PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
    }

    @EveryEngine
    @Case("28")
    void readySocketEndsTheWaitAtOnce(Lab lab) throws IOException {
        Poller poller = lab.poller();
        poller.register(lab.udp(), Interest.WRITE, 1);
        ReadyEvents out = new ReadyEvents(1);
        for (long timeout : new long[]{0, 1, MILLI, 3600_000 * MILLI, Long.MAX_VALUE, FOREVER, Long.MIN_VALUE}) {
            long start = lab.network().clock().nanoTime();
            assertThat(poller.poll(out, timeout)).as("timeout %d", timeout).isEqualTo(1);
            assertThat(lab.network().clock().nanoTime() - start).isLessThan(Lab.PATIENCE.toNanos());
        }
    }

    @EveryEngine
    @Case({"28", "J6", "C1"})
    void idleWaitLastsAtLeastItsTimeout(Lab lab) throws IOException {
        Poller poller = lab.poller();
        poller.register(lab.listener(), Interest.READ, 1);
        ReadyEvents out = new ReadyEvents(1);
        for (long timeout : new long[]{1, 999, MILLI / 2, MILLI + 1, 20 * MILLI, 20 * MILLI + 1, 200 * MILLI}) {
            long start = lab.network().clock().nanoTime();
            assertThat(poller.poll(out, timeout)).isZero();
            assertThat(lab.network().clock().nanoTime() - start).as("timeout %d ns", timeout).isBetween(timeout,
                    timeout + Lab.PATIENCE.toNanos());
        }
    }

    @EveryEngine
    @Case("27")
    void pollerWithoutSocketsWaits(Lab lab) throws IOException {
        long start = lab.network().clock().nanoTime();
        assertThat(lab.poller().poll(new ReadyEvents(1), 20 * MILLI)).isZero();
        assertThat(lab.network().clock().nanoTime() - start).isGreaterThanOrEqualTo(20 * MILLI);
    }

    @EveryEngine
    @Case("L7")
    @NotSimulated(NotSimulated.THREADS)
    void hugeTimeoutsDoNotOverflow(Lab lab) throws Exception {
        Pair pair = lab.pair();
        Poller poller = lab.poller();
        poller.register(pair.server(), Interest.READ, 1);
        for (long timeout : new long[]{FOREVER, Long.MIN_VALUE, Long.MAX_VALUE, Long.MAX_VALUE - 1, 1L << 62, MILLI << 31,
            MILLI << 32,
            (1L << 31) * 1000 * MILLI}) {
            AtomicBoolean woken = new AtomicBoolean();
            Waiter waiter = new Waiter(lab, () -> {
                int events = poller.poll(new ReadyEvents(1), timeout);
                assertThat(woken).as("timeout %d: only the wakeup ends it", timeout).isTrue();
                return events;
            });
            woken.set(true);
            poller.wakeup();
            assertThat(waiter.result()).isZero();
        }
        Waiter waiter = new Waiter(lab, poller, new ReadyEvents(1), Long.MAX_VALUE);
        lab.send(pair.client(), "x");
        assertThat(waiter.result()).isEqualTo(1);
    }

    @EveryEngine
    @Case("42")
    @NotSimulated(NotSimulated.THREADS)
    void secondPollingThreadIsRejected(Lab lab) throws Exception {
        Poller poller = lab.poller();
        Waiter waiter = new Waiter(lab, poller, new ReadyEvents(1), FOREVER);

        assertThatThrownBy(() -> poller.poll(new ReadyEvents(1), 0)).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("another thread is polling");

        poller.wakeup();
        assertThat(waiter.result()).isZero();
        assertThat(poller.poll(new ReadyEvents(1), 0)).as("the next thread may").isZero();
    }

    @EveryEngine
    @Case({"42", "J2"})
    @NotSimulated(NotSimulated.THREADS)
    void deregisteringDuringAWaitIsSafe(Lab lab) throws Exception {
        Pair pair = lab.pair();
        Pair other = lab.pair();
        Poller poller = lab.poller();
        poller.register(pair.server(), Interest.READ, 1);
        poller.register(other.server(), Interest.READ, 2);
        ReadyEvents out = new ReadyEvents(4);
        Waiter waiter = new Waiter(lab, poller, out, FOREVER);

        poller.deregister(pair.server());
        lab.send(pair.client(), "unwatched");
        lab.awaitLists(pair.server(), "rw-");
        lab.send(other.client(), "x");

        assertThat(waiter.result()).isEqualTo(1);
        assertThat(Lab.events(out)).containsExactly(new Lab.Event(2, Interest.READ));
    }

    @EveryEngine
    @Case("J2")
    @NotSimulated(NotSimulated.THREADS)
    void registrationDuringAWaitTakesEffectByTheNextPoll(Lab lab) throws Exception {
        Pair pair = lab.pair();
        Pair other = lab.pair();
        Poller poller = lab.poller();
        poller.register(pair.server(), Interest.READ, 1);
        ReadyEvents out = new ReadyEvents(4);
        Waiter waiter = new Waiter(lab, poller, out, FOREVER);

        poller.register(other.server(), Interest.WRITE, 2);
        poller.modify(pair.server(), Interest.WRITE, 3);
        poller.wakeup();

        int first = waiter.result();
        assertThat(first).isBetween(0, 2);
        lab.eventually("both are seen", () -> poller.poll(out, 0) == 2);
        assertThat(Lab.events(out)).containsExactlyInAnyOrder(new Lab.Event(2, Interest.WRITE), new Lab.Event(3, Interest.WRITE));
    }

    @EveryEngine
    @Case("J2")
    @NotSimulated(NotSimulated.THREADS)
    void closingASocketDuringAWaitDoesNotAffectOthers(Lab lab) throws Exception {
        Pair pair = lab.pair();
        Pair other = lab.pair();
        Poller poller = lab.poller();
        poller.register(pair.server(), Interest.READ, 1);
        poller.register(other.server(), Interest.READ, 2);
        ReadyEvents out = new ReadyEvents(4);
        Waiter waiter = new Waiter(lab, poller, out, FOREVER);

        poller.deregister(pair.server());
        pair.server().close();
        lab.send(other.client(), "x");

        assertThat(waiter.result()).isEqualTo(1);
        assertThat(Lab.events(out)).containsExactly(new Lab.Event(2, Interest.READ));
    }

    @EveryEngine
    @Case("J3")
    void wakeupBeforeAWaitEndsOnlyTheNextOne(Lab lab) throws IOException {
        Poller poller = lab.poller();
        poller.wakeup();
        poller.wakeup();

        assertThat(poller.poll(new ReadyEvents(1), FOREVER)).isZero();
        long start = lab.network().clock().nanoTime();
        assertThat(poller.poll(new ReadyEvents(1), 20 * MILLI)).isZero();
        assertThat(lab.network().clock().nanoTime() - start).as("two wakeups before a wait count as one")
                .isGreaterThanOrEqualTo(20 * MILLI);
    }

    @EveryEngine
    @Case("J3")
    void pollWithoutWaitingConsumesAWakeup(Lab lab) throws IOException {
        Poller poller = lab.poller();
        poller.wakeup();
        assertThat(poller.poll(new ReadyEvents(1), 0)).isZero();

        long start = lab.network().clock().nanoTime();
        assertThat(poller.poll(new ReadyEvents(1), 20 * MILLI)).isZero();
        assertThat(lab.network().clock().nanoTime() - start).isGreaterThanOrEqualTo(20 * MILLI);
    }

    @EveryEngine
    @Case("J3")
    @NotSimulated(NotSimulated.THREADS)
    void wakeupEndsTheCurrentWait(Lab lab) throws Exception {
        Poller poller = lab.poller();
        for (int i = 0; i < 5; i++) {
            Waiter waiter = new Waiter(lab, poller, new ReadyEvents(1), FOREVER);
            poller.wakeup();
            assertThat(waiter.result()).isZero();
        }
    }

    @EveryEngine
    @Case("J3")
    void wakeupDoesNotHideReadySockets(Lab lab) throws IOException {
        Poller poller = lab.poller();
        poller.register(lab.udp(), Interest.WRITE, 1);
        ReadyEvents out = new ReadyEvents(1);
        for (int i = 0; i < 10; i++) {
            poller.wakeup();
            int events = poller.poll(out, FOREVER);
            events += events == 0 ? poller.poll(out, FOREVER) : 0; // the wakeup may end one wait for itself
            assertThat(Lab.events(out)).containsExactly(new Lab.Event(1, Interest.WRITE));
            assertThat(events).isEqualTo(1);
        }
    }

    @EveryEngine
    @Case("J3")
    @NotSimulated(NotSimulated.THREADS)
    void noWakeupOfManyThreadsIsLost(Lab lab) throws Exception {
        Poller poller = lab.poller();
        AtomicBoolean done = new AtomicBoolean();
        int rounds = 2000;
        int[] asked = {0};
        Object lock = new Object();
        Thread[] wakers = new Thread[2];
        for (int i = 0; i < wakers.length; i++) {
            wakers[i] = Thread.ofPlatform().daemon().start(() -> {
                for (int round = 0; round < rounds; round++) {
                    synchronized (lock) {
                        asked[0]++;
                    }
                    poller.wakeup();
                }
            });
        }
        // A task queued before a wakeup must be seen by the thread that the wakeup wakes.
        Waiter loop = new Waiter(lab, () -> {
            int seen = 0;
            while (seen < rounds * wakers.length) {
                poller.poll(new ReadyEvents(1), FOREVER);
                synchronized (lock) {
                    seen = asked[0];
                }
            }
            done.set(true);
            return seen;
        });
        assertThat(loop.result()).isEqualTo(rounds * wakers.length);
        assertThat(done).isTrue();
    }

    @EveryEngine
    void wakeupAfterCloseDoesNotWriteToAReusedDescriptor(Lab lab) throws IOException {
        Poller poller = lab.network().poller();
        poller.close();
        List<Pair> pairs = new ArrayList<>(); // they now have the descriptors of the closed poller
        for (int i = 0; i < 8; i++) {
            pairs.add(lab.pair());
        }
        poller.wakeup();
        for (Pair pair : pairs) {
            assertThat(pair.client().read(ByteBuffer.allocate(16))).isZero();
            assertThat(pair.server().read(ByteBuffer.allocate(16))).isZero();
        }
    }

    @EveryEngine
    @Case("J4")
    @NotSimulated(NotSimulated.THREADS)
    void closeEndsTheWaitWithAnException(Lab lab) throws Exception {
        Poller poller = lab.poller();
        UdpSocket socket = lab.udp();
        poller.register(socket, Interest.READ, 1);
        Waiter waiter = new Waiter(lab, poller, new ReadyEvents(1), FOREVER);

        poller.close();

        assertThatThrownBy(waiter::result).isInstanceOf(ExecutionException.class).cause()
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        assertThat(socket.isOpen()).isTrue();
        poller.wakeup();
    }

    @EveryEngine
    @Case("J5")
    @NotSimulated(NotSimulated.THREADS)
    void interruptEndsTheWaitAtOnceAndTheStatusStaysSet(Lab lab) throws Exception {
        Poller poller = lab.poller();
        poller.register(lab.udp(), Interest.READ, 1);
        AtomicBoolean status = new AtomicBoolean();
        Waiter waiter = new Waiter(lab, () -> {
            int events = poller.poll(new ReadyEvents(1), FOREVER);
            status.set(Thread.currentThread().isInterrupted());
            return events;
        });

        waiter.thread.interrupt();

        assertThat(waiter.result()).isZero();
        assertThat(status).isTrue();
        assertThat(poller.poll(new ReadyEvents(1), 0)).as("the poller still works").isZero();
    }

    @EveryEngine
    @Case("J5")
    @NotSimulated(NotSimulated.THREADS)
    void interruptEndsTheWaitOfAVirtualThread(Lab lab) throws Exception {
        Poller poller = lab.poller();
        poller.register(lab.udp(), Interest.READ, 1);
        CountDownLatch started = new CountDownLatch(1);
        FutureTask<Boolean> task = new FutureTask<>(() -> {
            started.countDown();
            return poller.poll(new ReadyEvents(1), FOREVER) == 0 && Thread.currentThread().isInterrupted();
        });
        Thread thread = Thread.ofVirtual().start(task);
        started.await();
        lab.pause(MOMENT);

        thread.interrupt();

        assertThat(task.get(Lab.PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    }

    @EveryEngine
    @Case("J5")
    @NotSimulated(NotSimulated.THREADS)
    void pollOfAnInterruptedThreadDoesNotWaitAndStillReports(Lab lab) throws Exception {
        Poller poller = lab.poller();
        UdpSocket socket = lab.udp();
        poller.register(socket, Interest.READ, 1);
        ReadyEvents out = new ReadyEvents(1);
        FutureTask<Void> task = new FutureTask<>(() -> {
            Thread.currentThread().interrupt();
            assertThat(poller.poll(out, FOREVER)).isZero();
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
            assertThat(poller.poll(out, FOREVER)).as("and again").isZero();

            poller.modify(socket, Interest.WRITE, 2);
            lab.eventually("what is ready is reported all the same", () -> poller.poll(out, 0) == 1);
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
            return null;
        });
        Thread.ofPlatform().daemon().start(task);
        task.get(Lab.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }
}
