package io.trivet.linux;

import io.trivet.net.Descriptor;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A borrowed descriptor: closing this object leaves it open. */
final class LinuxDescriptor extends LinuxSocket implements Descriptor {
    private final int number;

    LinuxDescriptor(LinuxNetwork network, int fd) {
        super(network, fd);
        this.number = fd;
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
