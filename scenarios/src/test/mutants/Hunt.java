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
 * Searches for a bug that was planted into the classes on the class path. Each search runs scenarios from a first seed on, until
 * one fails. The failing scenarios are shrunk, and the shortest is kept.
 *
 * <p>Prints lines of fields separated by tabs. {@code found}: the seed, the number of seeds run, the seconds of processor time,
 * the broken rule, and the text of the failure. {@code missed}: the first seed, the number of seeds run, the seconds. {@code
 * false-alarm}: a seed that fails without the bug as well, and is ignored; the rule, and the text of the failure. {@code
 * shortest}: the seed, the number of steps that are left, the removed parts, and the text of the failure.
 */
public final class Hunt {
    private static final int RUNS_TO_SHRINK = 400;
    private static final Duration SHRINK_TIME_MAX = Duration.ofMinutes(1);
    private static final long SHRINK_NANOS_MAX = 2_000_000_000L;
    /** After a scenario this short, no shorter one is searched for. */
    private static final int STEPS_ENOUGH = 10;

    private record Found(Scenario scenario, CheckFailure failure) {}

    private Hunt() {}

    /**
     * The arguments: the path of the classes without the bug, or "-"; the seconds of each search; the file for the shortest
     * timeline, or "-"; the first seeds of the searches.
     */
    public static void main(String[] arguments) throws IOException, ReflectiveOperationException {
        LogManager.getLogManager().reset(); // failing servers would log thousands of lines
        try (URLClassLoader original = original(arguments[0])) {
            List<Found> all = new ArrayList<>();
            for (int i = 3; i < arguments.length; i++) {
                Found found = hunt(Long.parseLong(arguments[i]), Double.parseDouble(arguments[1]), original);
                if (found != null) {
                    all.add(found);
                }
            }
            if (!all.isEmpty()) {
                printShortest(all, arguments[2], original);
            }
        }
    }

    private static URLClassLoader original(String path) throws MalformedURLException {
        return new URLClassLoader(path.equals("-") ? new URL[0] : new URL[]{Path.of(path).toUri().toURL()},
                ClassLoader.getPlatformClassLoader());
    }

    private static Found hunt(long first, double secondsMax, URLClassLoader original) throws ReflectiveOperationException {
        long start = cpuNanos();
        int seeds = 0;
        for (long seed = first; seconds(start) < secondsMax; seed++) {
            seeds++;
            Scenario scenario = Scenario.of(seed);
            CheckFailure failure = Run.of(scenario).failure();
            if (failure == null) {
                continue;
            }
            double found = seconds(start);
            String without = failureWithoutBug(original, seed, RemovedParts.none());
            if (without.isEmpty()) {
                System.out.printf("found\t%d\t%d\t%.2f\t%s\t%s%n", seed, seeds, found, failure.rule(), firstLine(failure));
                return new Found(scenario, failure);
            }
            System.out.printf("false-alarm\t%d\t%s%n", seed, without);
        }
        System.out.printf("missed\t%d\t%d\t%.2f%n", first, seeds, seconds(start));
        return null;
    }

    private static String failureWithoutBug(URLClassLoader original, long seed, RemovedParts removed) throws ReflectiveOperationException {
        return original.getURLs().length == 0 ? "" : (String) original.loadClass(Hunt.class.getName())
                .getMethod("failureOf", long.class, String.class).invoke(null, seed, removed.toString());
    }

    /**
     * Returns the rule and the text of a scenario's failure, separated by a tab; empty if it passes. Called in the classes
     * without the bug.
     */
    public static String failureOf(long seed, String removed) {
        CheckFailure failure = Run.of(Scenario.of(seed).without(RemovedParts.parse(removed))).failure();
        return failure == null ? "" : failure.rule() + "\t" + firstLine(failure);
    }

    private static void printShortest(List<Found> all, String file, URLClassLoader original)
            throws IOException, ReflectiveOperationException {
        long start = cpuNanos();
        Scenario best = null;
        RemovedParts bestRemoved = null;
        all.sort(Comparator.comparingInt(found -> found.scenario.size()));
        for (Found found : all) {
            if (best != null && (best.size() <= STEPS_ENOUGH || cpuNanos() - start > SHRINK_NANOS_MAX)) {
                break;
            }
            RemovedParts removed = Shrinker.shrink(found.scenario, found.failure.rule(), RUNS_TO_SHRINK, SHRINK_TIME_MAX, false);
            Scenario smaller = found.scenario.without(removed);
            if (best == null || smaller.size() < best.size()) {
                best = smaller;
                bestRemoved = removed;
            }
        }
        String without = failureWithoutBug(original, best.seed(), bestRemoved);
        if (!without.isEmpty()) { // the shrunk scenario reveals a mistake of the checkers
            System.out.printf("false-alarm\t%d --without %s\t%s%n", best.seed(), bestRemoved, without);
        }
        List<String> timeline = new ArrayList<>();
        CheckFailure left = Run.of(best, timeline::add).failure();
        System.out.printf("shortest\t%d\t%d\t%s\t%s%n", best.seed(), best.size(), bestRemoved, left == null ? "?" : firstLine(left));
        if (!file.equals("-")) {
            timeline.addFirst(best.toString());
            timeline.add(String.valueOf(left));
            Files.write(Path.of(file), timeline);
        }
    }

    private static String firstLine(CheckFailure failure) {
        return failure.text().lines().findFirst().orElse("").replace('\t', ' ');
    }

    /** Returns the processor time of this thread, which other load of the machine hardly affects. */
    private static long cpuNanos() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    private static double seconds(long start) {
        return (cpuNanos() - start) / 1e9;
    }
}
