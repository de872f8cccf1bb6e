package io.trivet.sim.world;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Runs worlds, one seed after the other, until one finds something, cuts it down, and prints one line: the seed, the number of seeds, the seconds, the
 * rule that was broken, the size of the story that is left, and its first words. Exit code 0: found; 3: nothing found.
 */
public final class Hunt {
    private static final int RUNS_TO_SHRINK = 500;

    private Hunt() {}

    /**
     * The arguments: the first seed, how many seconds at most, and seeds to pass over. With {@code all} before these, every seed that finds
     * something is printed, a line each.
     */
    public static void main(String[] arguments) {
        boolean all = arguments[0].equals("all");
        int at = all ? 1 : 0;
        long first = Long.parseLong(arguments[at]);
        long secondsMax = Long.parseLong(arguments[at + 1]);
        Set<Long> passedOver = new HashSet<>();
        for (int i = at + 2; i < arguments.length; i++) {
            passedOver.add(Long.parseLong(arguments[i]));
        }
        long begun = System.nanoTime();
        long seeds = 0;
        for (long seed = first; seconds(begun) < secondsMax; seed++) {
            if (passedOver.contains(seed)) {
                continue;
            }
            seeds++;
            World world = World.of(seed);
            Finding finding = Play.of(world).finding();
            if (finding != null && all) {
                System.out.println(seed + "\t" + finding.rule() + "\t" + firstLine(finding));
            } else if (finding != null) {
                double found = (System.nanoTime() - begun) / 1e9;
                Cut cut = Shrinker.shrink(world, finding.rule(), RUNS_TO_SHRINK, false);
                World smallest = world.without(cut);
                Finding left = Play.of(smallest).finding();
                System.out.printf("%d\t%d\t%.1f\t%s\t%d\t%s%n", seed, seeds, found, finding.rule(), smallest.size(),
                        firstLine(left == null ? finding : left));
                System.exit(0);
            }
        }
        System.out.printf("%d seeds in %d s%n", seeds, seconds(begun));
        System.exit(3);
    }

    private static String firstLine(Finding finding) {
        return finding.text().lines().findFirst().orElse("");
    }

    private static long seconds(long begun) {
        return TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun);
    }
}
