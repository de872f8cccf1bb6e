package io.trivet.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.contract.Descriptors;
import io.trivet.contract.Lab;
import io.trivet.net.Network;
import io.trivet.net.Pipe;
import io.trivet.select.NetworkSelect;
import io.trivet.select.Select;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Resources that are reused by the next call must not carry anything over. */
@Timeout(60) // interrupts a wait that does not end
class OneShotPollTest {
    private static final Duration WAIT = Duration.ofMillis(20);

    @ParameterizedTest
    @ValueSource(strings = {"poll", "select"})
    void lateInterruptOfACallDoesNotEndTheNextOne(String engine) throws Exception {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "the engine is Linux's");
        NetworkSelect select = Select.on(Network.named(engine));
        try (Pipe idle = Network.named(engine).pipe(); Pipe broken = Network.named(engine).pipe()) {
            broken.sink().close(); // a hang-up, which is not asked for below
            select.select(List.of(idle.source()), List.of(), List.of(), WAIT);
            for (List<Pipe.Source> urgent : List.of(List.<Pipe.Source>of(), List.of(broken.source()))) {
                assertThat(OneShotPoll.IDLE).isNotEmpty().allSatisfy(kept -> kept.wakeup.signal());
                long start = System.nanoTime();
                assertThat(select.select(List.of(idle.source()), List.of(), urgent, WAIT).isEmpty()).isTrue();
                assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(WAIT.toNanos());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"poll", "select"})
    void interruptEndsACallThatAStaleWakeupHasWoken(String engine) throws Exception {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "the engine is Linux's");
        NetworkSelect select = Select.on(Network.named(engine));
        select.select(List.of(), List.of(), List.of(), WAIT);
        OneShotPoll.IDLE.forEach(kept -> kept.wakeup.signal());
        CompletableFuture<Throwable> thrown = new CompletableFuture<>();
        Thread waiting = Thread.ofPlatform().daemon().start(() -> {
            try {
                select.select(List.of(), List.of(), List.of(), null);
                thrown.complete(null);
            } catch (Throwable t) {
                thrown.complete(t);
            }
        });
        waiting.interrupt();
        assertThat(thrown.get(Lab.PATIENCE.toSeconds(), TimeUnit.SECONDS)).isInstanceOf(InterruptedIOException.class);
    }

    /** 2^29 would take 200 MB of sets. */
    @ParameterizedTest
    @ValueSource(strings = {"poll", "select"})
    void descriptorThatIsNotOpenIsRejectedBeforeTheSetsGrow(String engine) throws Exception {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "the engine is Linux's");
        Network network = Network.named(engine);
        Select.on(network).select(List.of(), List.of(), List.of(), Duration.ZERO); // leaves an object in the pool
        assertThatThrownBy(() -> Select.on(network).select(List.of(network.descriptor(1 << 29)), List.of(), List.of(), WAIT))
                .hasMessageContaining("descriptor 536870912: EBADF");
        assertThat(OneShotPoll.IDLE).isNotEmpty().allMatch(kept -> kept.sets.needsOpenCheck(1 << 29));
    }

    /** Each wait above the first few shares one eventfd with the others, which an interrupt of one of them wakes. */
    @ParameterizedTest
    @ValueSource(strings = {"poll", "select"})
    void manyThreadsWaitWithFewDescriptorsAndEachCanBeInterrupted(String engine) throws Exception {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "the engine is Linux's");
        NetworkSelect select = Select.on(Network.named(engine));
        try (Pipe pipe = Network.named(engine).pipe()) {
            int before = Descriptors.kernelObjects().size();
            List<Thread> threads = new ArrayList<>();
            List<CompletableFuture<Integer>> results = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                CompletableFuture<Integer> result = new CompletableFuture<>();
                results.add(result);
                Duration limit = i % 2 == 0 ? null : Duration.ofDays(1);
                threads.add(Thread.ofPlatform().daemon().start(() -> {
                    try {
                        result.complete(select.select(List.of(pipe.source()), List.of(), List.of(), limit).readable().size());
                    } catch (Throwable t) {
                        result.completeExceptionally(t);
                    }
                }));
            }
            for (Thread thread : threads) {
                awaitWaiting(thread);
            }
            assertThat(Descriptors.kernelObjects().size() - before).isLessThanOrEqualTo(OneShotPoll.OWN_MAX + 1);
            for (int i = 0; i < 30; i++) {
                int index = i;
                threads.get(i).interrupt();
                assertThatThrownBy(() -> results.get(index).get(Lab.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                        .as("thread %d", i).hasCauseInstanceOf(InterruptedIOException.class);
            }
            for (int i = 30; i < 40; i++) {
                assertThat(results.get(i)).as("thread %d was not interrupted", i).isNotDone();
                awaitWaiting(threads.get(i));
            }
            pipe.sink().write(Lab.bytes("!"));
            for (int i = 30; i < 40; i++) {
                assertThat(results.get(i).get(Lab.PATIENCE.toSeconds(), TimeUnit.SECONDS)).isEqualTo(1);
            }
        }
    }

    /** A wait that is woken for another thread ends in time. */
    @Test
    void interruptOfAnotherThreadDoesNotProlongAWait() throws Exception {
        SharedWakeup shared = new SharedWakeup();
        SharedWakeup.Waiter interrupted = shared.newWaiter();
        SharedWakeup.Waiter other = shared.newWaiter();
        interrupted.signal();
        io.trivet.linux.Timeout timeout = new io.trivet.linux.Timeout();
        timeout.start(WAIT.toNanos());
        assertThat(other.awaitOthers(timeout)).as("it was meant for another").isTrue();
        assertThat(timeout.isExpired()).isTrue();
        assertThat(interrupted.awaitOthers(timeout)).isFalse();
        interrupted.end();
        timeout.start(-1);
        assertThat(other.awaitOthers(timeout)).as("clear again").isTrue();
        interrupted.signal(); // late
        assertThat(other.awaitOthers(timeout)).as("a late signal is ignored").isTrue();
        other.end();
    }

    /** Waits until a thread is in the call. */
    private static void awaitWaiting(Thread thread) {
        long end = System.nanoTime() + Lab.PATIENCE.toNanos();
        while (Arrays.stream(thread.getStackTrace()).noneMatch(frame -> frame.getClassName().endsWith(".PollSyscalls"))) {
            assertThat(System.nanoTime()).as("the thread waits").isLessThan(end);
            Thread.onSpinWait();
        }
    }

    @Test
    void descriptorNeedsAnOpenCheckUntilTheSetsHaveGrown() {
        FdBitmaps sets = new FdBitmaps();
        assertThat(sets.needsOpenCheck(Registrations.UNCHECKED_FD_MAX)).isTrue();
        assertThat(sets.needsOpenCheck(Registrations.UNCHECKED_FD_MAX - 1)).isFalse();
        sets.add(Registrations.UNCHECKED_FD_MAX, 0);
        assertThat(sets.needsOpenCheck(Registrations.UNCHECKED_FD_MAX)).as("the sets have grown").isFalse();
    }
}
