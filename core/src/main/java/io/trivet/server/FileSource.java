package io.trivet.server;

import io.trivet.net.Network;
import io.trivet.net.Proactor;
import io.trivet.net.SendableFile;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;

/** Takes a transfer's bytes from a range of a file, which the kernel sends by itself where it can. */
final class FileSource implements TransferSource {
    private final SendableFile file;
    private final long position;
    private final long count;

    private FileSource(SendableFile file, long position, long count) {
        this.file = file;
        this.position = position;
        this.count = count;
    }

    /**
     * Opens a file.
     *
     * @param count the length of the range; -1: to the file's current end
     * @throws IOException the file does not exist, cannot be opened, is no regular file, or ends within the range
     */
    static FileSource open(Network network, Path path, long position, long count) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
        if (!attributes.isRegularFile()) {
            throw new FileSystemException(path.toString(), null, "not a regular file");
        }
        SendableFile file = network.openFile(path);
        try {
            long size = file.size();
            if (position > size || count > size - position) {
                throw new EOFException(path + " has " + size + " bytes: they end before position " + position
                        + (count < 0 ? "" : " + " + count));
            }
            return new FileSource(file, position, count < 0 ? size - position : count);
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    /** Returns the length of the range. */
    long count() {
        return count;
    }

    @Override
    public int read(ByteBuffer piece, long at) throws IOException {
        return file.read(piece, position + at);
    }

    @Override
    public long sendTo(Proactor proactor, long handle, long at, long bytes) throws IOException {
        return proactor.sendFile(handle, file, position + at, bytes);
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
