package io.trivet.tls;

import io.trivet.openssl.ReceivedAlert;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * The JDK's TLS: adapts an {@link SSLEngine}. In TLS 1.2 the JDK answers a close_notify with its own at once, so there the peer's end
 * is also the end of our output (RFC 5246, section 7.2.1, requires that). TLS 1.3 half-closes.
 */
final class JdkTlsEngine implements TlsEngine {
    private static final ByteBuffer[] NOTHING = {ByteBuffer.allocateDirect(0)};
    /** Content type of a handshake message in the clear: after the handshake, only TLS 1.2 shows it. */
    private static final byte HANDSHAKE_RECORD = 22;

    /** How the JDK reports an alert of the peer: encrypted as it should be, or in plaintext from a peer that cannot encrypt yet. */
    private static final Pattern ALERT = Pattern
            .compile("(?:Received fatal alert: |Unexpected plaintext alert received: Level: fatal; Alert: )(\\w+)");

    private final SSLEngine engine;
    private boolean handshaking = true;
    private @Nullable TlsInfo info;

    /**
     * Creates an engine at the beginning of its handshake.
     *
     * @param engine a new engine, with its mode and parameters set
     * @throws IOException the engine cannot start
     */
    JdkTlsEngine(SSLEngine engine) throws IOException {
        this.engine = engine;
        try {
            engine.beginHandshake();
        } catch (SSLException | RuntimeException e) {
            throw failure(e);
        }
    }

    @Override
    public boolean keepsRecords() {
        return false; // a cipher decrypts in place where it can
    }

    @Override
    public boolean isHandshaking() {
        return handshaking;
    }

    @Override
    public boolean hasTask() {
        return engine.getHandshakeStatus() == HandshakeStatus.NEED_TASK;
    }

    @Override
    public void runTask() {
        for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
            task.run(); // its exceptions are thrown by the next wrap or unwrap
        }
    }

    @Override
    public boolean hasOutput() {
        return engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP;
    }

    @Override
    public void wrapOutput(ByteBuffer ciphertext) throws IOException {
        wrapOnce(NOTHING, 0, 1, ciphertext);
    }

    @Override
    public int wrap(ByteBuffer[] plaintext, int from, int count, ByteBuffer ciphertext) throws IOException {
        SSLEngineResult result = wrapOnce(plaintext, from, count, ciphertext);
        return result.bytesProduced() == 0 ? -1 : result.bytesConsumed();
    }

    private SSLEngineResult wrapOnce(ByteBuffer[] plaintext, int from, int count, ByteBuffer ciphertext) throws IOException {
        try {
            SSLEngineResult result = engine.wrap(plaintext, from, count, ciphertext);
            finishHandshake(result);
            if (result.getStatus() == SSLEngineResult.Status.BUFFER_OVERFLOW) {
                throw new TlsException("the buffer for a record is too small", null);
            }
            return result;
        } catch (SSLException | RuntimeException e) {
            throw failure(e);
        }
    }

    @Override
    public boolean unwrap(ByteBuffer record, ByteBuffer plaintext) throws IOException {
        if (!handshaking && record.get(record.position()) == HANDSHAKE_RECORD) {
            throw new TlsException("the peer wants to renegotiate, which is not supported", null);
        }
        try {
            SSLEngineResult result = engine.unwrap(record, plaintext);
            finishHandshake(result);
            if (result.getStatus() == SSLEngineResult.Status.BUFFER_UNDERFLOW) {
                throw new TlsException("the peer has sent a record of a wrong length", null);
            }
            return !record.hasRemaining() || result.getStatus() == SSLEngineResult.Status.CLOSED;
        } catch (SSLException | RuntimeException e) {
            throw failure(e);
        }
    }

    private void finishHandshake(SSLEngineResult result) {
        if (handshaking && result.getHandshakeStatus() == HandshakeStatus.FINISHED) {
            handshaking = false;
            info = info(engine);
        }
    }

    @Override
    public boolean hasInputEnded() {
        return engine.isInboundDone();
    }

    @Override
    public void endOutput() {
        engine.closeOutbound();
    }

    @Override
    public boolean hasOutputEnded() {
        return engine.isOutboundDone();
    }

    @Override
    public TlsInfo info() {
        TlsInfo negotiated = info;
        if (negotiated == null) {
            throw new IllegalStateException("the handshake has not been completed");
        }
        return negotiated;
    }

    private static TlsInfo info(SSLEngine engine) {
        SSLSession session = engine.getSession();
        String protocol = engine.getApplicationProtocol();
        return new TlsInfo(TlsEngineKind.JDK, session.getProtocol(), session.getCipherSuite(),
                protocol == null || protocol.isEmpty() ? null : protocol, serverName(session), peerCertificates(session));
    }

    private static @Nullable String serverName(SSLSession session) {
        if (session instanceof ExtendedSSLSession extended) {
            for (SNIServerName name : extended.getRequestedServerNames()) {
                if (name instanceof SNIHostName host) {
                    return host.getAsciiName();
                }
            }
        }
        return null;
    }

    private static List<X509Certificate> peerCertificates(SSLSession session) {
        List<X509Certificate> certificates = new ArrayList<>();
        try {
            for (Certificate certificate : session.getPeerCertificates()) {
                if (certificate instanceof X509Certificate x509) {
                    certificates.add(x509);
                }
            }
        } catch (SSLPeerUnverifiedException e) {
            // The peer has sent no certificate.
        }
        return certificates;
    }

    @Override
    public void free() {
        // Everything is on the heap.
    }

    /** Returns the reason in one line. The JDK's outermost message is often generic, and the innermost one has the reason. */
    private static IOException failure(Exception e) {
        if (e instanceof TlsException known) {
            return known;
        }
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            Matcher alert = ALERT.matcher(text(cause));
            if (alert.find()) {
                return new TlsException(ReceivedAlert.text(alert.group(1)), e);
            }
        }
        StringBuilder message = new StringBuilder(text(e));
        for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
            String text = text(cause);
            if (message.indexOf(text) < 0) {
                message.append(": ").append(text);
            }
        }
        return new TlsException(message.toString(), e);
    }

    private static String text(Throwable e) {
        String message = e instanceof SSLException || e instanceof java.security.GeneralSecurityException ? e.getMessage() : null;
        return (message == null ? e.toString() : message).replace('\n', ' ').replace('\r', ' ');
    }
}
