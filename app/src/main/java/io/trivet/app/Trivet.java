package io.trivet.app;

import picocli.CommandLine;
import picocli.CommandLine.Command;

// @formatter:off: an attribute a line
/** The command line: {@code trivet serve}, {@code connect}, {@code engines}. Data goes to standard output, the rest to standard error. */
@Command(name = "trivet", mixinStandardHelpOptions = true, versionProvider = Version.class,
        subcommands = {Serve.class, Connect.class, Engines.class, Sim.class},
        description = "select for Java: three lists in, three lists out; and a TCP server and a client above it.",
        footer = {"", "Exit codes: 0 done, or ended by a signal in good order; 1 it failed; 2 wrong usage; "
                + "10 to 12 what a simulation found; 69 no Java 25; 130 or 143 interrupted."})
// @formatter:on
final class Trivet {
    private Trivet() {}

    /** Runs the command line and ends the process with its exit code. */
    public static void main(String[] args) {
        System.exit(run(args));
    }

    static int run(String... args) {
        return new CommandLine(new Trivet())
                .setUsageHelpWidth(110)
                .setParameterExceptionHandler(new UsageErrors())
                .setExecutionExceptionHandler(new Failures())
                .execute(args);
    }
}
