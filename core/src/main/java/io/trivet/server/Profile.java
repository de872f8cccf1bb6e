package io.trivet.server;

import io.trivet.tls.Tls;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a connection. The parts of a loop ask each connection for its profile. Connections with the same settings share
 * one. Immutable; any thread.
 *
 * @param framing where messages end
 * @param limits the bounds
 * @param overflow what happens when a queue is full
 * @param urgent true to watch for TCP's urgent data
 * @param tls the settings of TLS; null: the connection is in plaintext
 * @param proxyHeader what an outgoing connection sends before everything else; null: nothing
 * @param localAddress what an outgoing connection is bound to; null: any address
 */
record Profile(Framing framing, Limits limits, Overflow overflow, boolean urgent, @Nullable Tls tls,
        @Nullable ProxyHeader proxyHeader, @Nullable InetSocketAddress localAddress) {
    /** Creates the settings of connections in plaintext that send no header and have any local address. */
    Profile(Framing framing, Limits limits, Overflow overflow, boolean urgent) {
        this(framing, limits, overflow, urgent, null, null, null);
    }

    /**
     * Checks that the settings fit together.
     *
     * @throws IllegalStateException DROP_OLDEST with raw framing
     * @throws UnsupportedOperationException urgent data with TLS
     */
    Profile check() {
        if (urgent && tls != null) {
            throw new UnsupportedOperationException("TLS has no urgent data: urgent(true) and TLS exclude each other");
        }
        if (dropsOldest() && framing.isRaw()) {
            throw new IllegalStateException("DROP_OLDEST drops whole messages, and with raw framing there are none");
        }
        return this;
    }

    /** Returns a copy with another framing. */
    Profile with(Framing other) {
        return new Profile(other, limits, overflow, urgent, tls, proxyHeader, localAddress);
    }

    /** Returns a copy with other limits. */
    Profile with(Limits other) {
        return new Profile(framing, other, overflow, urgent, tls, proxyHeader, localAddress);
    }

    /** Returns a copy with TLS. */
    Profile with(Tls other) {
        return new Profile(framing, limits, overflow, urgent, other, proxyHeader, localAddress);
    }

    /** Returns true if the time since the peer's last byte is limited. */
    boolean limitsReadIdle() {
        return !limits.readIdleTimeout().isZero();
    }

    /** Returns what puts frames around outgoing messages. */
    FrameWriter writer() {
        return framing.writer();
    }

    boolean pausesWhenHigh() {
        return overflow == Overflow.PAUSE_READING;
    }

    boolean dropsOldest() {
        return overflow == Overflow.DROP_OLDEST;
    }

    /** Returns the low mark, always below the high mark: a handler that is notified of room must find some. */
    int lowBytes() {
        return Math.min(limits.queueLowBytes(), limits.queueHighBytes() - 1);
    }
}
