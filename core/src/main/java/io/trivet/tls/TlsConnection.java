package io.trivet.tls;

import io.trivet.net.NetworkException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** The TLS state of one connection of a {@link TlsProactor}. An idle connection has no buffer. Owner's thread, except {@link #info}. */
final class TlsConnection {
    final long handle;
    final TlsEngine engine;
    final boolean isServer;
    /** Bytes of the peer that cannot be processed yet, from 0 to the position: a part of a record, or what follows a handshake task. */
    @Nullable ByteBuffer heldInput;
    /** Ciphertext that the socket has refused, from position to limit. */
    @Nullable ByteBuffer heldOutput;
    /** The peer accepts no more bytes. The connection fails with the reason when that is received: an alert, or the end. */
    @Nullable NetworkException sendFailure;
    /** Ciphertext of the handshake that was received. */
    int handshakeBytes;
    /** The engine has sent something: a server, its answer to the first message of the handshake. */
    boolean hasSent;
    /** The handshake has been completed, and the caller was notified. */
    boolean connected;
    /** The engine has failed. The caller is notified when it has got the plaintext before that. Nothing can be sent any more. */
    boolean broken;
    /** The caller was notified of a failure, or a method has thrown one. Nothing more is received or sent. */
    boolean failed;
    /** The caller has closed the connection. */
    boolean closed;
    /** The caller was notified of the end of the input. */
    boolean inputEnded;
    /** The TCP stream has ended, and the caller has yet to be notified: bytes that were held come first. */
    boolean streamEnded;
    /** Our FIN is to be sent once the held output has been sent. */
    boolean finPending;
    /** Our FIN was sent. */
    boolean outputShut;
    /** A send has failed, perhaps in the middle of a record. What follows could not be decrypted, so nothing more is sent. */
    boolean outputFailed;
    /** True if the next step of the handshake waits in the {@link HandshakeQueue}; since when; and how long earlier steps have waited there. */
    boolean isQueued;
    long queuedSinceNanos;
    long queuedNanos;
    /** The caller wants to be notified when it can send more, or when held output has been sent. */
    boolean awaitsWritable;
    /** The caller wants to receive. */
    boolean wantsInput;
    /** The underlying proactor receives for this connection. */
    boolean receiving;
    /** Set after the handshake. */
    private volatile @Nullable TlsInfo info;

    TlsConnection(long handle, TlsEngine engine, boolean isServer) {
        this.handle = handle;
        this.engine = engine;
        this.isServer = isServer;
    }

    /** Returns what was negotiated, or null before the end of the handshake. Any thread. */
    @Nullable
    TlsInfo info() {
        return info;
    }

    void info(TlsInfo negotiated) {
        info = negotiated;
    }

    /** Called when the input has ended without the reason for a failed send. */
    void throwSendFailure() throws NetworkException {
        NetworkException failure = sendFailure;
        if (failure != null && !closed) {
            throw failure;
        }
    }

    /** Returns true if input can be processed now. */
    boolean takesInput() {
        return !failed && !closed && !inputEnded && !isQueued;
    }

    /**
     * Returns true if the client has left before it got an answer: the handshake can no longer succeed. During a storm, many clients give up
     * while they wait, and answering them would make the others wait longer.
     */
    boolean hasGivenUp() {
        return streamEnded && isServer && !hasSent;
    }

    /** Returns the size of the buffers. */
    int heldBytes() {
        return (heldInput == null ? 0 : heldInput.capacity()) + (heldOutput == null ? 0 : heldOutput.capacity());
    }
}
