package io.trivet.select;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.NotSimulated;
import io.trivet.contract.Pair;
import io.trivet.net.Capability;
import io.trivet.net.TcpStream;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;

/** {@link Thread#interrupt} ends a wait, though it does not end a native call by itself. */
@Timeout(60) // interrupts a wait that does not end
class InterruptTest {
    @AfterEach
    void clearInterruptStatus() {
        Thread.interrupted();
    }

    @EveryEngine
    @NotSimulated(NotSimulated.THREADS)
    void interruptEndsTheWait(Lab lab) throws Exception {
        List<TcpStream> idle = List.of(lab.pair().client());
        NetworkSelect select = Select.on(lab.network());
        assertInterruptEnds(lab, () -> select.select(idle, List.of(), List.of(), null));
        assertInterruptEnds(lab, () -> select.select(idle, List.of(), List.of(), Duration.ofDays(1)));
        assertInterruptEnds(lab, () -> select.select(List.of(), List.of(), List.of(), null));
        if (lab.network().supports(Capability.DESCRIPTORS)) {
            assertInterruptEnds(lab, () -> select.select(0, null, null, null, null));
            FdSet set = new FdSet();
            set.set(idle.getFirst().fd());
            assertInterruptEnds(lab, () -> select.select(idle.getFirst().fd() + 1, set, null, set, null));
            assertThat(set.isSet(idle.getFirst().fd())).as("the set is unchanged, as after every exception").isTrue();
        }
    }

    @EveryEngine
    void interruptedThreadDoesNotStartToWait(Lab lab) throws Exception {
        List<TcpStream> idle = List.of(lab.pair().client());
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> Select.on(lab.network()).select(idle, List.of(), List.of(), null))
                .isInstanceOf(InterruptedIOException.class);
        assertThat(Thread.interrupted()).as("the interrupt status stays set").isTrue();
    }

    @EveryEngine
    void readySocketsAreReturnedToAnInterruptedThread(Lab lab) throws Exception {
        Pair pair = lab.pair();
        List<TcpStream> client = List.of(pair.client());
        for (Duration timeout : new Duration[]{null, Duration.ZERO, Duration.ofDays(1)}) {
            Thread.currentThread().interrupt();
            assertThat(Select.on(lab.network()).select(client, client, List.of(), timeout).writable()).isEqualTo(client);
            assertThat(Thread.interrupted()).as("the interrupt status stays set").isTrue();
        }
    }

    @EveryEngine
    void callWithoutWaitingIsNotAffected(Lab lab) throws Exception {
        List<TcpStream> idle = List.of(lab.pair().client());
        Thread.currentThread().interrupt();
        assertThat(Select.on(lab.network()).select(idle, List.of(), List.of(), Duration.ZERO).isEmpty()).isTrue();
        assertThat(Thread.interrupted()).as("the interrupt status stays set").isTrue();
    }

    @EveryEngine
    void nextCallWaitsAgain(Lab lab) throws Exception {
        List<TcpStream> idle = List.of(lab.pair().client());
        for (int i = 0; i < 3; i++) {
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> Select.on(lab.network()).select(idle, List.of(), List.of(), Duration.ofSeconds(1)))
                    .isInstanceOf(InterruptedIOException.class);
            assertThat(Thread.interrupted()).isTrue();
            long start = lab.network().clock().nanoTime();
            assertThat(Select.on(lab.network()).select(idle, List.of(), List.of(), Duration.ofMillis(10)).isEmpty()).isTrue();
            assertThat(lab.network().clock().nanoTime() - start).isGreaterThanOrEqualTo(10_000_000);
        }
    }

    /** Interrupts a platform and a virtual thread that are in the call, or about to enter it. */
    private static void assertInterruptEnds(Lab lab, ThrowingCallable select) throws Exception {
        for (Thread.Builder builder : List.of(Thread.ofPlatform().daemon(), Thread.ofVirtual())) {
            CountDownLatch started = new CountDownLatch(1);
            CompletableFuture<Throwable> thrown = new CompletableFuture<>();
            CompletableFuture<Boolean> status = new CompletableFuture<>();
            Thread waiting = builder.start(() -> {
                started.countDown();
                try {
                    select.call();
                    thrown.complete(null);
                } catch (Throwable t) {
                    thrown.complete(t);
                }
                status.complete(Thread.currentThread().isInterrupted());
            });
            assertThat(started.await(Lab.PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
            lab.pause(Duration.ofMillis(5));
            waiting.interrupt();
            assertThat(thrown.get(Lab.PATIENCE.toSeconds(), TimeUnit.SECONDS)).isInstanceOf(InterruptedIOException.class);
            assertThat(status.get(Lab.PATIENCE.toSeconds(), TimeUnit.SECONDS)).as("the interrupt status stays set").isTrue();
        }
    }
}
