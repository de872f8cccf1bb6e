package io.trivet.select;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** A file that the JVM has opened, and the number of its descriptor, which the JVM keeps to itself. */
final class OpenFile implements AutoCloseable {
    private final FileInputStream stream;
    private final int fd;

    /** Opens a file for reading; of a FIFO this waits for somebody who writes. */
    OpenFile(Path path) throws IOException {
        stream = new FileInputStream(path.toFile());
        fd = numberOf(path.toRealPath());
    }

    int fd() {
        return fd;
    }

    @Override
    public void close() throws IOException {
        stream.close();
    }

    private static int numberOf(Path file) throws IOException {
        List<Path> descriptors;
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            descriptors = all.toList();
        }
        for (Path descriptor : descriptors) {
            if (leadsTo(descriptor, file)) {
                return Integer.parseInt(descriptor.getFileName().toString());
            }
        }
        throw new IOException(file + " is not open");
    }

    private static boolean leadsTo(Path descriptor, Path file) throws IOException {
        try {
            return Files.readSymbolicLink(descriptor).equals(file);
        } catch (NoSuchFileException e) {
            return false; // the one by which the folder itself was listed
        }
    }
}
