package io.trivet.server;

import io.trivet.net.Capability;
import io.trivet.net.ListenOptions;
import io.trivet.net.Network;
import io.trivet.net.TcpOptions;
import java.net.StandardSocketOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The TCP options of accepted connections: TCP_NODELAY and keep-alive. */
final class ClientOptions {
    /** Minimum number of unanswered keep-alive probes before the kernel gives a peer up. */
    private static final int KEEP_ALIVE_PROBES_MIN = 4;

    private ClientOptions() {}

    /**
     * Returns the options to set on a listener. If connections inherit options, these include the options of the connections.
     *
     * @param given the options that the application has set
     * @param profile the settings of its connections
     */
    static ListenOptions ofListener(ListenOptions given, Network network, Profile profile) {
        return network.supports(Capability.INHERITED_OPTIONS) ? addTo(given, network, profile) : given;
    }

    /**
     * Returns, by listener, the options to set for each accepted connection.
     *
     * @param profiles the settings of each listener's connections
     * @param opened the number of listeners that were opened with {@link #ofListener}; they come first. Clients of the others may have
     *     connected before their options were set
     */
    static List<ListenOptions> ofConnections(Network network, List<Profile> profiles, int opened) {
        List<ListenOptions> options = new ArrayList<>();
        for (Profile profile : profiles) {
            if (!network.supports(Capability.INHERITED_OPTIONS)) {
                options.add(addTo(ListenOptions.none(), network, profile));
            } else if (options.size() < opened) {
                options.add(ListenOptions.none());
            } else {
                options.add(addTo(withoutKeepAlive(network), network, profile));
            }
        }
        return options;
    }

    /** Undoes what connections may inherit from a listener of a server that has an idle timeout. */
    private static ListenOptions withoutKeepAlive(Network network) {
        ListenOptions options = ListenOptions.none().with(StandardSocketOptions.SO_KEEPALIVE, false);
        return network.supports(Capability.KEEP_ALIVE_OPTIONS) ? options.with(TcpOptions.USER_TIMEOUT_MILLIS, 0) : options;
    }

    private static ListenOptions addTo(ListenOptions given, Network network, Profile profile) {
        ListenOptions options = given.with(StandardSocketOptions.TCP_NODELAY, true);
        Duration idle = profile.limits().idleTimeout();
        return idle.isZero() ? options : addKeepAlive(options, network, idle);
    }

    /**
     * Enables keep-alive, so that the kernel detects a dead peer in about the idle timeout, instead of its default of two hours.
     * The kernel drops a connection only after several unanswered probes, because a single probe may be lost. If the timers of
     * thousands of connections expire together, even the kernel's own input queue drops probes (net.core.netdev_max_backlog).
     */
    private static ListenOptions addKeepAlive(ListenOptions given, Network network, Duration idle) {
        ListenOptions options = given.with(StandardSocketOptions.SO_KEEPALIVE, true);
        if (!network.supports(Capability.KEEP_ALIVE_OPTIONS)) {
            return options;
        }
        int seconds = Math.clamp(idle.toSeconds() / 2, 1, 32_767);
        int interval = Math.max(1, seconds / 4);
        long probed = 1000L * (seconds + KEEP_ALIVE_PROBES_MIN * interval);
        return options.with(TcpOptions.KEEP_ALIVE_IDLE_SECONDS, seconds)
                .with(TcpOptions.KEEP_ALIVE_INTERVAL_SECONDS, interval)
                .with(TcpOptions.USER_TIMEOUT_MILLIS,
                        (int) Math.clamp(Limits.nanos(idle) / 1_000_000, probed, Integer.MAX_VALUE));
    }
}
