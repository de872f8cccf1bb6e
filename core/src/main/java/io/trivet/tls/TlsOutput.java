package io.trivet.tls;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import io.trivet.net.Proactor;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The sending half of a {@link TlsProactor}: encrypts, and holds the ciphertext that a socket refuses. All connections share one
 * buffer for ciphertext. One thread.
 */
final class TlsOutput {
    /** Maximum number of bytes that are encrypted before the socket is asked: four full records. */
    private static final int BYTES = 3 * (TlsEngine.PLAINTEXT_BYTES_MAX + 256) + TlsEngine.RECORD_BYTES_MAX;
    /** Maximum size of held output that is no application data. A peer that requests answers and reads none must not fill the memory. */
    private static final int ANSWERS_BYTES_MAX = 128 * 1024;
    /** Maximum number of records that are sent for a failed connection: an alert, and what may be before it. */
    private static final int LAST_RECORDS_MAX = 4;

    private final Proactor delegate;
    private final HeldBuffers buffers;
    private final ByteBuffer ciphertext = ByteBuffer.allocateDirect(BYTES);
    private final ByteBuffer[] parts = new ByteBuffer[1];

    TlsOutput(Proactor delegate, HeldBuffers buffers) {
        this.delegate = delegate;
        this.buffers = buffers;
    }

    int bufferBytes() {
        return BYTES;
    }

    /** Implements {@link Proactor#send}: never pending, because the plaintext is encrypted at once. */
    long send(TlsConnection connection, ByteBuffer[] plaintext, int from, int count) throws IOException {
        if (!connection.connected || connection.broken || connection.failed || connection.heldOutput != null) {
            connection.awaitsWritable = true;
            return 0;
        }
        long sum = 0;
        while (connection.heldOutput == null && hasRemaining(plaintext, from, count)) {
            ciphertext.clear();
            while (ciphertext.remaining() >= TlsEngine.RECORD_BYTES_MAX && hasRemaining(plaintext, from, count)) {
                int taken = connection.engine.wrap(plaintext, from, count, ciphertext);
                if (taken < 0) {
                    throw new NetworkException("send", null, ErrorCode.EPIPE,
                            "the peer has ended the TLS connection, which TLS 1.2 can only end in both directions");
                }
                sum += taken;
            }
            transmit(connection, ciphertext.flip());
        }
        connection.awaitsWritable |= hasRemaining(plaintext, from, count);
        return sum;
    }

    private static boolean hasRemaining(ByteBuffer[] plaintext, int from, int count) {
        for (int i = from; i < from + count; i++) {
            if (plaintext[i].hasRemaining()) {
                return true;
            }
        }
        return false;
    }

    /** Sends what the engine itself has to send, until it has no more or has a task. */
    void sendOwn(TlsConnection connection) throws IOException {
        while (connection.engine.hasOutput()) {
            ciphertext.clear();
            connection.engine.wrapOutput(ciphertext);
            if (ciphertext.position() == 0) {
                return; // the engine has ended
            }
            connection.hasSent = true;
            transmit(connection, ciphertext.flip());
            ByteBuffer held = connection.heldOutput;
            if (held != null && held.remaining() > ANSWERS_BYTES_MAX) {
                throw new TlsException("the peer requests answers, and does not read them", null);
            }
        }
    }

    /** Sends the alert of a failed connection, if that is possible at once. */
    void sendAlert(TlsConnection connection) {
        try {
            for (int i = 0; i < LAST_RECORDS_MAX && connection.engine.hasOutput(); i++) {
                ciphertext.clear();
                connection.engine.wrapOutput(ciphertext);
                ciphertext.flip();
                boolean canSend = connection.heldOutput == null && !connection.outputShut && !connection.outputFailed;
                while (canSend && ciphertext.hasRemaining()) {
                    canSend = sendNow(connection, ciphertext) > 0;
                }
            }
        } catch (IOException e) {
            // The connection has failed already; the alert would only have stated the reason.
        }
    }

    private void transmit(TlsConnection connection, ByteBuffer bytes) throws IOException {
        if (connection.outputShut) {
            return; // an answer to a key update, after our close_notify
        }
        if (bytes.hasRemaining() && connection.heldOutput == null) {
            try {
                sendNow(connection, bytes);
            } catch (NetworkException e) {
                if (!mayHaveReason(connection, e)) {
                    throw e;
                }
                connection.sendFailure = e;
            }
        }
        if (bytes.hasRemaining()) {
            hold(connection, bytes);
        }
    }

    private void hold(TlsConnection connection, ByteBuffer bytes) throws TlsException {
        ByteBuffer before = connection.heldOutput;
        try {
            connection.heldOutput = buffers.append(before == null ? null : before.compact(), bytes).flip();
        } catch (TlsException e) { // no memory
            connection.outputFailed = true;
            if (before != null) {
                before.flip();
            }
            throw e;
        }
    }

    private long sendNow(TlsConnection connection, ByteBuffer bytes) throws IOException {
        parts[0] = bytes;
        try {
            return delegate.sendNow(connection.handle, parts, 0, 1);
        } catch (IOException e) {
            connection.outputFailed = true;
            throw e;
        }
    }

    /**
     * Returns whether the peer may have sent an alert, the reason why it accepts no more bytes, which is still to be received. Otherwise the
     * end of the connection is received.
     */
    private static boolean mayHaveReason(TlsConnection connection, NetworkException failure) {
        return connection.connected && connection.receiving && !connection.streamEnded && !connection.inputEnded
                && (failure.code() == ErrorCode.EPIPE || failure.code() == ErrorCode.ECONNRESET);
    }

    /**
     * Sends held output: the socket has room.
     *
     * @return true if some or all of it was sent, or there is none
     */
    boolean sendHeld(TlsConnection connection) throws IOException {
        ByteBuffer held = connection.heldOutput;
        if (held == null) {
            return true;
        }
        NetworkException failure = connection.sendFailure;
        if (failure != null) {
            if (mayHaveReason(connection, failure)) {
                return false; // what is received ends the connection
            }
            throw failure;
        }
        int before = held.remaining();
        sendNow(connection, held);
        boolean progress = held.remaining() < before;
        if (!held.hasRemaining()) {
            connection.heldOutput = null;
            buffers.release(held);
            if (connection.finPending) {
                shut(connection);
            }
        }
        return progress;
    }

    /** Sends close_notify and then our FIN, after everything that is held. */
    void end(TlsConnection connection) throws IOException {
        connection.engine.endOutput();
        sendOwn(connection);
        if (connection.heldOutput != null) {
            connection.finPending = true;
        } else {
            shut(connection);
        }
    }

    private void shut(TlsConnection connection) throws IOException {
        connection.finPending = false;
        connection.outputShut = true;
        delegate.shutdownOutput(connection.handle);
    }

    /** Sends close_notify before a close, if that is possible at once. */
    void sayGoodbye(TlsConnection connection) {
        if (connection.connected && !connection.failed && !connection.outputShut && !connection.outputFailed) {
            connection.engine.endOutput();
            sendAlert(connection);
        }
    }
}
