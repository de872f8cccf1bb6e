package io.trivet.select;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.contract.Case;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.NotSimulated;
import io.trivet.contract.Pair;
import io.trivet.net.Capability;
import io.trivet.net.Socket;
import io.trivet.net.TcpStream;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;

/** How long select waits, by the network's clock. Lower bounds are exact, upper bounds are generous. */
@Timeout(60) // interrupts a wait that does not end
class TimeoutsTest {
    private static final List<Socket> NONE = List.of();

    @Case("5")
    @EveryEngine
    void negativeTimeoutIsAnError(Lab lab) throws Exception {
        List<TcpStream> idle = List.of(lab.pair().client());
        for (Duration negative : List.of(Duration.ofNanos(-1), Duration.ofSeconds(-1), Duration.ofSeconds(Long.MIN_VALUE))) {
            assertThatThrownBy(() -> Select.on(lab.network()).select(idle, idle, List.of(), negative))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("negative");
            assertThatThrownBy(() -> Select.on(lab.network()).select(0, null, null, null, negative))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("negative");
        }
    }

    @Case("105")
    @EveryEngine
    void zeroDoesNotWait(Lab lab) throws Exception {
        Pair pair = lab.pair();
        List<TcpStream> client = List.of(pair.client());
        assertThat(Select.on(lab.network()).select(client, List.of(), List.of(), Duration.ZERO).isEmpty()).isTrue();
        lab.send(pair.server(), "ready");
        lab.awaitLists(pair.client(), "rw-");
        assertThat(Select.on(lab.network()).select(client, List.of(), List.of(), Duration.ZERO).readable()).isEqualTo(client);
    }

    @Case("105")
    @EveryEngine
    void nullTimeoutDoesNotWaitForWhatIsReady(Lab lab) throws Exception {
        List<TcpStream> client = List.of(lab.pair().client());
        assertThat(Select.on(lab.network()).select(client, client, List.of(), null).writable()).isEqualTo(client);
    }

    @Case({"C1", "56"})
    @EveryEngine
    void waitIsNeverTooShort(Lab lab) throws Exception {
        List<TcpStream> idle = List.of(lab.pair().client());
        for (long nanos : new long[]{1, 500, 499_999, 500_000, 1_000_001, 20_000_000}) {
            for (int i = 0; i < 5; i++) {
                long start = lab.network().clock().nanoTime();
                Ready<TcpStream> ready = Select.on(lab.network()).select(idle, List.of(), List.of(), Duration.ofNanos(nanos));
                long took = lab.network().clock().nanoTime() - start;
                assertThat(ready.isEmpty()).isTrue();
                assertThat(took).isBetween(nanos, nanos + Lab.PATIENCE.toNanos());
            }
        }
    }

    @Case("C4")
    @EveryEngine
    void emptyListsWithATimeoutSleep(Lab lab) throws Exception {
        long start = lab.network().clock().nanoTime();
        Ready<Socket> ready = Select.on(lab.network()).select(NONE, NONE, NONE, Duration.ofMillis(30));
        assertThat(lab.network().clock().nanoTime() - start).isGreaterThanOrEqualTo(30_000_000);
        assertThat(ready.isEmpty()).isTrue();
    }

    @Case({"C2", "105"})
    @EveryEngine
    @NotSimulated(NotSimulated.THREADS)
    void hugeTimeoutDoesNotOverflow(Lab lab) throws Exception {
        Pair pair = lab.pair();
        List<TcpStream> client = List.of(pair.client());
        List<Duration> huge = List.of(
                Duration.ofMillis(Integer.MAX_VALUE), // 25 days: the largest int of milliseconds
                Duration.ofMillis(Integer.MAX_VALUE).plusNanos(1),
                Duration.ofMillis(1L << 32), // 0 as an int
                Duration.ofSeconds(1L << 32),
                Duration.ofNanos(Long.MAX_VALUE), // 292 years
                Duration.ofNanos(Long.MAX_VALUE).plusNanos(1),
                Duration.ofSeconds(Long.MAX_VALUE, 999_999_999));
        for (Duration timeout : huge) {
            CompletableFuture<Void> writer = CompletableFuture.runAsync(() -> {
                try {
                    lab.pause(Duration.ofMillis(5));
                    lab.send(pair.server(), "!");
                } catch (java.io.IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            Ready<TcpStream> ready = Select.on(lab.network()).select(client, List.of(), List.of(), timeout);
            writer.get(Lab.PATIENCE.toSeconds(), TimeUnit.SECONDS);
            assertThat(ready.readable()).as("after %s", timeout).isEqualTo(client);
            assertThat(lab.receive(pair.client(), 1)).isEqualTo("!");
        }
    }

    @EveryEngine
    @Case("C1")
    void thirdListWaitsAsLongAsTheOthers(Lab lab) throws Exception {
        List<TcpStream> idle = List.of(lab.pair().client());
        Duration timeout = Duration.ofMillis(20);
        if (lab.refuses(Capability.URGENT_DATA,
                () -> Select.on(lab.network()).select(List.of(), List.of(), idle, timeout))) {
            return;
        }
        long start = lab.network().clock().nanoTime();
        assertThat(Select.on(lab.network()).select(List.of(), List.of(), idle, timeout).isEmpty()).isTrue();
        assertThat(lab.network().clock().nanoTime() - start).isGreaterThanOrEqualTo(timeout.toNanos());
    }
}
