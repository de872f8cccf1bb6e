package io.trivet.net;

import java.io.IOException;
import java.net.SocketOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Options that a listener gets before it is bound, which later would be too late: {@link java.net.StandardSocketOptions#SO_REUSEPORT};
 * {@link java.net.StandardSocketOptions#SO_RCVBUF}, which its connections inherit, and from which TCP computes the window that it
 * announces in the handshake; IPv6 only. Immutable; any thread.
 *
 * {@snippet :
 * network.listen(address, 4096, ListenOptions.none().with(StandardSocketOptions.SO_RCVBUF, 1 << 20));
 * }
 *
 * <p>With SO_REUSEPORT another process of the same user can bind the same port, and the kernel spreads the clients over both (man 7
 * socket). A second server that was started by mistake is then not noticed, and a listener that closes resets the clients in its backlog.
 * To replace a running server, use {@code io.trivet.server.Handover}.
 */
public final class ListenOptions {
    private static final ListenOptions NONE = new ListenOptions(Map.of(), false);

    private final Map<SocketOption<?>, Object> values;
    private final boolean ipv6Only;

    private ListenOptions(Map<SocketOption<?>, Object> values, boolean ipv6Only) {
        this.values = values;
        this.ipv6Only = ipv6Only;
    }

    /**
     * Returns no options.
     *
     * @return no options
     */
    public static ListenOptions none() {
        return NONE;
    }

    /**
     * Returns a copy with an option.
     *
     * @param option one of {@link java.net.StandardSocketOptions}, or one of {@link TcpOptions}
     * @param value its value
     * @param <T> the type of the value
     * @return the copy
     */
    public <T> ListenOptions with(SocketOption<T> option, T value) {
        Map<SocketOption<?>, Object> more = new LinkedHashMap<>(values);
        more.put(Objects.requireNonNull(option, "option"), Objects.requireNonNull(value, "value"));
        return new ListenOptions(more, ipv6Only);
    }

    /**
     * Returns a copy with IPV6_V6ONLY: the wildcard IPv6 address leaves the port free for IPv4 sockets.
     *
     * @return the copy
     */
    public ListenOptions withIpv6Only() {
        return new ListenOptions(values, true);
    }

    /**
     * Returns whether to listen over IPv6 only.
     *
     * @return true after {@link #withIpv6Only}
     */
    public boolean isIpv6Only() {
        return ipv6Only;
    }

    /** Sets one option. */
    @FunctionalInterface
    public interface Setter {
        /**
         * Sets an option.
         *
         * @param option the option
         * @param value its value
         * @param <T> the type of the value
         * @throws IOException it is refused
         */
        <T> void set(SocketOption<T> option, T value) throws IOException;
    }

    /**
     * Sets all options but IPv6 only, in the order in which they were added.
     *
     * @param setter sets one
     * @throws IOException an option is refused
     */
    public void apply(Setter setter) throws IOException {
        for (Map.Entry<SocketOption<?>, Object> each : values.entrySet()) {
            apply(setter, each.getKey(), each.getValue());
        }
    }

    private static <T> void apply(Setter setter, SocketOption<T> option, Object value) throws IOException {
        setter.set(option, option.type().cast(value));
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ListenOptions options && options.ipv6Only == ipv6Only && options.values.equals(values);
    }

    @Override
    public int hashCode() {
        return 31 * values.hashCode() + Boolean.hashCode(ipv6Only);
    }

    @Override
    public String toString() {
        return values + (ipv6Only ? ", IPv6 only" : "");
    }
}
