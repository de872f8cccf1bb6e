package io.trivet.tls;

import io.trivet.net.Completions;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The receiving half of a {@link TlsProactor}: finds the records in what arrives, has them decrypted, and delivers the plaintext of as
 * many as possible at once. All connections share one buffer for plaintext. One thread.
 */
@SuppressWarnings("ReferenceEquality") // buffers are compared by identity: equals would compare their bytes
final class TlsInput {
    /** Maximum number of bytes that a peer may send in its handshake. A chain of certificates has a few thousand. */
    static final int HANDSHAKE_BYTES_MAX = 64 * 1024;
    /** While a handshake waits for its next step, no more is received when this many bytes are held. A first message has up to 2 KB. */
    static final int QUEUED_BYTES_MAX = 4 * 1024;
    private static final int PLAINTEXT_BYTES = 64 * 1024;
    private static final byte ALERT = 21;
    private static final byte HANDSHAKE = 22;
    private static final byte APPLICATION_DATA = 23;
    private static final int TYPE_MIN = 20;
    private static final int TYPE_MAX = 24;
    /** Maximum number of bytes of a foreign protocol that a message quotes. */
    private static final int QUOTED_MAX = 16;

    private final TlsOutput output;
    private final HeldBuffers buffers;
    private final ByteBuffer plaintext = ByteBuffer.allocateDirect(PLAINTEXT_BYTES);
    /** A copy of a record, for an engine that decrypts in place: received memory must not be modified. */
    private final ByteBuffer record = ByteBuffer.allocateDirect(TlsEngine.RECORD_BYTES_MAX);
    /** The memory of the underlying proactor, and a view of it. */
    private @Nullable ByteBuffer memory;

    private @Nullable ByteBuffer memoryView;

    TlsInput(TlsOutput output, HeldBuffers buffers) {
        this.output = output;
        this.buffers = buffers;
    }

    int bufferBytes() {
        return PLAINTEXT_BYTES + TlsEngine.RECORD_BYTES_MAX;
    }

    /**
     * Processes received ciphertext, until the engine has a task or the input has ended. Holds what cannot be processed now.
     *
     * @throws IOException the connection has failed; the plaintext before that was delivered
     */
    void received(TlsConnection connection, ByteBuffer bytes, int from, int to, Completions completions) throws IOException {
        ByteBuffer source = viewOf(bytes).limit(to).position(from);
        try {
            while (source.hasRemaining() && connection.heldInput != null && connection.takesInput()) {
                completeRecord(connection, source, completions);
            }
            if (connection.heldInput == null) {
                process(connection, source, completions);
            }
        } finally {
            deliver(connection, completions);
        }
        if (source.hasRemaining() && !connection.closed && !connection.inputEnded) {
            connection.heldInput = buffers.append(connection.heldInput, source);
        }
    }

    /**
     * Holds what has arrived for the next step of a handshake.
     *
     * @throws IOException there is no memory
     */
    void hold(TlsConnection connection, ByteBuffer bytes, int from, int to) throws IOException {
        connection.heldInput = buffers.append(connection.heldInput, viewOf(bytes).limit(to).position(from));
    }

    /** Returns true if a connection whose handshake waits for its next step is to receive no more before that. */
    static boolean holdsMuch(TlsConnection connection) {
        ByteBuffer held = connection.heldInput;
        return connection.isQueued && held != null && held.position() >= QUEUED_BYTES_MAX;
    }

    /**
     * Processes input that was held for a step of the handshake.
     *
     * @throws IOException the connection has failed; the plaintext before that was delivered
     */
    void processHeld(TlsConnection connection, Completions completions) throws IOException {
        ByteBuffer held = connection.heldInput;
        if (held == null) {
            return;
        }
        held.flip();
        try {
            process(connection, held, completions);
        } finally {
            deliver(connection, completions);
        }
        if (connection.closed) {
            return; // its buffers were released
        }
        if (held.hasRemaining()) {
            held.compact();
        } else {
            connection.heldInput = null;
            buffers.release(held);
        }
    }

    private ByteBuffer viewOf(ByteBuffer bytes) {
        ByteBuffer view = memoryView;
        if (view == null || memory != bytes) {
            memory = bytes;
            view = bytes.duplicate();
            memoryView = view;
        }
        return view.clear();
    }

    /** Moves bytes to an incomplete record, and processes it when it is complete. */
    private void completeRecord(TlsConnection connection, ByteBuffer source, Completions completions) throws IOException {
        ByteBuffer held = connection.heldInput;
        if (held == null) {
            return;
        }
        held.flip();
        int length = length(connection, held);
        int has = held.remaining();
        held.limit(held.capacity()).position(has);
        int missing = (length < 0 ? TlsEngine.HEADER_BYTES : length) - has;
        int end = source.limit();
        source.limit(Math.min(end, source.position() + missing));
        held = buffers.append(held, source);
        source.limit(end);
        connection.heldInput = held;
        if (length >= 0 && held.position() == length) {
            connection.heldInput = null;
            held.flip();
            record.clear().put(held).flip();
            buffers.release(held);
            unwrap(connection, record, completions);
        }
    }

