package io.trivet.linux;

import io.trivet.net.Descriptor;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A descriptor that was opened elsewhere. If it is borrowed, closing this object leaves it open. */
final class LinuxDescriptor extends LinuxSocket implements Descriptor {
    private final int number;
    private final boolean owned;
    /** The descriptor was found to be usable, and not one of O_PATH. */
    private boolean usable;

    private LinuxDescriptor(LinuxNetwork network, int fd, boolean owned) {
        super(network, fd);
        this.number = fd;
        this.owned = owned;
    }

    /** Creates an object for a borrowed descriptor. */
    LinuxDescriptor(LinuxNetwork network, int fd) {
        this(network, fd, false);
    }

    /** Creates an object for a descriptor that was received, which is closed with the object. */
    static LinuxDescriptor owned(LinuxNetwork network, int fd) {
        return new LinuxDescriptor(network, fd, true);
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
    public void close() throws IOException {
        if (owned) {
            super.close();
        } else {
            detach();
        }
    }

    @Override
    public String toString() {
        return "descriptor " + number;
    }
}
