package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The order of timers. */
final class TimerHeapTest {
    private final TimerHeap heap = new TimerHeap();

    /** A timer that does nothing. */
    static final class PlainTimer extends Timer {
        PlainTimer(long deadlineNanos) {
            super(deadlineNanos, () -> {});
        }

        @Override
        void due() {}
    }

    @Test
    void firstTimerIsAlwaysTheEarliestOfAModelWhateverIsAddedAndRemoved() throws Exception {
        Seeded.run(20, random -> {
            long base = random.nextBoolean() ? Long.MAX_VALUE - 50 : random.nextLong();
            List<Timer> model = new ArrayList<>();
            for (int i = 0; i < 2000; i++) {
                if (model.isEmpty() || random.nextInt(100) < (i < 1000 ? 70 : 30)) {
                    Timer timer = new PlainTimer(base + random.nextInt(100));
                    heap.add(timer);
                    model.add(timer);
                } else {
                    Timer removed = random.nextBoolean() ? model.get(random.nextInt(model.size())) : heap.first();
                    heap.remove(removed);
                    assertThat(removed.place).isEqualTo(TimerHeap.ABSENT);
                    model.remove(removed);
                }
                Timer earliest = model.stream()
                        .min(Comparator.comparingLong((Timer timer) -> timer.deadlineNanos - base)
                                .thenComparingLong(timer -> timer.number))
                        .orElse(null);
                assertThat(heap.first()).isSameAs(earliest);
                assertThat(heap.size()).isEqualTo(model.size());
            }
            model.forEach(heap::remove);
            assertThat(heap.first()).isNull();
        });
    }

    @Test
    void heapThatWasLargeBecomesSmallAgain() {
        List<Timer> timers = new ArrayList<>();
        for (int i = 0; i < 100_000; i++) {
            timers.add(new PlainTimer(i));
            heap.add(timers.getLast());
        }
        assertThat(heap.length()).isBetween(100_000, 200_000);
        timers.forEach(heap::remove);
        assertThat(heap.length()).isEqualTo(64);
    }
}