    /** Processes whole records, as long as that is possible. */
    private void process(TlsConnection connection, ByteBuffer source, Completions completions) throws IOException {
        while (source.hasRemaining() && connection.takesInput()) {
            int length = length(connection, source);
            if (length < 0 || source.remaining() < length) {
                return;
            }
            int end = source.limit();
            int next = source.position() + length;
            source.limit(next);
            unwrap(connection, connection.engine.keepsRecords() ? source : record.clear().put(source).flip(), completions);
            if (connection.closed) {
                return; // a callback may have released the buffer
            }
            source.limit(end).position(next);
        }
    }

    /** Processes a whole record, then does what the engine wants. */
    private void unwrap(TlsConnection connection, ByteBuffer whole, Completions completions) throws IOException {
        try {
            unwrapRecord(connection, whole, completions);
            advance(connection, completions);
        } catch (IOException e) {
            connection.broken = true;
            throw e;
        }
    }

    private void unwrapRecord(TlsConnection connection, ByteBuffer whole, Completions completions) throws IOException {
        TlsEngine engine = connection.engine;
        if (engine.isHandshaking()) {
            connection.handshakeBytes += whole.remaining();
            if (connection.handshakeBytes > HANDSHAKE_BYTES_MAX) {
                throw new TlsException("the peer's handshake is longer than " + HANDSHAKE_BYTES_MAX + " bytes", null);
            }
        }
        if (whole.get(whole.position()) != APPLICATION_DATA) {
            deliver(connection, completions); // in TLS 1.2, after a close_notify it could not be answered any more
        }
        if (!connection.closed && !engine.unwrap(whole, plaintext)) {
            deliver(connection, completions);
            if (!connection.closed && !engine.unwrap(whole, plaintext)) {
                throw new TlsException("a record does not fit into " + PLAINTEXT_BYTES + " bytes", null);
            }
        }
    }

    /** Does what the engine wants after a record or a task, and notifies the caller of the end of the handshake and of the input. */
    void advance(TlsConnection connection, Completions completions) throws IOException {
        TlsEngine engine = connection.engine;
        if (connection.closed) {
            return;
        }
        output.sendOwn(connection);
        if (engine.hasTask()) {
            connection.isQueued = true;
            return;
        }
        if (!connection.connected && !engine.isHandshaking()) {
            connection.connected = true;
            connection.info(engine.info());
            completions.connected(connection.handle);
            if (connection.awaitsWritable && !connection.closed && connection.heldOutput == null) {
                connection.awaitsWritable = false;
                completions.sent(connection.handle, 0);
            }
        }
        if (!connection.closed && engine.hasInputEnded() && !connection.inputEnded) {
            if (!connection.connected) {
                throw new TlsException("the peer has ended the connection during the handshake", null);
            }
            deliver(connection, completions);
            connection.throwSendFailure();
            if (!connection.closed) {
                connection.inputEnded = true;
                completions.inputEnded(connection.handle);
            }
        }
    }

    private void deliver(TlsConnection connection, Completions completions) {
        int bytes = plaintext.position();
        if (bytes > 0 && !connection.closed) {
            completions.received(connection.handle, plaintext.clear(), 0, bytes);
        }
        plaintext.clear();
    }

    /**
     * Returns the length of the record at the position, with its header; -1 if its header is incomplete.
     *
     * @throws TlsException no record begins like that
     */
    private static int length(TlsConnection connection, ByteBuffer source) throws TlsException {
        int type = source.get(source.position());
        boolean isFirst = connection.handshakeBytes == 0;
        if (isFirst && type != HANDSHAKE && type != ALERT) {
            throw new TlsException("the peer does not speak TLS: it began with " + quote(source), null);
        }
        if (source.remaining() < TlsEngine.HEADER_BYTES) {
            return -1;
        }
        int length = source.getShort(source.position() + 3) & 0xffff;
        if (type < TYPE_MIN || type > TYPE_MAX || source.get(source.position() + 1) != 3) {
            throw new TlsException("the peer has sent something that is no TLS record", null);
        }
        if (length > TlsEngine.RECORD_BYTES_MAX - TlsEngine.HEADER_BYTES) {
            throw new TlsException("the peer has sent a record of " + length + " bytes; TLS allows "
                    + (TlsEngine.RECORD_BYTES_MAX - TlsEngine.HEADER_BYTES), null);
        }
        return TlsEngine.HEADER_BYTES + length;
    }

    private static String quote(ByteBuffer source) {
        StringBuilder text = new StringBuilder("\"");
        for (int i = source.position(); i < Math.min(source.limit(), source.position() + QUOTED_MAX); i++) {
            char c = (char) (source.get(i) & 0xff);
            text.append(c >= ' ' && c < 0x7f && c != '"' ? String.valueOf(c) : String.format("\\x%02X", (int) c));
        }
        return text.append('"').toString();
    }
}
