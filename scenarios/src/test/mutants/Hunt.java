package io.trivet.scenarios;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.logging.LogManager;

/**
 * Looks for a bug that was planted into the classes on its class path: runs worlds, one seed after the other, from several first seeds on, until
 * one finds something. What is found is cut down, and the shortest story is kept.
 *
 * <p>It prints lines of words with tabs between them. {@code found}: the seed, how many seeds that took, the seconds of processor time, the rule that was broken, and
 * what the judge said. {@code missed}: the first seed, how many were run, the seconds. {@code guilty}: a seed that finds something in the
 * classes without the bug as well, which is passed over, the rule, and what the judge said. {@code story}: the seed, the steps that are left, what was
 * cut, and what the judge says of that.
 */
public final class Hunt {
    private static final int RUNS_TO_SHRINK = 400;
    private static final Duration SHRINK_TIME_MAX = Duration.ofMinutes(1);
    private static final long SHRINK_NANOS_MAX = 2_000_000_000L;
    /** A story this short is not followed by an attempt to find a shorter one. */
    private static final int STEPS_ENOUGH = 10;

    private record Found(World world, Finding finding) {}

    private Hunt() {}

    /**
     * The arguments: where the classes without the bug are, or "-"; the seconds for each first seed; the file that the story is written to, or "-"; the
     * first seeds.
     */
    public static void main(String[] arguments) throws IOException, ReflectiveOperationException {
        LogManager.getLogManager().reset(); // a server that tells what happens to it tells it thousands of times
        try (URLClassLoader innocent = innocent(arguments[0])) {
            List<Found> all = new ArrayList<>();
            for (int i = 3; i < arguments.length; i++) {
                Found found = hunt(Long.parseLong(arguments[i]), Double.parseDouble(arguments[1]), innocent);
                if (found != null) {
                    all.add(found);
                }
            }
            if (!all.isEmpty()) {
                tellStory(all, arguments[2], innocent);
            }
        }
    }

    private static URLClassLoader innocent(String path) throws MalformedURLException {
        return new URLClassLoader(path.equals("-") ? new URL[0] : new URL[]{Path.of(path).toUri().toURL()},
                ClassLoader.getPlatformClassLoader());
    }

    private static Found hunt(long first, double secondsMax, URLClassLoader innocent) throws ReflectiveOperationException {
        long begun = cpuNanos();
        int seeds = 0;
        for (long seed = first; seconds(begun) < secondsMax; seed++) {
            seeds++;
            World world = World.of(seed);
            Finding finding = Play.of(world).finding();
            if (finding == null) {
                continue;
            }
            double found = seconds(begun);
            String without = without(innocent, seed, Cut.none());
            if (without.isEmpty()) {
                System.out.printf("found\t%d\t%d\t%.2f\t%s\t%s%n", seed, seeds, found, finding.rule(), firstLine(finding));
                return new Found(world, finding);
            }
            System.out.printf("guilty\t%d\t%s%n", seed, without);
        }
        System.out.printf("missed\t%d\t%d\t%.2f%n", first, seeds, seconds(begun));
        return null;
    }

    private static String without(URLClassLoader innocent, long seed, Cut cut) throws ReflectiveOperationException {
        return innocent.getURLs().length == 0 ? "" : (String) innocent.loadClass(Hunt.class.getName())
                .getMethod("findingOf", long.class, String.class).invoke(null, seed, cut.toString());
    }

    /** What a seed finds: the rule, a tab, and what the judge said; empty: nothing. Called in the classes without the bug. */
    public static String findingOf(long seed, String cut) {
        Finding finding = Play.of(World.of(seed).without(Cut.parse(cut))).finding();
        return finding == null ? "" : finding.rule() + "\t" + firstLine(finding);
    }

    private static void tellStory(List<Found> all, String file, URLClassLoader innocent) throws IOException, ReflectiveOperationException {
        long begun = cpuNanos();
        World best = null;
        Cut bestCut = null;
        all.sort(Comparator.comparingInt(found -> found.world.size()));
        for (Found found : all) {
            if (best != null && (best.size() <= STEPS_ENOUGH || cpuNanos() - begun > SHRINK_NANOS_MAX)) {
                break;
            }
            Cut cut = Shrinker.shrink(found.world, found.finding.rule(), RUNS_TO_SHRINK, SHRINK_TIME_MAX, false);
            World smaller = found.world.without(cut);
            if (best == null || smaller.size() < best.size()) {
                best = smaller;
                bestCut = cut;
            }
        }
        String without = without(innocent, best.seed(), bestCut);
        if (!without.isEmpty()) { // cut down to something that is wrong with the judges
            System.out.printf("guilty\t%d --cut %s\t%s%n", best.seed(), bestCut, without);
        }
        List<String> timeline = new ArrayList<>();
        Finding left = Play.of(best, timeline::add).finding();
        System.out.printf("story\t%d\t%d\t%s\t%s%n", best.seed(), best.size(), bestCut, left == null ? "?" : firstLine(left));
        if (!file.equals("-")) {
            timeline.addFirst(best.toString());
            timeline.add(String.valueOf(left));
            Files.write(Path.of(file), timeline);
        }
    }

    private static String firstLine(Finding finding) {
        return finding.text().lines().findFirst().orElse("").replace('\t', ' ');
    }

    /** Of this thread, so that it matters little what else the machine does. */
    private static long cpuNanos() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    private static double seconds(long begun) {
        return (cpuNanos() - begun) / 1e9;
    }
}
