package io.trivet.server;

import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** Captures the server's log from the constructor until {@link #close}, and keeps it off the console. For any thread. */
final class LogLines extends Handler implements AutoCloseable {
    private final Logger logger = Logger.getLogger("io.trivet.server");
    private final List<String> lines = new ArrayList<>();

    LogLines() {
        logger.setLevel(Level.ALL);
        logger.setUseParentHandlers(false);
        logger.addHandler(this);
    }

    @Override
    public synchronized void publish(LogRecord entry) {
        lines.add(entry.getLevel() + " " + entry.getMessage());
        notifyAll();
    }

    /** Returns the lines so far, each with level and message. */
    synchronized List<String> lines() {
        return List.copyOf(lines);
    }

    /** Returns the lines that contain a text. */
    List<String> lines(String part) {
        return lines().stream().filter(line -> line.contains(part)).toList();
    }

    /** Waits until a line contains a text. Returns false if the timeout expires. */
    synchronized boolean await(String part) throws InterruptedException {
        long deadline = System.nanoTime() + Stage.PATIENCE.toNanos();
        while (lines(part).isEmpty()) {
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                return false;
            }
            wait(left);
        }
        return true;
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
        logger.removeHandler(this);
        logger.setUseParentHandlers(true);
        logger.setLevel(null);
    }
}
