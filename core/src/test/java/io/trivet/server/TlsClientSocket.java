package io.trivet.server;

import io.trivet.tls.TestCertificates;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;

/** A TLS client for tests, with the JDK's engine alone: independent of the code under test. */
final class TlsClientSocket implements Client.ClientSocket {
    /** Size of a record's header. */
    static final int RECORD_BYTES_MIN = 5;
    private static final int BUFFER_BYTES = 1 << 17;

    private final Client.ClientSocket inner;
    private final SSLEngine engine;
    /** Received ciphertext, from 0 to the position. */
    private final ByteBuffer received = ByteBuffer.allocate(BUFFER_BYTES);
    /** Ciphertext to be sent, from position to limit. */
    private final ByteBuffer unsent = ByteBuffer.allocate(BUFFER_BYTES).flip();
    private final ByteBuffer plaintext = ByteBuffer.allocate(BUFFER_BYTES).flip();
    /** What is sent in plaintext, in one write with the first record. */
    private byte[] first = new byte[0];
    private boolean connected;
    private boolean streamEnded;

    TlsClientSocket(Client.ClientSocket inner) {
        this(inner, context().createSSLEngine("localhost", 1));
    }

    TlsClientSocket(Client.ClientSocket inner, SSLEngine engine) {
        this.inner = inner;
        this.engine = engine;
        engine.setUseClientMode(true);
    }

    /** Returns a context that trusts the tests' authority. */
    static SSLContext context() {
        try (InputStream in = Files.newInputStream(TestCertificates.file("ca.pem"))) {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
            TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
            trust.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context;
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns the socket that sends and receives ciphertext. */
    Client.ClientSocket inner() {
        return inner;
    }

    SSLEngine engine() {
        return engine;
    }

    @Override
    public boolean finishConnect() throws IOException {
        progress();
        return connected && !isHandshaking() && !unsent.hasRemaining();
    }

    private boolean isHandshaking() {
        return engine.getHandshakeStatus() != HandshakeStatus.NOT_HANDSHAKING;
    }

    /** Begins the handshake when TCP is connected. Sends, receives, and continues the handshake, as far as possible without waiting. */
    private void progress() throws IOException {
        if (!connected && inner.finishConnect()) {
            connected = true;
            engine.beginHandshake();
        }
        boolean moved = connected;
        while (moved) {
            moved = flush();
            HandshakeStatus status = engine.getHandshakeStatus();
            if (status == HandshakeStatus.NEED_TASK) {
                engine.getDelegatedTask().run();
                moved = true;
            } else if (status == HandshakeStatus.NEED_WRAP) {
                moved |= wrap(ByteBuffer.allocate(0)) > 0 || unsent.hasRemaining();
            } else {
                moved |= unwrap();
            }
        }
    }

    private boolean flush() throws IOException {
        return unsent.hasRemaining() && inner.write(unsent) > 0;
    }

    private int wrap(ByteBuffer from) throws IOException {
        unsent.compact().put(first);
        first = new byte[0];
        try {
            SSLEngineResult result = engine.wrap(from, unsent);
            return result.getStatus() == SSLEngineResult.Status.CLOSED ? 0 : Math.max(1, result.bytesConsumed());
        } finally {
            unsent.flip();
        }
    }

    /** Decrypts one record, if there is room for its plaintext. Returns true if there was progress. */
    private boolean unwrap() throws IOException {
        if (engine.isInboundDone() || plaintext.hasRemaining()) {
            return false;
        }
        received.flip();
        plaintext.clear();
        try {
            SSLEngineResult result = engine.unwrap(received, plaintext);
            if (result.bytesConsumed() > 0 || result.getStatus() == SSLEngineResult.Status.CLOSED) {
                return result.bytesConsumed() > 0;
            }
        } finally {
            received.compact();
            plaintext.flip();
        }
        int read = streamEnded ? -1 : inner.read(received);
        streamEnded |= read < 0;
        return read > 0;
    }

    @Override
    public int read(ByteBuffer buffer) throws IOException {
        progress();
        if (plaintext.hasRemaining()) {
            int count = Math.min(buffer.remaining(), plaintext.remaining());
            buffer.put(plaintext.slice(plaintext.position(), count));
            plaintext.position(plaintext.position() + count);
            return count;
        }
        if (engine.isInboundDone()) {
            return -1;
        }
        if (streamEnded) {
            throw new SSLException("truncated");
        }
        return 0;
    }

    @Override
    public int write(ByteBuffer buffer) throws IOException {
        progress();
        int before = buffer.remaining();
        while (buffer.hasRemaining() && !unsent.hasRemaining() && !isHandshaking()) {
            wrap(buffer);
            flush();
        }
        return before - buffer.remaining();
    }

    /** Sends these bytes as they are, in one segment with the first record. */
    void sendFirst(byte[] bytes) {
        first = bytes.clone();
    }

    /** Sends these bytes as they are. */
    void writeRaw(ByteBuffer bytes) throws IOException {
        inner.write(bytes);
    }

    /** Ends the TCP stream without close_notify. */
    void truncate() throws IOException {
        inner.shutdownOutput();
    }

    @Override
    public void shutdownOutput() throws IOException {
        engine.closeOutbound();
        progress();
        while (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
            wrap(ByteBuffer.allocate(0));
        }
        try {
            while (unsent.hasRemaining()) {
                inner.write(unsent);
            }
            inner.shutdownOutput();
        } catch (IOException e) {
            if (!engine.isInboundDone()) { // otherwise the server may have closed, and reset the connection at our close_notify
                throw e;
            }
        }
    }

    @Override
    public void sendUrgent(char c) throws IOException {
        inner.sendUrgent(c);
    }

    @Override
    public void inlineUrgent() throws IOException {
        inner.inlineUrgent();
    }

    @Override
    public void linger(int seconds) throws IOException {
        inner.linger(seconds);
    }

    @Override
    public InetSocketAddress localAddress() throws IOException {
        return inner.localAddress();
    }

    @Override
    public void close() throws IOException {
        inner.close();
    }
}
