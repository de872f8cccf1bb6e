package io.trivet.openssl;

import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Functions of libssl for one connection, an SSL. Each method calls the function of the same name. An SSL is used by one thread at a
 * time.
 */
public final class Libssl {
    /** Result of SSL_get_error: the operation needs more bytes of the peer. */
    public static final int SSL_ERROR_WANT_READ = 2;
    /** Result of SSL_get_error: a close_notify was received. */
    public static final int SSL_ERROR_ZERO_RETURN = 6;
    /** Bit of SSL_set_shutdown: close_notify was sent. */
    static final int SSL_SENT_SHUTDOWN = 1;
    /** Bit of SSL_set_shutdown: close_notify was received. */
    static final int SSL_RECEIVED_SHUTDOWN = 2;
    static final int SSL_CTRL_SET_TLSEXT_HOSTNAME = 55;
    static final int SSL_KEY_UPDATE_NOT_REQUESTED = 0;
    static final int X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS = 4;

    private static final NativeFunction OPENSSL_INIT_SSL = NativeFunction.of("OPENSSL_init_ssl");
    private static final NativeFunction SSL_NEW = NativeFunction.of("SSL_new");
    private static final NativeFunction SSL_FREE = NativeFunction.of("SSL_free");
    private static final NativeFunction SSL_SET_ACCEPT_STATE = NativeFunction.of("SSL_set_accept_state");
    private static final NativeFunction SSL_SET_CONNECT_STATE = NativeFunction.of("SSL_set_connect_state");
    private static final NativeFunction SSL_DO_HANDSHAKE = NativeFunction.of("SSL_do_handshake");
    private static final NativeFunction SSL_READ = NativeFunction.of("SSL_read");
    private static final NativeFunction SSL_WRITE = NativeFunction.of("SSL_write");
    private static final NativeFunction SSL_GET_ERROR = NativeFunction.of("SSL_get_error");
    private static final NativeFunction SSL_SHUTDOWN = NativeFunction.of("SSL_shutdown");
    private static final NativeFunction SSL_SET_SHUTDOWN = NativeFunction.of("SSL_set_shutdown");
    private static final NativeFunction SSL_KEY_UPDATE = NativeFunction.of("SSL_key_update");
    private static final NativeFunction SSL_CTRL = NativeFunction.of("SSL_ctrl");
    private static final NativeFunction SSL_SET1_HOST = NativeFunction.of("SSL_set1_host");
    private static final NativeFunction SSL_SET_HOSTFLAGS = NativeFunction.of("SSL_set_hostflags");
    private static final NativeFunction SSL_GET0_PARAM = NativeFunction.of("SSL_get0_param");
    private static final NativeFunction SET1_IP_ASC = NativeFunction.of("X509_VERIFY_PARAM_set1_ip_asc");
    private static final NativeFunction SSL_GET_VERIFY_RESULT = NativeFunction.of("SSL_get_verify_result");
    private static final NativeFunction SSL_GET_VERSION = NativeFunction.of("SSL_get_version");
    private static final NativeFunction SSL_GET_CURRENT_CIPHER = NativeFunction.of("SSL_get_current_cipher");
    private static final NativeFunction SSL_CIPHER_STANDARD_NAME = NativeFunction.of("SSL_CIPHER_standard_name");
    private static final NativeFunction SSL_GET0_ALPN_SELECTED = NativeFunction.of("SSL_get0_alpn_selected");
    private static final NativeFunction SSL_GET_SERVERNAME = NativeFunction.of("SSL_get_servername");
    private static final NativeFunction SSL_SESSION_REUSED = NativeFunction.of("SSL_session_reused");
    private static final NativeFunction SSL_GET1_PEER_CERTIFICATE = NativeFunction.of("SSL_get1_peer_certificate");
    private static final NativeFunction SSL_GET_PEER_CERT_CHAIN = NativeFunction.of("SSL_get_peer_cert_chain");
    private static final NativeFunction SSL_SET_SESSION = NativeFunction.of("SSL_set_session");
    private static final NativeFunction SSL_GET1_SESSION = NativeFunction.of("SSL_get1_session");
    private static final NativeFunction SSL_SESSION_IS_RESUMABLE = NativeFunction.of("SSL_SESSION_is_resumable");
    private static final NativeFunction SSL_SESSION_FREE = NativeFunction.of("SSL_SESSION_free");

