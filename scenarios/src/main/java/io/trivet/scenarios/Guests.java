package io.trivet.scenarios;

import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Who stands behind which address, so that a server's side of a connection finds the other. Looked up, never gone through. */
final class Guests {
    private final Map<InetSocketAddress, Peer> byAddress = new HashMap<>();

    void add(InetSocketAddress address, Peer peer) {
        byAddress.put(address, peer);
    }

    @Nullable
    Peer at(InetSocketAddress address) {
        return byAddress.get(address);
    }
}
