package io.trivet.app;

import io.trivet.scenarios.CheckFailure;
import io.trivet.scenarios.Outcome;
import io.trivet.scenarios.RemovedParts;
import io.trivet.scenarios.Run;
import io.trivet.scenarios.Scenario;
import io.trivet.scenarios.Verdict;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
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
    "Tests the server on a simulated network. Each seed generates a scenario: clients, limits, faults, and a recovery phase. Checkers verify "
            + "every callback, queue and deadline.",
    "With --seed: runs one scenario and prints all its events. The same seed prints the same output, byte for byte.",
    "With --seeds: runs many scenarios on all processors. The shortest that fails is shrunk to a smaller scenario with the same failure, and "
            + "printed with the command that replays it."},
        footer = {"", "Exit codes: 0 all scenarios passed; 10 a wrong result; 11 a scenario got stuck; 12 a crash; with several failures the "
                + "highest; 130 and 143 ended by a signal before all seeds were run."})
@SuppressWarnings("NullAway.Init") // picocli fills the fields
final class Sim implements Callable<Integer> {
    private static final int WRONG = 10;
    private static final int STUCK = 11;
    private static final int CRASHED = 12;
    /** More threads are no faster, and each keeps a scenario in memory. Without memory, scenarios fail that should pass. */
    private static final int THREADS_EACH_PROCESSOR_MAX = 4;

    @Spec
    private CommandSpec spec;

    @ArgGroup(multiplicity = "1")
    private Which which;

    /** One seed or many. */
    static final class Which {
        @Option(names = "--seed", paramLabel = "N", description = "Runs the scenario of one seed, and prints its events.")
        private @Nullable Long seed;

        @Option(names = "--seeds", paramLabel = "A..B", converter = SeedRange.Converter.class, description = "Runs the scenarios of many seeds.")
        private @Nullable SeedRange seeds;
    }

    @Option(names = "--without", paramLabel = "PARTS", defaultValue = "",
            description = "With --seed: leaves out these parts of the scenario, as a report names them.")
    private String without;

    @Option(names = "--threads", paramLabel = "N", showDefaultValue = Visibility.NEVER,
            description = "With --seeds: the number of threads, at most 4 per processor (default: one per processor).")
    private @Nullable Integer threads;

    @Option(names = "--table", description = "With --seeds: prints how often each event has occurred.")
    private boolean table;

    @Option(names = "--corpus", paramLabel = "FILE", converter = PathText.class,
            description = "With --seeds: writes the seeds that have reached a rare combination of a reason, a fault and a state. Other scenarios "
                    + "are put together from parts of those in scenarios/src/main/resources/io/trivet/scenarios/corpus.txt.")
    private @Nullable Path corpus;

    @Option(names = "--max-failures", paramLabel = "N", defaultValue = "10", showDefaultValue = Visibility.ALWAYS,
            description = "With --seeds: stops after this number of failed seeds.")
    private int failuresMax;

    @Option(names = "--view", paramLabel = "[HOST:]PORT", converter = ServeView.Converter.class,
            description = "With --seed: then shows the run in a browser, step by step with a timeline, until Ctrl-C. At this address, of the loopback "
                    + "interface without HOST; port 0: a free one.")
    private @Nullable InetSocketAddress view;

    @Option(names = "--canary",
            description = "Reports a failure on purpose, to show how failures are reported, shrunk and replayed.")
    private boolean canary;
    // @formatter:on

    @Override
    public Integer call() throws InterruptedException, IOException {
        checkOptions();
        StderrLoggerFinder.silence(); // handlers throw on purpose here, and a log has a real clock
        Long seed = which.seed;
        SeedRange seeds = which.seeds;
        if (seed != null) {
            return replay(seed);
        }
        int parallel = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
        SeedRuns runs = new SeedRuns(Objects.requireNonNull(seeds), parallel, failuresMax, canary, System.err);
        AtomicInteger signalled = new AtomicInteger();
        Signals.onFirst(exitCode -> {
            signalled.set(exitCode);
            System.err.println("interrupted: waiting for the running scenarios; press Ctrl-C again to stop at once");
            runs.stop();
        }, System.err);
        if (corpus != null) {
            // If it cannot be written, it is better to fail now than after the last seed. Until then it stays as it is.
            try {
                Files.newOutputStream(corpus, StandardOpenOption.CREATE, StandardOpenOption.APPEND).close();
            } catch (IOException e) {
                throw new ParameterException(spec.commandLine(),
                        "--corpus " + corpus + " cannot be written: " + ReadyFile.reason(e), e);
            }
        }
        runs.run();
        Verdict worst = runs.report(System.out, table);
        if (corpus != null) {
            Files.write(corpus, runs.corpus());
        }
        return runs.isInterrupted() ? signalled.get() : exitCode(worst);
    }

    /** Rejects options that would have no effect: the user expects one. */
    private void checkOptions() {
        List<String> others = which.seed == null ? List.of("--without", "--view")
                : List.of("--threads", "--table", "--corpus", "--max-failures");
        for (String option : others) {
            require(!spec.commandLine().getParseResult().hasMatchedOption(option), option,
                    which.seed == null ? "given with --seed, not with --seeds" : "given with --seeds, not with --seed");
        }
        int threadsMax = THREADS_EACH_PROCESSOR_MAX * Runtime.getRuntime().availableProcessors();
        require(threads == null || (threads >= 1 && threads <= threadsMax), "--threads",
                "from 1 to " + threadsMax + ", " + THREADS_EACH_PROCESSOR_MAX + " per processor, not " + threads);
        require(failuresMax >= 1, "--max-failures", "at least 1, not " + failuresMax);
    }

    private void require(boolean condition, String option, String rule) {
        if (!condition) {
            throw new ParameterException(spec.commandLine(), option + " must be " + rule);
        }
    }

    private int replay(long seed) throws InterruptedException, IOException {
        Scenario scenario;
        try {
            scenario = Scenario.of(seed).without(RemovedParts.parse(without));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--without: " + e.getMessage());
        }
        PrintStream out = new PrintStream(new BufferedOutputStream(System.out, 1 << 16), false, StandardCharsets.UTF_8);
        Thread flush = new Thread(out::flush); // a scenario that hangs, and is stopped by a signal, shows the events before that
        Runtime.getRuntime().addShutdownHook(flush);
        out.print(scenario);
        SimView shown = new SimView("seed " + seed + (without.isEmpty() ? "" : " --without " + without), out::println);
        Outcome outcome = view != null ? Run.observed(scenario, shown, canary)
                : canary ? Run.canary(scenario, out::println) : Run.of(scenario, out::println);
        CheckFailure failure = outcome.failure();
        out.println(failure == null ? "all checks passed" : failure.toString());
        out.flush();
        if (view != null) {
            shown.show(scenario.toString(), view, System.err);
        }
        return exitCode(outcome.verdict());
    }

    private static int exitCode(Verdict verdict) {
        return switch (verdict) {
            case PASSED -> 0;
            case WRONG -> WRONG;
            case STUCK -> STUCK;
            case CRASHED -> CRASHED;
        };
    }
}
