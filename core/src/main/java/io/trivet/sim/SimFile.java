package io.trivet.sim;

import io.trivet.net.SendableFile;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file of the machine, which the simulated kernel can send by itself. */
final class SimFile implements SendableFile {
    private final Path path;
    private final RandomAccessFile file;

    SimFile(Path path) throws IOException {
        Files.size(path); // reports a missing file as Files does
        this.path = path;
        file = new RandomAccessFile(path.toFile(), "r");
    }

    @Override
    public long size() throws IOException {
        return file.length();
    }

    @Override
    public int read(ByteBuffer into, long position) throws IOException {
        byte[] copy = new byte[into.remaining()];
        file.seek(position);
        int read = file.read(copy);
        if (read > 0) {
            into.put(copy, 0, read);
        }
        return read;
    }

    @Override
    public void close() throws IOException {
        file.close();
    }

    @Override
    public String toString() {
        return "file " + path;
    }
}
