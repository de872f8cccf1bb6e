package io.trivet.app;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/** Detects whether a standard stream is a terminal. */
final class Terminal {
    private static final int FILE_TYPE = 0170000;
    private static final int CHARACTER_DEVICE = 0020000;
    /** Major number of /dev/null, /dev/zero, /dev/full and /dev/random. */
    private static final int MEMORY_DEVICES = 1;

    private Terminal() {}

    static boolean isInput() {
        return isTerminal(0);
    }

    static boolean isOutput() {
        return isTerminal(1);
    }

    /** Returns whether a descriptor is a character device other than /dev/null and the like, by its number (makedev(3)). */
    private static boolean isTerminal(int fd) {
        Path link = Path.of("/proc/self/fd/" + fd);
        if (!Files.isSymbolicLink(link)) {
            // No /proc: the JDK only says whether both streams are terminals.
            return Objects.requireNonNull(System.console(), "never null since Java 22").isTerminal();
        }
        try {
            int mode = (Integer) Files.getAttribute(link, "unix:mode");
            long device = (Long) Files.getAttribute(link, "unix:rdev");
            return (mode & FILE_TYPE) == CHARACTER_DEVICE && ((device >> 8) & 0xfff) != MEMORY_DEVICES;
        } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
            return false;
        }
    }
}
