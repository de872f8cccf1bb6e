package io.trivet.select;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.contract.Case;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.NotSimulated;
import io.trivet.contract.Pair;
import io.trivet.net.TcpStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;

/** Any number of threads may select at the same time. */
@Timeout(60) // interrupts a wait that does not end
class ThreadsTest {
    private static final int THREADS = 20;
    /** Longer than any wait for a result, but limited, so that a failing test ends. */
    private static final Duration LONG = Lab.PATIENCE.multipliedBy(2);

    @EveryEngine
    @NotSimulated(NotSimulated.THREADS)
    void manyThreadsWaitAndEachGetsItsOwnResult(Lab lab) throws Exception {
        long seed = System.nanoTime();
        List<Pair> pairs = new ArrayList<>();
        List<Future<List<TcpStream>>> results = new ArrayList<>();
        CountDownLatch allStarted = new CountDownLatch(THREADS);
        try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
            for (int i = 0; i < THREADS; i++) {
                Pair pair = lab.pair();
                pairs.add(pair);
                results.add(threads.submit(() -> {
                    allStarted.countDown();
                    return Select.on(lab.network()).select(List.of(pair.client()), List.of(), List.of(), LONG).readable();
                }));
            }
            assertThat(allStarted.await(Lab.PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
            lab.pause(Duration.ofMillis(10));
            assertThat(results).as("nothing has been sent").noneMatch(Future::isDone);

            List<Integer> order = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                order.add(i);
            }
            Collections.shuffle(order, new Random(seed));
            for (int i : order) {
                lab.send(pairs.get(i).server(), "!");
                assertThat(results.get(i).get(Lab.PATIENCE.toSeconds(), TimeUnit.SECONDS)).as("seed %d", seed)
                        .containsExactly(pairs.get(i).client());
            }
        }
    }

    /** Each thread selects lists of many sizes. State that a call leaves in the thread must not affect the next one. */
    @EveryEngine
    @NotSimulated(NotSimulated.THREADS)
    void manyThreadsSelectTheSameSockets(Lab lab) throws Exception {
        List<TcpStream> readable = new ArrayList<>();
        List<TcpStream> all = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            Pair pair = lab.pair();
            all.add(pair.client());
            if (i % 2 == 0) {
                lab.send(pair.server(), "ready");
                lab.awaitLists(pair.client(), "rw-");
                readable.add(pair.client());
            }
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
            List<Future<Void>> done = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                int first = i % all.size();
                done.add(threads.submit(() -> {
                    for (int round = 0; round < 50; round++) {
                        List<TcpStream> some = all.subList((first + round) % all.size(), all.size());
                        List<TcpStream> expected = some.stream().filter(readable::contains).toList();
                        Duration timeout = round % 2 == 0 || expected.isEmpty() ? Duration.ZERO : null;
                        assertThat(Select.on(lab.network()).select(some, List.of(), List.of(), timeout).readable())
                                .isEqualTo(expected);
                    }
                    return null;
                }));
            }
            for (Future<Void> each : done) {
                each.get(Lab.PATIENCE.toSeconds(), TimeUnit.SECONDS);
            }
        }
    }

    @Case("C7")
    @EveryEngine
    @NotSimulated(NotSimulated.THREADS)
    void shutdownEndsTheWait(Lab lab) throws Exception {
        Pair pair = lab.pair();
        CompletableFuture<Void> other = CompletableFuture.runAsync(() -> {
            try {
                lab.pause(Duration.ofMillis(5));
                pair.client().shutdownInput();
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
        List<TcpStream> client = List.of(pair.client());
        assertThat(Select.on(lab.network()).select(client, List.of(), List.of(), Lab.PATIENCE).readable()).isEqualTo(client);
        other.get(Lab.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    @EveryEngine
    @NotSimulated(NotSimulated.THREADS)
    void virtualThreadWaitsAndAnotherWakesIt(Lab lab) throws Exception {
        Pair pair = lab.pair();
        List<TcpStream> client = List.of(pair.client());
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int round = 0; round < 10; round++) {
                CountDownLatch started = new CountDownLatch(1);
                Future<List<TcpStream>> waiting = threads.submit(() -> {
                    started.countDown();
                    return Select.on(lab.network()).select(client, List.of(), List.of(), LONG).readable();
                });
                assertThat(started.await(Lab.PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
                threads.submit(() -> {
                    lab.send(pair.server(), "!");
                    return null;
                }).get(Lab.PATIENCE.toSeconds(), TimeUnit.SECONDS);
                assertThat(waiting.get(Lab.PATIENCE.toSeconds(), TimeUnit.SECONDS)).isEqualTo(client);
                assertThat(lab.receive(pair.client(), 1)).isEqualTo("!");
            }
        }
    }
}
