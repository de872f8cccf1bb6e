package io.trivet.linux;

import io.trivet.net.Descriptor;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A borrowed descriptor: closing this object leaves it open. */
final class LinuxDescriptor extends LinuxSocket implements Descriptor {
    private final int number;
    /** The descriptor was found to be usable, and not one of O_PATH. */
    private boolean usable;

    LinuxDescriptor(LinuxNetwork network, int fd) {
        super(network, fd);
        this.number = fd;
    }

    /** Returns whether it refers only to a path. A call of the kernel, until the answer was no. */
    boolean isPathOnly() {
        usable = usable || !isPathOnly(number);
        return !usable;
    }

    @Override
    public int read(ByteBuffer buffer) throws IOException {
        return readFile(buffer);
    }

    @Override
    public int write(ByteBuffer buffer) throws IOException {
        return writeFile(buffer);
    }

    @Override
    public void close() {
        detach();
    }

    @Override
    public String toString() {
        return "descriptor " + number;
    }
}
