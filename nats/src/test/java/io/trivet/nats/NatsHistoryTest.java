package io.trivet.nats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Gaps are filled from a stream of JetStream, on a real nats-server. The second server is cut off from it for a while. */
@EnabledOnOs(OS.LINUX)
final class NatsHistoryTest {
    private static final int SLOWNESS = Integer.getInteger("trivet.slowness", 1);
    private static final Duration TIMEOUT = Duration.ofSeconds(30L * SLOWNESS);
    private static final int MESSAGES = 2000;

    private NatsServer nats;
    private CutProxy proxy;
    private ChatServer first;
    private ChatServer second;
    private LineClient ann;
    private LineClient bob;

    private void start(String... more) throws Exception {
        nats = NatsServer.start(more);
        proxy = new CutProxy(nats.url());
        RelayOptions options = RelayOptions.of(nats.url())
                .withHeartbeat(Duration.ofMillis(100), Duration.ofMillis(1000L * SLOWNESS))
                .withBackoff(Duration.ofMillis(20), Duration.ofMillis(200))
                .withHistory(new History("CHAT", Duration.ofMinutes(1), 1 << 26, TIMEOUT));
        first = new ChatServer(options);
        second = new ChatServer(RelayOptions.of(proxy.url()).withHeartbeat(options.heartbeat(), options.expiry())
                .withBackoff(options.backoffMin(), options.backoffMax()).withHistory(options.history()));
        ann = new LineClient(first.server.address(), "ann");
        bob = new LineClient(second.server.address(), "bob");
        ann.send("I ann\nJ news\n");
        bob.send("I bob\nJ news\n");
        until("joined, and known to each other", () -> first.relay.presence().size() == 2 && second.relay.presence().size() == 2
                && ann.has("A joined") && bob.has("A joined"));
        until("first message", () -> {
            boolean isFirst = first.accepted.isEmpty();
            if (isFirst) {
                ann.send("P news x\n");
            }
            return !isFirst && bob.isComplete("news", first);
        });
    }

    @AfterEach
    void end() throws Exception {
        if (first != null) {
            ann.close();
            bob.close();
            for (ChatServer each : List.of(first, second)) {
                each.relay.close();
                each.server.close();
            }
        }
        if (proxy != null) {
            proxy.close();
        }
        if (nats != null) {
            nats.close();
        }
    }

    private static void until(String what, Callable<Boolean> condition) {
        await(what).atMost(TIMEOUT).pollInterval(Duration.ofMillis(10)).until(condition);
    }

    /** Publishes on the first server while the second one is cut off. Returns how many messages. */
    private long publishWhileCut() throws Exception {
        proxy.cut(true);
        long before = first.accepted.get("news");
        for (int i = 0; i < MESSAGES; i++) {
            ann.send("P news " + "x".repeat(i % 100) + "\n");
        }
        until("all are on their way to the bus", () -> first.accepted.get("news") >= before + MESSAGES
                && first.relay.stats().sent() == first.accepted.get("news"));
        proxy.cut(false);
        until("all are received or reported", () -> bob.isComplete("news", first));
        return first.accepted.get("news") - before;
    }

    @Test
    void whatWasPublishedWhileAServerWasCutOffIsDeliveredInOrder(@TempDir Path store) throws Exception {
        start("-js", "-sd", store.toString());
        for (int round = 0; round < 3; round++) {
            publishWhileCut();
        }
        assertThat(bob.missed()).isZero();
        until("counted", () -> second.relay.stats().filled() >= 3 * MESSAGES);
        assertThat(second.relay.stats().missed()).isZero();
        assertThat(second.relay.stats().duplicates()).as("what the history repeats does not count").isZero();
        assertThat(second.historyProblems).isEmpty();
    }

    @Test
    void withoutJetStreamTheProblemAndEveryLossAreReported() throws Exception {
        start();
        until("the problem is reported", () -> second.historyProblems.size() == 1);
        assertThat(second.historyProblems.getFirst()).contains("start nats-server with --jetstream");
        assertThat(bob.missed()).isZero();
        long published = publishWhileCut();
        assertThat(bob.missed()).as("the bus may get the last ones after the second server is back").isPositive()
                .isLessThanOrEqualTo(published);
    }
}
