package io.trivet.scenarios;

import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Maps the address of each client's socket to the client. Only looked up, never iterated over: its order is undefined. */
final class ClientsByAddress {
    private final Map<InetSocketAddress, Client> byAddress = new HashMap<>();

    void add(InetSocketAddress address, Client client) {
        byAddress.put(address, client);
    }

    @Nullable
    Client get(InetSocketAddress address) {
        return byAddress.get(address);
    }
}
