package io.trivet.app;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The number of file descriptors that this process may have open. */
final class DescriptorLimit {
    /** Assumed where the system does not report the limit. */
    private static final int ASSUMED = 10_000;
    /** For the listener, the loop's own descriptors and the JVM's files, with a margin. */
    private static final int RESERVE = 64;
    private static final String LINE = "Max open files";

    private DescriptorLimit() {}

    /** Returns the soft limit: the first number of its line in /proc/self/limits (proc_pid_limits(5)). */
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

    /** Returns how many connections fit below the limit, at least 1. */
    static int forConnections() {
        return Math.max(1, current() - RESERVE);
    }

    /** Returns the limit that this number of connections needs. */
    static int needed(int connections) {
        return (int) Math.min((long) connections + RESERVE, Integer.MAX_VALUE);
    }
}
