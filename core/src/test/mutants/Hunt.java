package io.trivet.sim.world;

import java.util.concurrent.TimeUnit;

/**
 * Runs worlds, one seed after the other, until one finds something, cuts it down, and prints one line: the number of seeds, the seconds, the
 * rule that was broken, the size of the story that is left, and its first words. Exit code 0: found; 3: nothing found.
 */
public final class Hunt {
    private static final int RUNS_TO_SHRINK = 500;

    private Hunt() {}

    /** The arguments: the first seed, how many at most, and how many seconds at most. */
    public static void main(String[] arguments) {
        long first = Long.parseLong(arguments[0]);
        long most = Long.parseLong(arguments[1]);
        long secondsMax = Long.parseLong(arguments[2]);
        long begun = System.nanoTime();
        for (long seed = first; seed < first + most && seconds(begun) < secondsMax; seed++) {
            World world = World.of(seed);
            Finding finding = Play.of(world).finding();
            if (finding != null) {
                double found = (System.nanoTime() - begun) / 1e9;
                Cut cut = Shrinker.shrink(world, finding.rule(), RUNS_TO_SHRINK, false);
                World smallest = world.without(cut);
                Finding left = Play.of(smallest).finding();
                String text = String.valueOf(left == null ? finding.text() : left.text()).lines().findFirst().orElse("");
                System.out.printf("%d\t%.1f\t%s\t%d\t%s%n", seed - first + 1, found, finding.rule(), smallest.size(), text);
                System.exit(0);
            }
        }
        System.out.printf("nothing in %d s%n", seconds(begun));
        System.exit(3);
    }

    private static long seconds(long begun) {
        return TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun);
    }
}
