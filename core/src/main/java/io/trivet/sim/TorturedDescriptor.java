package io.trivet.sim;

import io.trivet.net.Descriptor;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A borrowed descriptor with short reads and writes. It may be a blocking one, which never would block, and on which the read
 * after a spurious event would wait: so neither is injected.
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
