package io.trivet.server;

import io.trivet.observe.ConnectionState;
import io.trivet.tls.Tls;
import io.trivet.tls.TlsInfo;
import io.trivet.tls.TlsProactor;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Starts the TLS handshakes of connections whose profile has TLS. Until the handshake is over, the connection is CONNECTING, and the
 * handshake timeout runs. Everything else about TLS is in {@link TlsProactor}. Loop thread, except {@link #info}.
 */
final class Handshakes {
    /** Maximum extension of a handshake's deadline for the time that the client waits behind others, in handshake timeouts. */
    private static final int EXTENSIONS_MAX = 4;

    private final @Nullable TlsProactor proactor;
    private final ConnectionDeadlines deadlines;
    private final CloseRequests closeRequests;

    /**
     * Creates the handshakes of a loop.
     *
     * @param proactor the loop's proactor; null: it has no TLS, and no connection has a profile with TLS
     */
    Handshakes(@Nullable TlsProactor proactor, ConnectionDeadlines deadlines, CloseRequests closeRequests) {
        this.proactor = proactor;
        this.deadlines = deadlines;
        this.closeRequests = closeRequests;
    }

    /** Returns true if a connection that has been established needs a handshake, which has not been started. */
    static boolean isDue(ConnectionRecord connection) {
        return connection.profile().tls() != null && !connection.is(ConnectionRecord.HANDSHAKING);
    }

    /** Starts the handshake of a connection, which must be due. If it cannot start, the connection is closed. */
    void start(ConnectionRecord connection) {
        Tls tls = connection.profile().tls();
        TlsProactor secures = proactor;
        if (tls == null || secures == null) {
            throw new IllegalStateException("the loop has no TLS");
        }
        connection.state(ConnectionState.CONNECTING);
        connection.set(ConnectionRecord.HANDSHAKING);
        deadlines.stateEndsIn(connection, tls.handshakeTimeout());
        try {
            secures.secure(connection.handle, tls);
        } catch (IOException e) {
            closeRequests.fail(connection, e);
        }
    }

    /** Passes on what has arrived together with a PROXY header: the first bytes of the handshake. Within a completion. */
    void received(ConnectionRecord connection, ByteBuffer memory, int from, int to) {
        if (proactor != null) {
            proactor.receivedEarly(connection.handle, memory, from, to);
        }
    }

    /**
     * Returns how long a handshake has waited behind those of other connections, a delay that the peer did not cause. Limited, so that a loop
     * that is overloaded for long sheds clients, and so that a peer cannot extend its handshake forever by sending single bytes.
     */
    long waitedNanos(ConnectionRecord connection) {
        TlsProactor secures = proactor;
        Tls tls = connection.profile().tls();
        return secures == null || tls == null ? 0
                : limited(secures.handshakeWaitedNanos(connection.handle), Limits.nanos(tls.handshakeTimeout()));
    }

    /** Limits a wait to some handshake timeouts, whose sum may be more than fits into a long. */
    static long limited(long waitedNanos, long timeoutNanos) {
        return waitedNanos / EXTENSIONS_MAX < timeoutNanos ? waitedNanos : EXTENSIONS_MAX * timeoutNanos;
    }

    /** Returns true if steps of handshakes wait for the next turn. */
    boolean hasWork() {
        TlsProactor secures = proactor;
        return secures != null && secures.hasWork();
    }

    /** Returns the size of the direct buffers of TLS connections. Any thread. */
    long memoryBytes() {
        return proactor == null ? 0 : proactor.connectionBufferBytes();
    }

    /** Returns true if connections can be secured. Any thread. */
    boolean isPossible() {
        return proactor != null;
    }

    /** Returns true if a close would drop ciphertext that the socket has refused, or cannot send its end. Then TLS resets the connection. */
    boolean closeCuts(ConnectionRecord connection) {
        return proactor != null && connection.handle >= 0 && proactor.isSecured(connection.handle)
                && (proactor.unsentBytes(connection.handle) > 0 || proactor.hasSendFailed(connection.handle));
    }

    /** Returns what a connection has negotiated, or null. Any thread. */
    @Nullable
    TlsInfo info(ConnectionRecord connection) {
        TlsInfo cached = connection.tlsInfo();
        return cached != null || proactor == null || connection.handle < 0 ? cached : proactor.info(connection.handle);
    }
}
