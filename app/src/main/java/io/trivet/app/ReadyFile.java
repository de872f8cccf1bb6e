package io.trivet.app;

import io.trivet.net.Addresses;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/** The file from which scripts read where the server listens: one {@code host:port} per line. */
final class ReadyFile {
    private ReadyFile() {}

    /** Writes a temporary file in the same directory and renames it, so that readers never see a partial file. */
    static void write(Path file, List<InetSocketAddress> addresses) throws IOException {
        Path directory = file.toAbsolutePath().getParent();
        if (directory == null || !Files.isDirectory(directory)) {
            throw new IOException("--ready-file " + file + ": the directory " + directory + " does not exist");
        }
        StringBuilder text = new StringBuilder();
        for (InetSocketAddress address : addresses) {
            text.append(Addresses.toString(address)).append('\n');
        }
        Path temporary = directory.resolve("." + file.getFileName() + "." + ProcessHandle.current().pid());
        try {
            Files.writeString(temporary, text);
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            Files.deleteIfExists(temporary);
            throw new IOException("--ready-file " + file + " cannot be written: " + e, e);
        }
    }
}
