package io.trivet.app;

import io.trivet.sim.world.Coverage;
import io.trivet.sim.world.Cut;
import io.trivet.sim.world.Finding;
import io.trivet.sim.world.Outcome;
import io.trivet.sim.world.Play;
import io.trivet.sim.world.Shrinker;
import io.trivet.sim.world.Tally;
import io.trivet.sim.world.Verdict;
import io.trivet.sim.world.World;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Runs the worlds of many seeds, each on one of a few threads, tells how far it is, and sums up. */
final class SeedRuns {
    private static final Duration PROGRESS = Duration.ofSeconds(5);
    private static final int SHRINK_RUNS_MAX = 600;
    private static final Duration SHRINK_TIME_MAX = Duration.ofMinutes(2);
    private static final int OPERATIONS_STEP = 100;
    /** In so many worlds everything should have happened. */
    private static final int SEEDS_FOR_EVERYTHING = 1000;

    private final SeedRange seeds;
    private final int threads;
    private final int findingsMax;
    private final boolean canary;
    private final PrintStream progress;
    private final Function<World, Outcome> play;
    private final long begunNanos = System.nanoTime();

    // What the runs have come to: guarded by this.

    /** The seed that is taken next; none, once the last is taken: what comes after it may not be a number. */
    private long next;
    private boolean allTaken;
    private final Tally tally = Tally.empty();
    private final Map<Long, Long> byOperations = new TreeMap<>();
    private final Map<Long, Long> byConnections = new TreeMap<>();
    private final List<Outcome> findings = new ArrayList<>();
    private @Nullable Throwable failure;
    private long done;
    private long simulatedNanos;
    private long operations;
    private long toldNanos = begunNanos;

    SeedRuns(SeedRange seeds, int threads, int findingsMax, boolean canary, PrintStream progress) {
        this(seeds, threads, findingsMax, canary, progress, canary ? world -> Play.canary(world, null) : Play::of);
    }

    /** For tests: with worlds that end as they say. */
    SeedRuns(SeedRange seeds, int threads, int findingsMax, boolean canary, PrintStream progress,
            Function<World, Outcome> play) {
        this.seeds = seeds;
        this.threads = threads;
        this.findingsMax = findingsMax;
        this.canary = canary;
        this.progress = progress;
        this.play = play;
        next = seeds.first();
    }

    void run() throws InterruptedException {
        List<Thread> running = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            running.add(Thread.ofPlatform().daemon().name("seeds-" + i).start(this::runSome));
        }
        for (Thread thread : running) {
            thread.join();
        }
        synchronized (this) {
            if (failure != null) {
                throw new IllegalStateException("a run cannot be judged", failure);
            }
        }
    }

    private void runSome() {
        try {
            for (OptionalLong seed = take(); seed.isPresent(); seed = take()) {
                add(play.apply(World.of(seed.getAsLong())));
            }
        } catch (RuntimeException | Error e) {
            synchronized (this) {
                failure = e;
            }
        }
    }

    /** The next seed; none: there are no more, or enough was found. */
    private synchronized OptionalLong take() {
        if (allTaken || findings.size() >= findingsMax || failure != null) {
            return OptionalLong.empty();
        }
        allTaken = next == seeds.last();
        return OptionalLong.of(allTaken ? next : next++);
    }

    private synchronized void add(Outcome outcome) {
        done++;
        simulatedNanos += outcome.simulatedNanos();
        operations += outcome.operations();
        tally.add(outcome.tally());
        byOperations.merge(outcome.operations() / OPERATIONS_STEP * OPERATIONS_STEP, 1L, Long::sum);
        byConnections.merge(outcome.connections(), 1L, Long::sum);
        if (outcome.finding() != null) {
            findings.add(outcome);
            progress.println("seed " + outcome.world().seed() + ": " + outcome.finding());
        }
        long now = System.nanoTime();
        if (now - toldNanos >= PROGRESS.toNanos()) {
            toldNanos = now;
            progress.println(summary());
        }
    }

    private String summary() {
        double seconds = (System.nanoTime() - begunNanos) / 1e9;
        return String.format(Locale.ROOT,
                "%,d of %,d seeds, %d failed; %.1f seeds and %,.0f operations a second; %s simulated in %s, x %,.0f",
                done, seeds.count(), findings.size(), done / seconds, operations / seconds, time(simulatedNanos / 1e9),
                time(seconds),
                simulatedNanos / 1e9 / seconds);
    }

    private static String time(double seconds) {
        return seconds < 120
                ? String.format(Locale.ROOT, "%.1f s", seconds)
                : seconds < 7200
                        ? String.format(Locale.ROOT, "%.1f min", seconds / 60)
                : String.format(Locale.ROOT, "%.1f h", seconds / 3600);
    }

    /** Prints how it went; the worst verdict. */
    synchronized Verdict report(PrintStream out, boolean table) {
        out.println(summary());
        out.printf(Locale.ROOT, "the median world has %,d operations and %,d connections%n", median(byOperations),
                median(byConnections));
        if (table) {
            Coverage.table(tally).forEach(out::println);
        } else if (done >= SEEDS_FOR_EVERYTHING) {
            Coverage.untried(tally).forEach(name -> out.println("never happened: " + name));
        }
        Verdict worst = Verdict.RIGHT;
        for (Outcome outcome : findings) {
            worst = outcome.verdict().compareTo(worst) > 0 ? outcome.verdict() : worst;
        }
        findings.stream()
                .min(Comparator.comparingLong(Outcome::operations)) // the shortest is the easiest to understand
                .ifPresent(outcome -> tell(outcome, out));
        return worst;
    }

    /** The middle one; of an even number the lower of the two. */
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

    private void tell(Outcome outcome, PrintStream out) {
        Finding finding = outcome.finding();
        if (finding == null) {
            return;
        }
        World world = outcome.world();
        progress.println("cutting down seed " + world.seed() + ", for " + DurationText.of(SHRINK_TIME_MAX) + " at most");
        Cut cut = Shrinker.shrink(world, finding.rule(), SHRINK_RUNS_MAX, SHRINK_TIME_MAX, canary);
        World smaller = world.without(cut);
        Outcome again = play.apply(smaller);
        out.println();
        out.print(smaller);
        out.println(again.finding());
        out.println("replay it: trivet sim --seed " + world.seed() + (cut.toString().isEmpty() ? "" : " --cut " + cut)
                + (canary ? " --canary" : ""));
    }
}
