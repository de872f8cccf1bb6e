package io.trivet.view;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.observe.LoopEvent;
import java.util.List;
import org.junit.jupiter.api.Test;

final class JournalTest {
    private final Journal journal = new Journal(1, new PauseGate(1, () -> false));

    private void turn(LoopEvent event) {
        journal.event(0, event, 7, 1);
        journal.turned(0, 10, 20, 1);
    }

    @Test
    void turnsThatChangeAListAreNotHiddenByManyOthers() {
        turn(LoopEvent.QUEUE_HIGH);
        for (int i = 0; i < 100; i++) {
            turn(LoopEvent.RECEIVED);
        }
        turn(LoopEvent.QUEUE_LOW); // beyond the number of turns that are kept in such a short time
        List<Turn> turns = journal.lately(0, 8);
        assertThat(turns).hasSize(9);
        assertThat(turns.getFirst().number()).isEqualTo(1);
        assertThat(turns.getFirst().events()).containsExactly(new Turn.Event(LoopEvent.QUEUE_HIGH, 7, 1));
        assertThat(turns.getLast().number()).isEqualTo(102);
        assertThat(turns.getLast().events()).containsExactly(new Turn.Event(LoopEvent.QUEUE_LOW, 7, 1));
        assertThat(turns).isSortedAccordingTo((one, other) -> Long.compare(one.number(), other.number()));
    }

    @Test
    void loopThatDoesNotEndItsTurnCountsAsWorkingFromTheBeginning() {
        assertThat(journal.isWorking(0)).isFalse();
        journal.awaitTurns(List.of(true)); // a handler held it before anyone looked: there is no event
        assertThat(journal.isWorking(0)).isTrue();
        journal.turned(0, 0, 0, 0);
        assertThat(journal.isWorking(0)).isFalse();
    }

    @Test
    void turnsAreCountedAsTheLoopsCountThem() {
        journal.countFrom(400);
        turn(LoopEvent.RECEIVED);
        journal.countFrom(100); // never back: pages ask for the turns after the last one that they have seen
        turn(LoopEvent.RECEIVED);
        assertThat(journal.lately(0, 8)).extracting(Turn::number).containsExactly(401L, 402L);
    }
}
