package io.trivet.select;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.NotSimulated;
import io.trivet.contract.Pair;
import io.trivet.contract.Slowness;
import io.trivet.contract.Tools;
import io.trivet.net.Capability;
import io.trivet.net.ClosedSocketException;
import io.trivet.net.Network;
import io.trivet.net.Pipe;
import io.trivet.net.TcpStream;
import io.trivet.net.UnavailableException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A virtual thread that waits parks, with the results that a platform thread gets. */
@Timeout(120)
@NotSimulated(NotSimulated.THREADS)
class VirtualThreadsTest {
    /** Threads that wait at the same time, each for a socket of its own, with two carriers. */
    private static final int THREADS = 10_000;
    /** Longer than any wait for a result, but limited, so that a failing test ends. */
    private static final Duration LONG = Lab.PATIENCE.multipliedBy(2);

    @ParameterizedTest
    @ValueSource(strings = {"poll", "select", "epoll", "uring", "nio"})
    void thousandsOfWaitsNeedTwoCarriers(String network) throws Exception {
        try {
            Network.named(network);
        } catch (UnavailableException e) {
            assumeTrue(false, e.reason());
        }
        int descriptorsEach = network.equals("nio") ? 3 : 1; // a Selector for each wait takes two
        int threads = network.equals("nio") ? THREADS / 2 : THREADS;
        long left = ManySocketsTest.descriptorsLeft();
        assumeTrue(left >= (long) threads * descriptorsEach + 100,
                () -> "the descriptor limit leaves " + left + " descriptors, too few for " + threads + " waits");
        long seconds = Slowness.scaled(Duration.ofSeconds(40)).toSeconds();
        List<String> command = new ArrayList<>(Tools.java(VirtualWaits.class, network, "" + threads, "" + seconds));
        command.addAll(1, List.of("-Djdk.virtualThreadScheduler.parallelism=2", "-Djdk.virtualThreadScheduler.maxPoolSize=2"));
        try (Tools.Peer program = Tools.start(command.toArray(String[]::new))) {
            assertThat(program.finish()).containsExactly("started true, waiting " + threads + ", woken true, wrong 0");
        }
    }

