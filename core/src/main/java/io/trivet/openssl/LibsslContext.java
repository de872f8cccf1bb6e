package io.trivet.openssl;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Functions of libssl for an SSL_CTX: settings that connections share. A method that returns false leaves its reason in the {@link ErrorQueue}. */
public final class LibsslContext {
    /** TLS 1.2. */
    public static final int TLS1_2_VERSION = 0x0303;
    /** TLS 1.3. */
    public static final int TLS1_3_VERSION = 0x0304;
    /** Mode of SSL_CTX_set_verify: the peer's certificate is verified. */
    public static final int SSL_VERIFY_PEER = 1;
    /** Mode of SSL_CTX_set_verify, with SSL_VERIFY_PEER: a client must have a certificate. */
    public static final int SSL_VERIFY_FAIL_IF_NO_PEER_CERT = 2;

    static final long SSL_OP_NO_COMPRESSION = 1L << 17;
    static final long SSL_OP_CIPHER_SERVER_PREFERENCE = 1L << 22;
    static final long SSL_OP_NO_RENEGOTIATION = 1L << 30;
    static final int SSL_MODE_NO_AUTO_CHAIN = 8;
    static final int SSL_MODE_RELEASE_BUFFERS = 16;
    static final int SSL_CTRL_MODE = 33;
    static final int SSL_CTRL_SET_SESS_CACHE_SIZE = 42;
    static final int SSL_CTRL_SET_SESS_CACHE_MODE = 44;
    static final int SSL_CTRL_SET_TLSEXT_SERVERNAME_CB = 53;
    static final int SSL_CTRL_SET_TLSEXT_SERVERNAME_ARG = 54;
    static final int SSL_CTRL_CHAIN_CERT = 89;
    static final int SSL_CTRL_SET_MIN_PROTO_VERSION = 123;
    static final int SSL_CTRL_SET_MAX_PROTO_VERSION = 124;
    static final int SSL_SESS_CACHE_OFF = 0;
    static final int SSL_SESS_CACHE_SERVER = 2;
    /** At least 112 bits of security: RSA keys of 2,048 bits, no SHA-1 in signatures. Source: man 3 SSL_CTX_set_security_level. */
    private static final int SECURITY_LEVEL = 2;
    /** Maximum number of sessions that a server keeps, of TLS 1.2 clients without tickets. A ticket needs no memory of the server. */
    private static final int SESSIONS_MAX = 1024;
    /** Number of tickets that a server sends after a handshake of TLS 1.3. */
    private static final int TICKETS = 1;
    /** Separates the sessions of this library's servers from those of others in the process: SSL_CTX_set_session_id_context. */
    private static final byte[] SESSION_CONTEXT = "trivet".getBytes(StandardCharsets.US_ASCII);

