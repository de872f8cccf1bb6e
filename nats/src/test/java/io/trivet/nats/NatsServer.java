package io.trivet.nats;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A nats-server on a free port of the loopback interface, as a child process. Closing it kills it. */
final class NatsServer implements AutoCloseable {
    private static final Pattern LISTENING = Pattern.compile("Listening for client connections on [^ ]*:(\\d+)");
    private static final long TIMEOUT_SECONDS = 30L * Integer.getInteger("trivet.slowness", 1);

    private final List<String> more;
    private Process process;
    private int port;

    private NatsServer(List<String> more) {
        this.more = more;
    }

    /** Starts a server; skips the test if none is installed. */
    static NatsServer start(String... more) throws Exception {
        assumeTrue(executable() != null, "nats-server is not installed");
        NatsServer server = new NatsServer(List.of(more));
        server.port = -1;
        server.run();
        return server;
    }

    private static String executable() {
        return Stream.concat(Stream.of(System.getenv("PATH").split(File.pathSeparator)), Stream.of("/usr/sbin"))
                .map(directory -> Path.of(directory, "nats-server")).filter(Files::isExecutable).map(Path::toString).findFirst()
                .orElse(null);
    }

    private void run() throws Exception {
        List<String> command = new ArrayList<>(List.of(executable(), "-a", "127.0.0.1", "-p", Integer.toString(port)));
        command.addAll(more);
        process = new ProcessBuilder(command).redirectErrorStream(true).start();
        CompletableFuture<Integer> listening = new CompletableFuture<>();
        Process started = process;
        Thread.ofPlatform().daemon().start(() -> read(started, listening));
        port = listening.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    }

    private static void read(Process started, CompletableFuture<Integer> listening) {
        StringBuilder log = new StringBuilder();
        try (BufferedReader reader = new BufferedReader(
                new InputStreamReader(started.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                log.append(line).append('\n');
                Matcher matcher = LISTENING.matcher(line);
                if (matcher.find()) {
                    listening.complete(Integer.valueOf(matcher.group(1)));
                }
            }
        } catch (IOException e) {
            // The process was killed.
        }
        listening.completeExceptionally(new IOException("nats-server has ended: " + log));
    }

    String url() {
        return "nats://127.0.0.1:" + port;
    }

    /** Kills it at once, as SIGKILL does. */
    void kill() {
        process.destroyForcibly().onExit().join();
    }

    /** Starts it again on the same port. */
    void restart() throws Exception {
        run();
    }

    /** Stops the process, as SIGSTOP does, or continues it. */
    void pause(boolean isPaused) throws Exception {
        new ProcessBuilder("kill", isPaused ? "-STOP" : "-CONT", Long.toString(process.pid())).inheritIO().start().waitFor();
    }

    @Override
    public void close() {
        kill();
    }
}
