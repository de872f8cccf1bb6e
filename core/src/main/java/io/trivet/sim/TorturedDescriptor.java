package io.trivet.sim;

import io.trivet.net.Descriptor;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A borrowed descriptor that gives and takes little. It may be a blocking one, which never says that it would block, and on which a read
 * that follows a spurious event would wait: so it gets neither.
 */
final class TorturedDescriptor extends TorturedSocket<Descriptor> implements Descriptor {
    TorturedDescriptor(TortureNetwork network, Descriptor inner) {
        super(network, inner);
    }

    @Override
    int mayBeSpurious(int interest) {
        return 0;
    }

    @Override
    public int read(ByteBuffer buffer) throws IOException {
        return transfer(buffer, Fault.SHORT_READ, inner::read);
    }

    @Override
    public int write(ByteBuffer buffer) throws IOException {
        return transfer(buffer, Fault.SHORT_WRITE, inner::write);
    }
}