    private static final NativeFunction TLS_SERVER_METHOD = NativeFunction.of("TLS_server_method");
    private static final NativeFunction TLS_CLIENT_METHOD = NativeFunction.of("TLS_client_method");
    private static final NativeFunction SSL_CTX_NEW = NativeFunction.of("SSL_CTX_new");
    private static final NativeFunction SSL_CTX_FREE = NativeFunction.of("SSL_CTX_free");
    private static final NativeFunction SSL_CTX_CTRL = NativeFunction.of("SSL_CTX_ctrl");
    private static final NativeFunction SSL_CTX_CALLBACK_CTRL = NativeFunction.of("SSL_CTX_callback_ctrl");
    private static final NativeFunction SSL_CTX_SET_OPTIONS = NativeFunction.of("SSL_CTX_set_options");
    private static final NativeFunction SSL_CTX_SET_SECURITY_LEVEL = NativeFunction.of("SSL_CTX_set_security_level");
    private static final NativeFunction SSL_CTX_SET_NUM_TICKETS = NativeFunction.of("SSL_CTX_set_num_tickets");
    private static final NativeFunction SSL_CTX_SET_SESSION_ID_CONTEXT = NativeFunction.of("SSL_CTX_set_session_id_context");
    private static final NativeFunction SSL_CTX_SET_CIPHER_LIST = NativeFunction.of("SSL_CTX_set_cipher_list");
    private static final NativeFunction SSL_CTX_SET_CIPHERSUITES = NativeFunction.of("SSL_CTX_set_ciphersuites");
    private static final NativeFunction SSL_CTX_GET_CIPHERS = NativeFunction.of("SSL_CTX_get_ciphers");
    private static final NativeFunction SSL_CIPHER_GET_NAME = NativeFunction.of("SSL_CIPHER_get_name");
    private static final NativeFunction SSL_CIPHER_STANDARD_NAME = NativeFunction.of("SSL_CIPHER_standard_name");
    private static final NativeFunction SSL_CTX_USE_CERTIFICATE = NativeFunction.of("SSL_CTX_use_certificate");
    private static final NativeFunction SSL_CTX_USE_PRIVATE_KEY = NativeFunction.of("SSL_CTX_use_PrivateKey");
    private static final NativeFunction SSL_CTX_SET_VERIFY = NativeFunction.of("SSL_CTX_set_verify");
    private static final NativeFunction SSL_CTX_SET1_CERT_STORE = NativeFunction.of("SSL_CTX_set1_cert_store");
    private static final NativeFunction SSL_CTX_ADD_CLIENT_CA = NativeFunction.of("SSL_CTX_add_client_CA");
    private static final NativeFunction SSL_CTX_SET_ALPN_PROTOS = NativeFunction.of("SSL_CTX_set_alpn_protos");
    private static final NativeFunction SSL_CTX_SET_ALPN_SELECT_CB = NativeFunction.of("SSL_CTX_set_alpn_select_cb");

    private LibsslContext() {}

