package io.trivet.tls;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * The sources of certificates and keys of a server or client, and the {@link SSLContext} made from them. The context also holds the
 * sessions that can be resumed.
 */
final class TlsContexts {
    /** The versions that RFC 9325 recommends. */
    static final List<String> PROTOCOLS = List.of("TLSv1.3", "TLSv1.2");
    /** The cipher suites that RFC 9325 recommends: authenticated encryption and forward secrecy. */
    static final List<String> CIPHER_SUITES = List.of(
            "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");

    final List<Identity.Files> identities = new ArrayList<>();
    @Nullable KeyStore keyStore;
    char @Nullable [] keyStorePassword;
    /** The file of the authorities that are trusted; null: the trust store, or those of the JDK. */
    @Nullable Path authorities;
    @Nullable KeyStore trustStore;
    @Nullable SSLContext given;
    /** The source of randomness; null: the JDK's. */
    @Nullable SecureRandom random;

    /** Returns a copy, so that a builder can be used again. */
    TlsContexts copy() {
        TlsContexts copy = new TlsContexts();
        copy.identities.addAll(identities);
        copy.keyStore = keyStore;
        copy.keyStorePassword = keyStorePassword;
        copy.authorities = authorities;
        copy.trustStore = trustStore;
        copy.given = given;
        copy.random = random;
        return copy;
    }

    /** Returns true if the context can be made again with changed files. */
    boolean hasFiles() {
        return given == null && (!identities.isEmpty() || authorities != null);
    }

    /** Returns the files that a new context is made from. */
    List<Path> files() {
        List<Path> files = new ArrayList<>();
        identities.forEach(identity -> files.addAll(identity.paths()));
        if (authorities != null) {
            files.add(authorities);
        }
        return files;
    }

    /**
     * Checks that no setting would be ignored.
     *
     * @throws IllegalStateException a context, or a key store, beside settings that it replaces
     */
    void check() {
        if (given != null && (!identities.isEmpty() || keyStore != null || authorities != null || trustStore != null
                || random != null)) {
            throw new IllegalStateException(
                    "an SSLContext has keys, trusted authorities and randomness of its own: set either it, or "
                            + "certificates, authorities and randomness");
        }
        if (keyStore != null && !identities.isEmpty()) {
            throw new IllegalStateException("set either a key store or certificates, not both");
        }
    }

    /** Returns the setting that only the JDK's engine supports, or null if there is none. */
    @Nullable
    String onlyForTheJdk() {
        if (given != null) {
            return "an SSLContext";
        }
        if (keyStore != null) {
            return "a key store";
        }
        return random != null ? "a source of randomness" : null;
    }

    /**
     * Returns a context, reading the files again.
     *
     * @throws IOException a file, a key store or a context cannot be used
     */
    SSLContext create() throws IOException {
        if (given != null) {
            return given;
        }
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keyManagers(), trustManagers(), random);
            return context;
        } catch (GeneralSecurityException e) {
            throw new TlsException("the key store or the trust store cannot be used: " + e.getMessage(), e);
        }
    }

    private KeyManager @Nullable [] keyManagers() throws IOException, GeneralSecurityException {
        if (keyStore != null) {
            KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX"); // chooses by SNI among several
            factory.init(keyStore, keyStorePassword);
            return factory.getKeyManagers();
        }
        if (identities.isEmpty()) {
            return null;
        }
        List<Identity> loaded = new ArrayList<>();
        for (Identity.Files files : identities) {
            loaded.add(Identity.load(files));
        }
        return new KeyManager[]{new IdentityByName(loaded)};
    }

    private TrustManager[] trustManagers() throws IOException, GeneralSecurityException {
        KeyStore store = trustStore;
        if (authorities != null) {
            store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            int number = 0;
            for (X509Certificate certificate : PemFile.certificates(authorities)) {
                store.setCertificateEntry("authority " + number++, certificate);
            }
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(store); // null: the JDK's authorities
        return factory.getTrustManagers();
    }

    /** Returns the certificates that are trusted, reading the file again. */
    List<X509Certificate> trustedCertificates() throws IOException, GeneralSecurityException {
        List<X509Certificate> certificates = new ArrayList<>();
        for (TrustManager manager : trustManagers()) {
            if (manager instanceof X509TrustManager x509) {
                certificates.addAll(List.of(x509.getAcceptedIssuers()));
            }
        }
        return certificates;
    }

    /** Returns the names of a list that a context supports. */
    static String[] supported(List<String> wanted, String[] supported) {
        List<String> known = List.of(supported);
        return wanted.stream().filter(known::contains).toArray(String[]::new);
    }

    /**
     * Returns the parameters of an engine.
     *
     * @throws IllegalArgumentException the JDK supports none of the versions, or none of the cipher suites
     */
    static SSLParameters parameters(SSLContext context, List<String> protocols, List<String> cipherSuites,
            List<String> applicationProtocols) {
        SSLParameters supported = context.getSupportedSSLParameters();
        SSLParameters parameters = new SSLParameters(supported(cipherSuites, supported.getCipherSuites()),
                supported(protocols, supported.getProtocols()));
        if (parameters.getProtocols().length == 0 || parameters.getCipherSuites().length == 0) {
            throw new IllegalArgumentException("the JDK supports none of " + protocols + ", or none of " + cipherSuites);
        }
        parameters.setUseCipherSuitesOrder(true);
        parameters.setApplicationProtocols(applicationProtocols.toArray(String[]::new));
        return parameters;
    }
}
