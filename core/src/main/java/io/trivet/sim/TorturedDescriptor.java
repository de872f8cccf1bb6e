package io.trivet.sim;

import io.trivet.net.Descriptor;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A borrowed descriptor with short reads and writes. The descriptor may be in blocking mode. So its calls never pretend that they
 * would block, and no spurious events are injected, since the read that follows one would wait.
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
