package io.trivet.server;

import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** What the server logs while this is open, instead of the console. Any thread. */
final class LogLines extends Handler implements AutoCloseable {
    private final Logger logger = Logger.getLogger("io.trivet.server");
    private final List<String> lines = new ArrayList<>();

    LogLines() {
        logger.setLevel(Level.ALL);
        logger.setUseParentHandlers(false);
        logger.addHandler(this);
    }

    @Override
    public synchronized void publish(LogRecord line) {
        lines.add(line.getLevel() + " " + line.getMessage());
        notifyAll();
    }

    /** The lines so far: level and text. */
    synchronized List<String> lines() {
        return List.copyOf(lines);
    }

    /** Those that contain something. */
    List<String> lines(String part) {
        return lines().stream().filter(line -> line.contains(part)).toList();
    }

    /** Waits, in a handler for instance, until a line contains something; false: it did not come. */
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
