package io.trivet.app;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/** Whether a person sits at the other end of a standard stream. */
final class Terminal {
    private Terminal() {}

    static boolean isInput() {
        return is(0);
    }

    static boolean isOutput() {
        return is(1);
    }

    private static boolean is(int fd) {
        Path link = Path.of("/proc/self/fd/" + fd);
        if (!Files.isSymbolicLink(link)) {
            // No such file system: the JDK tells of both streams together.
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
