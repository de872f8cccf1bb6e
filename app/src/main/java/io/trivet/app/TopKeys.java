package io.trivet.app;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The keys and the size of a terminal. Switches it to single keys without echo, and to a screen of its own, and back at the end; stty(1)
 * does what Java cannot.
 */
final class TopKeys implements AutoCloseable {
    private static final int POLL_MILLIS = 20;

    private final InputStream in = System.in;
    private final String settings;
    private final Thread hook = new Thread(this::restore, "restore-terminal");

    /** The size of a terminal, in characters. */
    record Size(int rows, int columns) {}

    private TopKeys() throws IOException, InterruptedException {
        settings = stty("-g").strip();
        Runtime.getRuntime().addShutdownHook(hook); // Ctrl-C leaves the terminal as it was, too
        stty("-icanon", "-echo", "min", "0", "time", "0");
        System.out.print("\u001b[?1049h\u001b[?25l");
        System.out.flush();
    }

    static TopKeys open() throws IOException, InterruptedException {
        return new TopKeys();
    }

    Size size() throws IOException, InterruptedException {
        String[] parts = stty("size").strip().split(" ", -1);
        if (parts.length == 2 && !parts[0].equals("0")) {
            return new Size(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
        }
        return new Size(24, 80);
    }

    /** Waits for a key, up to a time. Returns -1 if there was none. */
    int next(Duration wait) throws IOException, InterruptedException {
        long end = System.nanoTime() + wait.toNanos();
        do {
            if (in.available() > 0) {
                return in.read();
            }
            Thread.sleep(POLL_MILLIS);
        } while (System.nanoTime() - end < 0);
        return -1;
    }

    private static String stty(String... arguments) throws IOException, InterruptedException {
        List<String> command = new java.util.ArrayList<>(List.of("stty"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectInput(new File("/dev/tty")).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        if (!process.waitFor(5, TimeUnit.SECONDS) || process.exitValue() != 0) {
            throw new IOException("stty " + String.join(" ", arguments) + ": " + EscapedText.line(output.strip()));
        }
        return output;
    }

    private void restore() {
        System.out.print("\u001b[?25h\u001b[?1049l");
        System.out.flush();
        try {
            stty(settings);
        } catch (IOException | InterruptedException e) {
            System.err.println("the terminal could not be restored, type reset: " + e.getMessage());
        }
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            return; // the hook is running
        }
        restore();
    }
}