    /**
     * Creates a context without certificates: no renegotiation, no compression, the security of RFC 9325, buffers that are released
     * while a connection is idle, and sessions that can be resumed.
     *
     * @param isServer true for connections that are accepted
     * @return an SSL_CTX, to be freed; 0: see the {@link ErrorQueue}
     */
    public static long newContext(boolean isServer) {
        long context = SSL_CTX_NEW.call((isServer ? TLS_SERVER_METHOD : TLS_CLIENT_METHOD).call());
        if (context != 0) {
            SSL_CTX_SET_OPTIONS.call(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
            SSL_CTX_CTRL.call(context, SSL_CTRL_MODE, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
            SSL_CTX_SET_SECURITY_LEVEL.call(context, SECURITY_LEVEL);
            SSL_CTX_SET_NUM_TICKETS.call(context, TICKETS);
            SSL_CTX_CTRL.call(context, SSL_CTRL_SET_SESS_CACHE_MODE, isServer ? SSL_SESS_CACHE_SERVER : SSL_SESS_CACHE_OFF);
            SSL_CTX_CTRL.call(context, SSL_CTRL_SET_SESS_CACHE_SIZE, SESSIONS_MAX);
            NativeMemory.withBytes(SESSION_CONTEXT,
                    bytes -> SSL_CTX_SET_SESSION_ID_CONTEXT.call(context, bytes, SESSION_CONTEXT.length));
        }
        return context;
    }

    /**
     * Frees a context as soon as no connection refers to it.
     *
     * @param context an SSL_CTX
     */
    public static void free(long context) {
        SSL_CTX_FREE.call(context);
    }

    /**
     * Sets the versions of TLS.
     *
     * @param context an SSL_CTX
     * @param min the lowest version
     * @param max the highest version
     * @return true if they were set
     */
    public static boolean setVersions(long context, int min, int max) {
        return SSL_CTX_CTRL.call(context, SSL_CTRL_SET_MIN_PROTO_VERSION, min) == 1
                && SSL_CTX_CTRL.call(context, SSL_CTRL_SET_MAX_PROTO_VERSION, max) == 1;
    }

    /**
     * Returns the cipher suites that the library has.
     *
     * @return OpenSSL's name by IANA name. Those of TLS 1.3 have the same name twice
     */
    public static Map<String, String> cipherSuites() {
        Map<String, String> names = new LinkedHashMap<>();
        long context = newContext(true);
        if (context != 0) {
            NativeMemory.withString("ALL", all -> SSL_CTX_SET_CIPHER_LIST.call(context, all));
            for (long cipher : Libcrypto.elements(SSL_CTX_GET_CIPHERS.call(context))) {
                names.put(String.valueOf(NativeMemory.string(SSL_CIPHER_STANDARD_NAME.call(cipher))),
                        String.valueOf(NativeMemory.string(SSL_CIPHER_GET_NAME.call(cipher))));
            }
            free(context);
        }
        return names;
    }

    /**
     * Sets the cipher suites of TLS 1.2.
     *
     * @param context an SSL_CTX
     * @param names OpenSSL's names, in the order of preference
     * @return true if they were set
     */
    public static boolean setCipherList(long context, List<String> names) {
        return (int) NativeMemory.withString(String.join(":", names), list -> SSL_CTX_SET_CIPHER_LIST.call(context, list)) == 1;
    }

    /**
     * Sets the cipher suites of TLS 1.3.
     *
     * @param context an SSL_CTX
     * @param names the names, in the order of preference
     * @return true if they were set
     */
    public static boolean setCipherSuites(long context, List<String> names) {
        return (int) NativeMemory.withString(String.join(":", names), list -> SSL_CTX_SET_CIPHERSUITES.call(context, list)) == 1;
    }

    /**
     * Adds a certificate with its key. A context has at most one of each kind of key.
     *
     * @param context an SSL_CTX
     * @param chain the X509s of the certificate and its issuers; the context takes references of its own
     * @param key the EVP_PKEY of its key; the same
     * @return true if it was added
     */
    public static boolean addIdentity(long context, List<Long> chain, long key) {
        boolean isAdded = (int) SSL_CTX_USE_CERTIFICATE.call(context, chain.getFirst()) == 1
                && (int) SSL_CTX_USE_PRIVATE_KEY.call(context, key) == 1;
        for (long issuer : chain.subList(1, chain.size())) {
            isAdded = isAdded && SSL_CTX_CTRL.call(context, SSL_CTRL_CHAIN_CERT, 1, issuer) == 1;
        }
        return isAdded;
    }

    /**
     * Sets how the peer's certificate is verified.
     *
     * @param context an SSL_CTX
     * @param mode the sum of SSL_VERIFY_…
     * @param store an X509_STORE of the trusted certificates; the context takes a reference of its own
     */
    public static void setVerification(long context, int mode, long store) {
        SSL_CTX_SET_VERIFY.call(context, mode);
        SSL_CTX_SET1_CERT_STORE.call(context, store);
    }

    /**
     * Adds an authority to those that a server names when it asks for a certificate.
     *
     * @param context an SSL_CTX
     * @param certificate the X509 of the authority
     */
    public static void addClientAuthority(long context, long certificate) {
        SSL_CTX_ADD_CLIENT_CA.call(context, certificate);
    }

    /**
     * Sets the application protocols that a client offers (ALPN).
     *
     * @param context an SSL_CTX
     * @param protocols the protocols, of 1 to 255 bytes each
     * @return true if they were set
     */
    public static boolean setApplicationProtocols(long context, List<String> protocols) {
        ByteArrayOutputStream list = new ByteArrayOutputStream();
        for (String protocol : protocols) {
            byte[] name = protocol.getBytes(StandardCharsets.ISO_8859_1);
            list.write(name.length);
            list.writeBytes(name);
        }
        return (int) NativeMemory.withBytes(list.toByteArray(),
                bytes -> SSL_CTX_SET_ALPN_PROTOS.call(context, bytes, list.size())) == 0; // 0 is success
    }

    /**
     * Makes a server call back within the handshake.
     *
     * @param context an SSL_CTX
     * @param choices a number of {@link HandshakeCallbacks#register}
     * @param choosesProtocol true if it chooses the application protocol, too
     */
    public static void setChoices(long context, long choices, boolean choosesProtocol) {
        SSL_CTX_CALLBACK_CTRL.call(context, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, HandshakeCallbacks.SERVER_NAME);
        SSL_CTX_CTRL.call(context, SSL_CTRL_SET_TLSEXT_SERVERNAME_ARG, 0, choices);
        if (choosesProtocol) {
            SSL_CTX_SET_ALPN_SELECT_CB.call(context, HandshakeCallbacks.APPLICATION_PROTOCOL, choices);
        }
    }
}
