package io.trivet.app;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;

/**
 * Where a view's token is while it runs, so that {@code trivet top} of the same user finds it: a file that only this user can read, in
 * $XDG_RUNTIME_DIR/trivet or ~/.local/state/trivet.
 */
final class ViewToken {
    private ViewToken() {}

    private static Path file(int port) {
        String runtime = System.getenv("XDG_RUNTIME_DIR");
        Path directory = runtime != null && !runtime.isEmpty() ? Path.of(runtime, "trivet")
                : Path.of(System.getProperty("user.home", "."), ".local", "state", "trivet");
        return directory.resolve("view-" + port);
    }

    /** Writes the token of the view at a port. It is deleted when the process ends. Without such a directory there is no file. */
    static void write(int port, String token) {
        Path file = file(port);
        try {
            Files.createDirectories(file.getParent(),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            Files.deleteIfExists(file); // of a process that was killed; its permissions are not to be trusted
            Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(file, token + "\n", StandardCharsets.UTF_8);
        } catch (IOException | UnsupportedOperationException e) {
            // trivet top then needs the whole address.
        }
    }

    static void delete(int port) {
        try {
            Files.deleteIfExists(file(port));
        } catch (IOException e) {
            // It is worthless without its view.
        }
    }

    /** Returns the token of the view at a port of this machine, or null. */
    static @Nullable String read(int port) {
        try {
            return Files.readString(file(port), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            return null;
        }
    }
}
