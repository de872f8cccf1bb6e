package io.trivet.app;

import io.trivet.scenarios.Coverage;
import io.trivet.scenarios.Cut;
import io.trivet.scenarios.Finding;
import io.trivet.scenarios.Outcome;
import io.trivet.scenarios.Play;
import io.trivet.scenarios.Shrinker;
import io.trivet.scenarios.Tally;
import io.trivet.scenarios.Verdict;
import io.trivet.scenarios.World;
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
 * Runs the worlds of many seeds, each on one of a few threads, tells how far it is and which seed takes long, and sums up. Who calls
 * {@link #run} watches the threads; any other thread may {@link #stop} them.
 */
final class SeedRuns {
    private static final Times USUAL = new Times(Duration.ofSeconds(5), Duration.ofMinutes(1), Duration.ofSeconds(10));
    private static final long LOOK_MILLIS_MAX = 1000;
    private static final int SHRINK_RUNS_MAX = 600;
    private static final Duration SHRINK_TIME_MAX = Duration.ofMinutes(2);
    private static final int OPERATIONS_STEP = 100;
    /** In so many worlds everything should have happened. */
    private static final int SEEDS_FOR_EVERYTHING = 1000;

    /**
     * How long is long.
     *
     * @param progress after which time it is told how far it is
     * @param slow how long a world runs until it is told of, and again each time that it has run for twice as long
     * @param patience how long the worlds that are being run may go on when it is stopped
     */
    record Times(Duration progress, Duration slow, Duration patience) {}

    /** A world that is being run. */
    private static final class Running {
        final long seed;
        final long sinceNanos = System.nanoTime();
        long slowNanos;

        Running(long seed, Duration slow) {
            this.seed = seed;
            slowNanos = slow.toNanos();
        }
    }

    private final SeedRange seeds;
    private final int threads;
    private final int findingsMax;
    private final boolean canary;
    private final PrintStream progress;
    private final Function<World, Outcome> play;
    private final Times times;
    private final long begunNanos = System.nanoTime();

    // What the runs have come to: guarded by this.

    /** The seed that is taken next; none, once the last is taken: what comes after it may not be a number. */
    private long next;
    private boolean allTaken;
    private final Set<Running> running = new LinkedHashSet<>();
    /** How many threads there are that have not ended. */
    private int working;
    private boolean stopped;
    private long stoppedNanos;
    /** What still runs is not waited for, and counts no more. */
    private boolean isOver;
    private boolean interrupted;
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
        this(seeds, threads, findingsMax, canary, progress, canary ? world -> Play.canary(world, null) : Play::of, USUAL);
    }

    /** For tests: with worlds that end as they say. */
    SeedRuns(SeedRange seeds, int threads, int findingsMax, boolean canary, PrintStream progress,
            Function<World, Outcome> play, Times times) {
        this.seeds = seeds;
        this.threads = threads;
        this.findingsMax = findingsMax;
        this.canary = canary;
        this.progress = progress;
        this.play = play;
        this.times = times;
        next = seeds.first();
    }

    /** Returns when all threads have ended, or when it was stopped and they take too long. */
    void run() throws InterruptedException {
        synchronized (this) {
            working = threads;
        }
        for (int i = 0; i < threads; i++) {
            Thread.ofPlatform().daemon().name("seeds-" + i).start(this::runSome);
        }
        watch();
    }

    /** No further seed is taken. */
    synchronized void stop() {
        if (!stopped) {
            stopped = true;
            stoppedNanos = System.nanoTime();
            notifyAll();
        }
    }

    private synchronized void watch() throws InterruptedException {
        long lookMillis = Math.clamp(times.slow.toMillis(), 1, LOOK_MILLIS_MAX);
        while (working > 0 && !(stopped && System.nanoTime() - stoppedNanos >= times.patience.toNanos())) {
            wait(lookMillis);
            tellOfSlow();
            tellProgress();
        }
        isOver = true;
        interrupted = stopped && !(allTaken && running.isEmpty());
        if (failure != null) {
            throw new IllegalStateException("a run cannot be judged", failure);
        }
    }

    private void tellOfSlow() {
        for (Running each : running) {
            long nanos = System.nanoTime() - each.sinceNanos;
            if (nanos >= each.slowNanos) {
                each.slowNanos = 2 * nanos;
                progress.println("seed " + each.seed + " has run for " + nanos / 1_000_000_000 + " s");
            }
        }
    }

    private void tellProgress() {
        long now = System.nanoTime();
        if (working > 0 && now - toldNanos >= times.progress.toNanos()) {
            toldNanos = now;
            progress.println(summary());
        }
    }

    private void runSome() {
        try {
            for (Running taken = take(); taken != null; taken = take()) {
                add(taken, play.apply(World.of(taken.seed)));
            }
        } catch (RuntimeException | Error e) {
            synchronized (this) {
                failure = e;
            }
        } finally {
            synchronized (this) {
                working--;
                notifyAll();
            }
        }
    }

    /** The next seed; null: there are no more, or enough was found, or it was stopped. */
    private synchronized @Nullable Running take() {
        if (allTaken || stopped || findings.size() >= findingsMax || failure != null) {
            return null;
        }
        Running taken = new Running(next, times.slow);
        allTaken = next == seeds.last();
        if (!allTaken) {
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
        byOperations.merge(outcome.operations() / OPERATIONS_STEP * OPERATIONS_STEP, 1L, Long::sum);
        byConnections.merge(outcome.connections(), 1L, Long::sum);
        if (outcome.finding() != null) {
            findings.add(outcome);
            progress.println("seed " + outcome.world().seed() + ": " + outcome.finding());
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

    /** Whether it was stopped before it had run all seeds. */
    synchronized boolean isInterrupted() {
        return interrupted;
    }

    private String howFar() {
        StringBuilder text = new StringBuilder("of the seeds ").append(seeds);
        if (next == seeds.first() && !allTaken) {
            text.append(" none was begun");
        } else {
            text.append(" those up to ").append(allTaken ? next : next - 1).append(" were run");
        }
        for (Running each : running) {
            text.append(", but for ").append(each.seed).append(", which had not ended after ")
                    .append((System.nanoTime() - each.sinceNanos) / 1_000_000_000).append(" s");
        }
        return text.toString();
    }

    /** Prints how it went; the worst verdict. */
    synchronized Verdict report(PrintStream out, boolean table) {
        if (interrupted) {
            out.println("interrupted: " + howFar());
        }
        out.println(summary());
        out.printf(Locale.ROOT, "the median world has %,d operations and %,d connections%n", median(byOperations),
                median(byConnections));
        if (table) {
            Coverage.table(tally).forEach(out::println);
            Coverage.rare(tally, done).ifPresent(out::println);
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