    private Libssl() {}

    static int init(long options) {
        return (int) OPENSSL_INIT_SSL.call(options);
    }

    /**
     * Creates a connection at the beginning of its handshake.
     *
     * @param context an SSL_CTX, of which the connection holds a reference
     * @param isServer true to wait for the peer's handshake, false to start it
     * @return an SSL, to be freed; 0: see the {@link ErrorQueue}
     */
    public static long newConnection(long context, boolean isServer) {
        long ssl = SSL_NEW.call(context);
        if (ssl != 0) {
            (isServer ? SSL_SET_ACCEPT_STATE : SSL_SET_CONNECT_STATE).call(ssl);
        }
        return ssl;
    }

    /**
     * Frees a connection. Its session can still be resumed, however it has ended: the caller decides.
     *
     * @param ssl an SSL
     */
    public static void free(long ssl) {
        SSL_SET_SHUTDOWN.call(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_FREE.call(ssl);
    }

    /**
     * Continues the handshake as far as the input allows.
     *
     * @param ssl an SSL
     * @return 1: it is complete; otherwise see {@link #error}
     */
    public static int doHandshake(long ssl) {
        return (int) SSL_DO_HANDSHAKE.call(ssl);
    }

    /**
     * Decrypts application data.
     *
     * @param ssl an SSL
     * @param buffer where to put it
     * @param length the size of the buffer
     * @return the number of bytes; if it is not positive see {@link #error}
     */
    public static int read(long ssl, long buffer, int length) {
        return (int) SSL_READ.call(ssl, buffer, length);
    }

    /**
     * Encrypts application data.
     *
     * @param ssl an SSL
     * @param buffer the data
     * @param length its size
     * @return the number of bytes; if it is not positive the connection has failed
     */
    public static int write(long ssl, long buffer, int length) {
        return (int) SSL_WRITE.call(ssl, buffer, length);
    }

    /**
     * Returns why the last operation had no result. The {@link ErrorQueue} of the thread must have been empty before it.
     *
     * @param ssl an SSL
     * @param result the result of the operation, not positive
     * @return {@link #SSL_ERROR_WANT_READ}, {@link #SSL_ERROR_ZERO_RETURN}, or another constant: the connection has failed
     */
    public static int error(long ssl, int result) {
        return (int) SSL_GET_ERROR.call(ssl, result);
    }

    /**
     * Puts a close_notify into the output.
     *
     * @param ssl an SSL after its handshake
     */
    public static void shutdown(long ssl) {
        SSL_SHUTDOWN.call(ssl);
    }

    /**
     * Makes the next {@link #write} change the key of the output first.
     *
     * @param ssl an SSL of TLS 1.3
     */
    public static void updateKey(long ssl) {
        SSL_KEY_UPDATE.call(ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
    }

    /**
     * Sets the name that a client asks for (SNI).
     *
     * @param ssl an SSL of a client
     * @param name a host name of ASCII characters
     * @return true if it was set
     */
    public static boolean setServerName(long ssl, String name) {
        return NativeMemory.withString(name, text -> SSL_CTRL.call(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, 0, text)) == 1;
    }

    /**
     * Makes the verification compare the certificate with a host name. A wildcard stands for a whole label.
     *
     * @param ssl an SSL of a client
     * @param name the name
     * @return true if it was set
     */
    public static boolean verifyHost(long ssl, String name) {
        SSL_SET_HOSTFLAGS.call(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        return (int) NativeMemory.withString(name, text -> SSL_SET1_HOST.call(ssl, text)) == 1;
    }

    /**
     * Makes the verification compare the certificate with an IP address.
     *
     * @param ssl an SSL of a client
     * @param address the address as text
     * @return true if it was set
     */
    public static boolean verifyAddress(long ssl, String address) {
        return (int) NativeMemory.withString(address, text -> SET1_IP_ASC.call(SSL_GET0_PARAM.call(ssl), text)) == 1;
    }

    /**
     * Returns the result of the verification of the peer's certificate.
     *
     * @param ssl an SSL
     * @return 0: it is trusted, or there is none; otherwise one of X509_V_ERR_…
     */
    public static long verifyResult(long ssl) {
        return SSL_GET_VERIFY_RESULT.call(ssl);
    }

    /**
     * Returns the version of TLS.
     *
     * @param ssl an SSL after its handshake
     * @return for instance {@code TLSv1.3}
     */
    public static String version(long ssl) {
        return String.valueOf(NativeMemory.string(SSL_GET_VERSION.call(ssl)));
    }

    /**
     * Returns the cipher suite.
     *
     * @param ssl an SSL after its handshake
     * @return its IANA name
     */
    public static String cipherSuite(long ssl) {
        return String.valueOf(NativeMemory.string(SSL_CIPHER_STANDARD_NAME.call(SSL_GET_CURRENT_CIPHER.call(ssl))));
    }

    /**
     * Returns the application protocol (ALPN).
     *
     * @param ssl an SSL after its handshake
     * @return the protocol, or null if none was negotiated
     */
    public static @Nullable String applicationProtocol(long ssl) {
        byte[] name = NativeMemory.result((pointer, length) -> SSL_GET0_ALPN_SELECTED.call(ssl, pointer, length));
        return name == null ? null : new String(name, StandardCharsets.ISO_8859_1);
    }

    /**
     * Returns the host name that the client has asked for (SNI).
     *
     * @param ssl an SSL
     * @return the name, or null
     */
    public static @Nullable String serverName(long ssl) {
        return NativeMemory.string(SSL_GET_SERVERNAME.call(ssl, 0));
    }

    /**
     * Returns whether the handshake has resumed an earlier session.
     *
     * @param ssl an SSL after its handshake
     * @return true if it has
     */
    public static boolean isResumed(long ssl) {
        return (int) SSL_SESSION_REUSED.call(ssl) == 1;
    }

    /**
     * Returns the peer's certificate and those of its issuers, as the peer has sent them. In a session that was resumed on the server,
     * only the first one is known.
     *
     * @param ssl an SSL after its handshake
     * @return each in DER; an empty list if the peer has sent none. {@link X509Certificate} can be made of each
     */
    public static List<byte[]> peerCertificates(long ssl) {
        List<byte[]> certificates = new ArrayList<>();
        long first = SSL_GET1_PEER_CERTIFICATE.call(ssl);
        if (first != 0) {
            add(certificates, first);
            Libcrypto.freeCertificate(first);
            List<Long> chain = Libcrypto.elements(SSL_GET_PEER_CERT_CHAIN.call(ssl));
            for (int i = 0; i < chain.size(); i++) { // on a client the chain begins with the certificate itself
                if (i > 0 || chain.get(0) != first) {
                    add(certificates, chain.get(i));
                }
            }
        }
        return certificates;
    }

    private static void add(List<byte[]> certificates, long certificate) {
        byte[] encoded = Libcrypto.encoded(certificate);
        if (encoded != null) {
            certificates.add(encoded);
        }
    }

    /**
     * Makes a client offer to resume a session.
     *
     * @param ssl an SSL before its handshake
     * @param session an SSL_SESSION; the connection takes a reference of its own
     */
    public static void resume(long ssl, long session) {
        SSL_SET_SESSION.call(ssl, session);
    }

    /**
     * Returns the session of a connection, if it can be resumed.
     *
     * @param ssl an SSL after its handshake
     * @return an SSL_SESSION, to be freed; 0 if there is none, or it cannot be resumed
     */
    public static long resumableSession(long ssl) {
        long session = SSL_GET1_SESSION.call(ssl);
        if (session != 0 && (int) SSL_SESSION_IS_RESUMABLE.call(session) == 0) {
            freeSession(session);
            return 0;
        }
        return session;
    }

    /**
     * Frees a session.
     *
     * @param session an SSL_SESSION
     */
    public static void freeSession(long session) {
        SSL_SESSION_FREE.call(session);
    }
}
