package io.trivet.app;

import io.trivet.scenarios.Cut;
import io.trivet.scenarios.Finding;
import io.trivet.scenarios.Outcome;
import io.trivet.scenarios.Play;
import io.trivet.scenarios.Verdict;
import io.trivet.scenarios.World;
import java.io.BufferedOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

// @formatter:off: an attribute a line, an option a paragraph
/** {@code trivet sim}. */
@Command(name = "sim", mixinStandardHelpOptions = true, versionProvider = Version.class,
        sortOptions = false, description = {
    "Tortures the server in little worlds on a simulated network, drawn from seeds: clients of many kinds, every framing, limit and "
            + "policy, faults, a healing, and judges who look on.",
    "With --seed: runs one world and tells everything that happens in it. The same seed tells the same, byte for byte.",
    "With --seeds: runs many, on all processors; what goes wrong is cut down to a smaller world that goes wrong in the same way, and "
            + "printed with the command that replays it."},
        footer = {"", "Exit codes: 0 all went well; 10 something went wrong; 11 something got stuck; 12 something crashed; of several, the "
                + "highest; 130 and 143 ended by a signal before all seeds were run."})
@SuppressWarnings("NullAway.Init") // picocli fills the fields
final class Sim implements Callable<Integer> {
    private static final int WRONG = 10;
    private static final int STUCK = 11;
    private static final int CRASHED = 12;
    /** More are no quicker, and each has a world in memory: where that runs out, worlds fail that are right. */
    private static final int THREADS_EACH_PROCESSOR_MAX = 4;

    @Spec
    private CommandSpec spec;

    @ArgGroup(multiplicity = "1")
    private Which which;

    /** One, or many. */
    static final class Which {
        @Option(names = "--seed", paramLabel = "N", description = "Runs the world of one seed, and tells what happens.")
        private @Nullable Long seed;

        @Option(names = "--seeds", paramLabel = "A..B", converter = SeedRange.Converter.class, description = "Runs the worlds of many seeds.")
        private @Nullable SeedRange seeds;
    }

    @Option(names = "--cut", paramLabel = "PARTS", defaultValue = "",
            description = "With --seed: leaves out these parts of the world, as a report names them.")
    private String cut;

    @Option(names = "--threads", paramLabel = "N", showDefaultValue = Visibility.NEVER,
            description = "With --seeds: on how many threads, 4 a processor at most (default: as many as there are processors).")
    private @Nullable Integer threads;

    @Option(names = "--table", description = "With --seeds: a table of all that has happened, and how often.")
    private boolean table;

    @Option(names = "--findings", paramLabel = "N", defaultValue = "10", showDefaultValue = Visibility.ALWAYS,
            description = "With --seeds: ends early when so many seeds have failed.")
    private int findingsMax;

    @Option(names = "--canary",
            description = "Finds fault where there is none, to show that and how what is found is reported.")
    private boolean canary;
    // @formatter:on

    @Override
    public Integer call() throws InterruptedException {
        checkOptions();
        StderrLoggerFinder.silence(); // handlers throw on purpose here, and a log has a real clock
        Long seed = which.seed;
        SeedRange seeds = which.seeds;
        if (seed != null) {
            return replay(seed);
        }
        int parallel = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
        SeedRuns runs = new SeedRuns(Objects.requireNonNull(seeds), parallel, findingsMax, canary, System.err);
        AtomicInteger signalled = new AtomicInteger();
        Signals.onFirst(exitCode -> {
            signalled.set(exitCode);
            System.err.println("interrupted: it ends with the worlds that are being run; Ctrl-C again stops at once");
            runs.stop();
        }, System.err);
        runs.run();
        Verdict worst = runs.report(System.out, table);
        return runs.isInterrupted() ? signalled.get() : exitCode(worst);
    }

    /** What would have no effect is refused: whoever writes it expects one. */
    private void checkOptions() {
        List<String> others = which.seed == null ? List.of("--cut") : List.of("--threads", "--table", "--findings");
        for (String option : others) {
            require(!spec.commandLine().getParseResult().hasMatchedOption(option), option,
                    which.seed == null ? "given with --seed, not with --seeds" : "given with --seeds, not with --seed");
        }
        int threadsMax = THREADS_EACH_PROCESSOR_MAX * Runtime.getRuntime().availableProcessors();
        require(threads == null || (threads >= 1 && threads <= threadsMax), "--threads",
                "from 1 to " + threadsMax + ", " + THREADS_EACH_PROCESSOR_MAX + " a processor, not " + threads);
        require(findingsMax >= 1, "--findings", "at least 1, not " + findingsMax);
    }

    private void require(boolean condition, String option, String rule) {
        if (!condition) {
            throw new ParameterException(spec.commandLine(), option + " must be " + rule);
        }
    }

    private int replay(long seed) {
        World world;
        try {
            world = World.of(seed).without(Cut.parse(cut));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--cut: " + e.getMessage());
        }
        PrintStream out = new PrintStream(new BufferedOutputStream(System.out, 1 << 16), false, StandardCharsets.UTF_8);
        out.print(world);
        Outcome outcome = canary ? Play.canary(world, out::println) : Play.of(world, out::println);
        Finding finding = outcome.finding();
        out.println(finding == null ? "all went well" : finding.toString());
        out.flush();
        return exitCode(outcome.verdict());
    }

    private static int exitCode(Verdict verdict) {
        return switch (verdict) {
            case RIGHT -> 0;
            case WRONG -> WRONG;
            case STUCK -> STUCK;
            case CRASHED -> CRASHED;
        };
    }
}
