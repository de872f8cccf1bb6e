package io.trivet.nats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.trivet.server.Server;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Two servers share messages and presence over a real nats-server. */
@EnabledOnOs(OS.LINUX)
final class NatsRelayTest {
    private static final int SLOWNESS = Integer.getInteger("trivet.slowness", 1);
    private static final Duration TIMEOUT = Duration.ofSeconds(30L * SLOWNESS);

    private NatsServer nats;
    private ChatServer first;
    private ChatServer second;
    private LineClient ann;
    private LineClient bob;

    @BeforeEach
    void start() throws Exception {
        nats = NatsServer.start();
        first = new ChatServer(options(nats.url()));
        second = new ChatServer(options(nats.url()));
        ann = new LineClient(first.server.address(), "ann");
        bob = new LineClient(second.server.address(), "bob");
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
        if (nats != null) {
            nats.close();
        }
    }

    private static RelayOptions options(String url) {
        return RelayOptions.of(url).withHeartbeat(Duration.ofMillis(100), Duration.ofMillis(1000L * SLOWNESS))
                .withBackoff(Duration.ofMillis(20), Duration.ofMillis(200));
    }

    private static void until(String what, Callable<Boolean> condition) {
        await(what).atMost(TIMEOUT).pollInterval(Duration.ofMillis(10)).until(condition);
    }

    /** Makes both clients members of a topic, with everything counted from now on. */
    private void join(String topic) throws Exception {
        ann.send("I ann\nJ " + topic + "\n");
        bob.send("I bob\nJ " + topic + "\n");
        until("joined", () -> ann.has("A joined") && bob.has("A joined"));
        until("both servers are heard, and their clients known", () -> first.relay.presence().equals(expected())
                && second.relay.presence().equals(expected()));
        // What is published before a subscription has reached the bus is not for it.
        ann.send("P " + topic + " x\n");
        bob.send("P " + topic + " x\n");
        until("first messages", () -> {
            ann.send("P " + topic + " x\n");
            bob.send("P " + topic + " x\n");
            return ann.isComplete(topic, second) && bob.isComplete(topic, first);
        });
    }

    private Map<String, List<String>> expected() {
        return Map.of("ann", List.of(first.relay.id()), "bob", List.of(second.relay.id()));
    }

    @Test
    void messagesReachMembersOnBothServers() throws Exception {
        join("news");
        for (int i = 0; i < 2000; i++) {
            ann.send("P news " + "x".repeat(i % 100) + "\n");
            bob.send("P news " + "y".repeat(i % 100) + "\n");
        }
        until("all have arrived", () -> first.accepted.get("news") > 2000 && second.accepted.get("news") > 2000
                && ann.isComplete("news", second) && bob.isComplete("news", first)
                && ann.isComplete("news", first) && bob.isComplete("news", second));
        assertThat(ann.missed()).isZero();
        assertThat(bob.missed()).isZero();
    }

    @Test
    void aMessageReachesAClientWhereverItIs() throws Exception {
        join("news");
        ann.send("S bob x\nS ann x\nS eve x\n");
        until("to the other server", () -> bob.has("D " + first.relay.id() + " bob 1"));
        until("to the same server", () -> ann.has("D " + first.relay.id() + " ann 1"));
        until("to nobody", () -> first.undeliverable.get() == 1);
    }

    @Test
    void presenceFollowsClients() throws Exception {
        join("news");
        bob.close();
        until("bob has left", () -> first.relay.presence().equals(Map.of("ann", List.of(first.relay.id()))));
        second.relay.drain(Duration.ofSeconds(5));
        assertThat(second.relay.awaitClosed(TIMEOUT)).isTrue();
        until("the server has left", () -> first.relay.stats().peers().isEmpty());
    }

    @Test
    void aServerThatIsKilledIsLostWithItsClients() throws Exception {
        join("news");
        second.server.close(); // without a word to the relay
        until("bob is lost", () -> first.relay.presence().equals(Map.of("ann", List.of(first.relay.id()))));
    }

    @Test
    void aBusThatIsKilledCostsNothingUnnoticed() throws Exception {
        join("news");
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 500; i++) {
                ann.send("P news x\n");
                bob.send("P news x\n");
            }
            nats.kill();
            for (int i = 0; i < 500; i++) {
                ann.send("P news x\n");
                bob.send("P news x\n");
            }
            long accepted = first.accepted.get("news");
            until("local members are served", () -> first.accepted.get("news") >= accepted && ann.isComplete("news", first));
            nats.restart();
            until("received or reported", () -> ann.isComplete("news", second) && bob.isComplete("news", first));
            until("presence is back",
                    () -> first.relay.presence().equals(expected()) && second.relay.presence().equals(expected()));
        }
    }

    @Test
    void aBusThatStandsStillIsNoticed() throws Exception {
        join("news");
        nats.pause(true);
        until("noticed", () -> {
            ann.send("P news x\n");
            return first.relay.stats().failures() > 0 && second.relay.stats().failures() > 0;
        });
        nats.pause(false);
        until("received or reported", () -> ann.isComplete("news", second) && bob.isComplete("news", first));
        until("presence is back", () -> first.relay.presence().equals(expected()) && second.relay.presence().equals(expected()));
    }

    @Test
    void aPasswordAppearsInNoReason() {
        assertThat(NatsBus.withoutSecrets("cannot connect to nats://user:secret@host:4222")).isEqualTo(
                "cannot connect to nats://host:4222");
        assertThat(NatsBus.withoutSecrets("[nats://user:secret@a, token@b:4222]")).isEqualTo("[nats://a, b:4222]");
        assertThat(NatsBus.withoutSecrets("nats://user:se/cr@et@a,user:secret@b")).isEqualTo("nats://a,b");
        assertThat(NatsBus.withoutSecrets(null)).isEmpty();
    }

    @Test
    void whyTheBusCannotBeReachedIsReported() throws Exception {
        NatsServer guarded = NatsServer.start("--user", "relay", "--pass", "right");
        int port = URI.create(guarded.url()).getPort();
        try {
            assertThat(reason("nats://relay:wrong@127.0.0.1:" + port)).containsIgnoringCase("authorization violation");
            assertThat(reason("nats://127.0.0.1:" + port)).containsIgnoringCase("authorization violation");
            assertThat(reason("tls://relay:right@127.0.0.1:" + port))
                    .isEqualTo("the NATS server has no TLS: use nats:// instead of tls://");
        } finally {
            guarded.close();
        }
        assertThat(reason("nats://127.0.0.1:" + port)).containsIgnoringCase("connection refused");
    }

    /** Returns why a relay cannot connect. */
    private static String reason(String url) throws Exception {
        CompletableFuture<String> reason = new CompletableFuture<>();
        try (Server server = Server.builder().listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .onMessage((_, _) -> {}).start()) {
            Relay.connect(server, options(url), new RelayListener() {
                @Override
                public void onBus(BusState state, String text) {
                    if (state == BusState.AWAY) {
                        reason.complete(text);
                    }
                }
            });
            return reason.get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
        }
    }
}
