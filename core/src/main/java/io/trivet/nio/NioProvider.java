package io.trivet.nio;

import io.trivet.net.Network;
import io.trivet.net.NetworkProvider;
import io.trivet.net.UnavailableException;
import java.util.List;

/** Provides the java.nio network, which is available on every system. Public only for {@link java.util.ServiceLoader}. */
public final class NioProvider implements NetworkProvider {
    private static final NioNetwork NETWORK = new NioNetwork();

    /** Called by {@link java.util.ServiceLoader}. */
    public NioProvider() {}

    @Override
    public List<String> names() {
        return List.of(NETWORK.name());
    }

    @Override
    public Network network(String name) {
        if (!name.equals(NETWORK.name())) {
            throw new UnavailableException("java.nio has no network " + name);
        }
        return NETWORK;
    }

    @Override
    public int preference() {
        return 0;
    }
}
