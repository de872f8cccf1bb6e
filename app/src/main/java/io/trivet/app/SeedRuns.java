package io.trivet.app;

import io.trivet.scenarios.CheckFailure;
import io.trivet.scenarios.CorpusBuilder;
import io.trivet.scenarios.Coverage;
import io.trivet.scenarios.Outcome;
import io.trivet.scenarios.RemovedParts;
import io.trivet.scenarios.Run;
import io.trivet.scenarios.Scenario;
import io.trivet.scenarios.Shrinker;
import io.trivet.scenarios.Tally;
import io.trivet.scenarios.Verdict;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Runs the scenarios of many seeds on several threads, reports progress and slow seeds, and prints a summary. The thread that calls
 * {@link #run} watches the others; any other thread may {@link #stop} them.
 */
final class SeedRuns {
    private static final Times USUAL = new Times(Duration.ofSeconds(5), Duration.ofMinutes(1), Duration.ofSeconds(10));
    private static final long CHECK_MILLIS_MAX = 1000;
    private static final int SHRINK_RUNS_MAX = 600;
    private static final Duration SHRINK_TIME_MAX = Duration.ofMinutes(2);
    private static final int OPERATIONS_STEP = 100;
    /** In this number of scenarios every event should have occurred. */
    private static final int SEEDS_FOR_FULL_COVERAGE = 1000;

    /**
     * The times of reports.
     *
     * @param progress the interval of progress reports
     * @param slow a seed that runs for longer is reported, and again each time that its running time has doubled
     * @param patience how long running scenarios may go on after a stop
     */
    record Times(Duration progress, Duration slow, Duration patience) {}

    /** A running scenario. */
    private static final class Running {
        final long seed;
        final long sinceNanos = System.nanoTime();
        /** The running time of the next report. */
        long slowNanos;

        Running(long seed, Duration slow) {
            this.seed = seed;
            slowNanos = slow.toNanos();
        }
    }

    private final SeedRange seeds;
    private final int threads;
    private final int failuresMax;
    private final boolean canary;
    private final PrintStream progress;
    private final Function<Scenario, Outcome> runner;
    private final Times times;
    private final long startNanos = System.nanoTime();

    // The state of all runs, guarded by this.

    /** The next seed; invalid once the last was started, since there may be no number after it. */
    private long next;
    private boolean allStarted;
    private final Set<Running> running = new LinkedHashSet<>();
    /** The number of threads that have not ended. */
    private int working;
    private boolean stopped;
    private long stoppedNanos;
    /** True once the remaining runs are no longer waited for: their outcomes are ignored. */
    private boolean isOver;
    private boolean interrupted;
    private final Tally tally = Tally.empty();
    private final CorpusBuilder corpus = new CorpusBuilder();
    private final Map<Long, Long> byOperations = new TreeMap<>();
    private final Map<Long, Long> byConnections = new TreeMap<>();
    private final List<Outcome> failed = new ArrayList<>();
    private @Nullable Throwable crash;
    private @Nullable Long crashedSeed;
    private long done;
    private long simulatedNanos;
    private long operations;
    private long reportedNanos = startNanos;

    SeedRuns(SeedRange seeds, int threads, int failuresMax, boolean canary, PrintStream progress) {
        this(seeds, threads, failuresMax, canary, progress, canary ? scenario -> Run.canary(scenario, null) : Run::of, USUAL);
    }

    /** For tests, which run scenarios in a way of their own. */
    SeedRuns(SeedRange seeds, int threads, int failuresMax, boolean canary, PrintStream progress,
            Function<Scenario, Outcome> runner, Times times) {
        this.seeds = seeds;
        this.threads = threads;
        this.failuresMax = failuresMax;
        this.canary = canary;
        this.progress = progress;
        this.runner = runner;
        this.times = times;
        next = seeds.first();
    }

    /** Runs all seeds. Returns when all threads have ended, or take too long to end after a stop. */
    void run() throws InterruptedException {
        synchronized (this) {
            working = threads;
        }
        for (int i = 0; i < threads; i++) {
            Thread.ofPlatform().daemon().name("seeds-" + i).start(this::runSeeds);
        }
        watch();
    }

    /** Stops: no further seed is started. */
    synchronized void stop() {
        if (!stopped) {
            stopped = true;
            stoppedNanos = System.nanoTime();
            notifyAll();
        }
    }

    private synchronized void watch() throws InterruptedException {
        long checkMillis = Math.clamp(times.slow.toMillis(), 1, CHECK_MILLIS_MAX);
        while (working > 0 && !(stopped && System.nanoTime() - stoppedNanos >= times.patience.toNanos())) {
            wait(checkMillis);
            reportSlow();
            reportProgress();
        }
        isOver = true;
        interrupted = stopped && !(allStarted && running.isEmpty());
        if (crash != null) {
            throw new IllegalStateException(
                    "the scenario tester has failed" + (crashedSeed == null ? "" : " with seed " + crashedSeed)
                            + "; " + summary(),
                    crash);
        }
    }

    private void reportSlow() {
        for (Running each : running) {
            long nanos = System.nanoTime() - each.sinceNanos;
            if (nanos >= each.slowNanos) {
                each.slowNanos = 2 * nanos;
                progress.println("seed " + each.seed + " has been running for " + nanos / 1_000_000_000 + " s");
            }
        }
    }

    private void reportProgress() {
        long now = System.nanoTime();
        if (working > 0 && now - reportedNanos >= times.progress.toNanos()) {
            reportedNanos = now;
            progress.println(summary());
        }
    }

    private void runSeeds() {
        Running taken = null;
        try {
            for (taken = take(); taken != null; taken = take()) {
                add(taken, runner.apply(Scenario.of(taken.seed)));
            }
        } catch (RuntimeException | Error e) {
            synchronized (this) {
                crash = e;
                crashedSeed = taken == null ? null : taken.seed;
            }
        } finally {
            synchronized (this) {
                working--;
                notifyAll();
            }
        }
    }

    /** Takes the next seed. Returns null if there is none, if enough have failed, or after a stop. */
    private synchronized @Nullable Running take() {
        if (allStarted || stopped || failed.size() >= failuresMax || crash != null) {
            return null;
        }
        Running taken = new Running(next, times.slow);
        allStarted = next == seeds.last();
        if (!allStarted) {
            next++;
        }
        running.add(taken);
        return taken;
    }

    private synchronized void add(Running ended, Outcome outcome) {
        if (isOver) {
            return;
        }
        running.remove(ended);
        done++;
        simulatedNanos += outcome.simulatedNanos();
        operations += outcome.operations();
        tally.add(outcome.tally());
        corpus.add(outcome);
        byOperations.merge(outcome.operations() / OPERATIONS_STEP * OPERATIONS_STEP, 1L, Long::sum);
        byConnections.merge(outcome.connections(), 1L, Long::sum);
        if (outcome.failure() != null) {
            failed.add(outcome);
            progress.println("seed " + outcome.scenario().seed() + ": " + outcome.failure());
        }
    }

    private String summary() {
        double seconds = (System.nanoTime() - startNanos) / 1e9;
        return String.format(Locale.ROOT,
                "%,d of %,d seeds, %d failed; %.1f seeds and %,.0f operations per second; %s simulated in %s, x %,.0f",
                done, seeds.count(), failed.size(), done / seconds, operations / seconds, time(simulatedNanos / 1e9),
                time(seconds),
                simulatedNanos / 1e9 / seconds);
    }

    /** Returns the lines of a corpus: the seeds that have reached a rare combination. */
    synchronized List<String> corpus() {
        return corpus.lines();
    }

    private static String time(double seconds) {
        return seconds < 120
                ? String.format(Locale.ROOT, "%.1f s", seconds)
                : seconds < 7200
                        ? String.format(Locale.ROOT, "%.1f min", seconds / 60)
                : String.format(Locale.ROOT, "%.1f h", seconds / 3600);
    }

    /** Returns true if it was stopped before all seeds were run. */
    synchronized boolean isInterrupted() {
        return interrupted;
    }

    private String describeProgress() {
        StringBuilder text = new StringBuilder("seeds ").append(seeds);
        if (next == seeds.first() && !allStarted) {
            text.append(", none started");
        } else {
            text.append(", run up to ").append(allStarted ? next : next - 1);
        }
        for (Running each : running) {
            text.append(", except ").append(each.seed).append(", which was still running after ")
                    .append((System.nanoTime() - each.sinceNanos) / 1_000_000_000).append(" s");
        }
        return text.toString();
    }

    /** Prints the summary. Returns the worst verdict. */
    synchronized Verdict report(PrintStream out, boolean table) {
        if (interrupted) {
            out.println("interrupted: " + describeProgress());
        }
        out.println(summary());
        out.printf(Locale.ROOT, "median scenario: %,d operations, %,d connections%n", median(byOperations),
                median(byConnections));
        if (table) {
            Coverage.table(tally).forEach(out::println);
            Coverage.rare(tally, done).ifPresent(out::println);
            Coverage.combinations(tally, done).forEach(out::println);
        } else if (done >= SEEDS_FOR_FULL_COVERAGE) {
            Coverage.uncovered(tally).forEach(name -> out.println("never occurred: " + name));
        }
        Verdict worst = Verdict.PASSED;
        for (Outcome outcome : failed) {
            worst = outcome.verdict().compareTo(worst) > 0 ? outcome.verdict() : worst;
        }
        failed.stream()
                .min(Comparator.comparingLong(Outcome::operations)) // the shortest is the easiest to understand
                .ifPresent(outcome -> printShrunk(outcome, out));
        return worst;
    }

    /** Returns the median; with an even number of values the lower of the two in the middle. */
    static long median(Map<Long, Long> counts) {
        long half = (counts.values().stream().mapToLong(Long::longValue).sum() + 1) / 2;
        for (Map.Entry<Long, Long> entry : counts.entrySet()) {
            half -= entry.getValue();
            if (half <= 0) {
                return entry.getKey();
            }
        }
        return 0;
    }

    private void printShrunk(Outcome outcome, PrintStream out) {
        CheckFailure failure = outcome.failure();
        if (failure == null) {
            return;
        }
        Scenario scenario = outcome.scenario();
        progress.println("shrinking seed " + scenario.seed() + ", for at most " + DurationText.of(SHRINK_TIME_MAX));
        RemovedParts removed = Shrinker.shrink(scenario, failure.rule(), SHRINK_RUNS_MAX, SHRINK_TIME_MAX, canary);
        Scenario smaller = scenario.without(removed);
        Outcome again = runner.apply(smaller);
        out.println();
        out.print(smaller);
        out.println(again.failure());
        out.println("replay with: trivet sim --seed " + scenario.seed()
                + (removed.toString().isEmpty() ? "" : " --without " + removed) + (canary ? " --canary" : ""));
        out.println("see it step by step in a browser: add --view 0 to that command");
    }
}
