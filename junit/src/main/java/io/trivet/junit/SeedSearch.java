package io.trivet.junit;

import io.trivet.sim.Fault;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimNetwork;
import io.trivet.sim.SimTrace;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.opentest4j.TestAbortedException;

/** Runs a test for one seed after the other. Shrinks the faults of the first seed that fails, and reports it. */
final class SeedSearch {
    private static final String LOG_WARNING = "log WARNING: ";
    private static final String LOG_ERROR = "log ERROR: ";
    private static final String LOG_STACK = "log    ";
    private static final int WARNINGS_MAX = 3;
    /** Quoted texts, also shortened ones with their length; values of JUnit; identity hashes; numbers. */
    private static final Pattern VALUES = Pattern.compile(
            "(\\.\\.\\.)?\"(\\\\.|[^\"\\\\])*\"(\\.\\.\\.)?( \\([0-9]+ bytes\\))?|<[^>]*>|'[^']*'|@[0-9a-f]+|[0-9]+");
    private static final long SHRINK_NANOS_MAX = Duration.ofSeconds(10).toNanos();

    /** Calls the test method. */
    @FunctionalInterface
    interface TestCall {
        void run(long seed, FaultPlan plan, @Nullable SimNetwork network) throws Throwable;
    }

    /** A run that has failed. The network is null if the test creates its own. */
    private record FailedRun(Throwable cause, FaultPlan plan, @Nullable SimNetwork network) {}

    private final Class<?> testClass;
    private final Method method;
    private final SeedSettings settings;
    private final boolean takesNetwork;
    private final boolean takesPlan;
    private final TestCall test;
    private final SlowSeeds slow;

    SeedSearch(Class<?> testClass, Method method, SeedSettings settings, boolean takesNetwork, boolean takesPlan, TestCall test) {
        this.testClass = testClass;
        this.method = method;
        this.settings = settings;
        this.takesNetwork = takesNetwork;
        this.takesPlan = takesPlan;
        this.test = test;
        slow = new SlowSeeds(testClass.getSimpleName() + "#" + method.getName());
    }

    /** Runs all seeds. Throws an error for the first one that fails. */
    void run() {
        try (slow) {
            runSeeds();
        }
    }

    private void runSeeds() {
        long passed = 0;
        TestAbortedException aborted = null;
        for (long seed = settings.first(); true; seed++) {
            FailedRun failed = run(seed, settings.plan(seed), settings.traced() ? SeedSearch::print : null);
            if (failed == null) {
                passed++;
            } else if (failed.cause instanceof TestAbortedException assumption) {
                aborted = assumption;
            } else {
                throw report(seed, failed, passed);
            }
            if (seed == settings.last()) { // not a condition of the loop: the last seed may be the greatest number
                break;
            }
        }
        if (aborted != null && passed == 0) {
            throw aborted;
        }
    }

    private @Nullable FailedRun run(long seed, FaultPlan plan, @Nullable SimTrace trace) {
        slow.start(seed);
        SimNetwork network = takesNetwork ? SimNetwork.of(seed, plan) : null;
        if (network != null && trace != null) {
            trace.event(0, network.toString());
            network.trace(trace);
        }
        try {
            test.run(seed, plan, network);
            return null;
        } catch (OutOfMemoryError e) {
            System.err.println("seed " + seed + ": " + e);
            throw e;
        } catch (Throwable e) {
            return new FailedRun(e, plan, network);
        }
    }

    private static void print(long nanos, String event) {
        System.out.printf(Locale.ROOT, "%12.6f s  %s%n", nanos / 1e9, event);
    }

    /** Returns the first warnings and errors that a server has logged, since a handler that throws is often the reason. */
    private List<String> warnings(long seed, FaultPlan plan) {
        List<String> warnings = new ArrayList<>();
        boolean[] stackFollows = {false};
        run(seed, plan, (nanos, event) -> {
            if (event.startsWith(LOG_STACK) && stackFollows[0]) {
                warnings.add(warnings.removeLast() + " " + event.substring(LOG_STACK.length()).strip());
            }
            stackFollows[0] = (event.startsWith(LOG_WARNING) || event.startsWith(LOG_ERROR)) && warnings.size() < WARNINGS_MAX;
            if (stackFollows[0]) {
                warnings.add(event.substring(event.indexOf(':') + 2));
            }
        });
        return warnings;
    }

