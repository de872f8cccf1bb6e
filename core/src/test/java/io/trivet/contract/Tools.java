package io.trivet.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Runs programs of the machine as peers of a test, for what a JVM cannot do or what must be observed from outside. If a program
 * is not installed, the test is skipped with its name. The sources of peers in C and Python are beside the catalogue.
 */
public final class Tools {
    private static final long PATIENCE_SECONDS = Slowness.scaled(Duration.ofSeconds(30)).toSeconds();

    private Tools() {}

    /** A running program. Closing it kills the process. */
    public static final class Peer implements AutoCloseable {
        private final Process process;
        private final BufferedReader output;

        private Peer(Process process) {
            this.process = process;
            this.output = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        }

        /** Returns the next line of its output, or null if the program has ended. */
        public String line() throws IOException {
            return output.readLine();
        }

        /** Waits until the program ends with exit status 0. Returns the rest of its output. */
        public List<String> finish() throws IOException, InterruptedException {
            List<String> lines = new ArrayList<>();
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                lines.add(line);
            }
            assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).as("the program has ended").isTrue();
            assertThat(process.exitValue()).as("exit status after %s", lines).isZero();
            return lines;
        }

        /** Writes a line to its standard input. */
        public void writeLine(String line) throws IOException {
            OutputStream input = process.getOutputStream();
            input.write((line + "\n").getBytes(StandardCharsets.UTF_8));
            input.flush();
        }

        /** Returns its process. */
        public Process process() {
            return process;
        }

        @Override
        public void close() {
            process.destroyForcibly().onExit().join();
        }
    }

    /** Returns the path of a program. Skips the test if the program is not installed. */
    public static String require(String program) {
        for (String directory : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
            Path path = Path.of(directory, program);
            if (Files.isExecutable(path)) {
                return path.toString();
            }
        }
        assumeTrue(false, program + " is not installed");
        throw new AssertionError();
    }

    /** Starts a program. Its standard error is the test's. */
    public static Peer start(String... command) throws IOException {
        return new Peer(new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start());
    }

    /** Compiles and starts a peer written in C, such as {@code urgent.c}. */
    public static Peer c(String source, String... arguments) throws IOException, InterruptedException {
        return start(command(compiled(source).toString(), arguments));
    }

    /** Starts a peer written in Python. */
    public static Peer python(String source, String... arguments) throws IOException {
        Path script = directory().resolve(source);
        copy(source, script);
        return start(command(require("python3"), Stream.concat(Stream.of(script.toString()), Stream.of(arguments))
                .toArray(String[]::new)));
    }

    /** Returns the command that runs the main method of a test class in another JVM. */
    public static List<String> java(Class<?> main, String... arguments) {
        Path core = Path.of(System.getProperty("trivet.root", ".."), "core", "target");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "--enable-native-access=ALL-UNNAMED",
                "-cp", core.resolve("classes") + ":" + core.resolve("test-classes"), main.getName()));
        command.addAll(List.of(arguments));
        return command;
    }

    private static synchronized Path compiled(String source) throws IOException, InterruptedException {
        String gcc = require("gcc");
        Path code = directory().resolve(source);
        Path program = directory().resolve(source.replace(".c", ""));
        if (!Files.exists(code) || !Files.exists(program)) {
            copy(source, code);
            Process compiler = new ProcessBuilder(gcc, "-O1", "-Wall", "-o", program.toString(), code.toString()).inheritIO()
                    .start();
            assertThat(compiler.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).as("gcc ends").isTrue();
            assertThat(compiler.exitValue()).as("gcc's exit status").isZero();
        }
        return program;
    }

    private static void copy(String source, Path to) throws IOException {
        try (InputStream in = Tools.class.getResourceAsStream(source)) {
            Files.write(to, in.readAllBytes());
        }
    }

    /** Returns a directory that is created once in each run, so that a program of an earlier run is never reused. */
    private static Path directory() throws IOException {
        return Directory.PATH;
    }

    private static final class Directory {
        static final Path PATH = make();

        private static Path make() {
            try {
                Path path = Files.createTempDirectory("trivet-contract");
                Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(path)));
                return path;
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }

        private static void delete(Path directory) {
            try (Stream<Path> files = Files.list(directory)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
                Files.delete(directory);
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
    }

    private static String[] command(String program, String... arguments) {
        return Stream.concat(Stream.of(program), Stream.of(arguments)).toArray(String[]::new);
    }
}
