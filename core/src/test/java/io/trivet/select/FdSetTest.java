package io.trivet.select;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FdSetTest {
    @Test
    void newSetIsEmpty() {
        FdSet set = new FdSet();
        assertThat(set.isSet(0)).isFalse();
        assertThat(set.isSet(1_000_000)).isFalse();
        assertThat(set).hasToString("{}");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 31, 32, 63, 64, 1_023, 1_024, 1_025, 15_000, 1_048_576})
    void holdsDescriptorsBeyondSetsize(int fd) {
        FdSet set = new FdSet();
        set.set(fd);
        assertThat(set.isSet(fd)).isTrue();
        assertThat(set.isSet(fd + 1)).isFalse();
        assertThat(set.isSet(fd ^ 64)).isFalse();
        assertThat(set).hasToString("{" + fd + "}");
        set.clr(fd);
        assertThat(set.isSet(fd)).isFalse();
        assertThat(set).hasToString("{}");
    }

    @Test
    void clearingAnUnsetDescriptorChangesNothing() {
        FdSet set = new FdSet();
        set.set(5);
        set.clr(6);
        set.clr(1_000_000);
        assertThat(set).hasToString("{5}");
    }

    @Test
    void zeroRemovesAll() {
        FdSet set = new FdSet();
        set.set(0);
        set.set(5_000);
        assertThat(set).hasToString("{0, 5000}");
        set.zero();
        assertThat(set).hasToString("{}");
        assertThat(set.isSet(5_000)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, Integer.MIN_VALUE, Integer.MAX_VALUE})
    void invalidDescriptorIsRejectedWithItsNumber(int fd) {
        FdSet set = new FdSet();
        String number = String.valueOf(fd);
        assertThatThrownBy(() -> set.set(fd)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining(number);
        assertThatThrownBy(() -> set.clr(fd)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining(number);
        assertThatThrownBy(() -> set.isSet(fd)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining(number);
    }

    @Test
    void copyIsIndependent() {
        FdSet set = of(3, 2_000);
        FdSet copy = new FdSet(set);
        assertThat(copy).isEqualTo(set).hasSameHashCodeAs(set).isNotSameAs(set);
        copy.clr(3);
        set.set(4);
        assertThat(copy).hasToString("{2000}").isNotEqualTo(set);
        assertThat(set).hasToString("{3, 4, 2000}");
    }

    @Test
    void equalityIgnoresTheCapacity() {
        FdSet grown = of(3, 100_000);
        grown.clr(100_000);
        assertThat(grown).isEqualTo(of(3)).hasSameHashCodeAs(of(3));
        assertThat(of(3)).isEqualTo(grown).isNotEqualTo(of(4)).isNotEqualTo(new FdSet()).isNotEqualTo("{3}");
        grown.zero();
        assertThat(grown).isEqualTo(new FdSet()).hasSameHashCodeAs(new FdSet());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 63, 64, 1_023, 1_024, 100_000})
    void highestIsTheGreatestMember(int fd) {
        FdSet set = of(fd);
        assertThat(set.highest()).isEqualTo(fd);
        assertThat(set.isEmpty()).isFalse();
        set.set(0);
        assertThat(set.highest()).isEqualTo(fd);
        set.clr(fd);
        set.clr(0);
        assertThat(set.highest()).isEqualTo(-1);
        assertThat(set.isEmpty()).isTrue();
    }

    @Test
    void iterationVisitsAllMembersWhileTheyAreRemoved() {
        FdSet set = of(0, 63, 64, 5_000);
        List<Integer> visited = new ArrayList<>();
        set.forEach(fd -> {
            set.clr(fd);
            visited.add(fd);
        });
        assertThat(visited).containsExactly(0, 63, 64, 5_000);
        assertThat(set.isEmpty()).isTrue();
        assertThat(set.next(0)).isEqualTo(-1);
        assertThat(of(7).next(7)).isEqualTo(7);
        assertThat(of(7).next(8)).isEqualTo(-1);
        assertThat(of(7).next(Integer.MAX_VALUE)).isEqualTo(-1);
        assertThatThrownBy(() -> set.next(-1)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("-1");
    }

    private static FdSet of(int... members) {
        FdSet set = new FdSet();
        for (int fd : members) {
            set.set(fd);
        }
        return set;
    }

    @Test
    void behavesLikeABitSet() {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        FdSet set = new FdSet();
        BitSet model = new BitSet();
        for (int step = 0; step < 20_000; step++) {
            int fd = random.nextInt(1 << random.nextInt(1, 14));
            switch (random.nextInt(50)) {
                case 0 -> {
                    set.zero();
                    model.clear();
                }
                case 1 -> {
                    FdSet other = new FdSet();
                    int to = random.nextInt(20_000);
                    for (int i = 0; i < 10; i++) {
                        int member = random.nextInt(20_000);
                        other.set(member);
                        if (member < to) {
                            model.set(member);
                        }
                    }
                    set.addAll(other, to);
                }
                default -> {
                    if (random.nextBoolean()) {
                        set.set(fd);
                        model.set(fd);
                    } else {
                        set.clr(fd);
                        model.clear(fd);
                    }
                }
            }
            int any = random.nextInt(20_000);
            assertThat(set.isSet(any)).as("seed %d, step %d", seed, step).isEqualTo(model.get(any));
            int next = model.nextSetBit(any);
            int to = random.nextInt(20_000);
            assertThat(set.next(any, to)).as("seed %d, step %d", seed, step).isEqualTo(next < to ? next : -1);
            assertThat(set.highest()).as("seed %d, step %d", seed, step).isEqualTo(model.length() - 1);
        }
        assertThat(set).as("seed %d", seed).hasToString(model.toString());
    }
}
