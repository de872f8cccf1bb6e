package io.trivet.scenarios;

import io.trivet.net.TcpStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;

/** A client's TLS over a stream, by the JDK's engine alone: independent of the code under test. Never waits. */
final class SecuredStream {
    private static final int RECORD_BYTES_MAX = 18_500;
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final TcpStream stream;
    private final SSLEngine engine;
    /** Received ciphertext, from 0 to the position. */
    private final ByteBuffer ciphertext = ByteBuffer.allocate(2 * RECORD_BYTES_MAX);
    /** Ciphertext to be sent, from position to limit. */
    private ByteBuffer unsent = ByteBuffer.allocate(2 * RECORD_BYTES_MAX).flip();
    private final ByteBuffer plaintext = ByteBuffer.allocate(RECORD_BYTES_MAX);
    /** The plaintext that was received. */
    private final ByteArrayOutputStream received = new ByteArrayOutputStream();
    private boolean connected;
    private boolean streamEnded;
    private int receivesMost = Integer.MAX_VALUE;

    SecuredStream(TcpStream stream, SSLEngine engine) {
        this(stream, engine, true);
    }

    private SecuredStream(TcpStream stream, SSLEngine engine, boolean isClient) {
        this.stream = stream;
        this.engine = engine;
        engine.setUseClientMode(isClient);
    }

    /** Returns the other side of a connection that the server has made. */
    static SecuredStream ofServer(TcpStream stream, SSLEngine engine) {
        return new SecuredStream(stream, engine, false);
    }

    /** Returns true if the handshake has been completed. */
    boolean isConnected() {
        return connected;
    }

    boolean isTls13() {
        return engine.getSession().getProtocol().equals("TLSv1.3");
    }

    /** Returns true if the peer's close_notify has arrived. */
    boolean hasReceivedNotify() {
        return engine.isInboundDone();
    }

    /** Returns true if the peer has ended the TCP stream. */
    boolean hasStreamEnded() {
        return streamEnded;
    }

    boolean hasUnsent() {
        return unsent.hasRemaining();
    }

    byte[] received() {
        return received.toByteArray();
    }

    int receivedBytes() {
        return received.size();
    }

    /**
     * Sends, receives, and continues the handshake, as far as possible.
     *
     * @param reads false to receive nothing, except for the handshake
     */
    void progress(boolean reads) throws IOException {
        boolean moved = true;
        while (moved) {
            moved = flush();
            HandshakeStatus status = engine.getHandshakeStatus();
            if (status == HandshakeStatus.NEED_TASK) {
                for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
                    task.run();
                }
                moved = true;
            } else if (status == HandshakeStatus.NEED_WRAP) {
                moved |= canWrap() && wrap(NOTHING) > 0;
            } else if (reads || !connected) {
                moved |= unwrap();
            }
        }
    }

    private boolean canWrap() {
        return unsent.remaining() < RECORD_BYTES_MAX;
    }

    private boolean flush() throws IOException {
        return unsent.hasRemaining() && stream.write(unsent) > 0;
    }

    /** Encrypts one record. Returns the number of bytes that it has with its header. */
    private int wrap(ByteBuffer from) throws IOException {
        unsent.compact();
        try {
            return note(engine.wrap(from, unsent)).bytesProduced();
        } finally {
            unsent.flip();
        }
    }

    private boolean unwrap() throws IOException {
        if (!engine.isInboundDone()) {
            ciphertext.flip();
            SSLEngineResult result;
            try {
                result = note(engine.unwrap(ciphertext, plaintext.clear()));
            } finally {
                ciphertext.compact();
            }
            received.write(plaintext.array(), 0, plaintext.position());
            if (result.bytesConsumed() > 0) {
                return true;
            }
        }
        return receive() > 0;
    }

    /** Receives ciphertext. Once the peer has ended its output, there should be none, and it is dropped. */
    private int receive() throws IOException {
        if (engine.isInboundDone()) {
            ciphertext.clear();
        }
        int most = Math.min(receivesMost, ciphertext.remaining());
        if (most == 0) {
            return 0;
        }
        ciphertext.limit(ciphertext.position() + most);
        int read = streamEnded ? -1 : stream.read(ciphertext);
        ciphertext.limit(ciphertext.capacity());
        streamEnded |= read < 0;
        receivesMost -= receivesMost == Integer.MAX_VALUE ? 0 : Math.max(0, read);
        return read;
    }

    /** Sets how many more bytes of ciphertext are received; the largest number: any number. */
    void receiveAtMost(int bytes) {
        receivesMost = bytes;
    }

    private SSLEngineResult note(SSLEngineResult result) {
        connected |= result.getHandshakeStatus() == HandshakeStatus.FINISHED;
        return result;
    }

    /** Encrypts as much of a message as there is room for, and sends it. Its position advances. */
    void send(ByteBuffer message) throws IOException {
        while (message.hasRemaining() && canWrap()) {
            wrap(message);
            flush();
        }
    }

    /**
     * Encrypts a short message and does not send it.
     *
     * @return its record, which is part of what is sent next; it may be changed until then
     */
    ByteBuffer prepare(byte[] message) throws IOException {
        int before = unsent.remaining();
        int length = wrap(ByteBuffer.wrap(message));
        return unsent.slice(unsent.position() + before, length);
    }

    /** Drops the last bytes of what is to be sent. */
    void dropUnsent(int bytes) {
        unsent.limit(unsent.limit() - bytes);
    }

    /** Starts a key update of TLS 1.3, which the peer has to answer with its own. */
    void updateKeys() throws IOException {
        engine.beginHandshake();
        progress(false);
    }

    /** Sends everything that is unsent, and lets the server read it. Receives nothing. */
    void flushAll(TrialNetwork network) throws IOException {
        for (int i = 0; i < 10_000 && unsent.hasRemaining(); i++) {
            flush();
            network.settle();
        }
    }

    /** Encrypts a close_notify. */
    void endOutput() throws IOException {
        engine.closeOutbound();
        progress(true);
    }

    /**
     * Starts the handshake outside of the engine's control: nothing but the given bytes is sent.
     *
     * @return its first message
     */
    byte[] hello() throws IOException {
        engine.beginHandshake();
        wrap(NOTHING);
        byte[] hello = new byte[unsent.remaining()];
        unsent.get(hello);
        return hello;
    }

    void beginHandshake() throws IOException {
        engine.beginHandshake();
    }

    /** Sends bytes as they are, after what is unsent, and receives and drops what arrives. */
    void sendRaw(byte[] bytes) {
        ByteBuffer all = ByteBuffer.allocate(unsent.remaining() + bytes.length + 2 * RECORD_BYTES_MAX);
        unsent = all.put(unsent).put(bytes).flip();
    }

    /** Sends what is unsent, and drops what arrives. */
    void progressRaw() throws IOException {
        boolean moved = true;
        while (moved) {
            moved = flush();
            int read = streamEnded ? -1 : stream.read(ciphertext.clear());
            streamEnded |= read < 0;
            moved |= read > 0;
        }
    }
}
