package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.Loop;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Compares the heap of deadlines with a map. */
final class DeadlineQueueTest {
    @Test
    void earliestDeadlineIsNextAndTiesGoToTheLowerSlot() throws Exception {
        Seeded.run(20, random -> {
            DeadlineQueue deadlines = new DeadlineQueue();
            Map<Integer, Long> model = new TreeMap<>();
            long base = Long.MAX_VALUE - random.nextInt(100); // so that some deadlines wrap around
            for (int i = 0; i < 3000; i++) {
                int slot = random.nextInt(1 << random.nextInt(11));
                int later = random.nextInt(200);
                long deadline = base + later == Loop.NO_DEADLINE ? base - 1 : base + later;
                switch (random.nextInt(4)) {
                    case 0 -> {
                        deadlines.remove(slot);
                        model.remove(slot);
                    }
                    case 1 -> {
                        deadlines.atLatest(slot, deadline);
                        model.merge(slot, deadline, (one, other) -> other - one < 0 ? other : one);
                    }
                    default -> {
                        deadlines.set(slot, deadline);
                        model.put(slot, deadline);
                    }
                }
                if (model.isEmpty()) {
                    assertThat(deadlines.next()).isEqualTo(Loop.NO_DEADLINE);
                } else {
                    Map.Entry<Integer, Long> first = model.entrySet().stream()
                            .min(Comparator.<Map.Entry<Integer, Long>>comparingLong(entry -> entry.getValue() - base)
                                    .thenComparing(Map.Entry::getKey))
                            .orElseThrow();
                    assertThat(deadlines.nextSlot()).isEqualTo(first.getKey());
                    assertThat(deadlines.next()).isEqualTo(first.getValue());
                }
            }
        });
    }
}
