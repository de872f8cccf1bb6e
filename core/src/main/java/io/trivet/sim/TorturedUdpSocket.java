package io.trivet.sim;

import io.trivet.net.UdpSocket;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** A UDP socket whose calls sometimes would block. Datagrams stay whole, because no kernel cuts them. */
final class TorturedUdpSocket extends TorturedSocket<UdpSocket> implements UdpSocket {
    private final BoundedFault receiving = new BoundedFault(injector, Fault.READ_WOULD_BLOCK,
            BoundedFault.WOULD_BLOCK_IN_A_ROW_MAX);
    private final BoundedFault sending = new BoundedFault(injector, Fault.WRITE_WOULD_BLOCK,
            BoundedFault.WOULD_BLOCK_IN_A_ROW_MAX);

    TorturedUdpSocket(TortureNetwork network, UdpSocket inner) {
        super(network, inner);
    }

    @Override
    public void connect(InetSocketAddress address) throws IOException {
        inner.connect(address);
    }

    @Override
    public @Nullable InetSocketAddress receive(ByteBuffer buffer) throws IOException {
        return isOpen() && receiving.occurs() ? null : inner.receive(buffer);
    }

    @Override
    public boolean send(ByteBuffer buffer, @Nullable InetSocketAddress address) throws IOException {
        return !(isOpen() && sending.occurs()) && inner.send(buffer, address);
    }

    @Override
    public InetSocketAddress localAddress() throws IOException {
        return inner.localAddress();
    }
}
