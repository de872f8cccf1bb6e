package io.trivet.openssl;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Functions of libcrypto: certificates, keys and stores. */
public final class Libcrypto {
    /** Flag of a store: any certificate in it ends a chain, not only one that is signed by itself. */
    static final long X509_V_FLAG_PARTIAL_CHAIN = 0x80000;
    /** Result of a verification: the certificate is for another host name. */
    public static final long X509_V_ERR_HOSTNAME_MISMATCH = 62;
    /** Result of a verification: the certificate is for another address. */
    public static final long X509_V_ERR_IP_ADDRESS_MISMATCH = 64;

    private static final NativeFunction OPENSSL_VERSION_NUM = NativeFunction.of("OpenSSL_version_num");
    private static final NativeFunction OPENSSL_VERSION = NativeFunction.of("OpenSSL_version");
    private static final NativeFunction D2I_X509 = NativeFunction.of("d2i_X509");
    private static final NativeFunction I2D_X509 = NativeFunction.of("i2d_X509");
    private static final NativeFunction X509_FREE = NativeFunction.of("X509_free");
    private static final NativeFunction D2I_PKCS8_PRIV_KEY_INFO = NativeFunction.of("d2i_PKCS8_PRIV_KEY_INFO");
    private static final NativeFunction PKCS8_PRIV_KEY_INFO_FREE = NativeFunction.of("PKCS8_PRIV_KEY_INFO_free");
    private static final NativeFunction EVP_PKCS82PKEY = NativeFunction.of("EVP_PKCS82PKEY");
    private static final NativeFunction EVP_PKEY_FREE = NativeFunction.of("EVP_PKEY_free");
    private static final NativeFunction X509_STORE_NEW = NativeFunction.of("X509_STORE_new");
    private static final NativeFunction X509_STORE_FREE = NativeFunction.of("X509_STORE_free");
    private static final NativeFunction X509_STORE_ADD_CERT = NativeFunction.of("X509_STORE_add_cert");
    private static final NativeFunction X509_STORE_SET_FLAGS = NativeFunction.of("X509_STORE_set_flags");
    private static final NativeFunction X509_VERIFY_CERT_ERROR_STRING = NativeFunction.of("X509_verify_cert_error_string");
    private static final NativeFunction OPENSSL_SK_NUM = NativeFunction.of("OPENSSL_sk_num");
    private static final NativeFunction OPENSSL_SK_VALUE = NativeFunction.of("OPENSSL_sk_value");
    private static final NativeFunction CRYPTO_FREE = NativeFunction.of("CRYPTO_free");

    private Libcrypto() {}

    static long versionNumber() {
        return OPENSSL_VERSION_NUM.call();
    }

    /** Returns for instance {@code OpenSSL 3.0.15}, without the date. */
    static String versionText() {
        String text = NativeMemory.string(OPENSSL_VERSION.call(0));
        String[] words = text == null ? new String[0] : text.split(" ", 3);
        return words.length < 2 ? "OpenSSL" : words[0] + " " + words[1];
    }

    /**
     * Decodes a certificate.
     *
     * @param encoded DER
     * @return an X509, to be freed; 0: see the {@link ErrorQueue}
     */
    public static long certificate(byte[] encoded) {
        return NativeMemory.decode(encoded, pointer -> D2I_X509.call(0, pointer, encoded.length));
    }

    /**
     * Frees a certificate.
     *
     * @param certificate an X509
     */
    public static void freeCertificate(long certificate) {
        X509_FREE.call(certificate);
    }

    /**
     * Encodes a certificate.
     *
     * @param certificate an X509
     * @return DER; null if it cannot be encoded
     */
    static byte @Nullable [] encoded(long certificate) {
        return NativeMemory.encode(pointer -> (int) I2D_X509.call(certificate, pointer), address -> CRYPTO_FREE.call(address));
    }

    /**
     * Decodes a private key.
     *
     * @param encoded PKCS #8 in DER; not kept
     * @return an EVP_PKEY, to be freed; 0: see the {@link ErrorQueue}
     */
    public static long privateKey(byte[] encoded) {
        long info = NativeMemory.decode(encoded, pointer -> D2I_PKCS8_PRIV_KEY_INFO.call(0, pointer, encoded.length));
        if (info == 0) {
            return 0;
        }
        try {
            return EVP_PKCS82PKEY.call(info);
        } finally {
            PKCS8_PRIV_KEY_INFO_FREE.call(info);
        }
    }

    /**
     * Frees a private key, and overwrites it.
     *
     * @param key an EVP_PKEY
     */
    public static void freeKey(long key) {
        EVP_PKEY_FREE.call(key);
    }

    /**
     * Creates an empty store of trusted certificates.
     *
     * @return an X509_STORE, to be freed; 0: see the {@link ErrorQueue}
     */
    public static long newStore() {
        long store = X509_STORE_NEW.call();
        if (store != 0) {
            X509_STORE_SET_FLAGS.call(store, X509_V_FLAG_PARTIAL_CHAIN);
        }
        return store;
    }

    /**
     * Adds a trusted certificate to a store.
     *
     * @param store an X509_STORE
     * @param certificate an X509; the store takes a reference of its own
     * @return true if it was added
     */
    public static boolean addTrusted(long store, long certificate) {
        return (int) X509_STORE_ADD_CERT.call(store, certificate) == 1;
    }

    /**
     * Frees a store.
     *
     * @param store an X509_STORE
     */
    public static void freeStore(long store) {
        X509_STORE_FREE.call(store);
    }

    /**
     * Describes the result of a verification.
     *
     * @param result one of X509_V_ERR_…
     * @return for instance {@code certificate has expired}
     */
    public static String verificationText(long result) {
        String text = NativeMemory.string(X509_VERIFY_CERT_ERROR_STRING.call(result));
        return text == null ? "verification error " + result : text;
    }

    /** Returns the elements of a STACK_OF; none for NULL. */
    static List<Long> elements(long stack) {
        List<Long> elements = new ArrayList<>();
        int count = stack == 0 ? 0 : (int) OPENSSL_SK_NUM.call(stack);
        for (int i = 0; i < count; i++) {
            elements.add(OPENSSL_SK_VALUE.call(stack, i));
        }
        return elements;
    }
}
