package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.nats.BusState;
import io.trivet.nats.RelayOptions;
import io.trivet.nats.RelayStats;
import io.trivet.nats.RelayStats.PeerStats;
import io.trivet.nats.RelayStats.TopicStats;
import io.trivet.view.Panel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the live view makes of the numbers of a relay. */
final class RelayPanelTest {
    private static final long MINUTE = Duration.ofMinutes(1).toMillis();

    private static Panel panel(BusState state, String reason, List<PeerStats> peers, int topicsUsed, List<TopicStats> busiest) {
        return RelayPanel.of("00c0ffee", RelayOptions.of("nats://127.0.0.1"),
                new RelayStats(state, reason, 5000, 3, 4, 2, 7, 10, 2048, 100, 90, 5, 80, 6, 9, 1, 0, 0, 0, peers, topicsUsed,
                        busiest));
    }

    private static Panel.Value value(Panel panel, String name) {
        return Stream.concat(panel.summary().stream(), panel.details().stream()).filter(value -> value.name().equals(name))
                .findFirst().orElseThrow();
    }

    private static List<String> heads(Panel.Table table) {
        return table.rows().stream().map(row -> row.cells().getFirst().text().en()).toList();
    }

    @Test
    void serversThatArePresentComeFirstAndThoseThatWereLostLongAgoAreNotShown() {
        Panel panel = panel(BusState.UP, "", List.of(new PeerStats("lost", false, 30 * MINUTE, 5_000_000, 0, 3),
                new PeerStats("long ago", false, 61 * MINUTE, 0, 0, 0), new PeerStats("b", true, 900, 2_000_000, 4, 6),
                new PeerStats("just lost", false, MINUTE, 0, 0, 0), new PeerStats("a", true, 100, 1_000_000, 0, 0)), 0,
                List.of());
        assertThat(heads(panel.tables().getFirst())).containsExactly("a", "b", "just lost", "lost");
        assertThat(panel.tables().getFirst().rows().get(2).isMarked()).isTrue();
        assertThat(panel.tables().getFirst().rows().get(2).cells().get(3).number()).as("the lag of a lost server").isNaN();
        assertThat(value(panel, "servers").number()).isEqualTo(2);
        assertThat(value(panel, "servers_lost").number()).isEqualTo(2);
        assertThat(value(panel, "lag").number()).as("the greatest of those present").isEqualTo(0.002);
        assertThat(panel.problem()).isEqualTo(Panel.Text.NONE);
    }

    @Test
    void manyServersAndTopicsAreCutAndCounted() {
        List<PeerStats> peers = new ArrayList<>();
        List<TopicStats> topics = new ArrayList<>();
        for (int i = 0; i < 150; i++) {
            peers.add(new PeerStats("server " + i, true, 0, 0, 0, 0));
            if (i < 100) {
                topics.add(new TopicStats("topic " + i, 1, 2, 3, 4));
            }
        }
        Panel panel = panel(BusState.UP, "", peers, 10_000, topics);
        assertThat(panel.tables()).allSatisfy(table -> assertThat(table.rows()).hasSize(100));
        assertThat(panel.tables()).extracting(Panel.Table::leftOut).containsExactly(50L, 9_900L);
        assertThat(value(panel, "servers").number()).as("all of them").isEqualTo(150);
    }

    @Test
    void aBusThatIsAwayIsAProblemWithItsReason() {
        Panel away = panel(BusState.CONNECTING, "Connection refused <b>", List.of(), 0, List.of());
        assertThat(away.problem().en()).startsWith("NATS cannot be reached").endsWith("Connection refused <b>");
        assertThat(value(away, "connected")).satisfies(value -> {
            assertThat(value.number()).isZero();
            assertThat(value.isMarked()).isTrue();
            assertThat(value.text().en()).isEqualTo("not connected");
        });
        assertThat(value(away, "lag").number()).isNaN();
        assertThat(panel(BusState.CONNECTING, "", List.of(), 0, List.of()).problem()).as("the first attempt")
                .isEqualTo(Panel.Text.NONE);
        assertThat(panel(BusState.CLOSED, "", List.of(), 0, List.of()).problem().en()).startsWith("The relay has ended.");
    }

    @Test
    void numbersAreThoseOfTheRelay() {
        Panel panel = panel(BusState.UP, "", List.of(), 0, List.of());
        assertThat(panel.lead().en()).contains("00c0ffee");
        assertThat(value(panel, "queued").number()).isEqualTo(2048);
        assertThat(value(panel, "queued").max()).isEqualTo(4 << 20);
        assertThat(value(panel, "missed").number()).isEqualTo(9);
        assertThat(value(panel, "missed").isMarked()).isTrue();
        assertThat(value(panel, "dropped").number()).isEqualTo(5);
        assertThat(value(panel, "reconnects").number()).as("three connects").isEqualTo(2);
        assertThat(value(panel, "state").number()).isEqualTo(5);
    }
}
