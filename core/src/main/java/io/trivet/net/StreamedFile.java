package io.trivet.net;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file that is read as a stream, on any file system. The kernel cannot send from it by itself. One thread at a time. */
final class StreamedFile implements SendableFile {
    private final Path path;
    private final InputStream in;
    private byte[] copy = new byte[0];
    /** The position of the stream. */
    private long at;

    StreamedFile(Path path) throws IOException {
        this.path = path;
        in = Files.newInputStream(path);
    }

    @Override
    public long size() throws IOException {
        return Files.size(path);
    }

    @Override
    public int read(ByteBuffer into, long position) throws IOException {
        if (position < at) {
            throw new IllegalArgumentException("the file was read to " + at + ", and cannot be read again from " + position);
        }
        try {
            in.skipNBytes(position - at);
        } catch (EOFException e) {
            return -1; // the file has become shorter
        }
        at = position;
        if (copy.length < into.remaining()) {
            copy = new byte[into.remaining()];
        }
        int read = in.read(copy, 0, into.remaining());
        if (read > 0) {
            into.put(copy, 0, read);
            at += read;
        }
        return read;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }

    @Override
    public String toString() {
        return "file " + path;
    }
}
