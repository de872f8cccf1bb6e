package io.trivet.tls;

import io.trivet.openssl.ErrorQueue;
import io.trivet.openssl.Libcrypto;
import io.trivet.openssl.Libssl;
import io.trivet.openssl.MemoryBios;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * OpenSSL's TLS: adapts an SSL. Records go through the {@link MemoryBios} that all engines of a proactor share, so an engine has no
 * buffers, except for handshake messages.
 *
 * <p>OpenSSL computes signatures and verifies chains within SSL_do_handshake. So a handshake record is only stored by {@link #unwrap}, and
 * {@link #runTask} continues the handshake. In TLS 1.2 the peer's close_notify is answered at once, as RFC 5246, section 7.2.1, requires,
 * and as the JDK's engine does.
 */
final class OpenSslTlsEngine implements TlsEngine {
    private static final byte CHANGE_CIPHER_SPEC = 20;
    private static final byte ALERT = 21;
    private static final byte HANDSHAKE = 22;
    private static final String TLS_1_3 = "TLSv1.3";
    /**
     * Number of records after which the key of the output is changed. AES-GCM is safe for 2^24.5 full records with one key: RFC 8446,
     * section 5.5. OpenSSL itself never changes keys.
     */
    static final int RECORDS_PER_KEY = 1 << 23;
    private static final AtomicInteger LIVE = new AtomicInteger();

    private final OpenSslContext context;
    private final MemoryBios bios;
    /** Of a client: the server, as a key for its sessions; and the name or address in its certificate, or null for any. */
    private final String server;
    private final @Nullable String verifiedName;
    private long ssl;
    private boolean handshaking = true;
    /** A computation is to be done: on this record, or for a client to begin. */
    private boolean hasTask;
    private byte @Nullable [] taskInput;
    /** A failure of the task, which the next call throws. */
    private @Nullable IOException taskFailure;
    /** Handshake messages and alerts that the caller has not taken yet. */
    private @Nullable ByteBuffer output;
    private boolean handshakeDone;
    private boolean isTls13;
    private boolean inputEnded;
    private boolean outputEnded;
    /** Number of records that were encrypted with the present key. */
    int recordsWithKey;
    private @Nullable TlsInfo info;

    private OpenSslTlsEngine(OpenSslContext context, MemoryBios bios, String server, @Nullable String verifiedName)
            throws IOException {
        this.context = context;
        this.bios = bios;
        this.server = server;
        this.verifiedName = verifiedName;
        ssl = Libssl.newConnection(context.base(), context.isServer);
        if (ssl == 0) {
            throw new TlsException("OpenSSL cannot make a connection: " + ErrorQueue.take(), null);
        }
        LIVE.incrementAndGet();
        bios.attach(ssl);
    }

    /**
     * Creates an engine that waits for a client.
     *
     * @param context the certificates. The caller has retained it, and the engine releases it; also if the engine cannot be created
     */
    static OpenSslTlsEngine ofServer(OpenSslContext context, MemoryBios bios) throws IOException {
        try {
            return new OpenSslTlsEngine(context, bios, "", null);
        } catch (IOException | RuntimeException | Error e) {
            context.release();
            throw e;
        }
    }

    /**
     * Creates an engine that begins a handshake with a server.
     *
     * @param context the trusted certificates, as in {@link #ofServer}
     * @param name the host name or address of the server
     * @param isHostName true if it is a host name, which the client asks for (SNI)
     * @param verifiesName true if the certificate must be for it
     * @param port the port: sessions are resumed with the same name and port
     */
    static OpenSslTlsEngine ofClient(OpenSslContext context, MemoryBios bios, String name, boolean isHostName,
            boolean verifiesName,
            int port) throws IOException {
        OpenSslTlsEngine engine;
        try {
            engine = new OpenSslTlsEngine(context, bios, name + " " + port, verifiesName ? name : null);
        } catch (IOException | RuntimeException | Error e) {
            context.release();
            throw e;
        }
        boolean isSet = (!isHostName || Libssl.setServerName(engine.ssl, name))
                && (!verifiesName || (isHostName ? Libssl.verifyHost(engine.ssl, name) : Libssl.verifyAddress(engine.ssl, name)));
        if (!isSet) {
            engine.free();
            throw new TlsException("OpenSSL cannot verify the name " + name + ": " + ErrorQueue.take(), null);
        }
        context.sessions.resume(engine.server, engine.ssl);
        engine.hasTask = true;
        return engine;
    }

    @Override
    public boolean keepsRecords() {
        return true;
    }

    @Override
    public boolean isHandshaking() {
        return handshaking;
    }

    @Override
    public boolean hasTask() {
        return hasTask;
    }

    @Override
    public void runTask() {
        hasTask = false;
        byte[] input = taskInput;
        taskInput = null;
        try {
            if (input != null) {
                bios.input(input);
            }
            handshake();
        } catch (IOException e) {
            taskFailure = e;
        }
    }

    /** Continues the handshake with the input that was set. */
    private void handshake() throws IOException {
        int result = Libssl.doHandshake(ssl);
        bios.clearInput();
        takeOutput();
        if (result == 1) {
            ErrorQueue.clear(); // OpenSSL can leave errors that it has recovered from
            handshakeDone = true;
            handshaking = output != null;
            TlsInfo negotiated = negotiated();
            isTls13 = negotiated.protocol().equals(TLS_1_3);
            info = negotiated;
        } else {
            endInputOrFail(result);
        }
    }

    /** After an operation without a result: notes a close_notify, or throws if more input would not help. */
    private void endInputOrFail(int result) throws IOException {
        int error = Libssl.error(ssl, result);
        if (error == Libssl.SSL_ERROR_ZERO_RETURN) {
            inputEnded = true;
        } else if (error != Libssl.SSL_ERROR_WANT_READ) {
            throw failure();
        }
    }

    private TlsException failure() {
        long verification = Libssl.verifyResult(ssl);
        String reason = ErrorQueue.take();
        if (verification != 0 && handshaking && reason.contains("certificate verify failed")) {
            boolean isWrongName = verification == Libcrypto.X509_V_ERR_HOSTNAME_MISMATCH
                    || verification == Libcrypto.X509_V_ERR_IP_ADDRESS_MISMATCH;
            reason = (isWrongName ? "the certificate of the server is not for " + verifiedName + ": "
                    : "the certificate of the peer is not trusted: ") + Libcrypto.verificationText(verification);
        }
        return new TlsException(reason, null);
    }

    private void takeOutput() {
        byte[] more = bios.takeOutput();
        if (more.length > 0) {
            ByteBuffer before = output;
            int length = before == null ? 0 : before.remaining();
            ByteBuffer all = ByteBuffer.allocate(length + more.length);
            if (before != null) {
                all.put(before);
            }
            output = all.put(more).flip();
        }
    }

    @Override
    public boolean hasOutput() {
        return output != null || taskFailure != null;
    }

    @Override
    public void wrapOutput(ByteBuffer ciphertext) throws IOException {
        throwTaskFailure();
        ByteBuffer own = output;
        if (own == null) {
            return;
        }
        int count = Math.min(own.remaining(), ciphertext.remaining());
        ciphertext.put(own.slice(own.position(), count));
        own.position(own.position() + count);
        if (!own.hasRemaining()) {
            output = null;
            handshaking &= !handshakeDone;
        }
    }

    private void throwTaskFailure() throws IOException {
        IOException failure = taskFailure;
        if (failure != null) {
            taskFailure = null;
            throw failure;
        }
    }

    @Override
    public int wrap(ByteBuffer[] plaintext, int from, int count, ByteBuffer ciphertext) throws IOException {
        if (hasOutput()) {
            wrapOutput(ciphertext);
            return 0;
        }
        if (outputEnded) {
            return -1;
        }
        if (++recordsWithKey >= RECORDS_PER_KEY && isTls13) {
            recordsWithKey = 0;
            Libssl.updateKey(ssl);
        }
        int written = bios.write(ssl, plaintext, from, count, PLAINTEXT_BYTES_MAX);
        if (written <= 0) {
            takeOutput();
            throw failure();
        }
        if (!bios.moveOutput(ciphertext)) {
            throw new TlsException("the buffer for a record is too small", null);
        }
        return written;
    }

    @Override
    public boolean unwrap(ByteBuffer record, ByteBuffer plaintext) throws IOException {
        throwTaskFailure();
        if (handshaking) {
            unwrapHandshake(record);
            return true;
        }
        if (record.get(record.position()) == HANDSHAKE) {
            throw new TlsException("the peer wants to renegotiate, which is not supported", null);
        }
        if (plaintext.remaining() < record.remaining() - HEADER_BYTES) {
            return false;
        }
        bios.input(record);
        int read = bios.read(ssl, plaintext);
        int unread = bios.inputRemaining();
        bios.clearInput();
        record.position(record.limit());
        if (read <= 0) {
            readNothing(read);
        } else if (unread > 0) {
            throw new TlsException("OpenSSL has not read a whole record", null);
        }
        return true;
    }

    /** Handles a record without application data: a ticket, a key update, an alert; or a forged one. */
    private void readNothing(int result) throws IOException {
        takeOutput();
        endInputOrFail(result);
        if (inputEnded && !isTls13) {
            endOutput();
        }
    }

    private void unwrapHandshake(ByteBuffer record) throws IOException {
        byte type = record.get(record.position());
        byte[] input = new byte[record.remaining()];
        record.get(input);
        // Behind the ChangeCipherSpec of TLS 1.3, a server without client certificates has little to compute.
        boolean isCheap = type == CHANGE_CIPHER_SPEC || type == ALERT
                || (type != HANDSHAKE && context.isServer && context.clientAuthentication == ClientAuthentication.NONE);
        if (isCheap) {
            bios.input(input);
            handshake();
        } else {
            taskInput = input;
            hasTask = true;
        }
    }

    @Override
    public boolean hasInputEnded() {
        return inputEnded;
    }

    @Override
    public void endOutput() {
        if (!outputEnded) {
            outputEnded = true;
            Libssl.shutdown(ssl);
            takeOutput();
        }
    }

    @Override
    public boolean hasOutputEnded() {
        return outputEnded;
    }

    @Override
    public TlsInfo info() {
        TlsInfo negotiated = info;
        if (negotiated == null) {
            throw new IllegalStateException("the handshake has not been completed");
        }
        return negotiated;
    }

    private TlsInfo negotiated() throws IOException {
        List<X509Certificate> certificates = new ArrayList<>();
        try {
            for (byte[] encoded : Libssl.peerCertificates(ssl)) {
                certificates.add((X509Certificate) CertificateFactory.getInstance("X.509")
                        .generateCertificate(new ByteArrayInputStream(encoded)));
            }
        } catch (CertificateException e) {
            throw new TlsException("the peer's certificate cannot be decoded by the JDK: " + e.getMessage(), e);
        }
        return new TlsInfo(TlsEngineKind.OPENSSL, Libssl.version(ssl), Libssl.cipherSuite(ssl), Libssl.applicationProtocol(ssl),
                Libssl.serverName(ssl), certificates);
    }

    @Override
    public void free() {
        if (ssl != 0) {
            if (!context.isServer && handshakeDone) {
                context.sessions.keep(server, ssl);
            }
            Libssl.free(ssl);
            ssl = 0;
            LIVE.decrementAndGet();
            context.release();
        }
    }

    /** For tests: returns whether the handshake has resumed an earlier session. */
    boolean isResumed() {
        return Libssl.isResumed(ssl);
    }

    /** For tests: returns how many connections are not freed. */
    static int live() {
        return LIVE.get();
    }
}
