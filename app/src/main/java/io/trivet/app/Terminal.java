package io.trivet.app;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/** Detects whether a standard stream is a terminal. */
final class Terminal {
    private Terminal() {}

    static boolean isInput() {
        return isTerminal(0);
    }

    static boolean isOutput() {
        return isTerminal(1);
    }

    private static boolean isTerminal(int fd) {
        Path link = Path.of("/proc/self/fd/" + fd);
        if (!Files.isSymbolicLink(link)) {
            // No /proc: the JDK only says whether both streams are terminals.
            return Objects.requireNonNull(System.console(), "never null since Java 22").isTerminal();
        }
        try {
            String target = Files.readSymbolicLink(link).toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        } catch (IOException e) {
            return false;
        }
    }
}
