package io.trivet.linux;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.Interest;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class FdBitmapsTest {
    private static final int FD_MAX = 5_000;

    @Test
    void startsEmpty() {
        FdBitmaps sets = new FdBitmaps();
        assertThat(sets.nfds()).isZero();
        assertThat(sets.get(0)).isZero();
        assertThat(sets.get(1_000_000)).isZero();
        assertThat(sets.nextSet(0, 0)).isEqualTo(-1);
    }

    @Test
    void nfdsShrinksWhenTheHighestDescriptorIsRemoved() {
        FdBitmaps sets = new FdBitmaps();
        sets.put(3, Interest.READ);
        sets.put(2_000, Interest.PRIORITY);
        assertThat(sets.nfds()).isEqualTo(2_001);
        sets.put(2_000, 0);
        assertThat(sets.nfds()).isEqualTo(4);
        sets.put(3, 0);
        assertThat(sets.nfds()).isZero();
    }

    @Test
    void copyReplacesAllPreviousContents() {
        FdBitmaps big = new FdBitmaps();
        big.add(900, Interest.ALL);
        FdBitmaps small = new FdBitmaps();
        small.add(3, Interest.READ);
        big.copy(small);
        assertThat(big.get(900)).isZero();
        big.add(901, Interest.READ);
        assertThat(big.nextSet(4, big.nfds())).isEqualTo(901);
    }

    /** Compares every method with a plain model, in thousands of random steps. */
    @Test
    void agreesWithAPlainModel() {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        FdBitmaps[] sets = {new FdBitmaps(), new FdBitmaps()};
        int[][] models = new int[2][FD_MAX];
        for (int step = 0; step < 20_000; step++) {
            int which = random.nextInt(2);
            int fd = random.nextInt(1 << random.nextInt(1, 13)) % FD_MAX; // mostly low numbers, as in practice
            int interest = random.nextInt(Interest.ALL + 1);
            switch (random.nextInt(40)) {
                case 0 -> {
                    sets[which].clear();
                    Arrays.fill(models[which], 0);
                }
                case 1, 2 -> {
                    sets[which].copy(sets[1 - which]);
                    models[which] = models[1 - which].clone();
                }
                case 3, 4, 5, 6, 7, 8, 9, 10 -> {
                    sets[which].add(fd, interest);
                    models[which][fd] |= interest;
                }
                default -> {
                    int set = random.nextInt(3) == 0 ? interest : 0; // more is removed than added, so nfds shrinks, too
                    sets[which].put(fd, set);
                    models[which][fd] = set;
                }
            }
            check(sets[which], models[which], random, "seed " + seed + ", step " + step);
        }
    }

    private static void check(FdBitmaps sets, int[] model, SplittableRandom random, String where) {
        int nfds = FD_MAX;
        while (nfds > 0 && model[nfds - 1] == 0) {
            nfds--;
        }
        assertThat(sets.nfds()).as(where).isEqualTo(nfds);
        int fd = random.nextInt(FD_MAX);
        assertThat(sets.get(fd)).as(where).isEqualTo(model[fd]);
        int from = random.nextInt(nfds + 1);
        int to = random.nextInt(nfds + 1);
        int next = from;
        while (next < to && model[next] == 0) {
            next++;
        }
        assertThat(sets.nextSet(from, to)).as(where).isEqualTo(next < to ? next : -1);
    }
}