    private AssertionError report(long seed, FailedRun first, long passed) {
        FailedRun again = run(seed, first.plan, null);
        if (again == null || !isSame(first, again)) {
            return error(first, "seed " + seed + " has failed, but " + (again == null ? "passes" : "fails in another way")
                    + " when it is run again: its result does not depend on the seed alone. Look for real time, threads, static"
                    + " state, and the order of a HashMap");
        }
        boolean shrinks = takesNetwork || takesPlan;
        FailedRun smallest = shrinks ? shrink(seed, first) : first;
        StringBuilder text = new StringBuilder("seed ").append(seed).append(" fails");
        text.append(passed == 0 ? "" : ", after " + passed + (passed == 1 ? " seed that passes" : " seeds that pass"));
        String line = System.lineSeparator();
        if (shrinks) {
            text.append(line).append("  faults needed: ").append(describe(smallest));
        }
        warnings(seed, smallest.plan).forEach(logged -> text.append(line).append("  the server logged: ").append(logged));
        text.append(line).append("  replay it with its events: ").append(replayCommand(seed, smallest, shrinks));
        return error(smallest, text.toString());
    }

    /** Appends a text to the message of the failure. Keeps the failure's stack trace, which leads to the line of the test. */
    private static AssertionError error(FailedRun failed, String text) {
        // A plain AssertionError has nothing but its message and its stack: as the cause, it would be printed twice.
        boolean plain = failed.cause.getClass() == AssertionError.class && failed.cause.getCause() == null;
        String message = failed.cause instanceof AssertionError ? failed.cause.getMessage() : failed.cause.toString();
        AssertionError error = new AssertionError(message + System.lineSeparator() + text, plain ? null : failed.cause);
        error.setStackTrace(failed.cause.getStackTrace());
        return error;
    }

    private String replayCommand(long seed, FailedRun failed, boolean shrinks) {
        String faults = failed.plan.faults().stream().map(Fault::name).collect(Collectors.joining(","));
        String name = testClass.getName(); // not that of a superclass that declares the method
        return "mvn test -Dtest='" + name.substring(name.lastIndexOf('.') + 1) + "#" + method.getName() + "' -D"
                + SeedSettings.SEEDS + "=" + seed
                + (shrinks ? " -D" + SeedSettings.FAULTS + "=" + (faults.isEmpty() ? SeedSettings.NO_FAULTS : faults) : "");
    }

    private static String describe(FailedRun failed) {
        Set<Fault> faults = failed.plan.faults();
        if (faults.isEmpty()) {
            return "none";
        }
        SimNetwork network = failed.network;
        Map<Fault, Long> counts = network == null ? Map.of() : network.faultCounts();
        return faults.stream()
                .map(fault -> fault + (counts.isEmpty() ? "" : " (" + times(counts.getOrDefault(fault, 0L)) + ")"))
                .collect(Collectors.joining(", "));
    }

    private static String times(long count) {
        return count == 1 ? "once" : count + " times";
    }

    // ---- shrinking

    /** Removes kinds of faults, as long as the same failure remains. */
    private FailedRun shrink(long seed, FailedRun first) {
        long deadline = System.nanoTime() + SHRINK_NANOS_MAX;
        FailedRun smallest = first;
        for (FaultPlan plan : List.of(FaultPlan.none(), occurred(first))) {
            FailedRun shrunk = runAgain(seed, first, plan);
            if (shrunk != null) {
                smallest = shrunk;
                break;
            }
        }
        boolean removed = true;
        while (removed) {
            removed = false;
            for (Fault fault : new ArrayList<>(smallest.plan.faults())) {
                FailedRun shrunk = System.nanoTime() > deadline ? null : runAgain(seed, first, smallest.plan.without(fault));
                if (shrunk != null) {
                    smallest = shrunk;
                    removed = true;
                }
            }
        }
        return smallest;
    }

    private @Nullable FailedRun runAgain(long seed, FailedRun first, FaultPlan plan) {
        FailedRun failed = run(seed, plan, null);
        return failed != null && isSame(first, failed) && kind(first.cause).equals(kind(failed.cause)) ? failed : null;
    }

    /** Returns the plan with only the faults that have occurred: others can still have drawn random numbers. */
    private static FaultPlan occurred(FailedRun failed) {
        SimNetwork network = failed.network;
        return network == null ? failed.plan
                : failed.plan
                        .only(failed.plan.faults().stream().filter(fault -> network.faultCount(fault) > 0).toArray(Fault[]::new));
    }

    /** Returns whether two runs fail with the same exception in the same line of the test. */
    private boolean isSame(FailedRun one, FailedRun other) {
        return one.cause.getClass() == other.cause.getClass() && lineOfTest(one.cause) == lineOfTest(other.cause);
    }

    /**
     * Returns what kind of failure a message describes: its first line, without values, which change with the faults. One line of a
     * test that checks several clients in a loop can fail for different reasons.
     */
    static String kind(Throwable cause) {
        String message = String.valueOf(cause.getMessage());
        String line = message.lines().filter(each -> !each.isBlank()).findFirst().orElse("");
        return VALUES.matcher(line).replaceAll("").strip();
    }

    private int lineOfTest(Throwable cause) {
        for (StackTraceElement element : cause.getStackTrace()) {
            if (element.getClassName().equals(method.getDeclaringClass().getName())) {
                return element.getLineNumber();
            }
        }
        return -1;
    }
}