    @EveryEngine
    void severalThreadsWaitForTheSameSocket(Lab lab) throws Exception {
        Pair pair = lab.pair();
        List<TcpStream> client = List.of(pair.client());
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<List<TcpStream>>> results = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                results.add(threads.submit(() -> Select.on(lab.network()).select(client, List.of(), List.of(), LONG).readable()));
            }
            Future<List<TcpStream>> writer = threads
                    .submit(() -> Select.on(lab.network()).select(client, client, List.of(), LONG).writable());
            assertThat(get(writer)).isEqualTo(client);
            assertThat(results).as("nothing has arrived").noneMatch(Future::isDone);
            lab.send(pair.server(), "!");
            for (Future<List<TcpStream>> result : results) {
                assertThat(get(result)).isEqualTo(client);
            }
        }
    }

    /** Both ends of a wait at the same time: a thread that finds nothing, because another was faster, waits again. */
    @EveryEngine
    void threadsShareTheBytesOfOneSocket(Lab lab) throws Exception {
        Pipe pipe = lab.pipe();
        List<Pipe.Source> source = List.of(pipe.source());
        int threadCount = 4;
        int bytes = 400;
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Integer>> results = new ArrayList<>();
            for (int i = 0; i < threadCount; i++) {
                results.add(threads.submit(() -> {
                    int received = 0;
                    ByteBuffer one = ByteBuffer.allocate(1);
                    while (true) {
                        assertThat(Select.on(lab.network()).select(source, List.of(), List.of(), LONG).readable())
                                .isEqualTo(source);
                        int count;
                        synchronized (source) { // one thread at a time may read
                            count = pipe.source().read(one.clear());
                        }
                        if (count < 0) {
                            return received;
                        }
                        received += count;
                    }
                }));
            }
            for (int i = 0; i < bytes; i++) {
                ByteBuffer one = ByteBuffer.wrap(new byte[]{'!'});
                lab.eventually("the byte is written", () -> pipe.sink().write(one) > 0);
            }
            pipe.sink().close();
            int total = 0;
            for (Future<Integer> result : results) {
                total += get(result);
            }
            assertThat(total).isEqualTo(bytes);
        }
    }

    @EveryEngine
    void urgentDataEndsTheWait(Lab lab) throws Exception {
        Pair pair = lab.pair();
        List<TcpStream> client = List.of(pair.client());
        if (lab.refuses(Capability.URGENT_DATA, () -> onVirtualThread(
                () -> Select.on(lab.network()).select(List.of(), List.of(), client, LONG)))) {
            return;
        }
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Ready<TcpStream>> waiting = threads.submit(
                    () -> Select.on(lab.network()).select(List.of(), List.of(), client, LONG));
            lab.send(pair.server(), "ordinary");
            lab.pause(Duration.ofMillis(5));
            assertThat(waiting.isDone()).isFalse();
            pair.server().sendUrgent((byte) '!');
            assertThat(get(waiting).exceptional()).isEqualTo(client);
        }
    }

    /** A hang-up is reported by the kernel without being asked for, and does not end a wait for urgent data alone. */
    @EveryEngine
    void hangUpDoesNotEndAWaitForUrgentData(Lab lab) throws Exception {
        if (!lab.network().supports(Capability.URGENT_DATA)) {
            lab.cannot("java.nio has no urgent data");
            return;
        }
        Pipe pipe = lab.pipe();
        Pipe idle = lab.pipe();
        pipe.sink().close();
        Ready<Pipe.Source> none = onVirtualThread(() -> Select.on(lab.network())
                .select(List.of(idle.source()), List.of(), List.of(pipe.source()), Duration.ofMillis(30)));
        assertThat(none.isEmpty()).isTrue();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Ready<Pipe.Source>> waiting = threads.submit(() -> Select.on(lab.network())
                    .select(List.of(idle.source()), List.of(), List.of(pipe.source()), LONG));
            lab.pause(Duration.ofMillis(5));
            ByteBuffer one = ByteBuffer.wrap(new byte[]{'!'});
            lab.eventually("the byte is written", () -> idle.sink().write(one) > 0);
            assertThat(get(waiting).readable()).containsExactly(idle.source());
        }
    }

    /** The number of a closed socket is used again while a thread still waits for the old one. */
    @EveryEngine
    void socketWithTheNumberOfAClosedOneIsWatched(Lab lab) throws Exception {
        Pair old = lab.pair();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> abandoned = threads.submit(
                    () -> Select.on(lab.network()).select(List.of(old.client()), List.of(), List.of(), LONG));
            lab.pause(Duration.ofMillis(5));
            old.client().close();
            List<Pair> pairs = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                pairs.add(lab.pair());
            }
            for (Pair pair : pairs) {
                for (TcpStream stream : List.of(pair.client(), pair.server())) {
                    Future<List<TcpStream>> waiting = threads.submit(
                            () -> Select.on(lab.network()).select(List.of(stream), List.of(), List.of(), LONG).readable());
                    lab.pause(Duration.ofMillis(5));
                    lab.send(stream.equals(pair.client()) ? pair.server() : pair.client(), "!");
                    assertThat(get(waiting)).containsExactly(stream);
                }
            }
            if (!abandoned.isDone()) {
                abandoned.cancel(true);
            }
        }
        assertThatThrownBy(() -> onVirtualThread(
                () -> Select.on(lab.network()).select(List.of(old.client()), List.of(), List.of(), LONG)))
                .isInstanceOf(ClosedSocketException.class).hasMessageContaining("rlist[0]");
    }

    private static <T> T onVirtualThread(Callable<T> call) throws Exception {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            return threads.submit(call).get(LONG.toSeconds(), TimeUnit.SECONDS);
        } catch (java.util.concurrent.ExecutionException e) {
            if (e.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw e;
        }
    }

    private static <T> T get(Future<T> future) throws Exception {
        return future.get(Lab.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }
}
