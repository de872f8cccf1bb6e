package io.trivet.linux;

import io.trivet.net.Intercept;
import io.trivet.net.Network;
import java.lang.reflect.Proxy;

/**
 * The network uring with tiny queues: four submissions, eight completions, two buffers of a kilobyte. Every queue is full all the
 * time, receives find no buffer, and completions wait in the kernel until there is room for them.
 */
public final class CrampedRing {
    static final UringSizes SIZES = new UringSizes(4, 8, 2, 1024);

    private CrampedRing() {}

    /** Returns the network, or throws {@link io.trivet.net.UnavailableException} if there is no ring. */
    public static Network network() {
        LinuxNetwork uring = (LinuxNetwork) Network.named("uring");
        return Intercept.method(Network.class, uring, "proactor", _ -> new UringProactor(uring, SIZES));
    }

    /** Returns whether this is a network that {@link #network} has returned. */
    public static boolean isNetwork(Network network) {
        return Proxy.isProxyClass(network.getClass()) && network.name().equals("uring");
    }
}
