package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * A child process, usually a JVM with the classes of this build: its output, input, signals and exit code. Closing it kills it.
 */
final class Program implements AutoCloseable {
    /** How many times slower than usual this machine is, such as an emulated one: {@code -Dtrivet.slowness=8}. */
    static final int SLOWNESS = Integer.getInteger("trivet.slowness", 1);
    /** For what should happen at once. */
    static final long TIMEOUT_SECONDS = 30L * SLOWNESS;
    private static final List<String> NATIVE = List.of("--enable-native-access=ALL-UNNAMED");

    private final Process process;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    /** Guarded by its own monitor, which is notified of each line and of the end. */
    private final List<String> err = new ArrayList<>();
    private final Thread outReader;
    private final Thread errReader;
    private boolean errEnded;

    private Program(Process process) {
        this.process = process;
        outReader = Thread.ofPlatform().daemon().start(this::readOut);
        errReader = Thread.ofPlatform().daemon().start(this::readErr);
    }

    /** Returns a duration for the command line: longer than the usual one if this machine is slow. */
    static String scaledMillis(long usualMillis) {
        return usualMillis * SLOWNESS + "ms";
    }

    /** Starts {@code trivet} with these arguments. */
    static Program trivet(String... arguments) throws IOException {
        return java(NATIVE, "io.trivet.app.Trivet", arguments);
    }

    /** Starts a JVM that uses only the quick compiler, since it runs for seconds. */
    static Program java(List<String> options, String main, String... arguments) throws IOException {
        return start(javaCommand(options, System.getProperty("java.class.path"), main, arguments));
    }

    static List<String> javaCommand(List<String> options, String classPath, String main, String... arguments) {
        List<String> command = new ArrayList<>();
        Collections.addAll(command, Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC", "-Xmx128m");
        command.addAll(options);
        Collections.addAll(command, "-cp", classPath, main);
        Collections.addAll(command, arguments);
        return command;
    }

    static List<String> trivetCommand(String... arguments) {
        return javaCommand(NATIVE, System.getProperty("java.class.path"), "io.trivet.app.Trivet", arguments);
    }

    static Program start(List<String> command) throws IOException {
        return new Program(new ProcessBuilder(command).start());
    }

    private void readOut() {
        try {
            process.getInputStream().transferTo(out);
        } catch (IOException e) {
            // The process was killed.
        }
    }

    private void readErr() {
        try (BufferedReader reader = new BufferedReader(
                new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                synchronized (err) {
                    err.add(line);
                    err.notifyAll();
                }
            }
        } catch (IOException e) {
            // The process was killed.
        }
        synchronized (err) {
            errEnded = true;
            err.notifyAll();
        }
    }

    /** Waits for a line on standard error that matches, and returns it. */
    String awaitErr(Predicate<String> matches) throws InterruptedException {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
        synchronized (err) {
            while (true) {
                Optional<String> found = err.stream().filter(matches).findFirst();
                if (found.isPresent()) {
                    return found.get();
                }
                long leftMillis = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
                if (errEnded || leftMillis <= 0) {
                    throw new AssertionError(
                            (errEnded ? "the process ended" : "timeout") + " before the expected line; errors: " + err);
                }
                err.wait(leftMillis);
            }
        }
    }

    /** Waits until a server is ready, and returns its address. */
    InetSocketAddress awaitReady() throws InterruptedException, IOException {
        String prefix = "listening on ";
        awaitErr("ready"::equals);
        String address = awaitErr(line -> line.startsWith(prefix)).substring(prefix.length());
        int colon = address.lastIndexOf(':');
        return new InetSocketAddress(InetAddress.getByName(address.substring(0, colon)),
                Integer.parseInt(address.substring(colon + 1)));
    }

    /** Waits until the text appears on standard output. */
    void awaitOut(String text) throws InterruptedException {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
        while (!out().contains(text)) {
            boolean expired = System.nanoTime() - until > 0;
            assertThat(expired).as("timeout waiting for '%s'; output: %s, errors: %s", text, out(), err()).isFalse();
            outReader.join(20);
        }
    }

    /** Writes to the standard input. */
    void write(String text) throws IOException {
        process.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
    }

    /** Closes the standard input. */
    void endInput() throws IOException {
        process.getOutputStream().close();
    }

    void signal(String name) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).inheritIO().start().waitFor()).isZero();
    }

    /** Waits until the process ends, and returns its exit code. */
    int exitCode() throws InterruptedException {
        assertThat(process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)).as("the process ends in time; errors: %s", err()).isTrue();
        outReader.join();
        errReader.join();
        return process.exitValue();
    }

    String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    List<String> err() {
        synchronized (err) {
            return List.copyOf(err);
        }
    }

    long pid() {
        return process.pid();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
