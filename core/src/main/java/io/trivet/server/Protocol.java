package io.trivet.server;

import io.trivet.tls.Tls;
import java.net.InetSocketAddress;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * How the connections of one listener, or one outgoing connection, are served: framing, handler, and settings that differ from
 * the server's. Immutable: {@code with…} returns a changed copy. Any thread.
 *
 * {@snippet :
 * class Counter implements Handler { // one object per connection: its state is in fields
 *     private int messages;
 *
 *     @Override
 *     public void onMessage(Connection connection, ByteBuffer message) {
 *         connection.send("message " + ++messages);
 *     }
 * }
 *
 * Server server = Server.builder()
 *         .listen(new InetSocketAddress(8080), Protocol.perConnection(Framing.lines(), Counter::new))
 *         .listen(new InetSocketAddress(8081), Protocol.of(Framing.lengthPrefixed(4), binaryHandler)
 *                 .withLimits(Limits.defaults().withMessageBytesMax(16 << 20)))
 *         .start();
 * }
 */
public final class Protocol {
    private final Framing framing;
    /** The handler of all connections; null if each has its own. */
    private final @Nullable Handler shared;
    private final @Nullable Supplier<? extends Handler> handlers;
    private final @Nullable Limits limits;
    private final @Nullable Overflow overflow;
    private final @Nullable Boolean urgent;
    private final @Nullable Tls tls;
    private final @Nullable ProxyHeader proxyHeader;
    private final @Nullable InetSocketAddress localAddress;

    private Protocol(Framing framing, @Nullable Handler shared, @Nullable Supplier<? extends Handler> handlers,
            @Nullable Limits limits, @Nullable Overflow overflow, @Nullable Boolean urgent, @Nullable Tls tls,
            @Nullable ProxyHeader proxyHeader, @Nullable InetSocketAddress localAddress) {
        this.framing = framing;
        this.shared = shared;
        this.handlers = handlers;
        this.limits = limits;
        this.overflow = overflow;
        this.urgent = urgent;
        this.tls = tls;
        this.proxyHeader = proxyHeader;
        this.localAddress = localAddress;
    }

    /**
     * Returns a protocol with one handler for all of its connections. Its limits and its overflow policy are the server's. It
     * watches for urgent data if the server does.
     *
     * @param framing where messages end
     * @param handler the handler. Several loops may call it at the same time
     * @return the protocol
     */
    public static Protocol of(Framing framing, Handler handler) {
        return new Protocol(Objects.requireNonNull(framing, "framing"), Objects.requireNonNull(handler, "handler"), null, null,
                null, null, null, null, null);
    }

    /**
     * Returns a protocol with a handler object per connection. A connection's callbacks come one at a time, so the fields of its
     * handler need no locks.
     *
     * @param framing where messages end
     * @param handlers creates the handler of each connection: on the loop's thread before {@code onOpen}, or for an outgoing
     *     connection in {@code connect}. If it throws or returns null, only that connection is closed, with {@link
     *     io.trivet.observe.CloseReason#HANDLER_FAILED}, and the cause is logged
     * @return the protocol
     */
    public static Protocol perConnection(Framing framing, Supplier<? extends Handler> handlers) {
        return new Protocol(Objects.requireNonNull(framing, "framing"), null, Objects.requireNonNull(handlers, "handlers"), null,
                null, null, null, null, null);
    }

    /**
     * Returns a protocol that serves each connection with straight-line code on a virtual thread.
     *
     * @param framing where messages end
     * @param handler the code, which runs once for each connection that has been opened. If an outgoing connection cannot be
     *     opened, it does not run, and {@link Connection#failure} returns the error
     * @return the protocol
     */
    public static Protocol session(Framing framing, SessionHandler handler) {
        Objects.requireNonNull(handler, "handler");
        return perConnection(framing, () -> new SessionCallbacks(handler));
    }

