package io.trivet.app;

import io.trivet.net.Addresses;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/** The file that tells a script where the server listens: one {@code host:port} a line. */
final class ReadyFile {
    private ReadyFile() {}

    /** Writes beside the file and renames, so that whoever sees the file sees all of it. */
    static void write(Path file, List<InetSocketAddress> addresses) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new IOException("--ready-file " + file + ": there is no folder " + folder);
        }
        StringBuilder text = new StringBuilder();
        for (InetSocketAddress address : addresses) {
            text.append(Addresses.toString(address)).append('\n');
        }
        Path whole = folder.resolve("." + file.getFileName() + "." + ProcessHandle.current().pid());
        try {
            Files.writeString(whole, text);
            Files.move(whole, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            Files.deleteIfExists(whole);
            throw new IOException("--ready-file " + file + " cannot be written: " + e, e);
        }
    }
}
