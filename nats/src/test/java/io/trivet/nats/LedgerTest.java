package io.trivet.nats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.nats.Ledger.Gap;
import org.junit.jupiter.api.Test;

/** The ledger knows which messages a gap stands for. */
final class LedgerTest {
    private final Ledger ledger = new Ledger("member");

    private void read(String... lines) {
        for (String line : lines) {
            assertThat(ledger.read(line.split(" "))).isTrue();
        }
    }

    @Test
    void aGapFollowsTheLastMessage() {
        read("M news p 7", "G news p 2", "G news p 1", "M news p 11");
        assertThat(ledger.takeGaps()).containsExactly(new Gap("news", "p", 8, 2), new Gap("news", "p", 10, 1));
        assertThat(ledger.takeGaps()).isEmpty();
        assertThat(ledger.missed).isEqualTo(3);
    }

    @Test
    void gapsBeforeTheFirstMessageEndThere() {
        read("G news p 2", "G news p 1", "G news q 1", "G other p 1", "M news p 11");
        assertThat(ledger.takeGaps()).containsExactly(new Gap("news", "p", 8, 3));
    }

    @Test
    void gapsWithoutAMessageEndAtTheLastOnePublished() {
        read("G news p 2");
        ledger.settle(Ledger.key("news", "p"), 5);
        assertThat(ledger.takeGaps()).containsExactly(new Gap("news", "p", 4, 2));
    }

    @Test
    void moreThanAllCannotBeMissed() {
        read("G news p 3");
        assertThatThrownBy(() -> read("M news p 3")).hasMessage("member has missed 3 messages of news p before number 3");
    }
}