    /**
     * Returns a copy with limits of its own. They apply to queues, to the length of messages, to the bytes read while lingering,
     * and to the timeouts. The numbers of connections, the budget, and the handler timeout are always the server's.
     *
     * @param limits the limits
     * @return the copy
     */
    public Protocol withLimits(Limits limits) {
        return new Protocol(framing, shared, handlers, Objects.requireNonNull(limits, "limits"), overflow, urgent, tls,
                proxyHeader, localAddress);
    }

    /**
     * Returns a copy with an overflow policy of its own.
     *
     * @param overflow the policy
     * @return the copy
     */
    public Protocol withOverflow(Overflow overflow) {
        return new Protocol(framing, shared, handlers, limits, Objects.requireNonNull(overflow, "overflow"), urgent, tls,
                proxyHeader, localAddress);
    }

    /**
     * Returns a copy that sets whether TCP's urgent data is watched for, as {@link ServerBuilder#urgent} does for the server.
     *
     * @param urgent true to have {@link Handler#onUrgent} called
     * @return the copy
     */
    public Protocol withUrgent(boolean urgent) {
        return new Protocol(framing, shared, handlers, limits, overflow, urgent, tls, proxyHeader, localAddress);
    }

    /**
     * Returns a copy whose connections use TLS. {@code onOpen} is called after the handshake. If the handshake fails, only {@code
     * onClose} is called, with {@link io.trivet.observe.CloseReason#HANDSHAKE_FAILED} or {@link
     * io.trivet.observe.CloseReason#HANDSHAKE_TIMEOUT}.
     *
     * @param tls a {@link io.trivet.tls.TlsServer} for a listener, a {@link io.trivet.tls.TlsClient} for outgoing connections
     * @return the copy
     */
    public Protocol withTls(Tls tls) {
        return new Protocol(framing, shared, handlers, limits, overflow, urgent, Objects.requireNonNull(tls, "tls"),
                proxyHeader, localAddress);
    }

    /**
     * Returns a copy whose outgoing connections send a header of the PROXY protocol before everything else, TLS included. Accepted
     * connections are not affected.
     *
     * @param header the addresses of the client on whose behalf the connection is made
     * @return the copy
     */
    public Protocol withProxyHeader(ProxyHeader header) {
        return new Protocol(framing, shared, handlers, limits, overflow, urgent, tls, Objects.requireNonNull(header, "header"),
                localAddress);
    }

    /**
     * Returns a copy whose outgoing connections are made from a local address: for a machine with several addresses, or a firewall that
     * expects a certain port. Accepted connections are not affected. If the address cannot be used, the connect fails, and {@link
     * Connection#failure} states why: this machine does not have it, the port is in use, it needs a privilege, or the server's address
     * is IPv6 or that of a Unix domain socket and this one is IPv4. Of the addresses of a host name, those of the other family fail.
     *
     * @param address an IP address of this machine, or the wildcard address, and a port. With port 0 the kernel chooses one. A fixed
     *     port allows one connection to each peer, and after its end none for up to a minute
     * @return the copy
     * @throws IllegalArgumentException the address is unresolved or a Unix address
     */
    public Protocol withLocalAddress(InetSocketAddress address) {
        if (address.isUnresolved()) {
            throw new IllegalArgumentException("a local address must be an IP address, not " + address.getHostString());
        }
        return new Protocol(framing, shared, handlers, limits, overflow, urgent, tls, proxyHeader, address);
    }

    /** Returns the profile of its connections. Settings that the protocol lacks are the server's. */
    Profile profile(Profile server) {
        return new Profile(framing, limits == null ? server.limits() : limits, overflow == null ? server.overflow() : overflow,
                urgent == null ? server.urgent() : urgent, tls, proxyHeader, localAddress);
    }

    /** Returns the handler of all connections, or null if each has its own. */
    @Nullable
    Handler sharedHandler() {
        return shared;
    }

    /** Returns the handler of a new connection. */
    Handler handler() {
        return shared != null ? shared
                : Objects.requireNonNull(Objects.requireNonNull(handlers).get(), "the supplier of handlers returned null");
    }
}
