package io.trivet.app;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Makes the ahead-of-time cache of {@code ./trivet}: starts {@code trivet serve} in a JVM that records which classes it loads and which
 * methods it calls often (JEP 514, 515), sends it messages for a while, and stops it, whereupon that JVM writes the cache. The clients
 * run here, so that the cache has only what a server needs.
 */
final class StartTraining {
    private static final long START_SECONDS_MAX = 30;
    private static final long END_SECONDS_MAX = 120;
    private static final int ANSWER_MILLIS_MAX = 10_000;
    private static final long LOAD_NANOS = 2_500_000_000L;
    private static final int CONNECTIONS = 4;
    private static final int MESSAGE_BYTES = 64;
    private static final int BURST = 16;

    private StartTraining() {}

    /**
     * Runs the training. Exits with 0 if there is a cache.
     *
     * @param args the java command, the jar, and the cache to be written
     */
    public static void main(String[] args) throws IOException, InterruptedException {
        System.exit(makeCache(args[0], args[1], Path.of(args[2])) ? 0 : 1);
    }

    private static boolean makeCache(String java, String jar, Path cache) throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("trivet-training");
        Path ready = directory.resolve("ready");
        ProcessBuilder builder = new ProcessBuilder(java, "-XX:+UseSerialGC", "-XX:AOTCacheOutput=" + cache, "-jar", jar,
                "serve", "--port", "0", "--ready-file", ready.toString())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.INHERIT);
        // It is not the server that a supervisor waits for, and must not use the sockets of that one.
        builder.environment().keySet().removeIf(name -> name.equals("NOTIFY_SOCKET") || name.startsWith("LISTEN_"));
        Child child = new Child();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> { // if this process is ended
            child.end();
            ready.toFile().delete();
            directory.toFile().delete();
        }));
        Process server = child.start(builder);
        try {
            load(portOf(ready, server));
            server.destroy();
            return server.waitFor(END_SECONDS_MAX, TimeUnit.SECONDS) && Files.exists(cache);
        } finally {
            server.destroyForcibly().waitFor();
            Files.deleteIfExists(ready);
            Files.delete(directory);
        }
    }

    /** A process that is not started once it was ended: this process may be ended at any moment. Any thread. */
    private static final class Child {
        private @Nullable Process process;
        private boolean isEnded;

        synchronized Process start(ProcessBuilder builder) throws IOException {
            if (isEnded) {
                throw new IOException("this process is being ended");
            }
            Process started = builder.start();
            process = started;
            return started;
        }

        synchronized void end() {
            isEnded = true;
            if (process != null) {
                process.destroyForcibly();
            }
        }
    }

    /** Waits until the server is ready. Returns its port. */
    private static int portOf(Path ready, Process server) throws IOException, InterruptedException {
        long started = System.nanoTime();
        while (!Files.exists(ready) || Files.size(ready) == 0) {
            if (!server.isAlive() || System.nanoTime() - started > TimeUnit.SECONDS.toNanos(START_SECONDS_MAX)) {
                throw new IOException("the server does not start");
            }
            Thread.sleep(10);
        }
        String address = Files.readString(ready).strip();
        return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
    }

    private static void load(int port) throws InterruptedException {
        List<Thread> clients = new ArrayList<>();
        for (int i = 0; i < CONNECTIONS; i++) {
            clients.add(Thread.ofPlatform().start(() -> converse(port)));
        }
        for (Thread client : clients) {
            client.join();
        }
    }

    /** Sends messages, one at a time and in bursts, and receives the replies. */
    private static void converse(int port) {
        byte[] burst = new byte[BURST * MESSAGE_BYTES];
        long started = System.nanoTime();
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(ANSWER_MILLIS_MAX);
            InputStream in = socket.getInputStream();
            OutputStream out = socket.getOutputStream();
            for (int i = 0; System.nanoTime() - started < LOAD_NANOS; i++) {
                int length = i % BURST == 0 ? burst.length : MESSAGE_BYTES;
                out.write(burst, 0, length);
                in.readNBytes(burst, 0, length);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
