package io.trivet.app;

import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;

// @formatter:off: an attribute a line
/** The command line. Commands write data to standard output, and everything else to standard error. */
@Command(name = "trivet", mixinStandardHelpOptions = true, versionProvider = Version.class,
        description = "select for Java: three lists in, three lists out, with a TCP server and client on top.",
        footer = {"", "Exit codes: 0 success, or drained after a signal; 1 failure; 2 wrong usage; "
                + "10 to 12 a simulation failed; 69 no Java 25; 130 or 143 interrupted."})
// @formatter:on
final class Trivet {
    private static final Map<String, Class<?>> COMMANDS = commands();

    private Trivet() {}

    /** Returns the commands by name, in the order of the help text. */
    private static Map<String, Class<?>> commands() {
        Map<String, Class<?>> commands = new LinkedHashMap<>();
        commands.put("serve", Serve.class);
        commands.put("connect", Connect.class);
        commands.put("top", Top.class);
        commands.put("engines", Engines.class);
        commands.put("sim", Sim.class);
        return commands;
    }

    /** Runs the command line and exits with its exit code. */
    public static void main(String[] args) {
        if (args.length > 0 && (args[0].equals("serve") || args[0].equals("connect"))) {
            LinkerPreparation.start();
        }
        StandardStreams.install();
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> {
            if (e instanceof OutOfMemoryError) { // the process cannot work without that thread
                Runtime.getRuntime().halt(report(e));
            }
            e.printStackTrace();
        });
        int exitCode;
        try {
            exitCode = run(RawText.arguments(args));
        } catch (OutOfMemoryError e) { // an orderly exit might need more memory
            Runtime.getRuntime().halt(report(e));
            return;
        } catch (Throwable e) { // report it before the process ends, like every other line
            e.printStackTrace();
            exitCode = 1;
        }
        System.exit(StandardStreams.finish(exitCode));
    }

    /** Reports that the JVM is out of memory, and returns the exit code. */
    private static int report(Throwable e) {
        System.err.println(
                "trivet: out of memory: " + e.getMessage() + ". -Xmx raises the limit; TRIVET_JAVA_OPTS passes it to ./trivet");
        return StandardStreams.finish(1);
    }

    static int run(String... args) {
        CommandLine line = new CommandLine(new Trivet());
        // The options of the named command only: to read all annotations takes some 20 ms.
        Class<?> named = args.length == 0 ? null : COMMANDS.get(args[0]);
        COMMANDS.forEach((name, command) -> {
            if (named == null || named == command) {
                line.addSubcommand(name, command);
            }
        });
        return line.setUsageHelpWidth(110)
                .setExpandAtFiles(false) // a text that starts with @ is a text
                .setAllowOptionsAsOptionParameters(true) // as is one that starts with a minus sign
                .setParameterExceptionHandler(new UsageErrors())
                .setExecutionExceptionHandler(new ExecutionErrors())
                .execute(args);
    }
}
