package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.linux.CrampedRing;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.sim.TortureNetwork;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Deadlines are judged after everything that has arrived was seen: peers are not blamed for a stall of the server. */
final class StallTest {
    /** More than a poll of any engine reports, and more than the deferred work of one call on a ring. */
    private static final int CLIENTS = 600;
    private static final Handler SILENT = (connection, message) -> {};
    private static final Limits LIMITS = Limits.defaults().withIdleTimeout(Duration.ofSeconds(10));

    @EveryNetwork
    void peersWhoseBytesLieInTheKernelAfterAStallAreNotExpired(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story).framing(Framing.lines()).limits(LIMITS));
        List<Client> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            clients.add(stage.client(server));
        }
        stage.until("open", () -> story.count("open") == CLIENTS);
        for (Client client : clients) {
            client.send("begun ");
        }
        stage.settle();
        for (Client client : clients) {
            client.send("and ended\n");
        }
        stage.pass(Duration.ofSeconds(60)); // the process was stopped, and nothing was read
        stage.until("delivered or expired", () -> story.count("message") + expired(story) >= CLIENTS);
        stage.settle();
        // Torture conceals what has arrived, and a ring of eight places may have a poll without a completion: so some may look late,
        // and under torture all of them, if the first poll reports nothing.
        if (stage.network() instanceof TortureNetwork) {
            assertThat(story.count("message") + expired(story)).isEqualTo(CLIENTS);
        } else if (CrampedRing.isNetwork(stage.network())) {
            assertThat(story.count("message")).isGreaterThan(0);
        } else {
            assertThat(story.count("message")).isEqualTo(CLIENTS);
            assertThat(expired(story)).isZero();
        }
    }

    private static long expired(Story story) {
        return IntStream.range(0, story.size()).filter(i -> story.connection(i).state() != ConnectionState.OPEN).count();
    }

    @EveryNetwork
    void peersThatAreReallyLateAreStillExpired(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story).framing(Framing.lines()).limits(LIMITS));
        Client late = stage.client(server);
        stage.until("open", () -> story.count("open") == 1);
        late.send("begun ");
        stage.settle();
        Client busy = stage.client(server);
        stage.until("open", () -> story.count("open") == 2);
        busy.send("quick\n");
        stage.pass(Duration.ofSeconds(60));
        assertThat(late.rest()).isEmpty();
        late.finish();
        stage.until("closed", () -> story.count("close") >= 1);
        assertThat(story.reasons()).contains(CloseReason.MESSAGE_TIMEOUT);
    }
}
