package io.trivet.sim;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** A listener whose accept sometimes would block, or fails because no descriptor is left. */
final class TorturedListener extends TorturedSocket<TcpListener> implements TcpListener {
    private final TortureNetwork network;
    private final BoundedFault wouldBlock = new BoundedFault(injector, Fault.ACCEPT_WOULD_BLOCK,
            BoundedFault.WOULD_BLOCK_IN_A_ROW_MAX);
    private final BoundedFault failure = new BoundedFault(injector, Fault.ACCEPT_NO_DESCRIPTOR, 1);

    TorturedListener(TortureNetwork network, TcpListener inner) {
        super(network, inner);
        this.network = network;
    }

    @Override
    public @Nullable TcpStream accept() throws IOException {
        if (isOpen()) {
            if (failure.occurs()) {
                throw new NetworkException("accept", this, ErrorCode.EMFILE, "EMFILE, injected by " + network.name());
            }
            if (wouldBlock.occurs()) {
                return null;
            }
        }
        TcpStream accepted = inner.accept();
        return accepted == null ? null : new TorturedStream(network, accepted, true);
    }

    @Override
    public boolean share() {
        return inner.share();
    }

    @Override
    public void ownFile() throws IOException {
        inner.ownFile();
    }

    @Override
    public InetSocketAddress localAddress() throws IOException {
        return inner.localAddress();
    }
}
