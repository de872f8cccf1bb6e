package io.trivet.app;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How many descriptors this process may have. */
final class DescriptorLimit {
    /** Where the system does not tell. */
    private static final int ASSUMED = 10_000;
    /** For the listener, the loop's own, the JVM's files, and a little air. */
    private static final int RESERVE = 64;
    private static final String LINE = "Max open files";

    private DescriptorLimit() {}

    /** man 5 proc_pid_limits: the soft limit is the first number of its line. */
    static int current() {
        Path limits = Path.of("/proc/self/limits");
        if (!Files.isReadable(limits)) {
            return ASSUMED;
        }
        try {
            for (String line : Files.readAllLines(limits)) {
                if (line.startsWith(LINE)) {
                    String soft = line.substring(LINE.length()).strip();
                    soft = soft.substring(0, soft.indexOf(' '));
                    return soft.equals("unlimited") ? Integer.MAX_VALUE : (int) Math.min(Long.parseLong(soft), Integer.MAX_VALUE);
                }
            }
            return ASSUMED;
        } catch (IOException e) {
            return ASSUMED;
        }
    }

    /** What is left for connections, at least 1. */
    static int forConnections() {
        return Math.max(1, current() - RESERVE);
    }

    /** The limit that so many connections need. */
    static int needed(int connections) {
        return (int) Math.min((long) connections + RESERVE, Integer.MAX_VALUE);
    }
}
