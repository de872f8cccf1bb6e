package io.trivet.tls;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A certificate chain with its private key, as loaded from two PEM files. */
final class Identity {
    private static final System.Logger LOGGER = System.getLogger("io.trivet.tls");
    /** Type of a DNS name in the extension Subject Alternative Name: RFC 5280, section 4.2.1.6. */
    private static final int DNS_NAME = 2;

    final X509Certificate[] chain;
    final PrivateKey key;
    private final List<String> names;

    /** Where an identity comes from. */
    static final class Files {
        private final Path chain;
        private final Path key;
        private final char @Nullable [] password;

        /**
         * Names the files of an identity.
         *
         * @param chain the file of the certificate and its issuers
         * @param key the file of its private key
         * @param password the password of the key, or null; copied, and never shown
         */
        Files(Path chain, Path key, char @Nullable [] password) {
            this.chain = Objects.requireNonNull(chain, "chain");
            this.key = Objects.requireNonNull(key, "key");
            this.password = password == null ? null : password.clone();
        }

        /** Returns the paths of the two files. */
        List<Path> paths() {
            return List.of(chain, key);
        }

        @Override
        public String toString() {
            return chain + " with " + key;
        }
    }

    private Identity(X509Certificate[] chain, PrivateKey key) {
        this.chain = chain;
        this.key = key;
        names = names(chain[0]);
    }

    /**
     * Loads an identity. An expired certificate is logged and used.
     *
     * @throws IOException a file cannot be used, or the key does not belong to the certificate
     */
    static Identity load(Files files) throws IOException {
        List<X509Certificate> chain = PemFile.certificates(files.chain);
        PrivateKey key = PemFile.privateKey(files.key, files.password);
        if (!fits(key, chain.getFirst().getPublicKey())) {
            throw PemFile.wrong(files.key, "its key does not belong to the first certificate in " + files.chain, null);
        }
        warnIfInvalid(files.chain, chain.getFirst());
        return new Identity(chain.toArray(X509Certificate[]::new), key);
    }

    private static void warnIfInvalid(Path file, X509Certificate certificate) {
        try {
            certificate.checkValidity();
        } catch (CertificateExpiredException e) {
            LOGGER.log(Level.WARNING, file + ": the certificate has expired on " + certificate.getNotAfter().toInstant()
                    + ", so clients will refuse it");
        } catch (CertificateNotYetValidException e) {
            LOGGER.log(Level.WARNING, file + ": the certificate is not valid before " + certificate.getNotBefore().toInstant()
                    + ", so clients will refuse it");
        }
    }

    /** Returns true if the key belongs to the certificate: what it signs can be verified. */
    private static boolean fits(PrivateKey key, PublicKey publicKey) {
        String algorithm = switch (publicKey.getAlgorithm()) {
            case "RSA" -> "SHA256withRSA";
            case "EC" -> "SHA256withECDSA";
            default -> publicKey.getAlgorithm();
        };
        try {
            byte[] sample = {1, 2, 3};
            Signature signature = Signature.getInstance(algorithm);
            if (algorithm.equals("RSASSA-PSS")) {
                return key.getAlgorithm().equals(algorithm); // needs parameters, which the certificate determines
            }
            signature.initSign(key);
            signature.update(sample);
            byte[] signed = signature.sign();
            signature.initVerify(publicKey);
            signature.update(sample);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            return false; // keys of different algorithms
        }
    }

    private static List<String> names(X509Certificate certificate) {
        List<String> names = new ArrayList<>();
        try {
            Collection<List<?>> alternatives = certificate.getSubjectAlternativeNames();
            if (alternatives != null) {
                for (List<?> alternative : alternatives) {
                    if (alternative.get(0).equals(DNS_NAME)) {
                        names.add(alternative.get(1).toString().toLowerCase(Locale.ROOT));
                    }
                }
            }
        } catch (CertificateParsingException e) {
            // A certificate with a broken extension has no names; clients will refuse it.
        }
        return names;
    }

    /** Returns the DNS names of the certificate, in lower case. */
    List<String> names() {
        return names;
    }

    /** Returns true if another identity is for the same host names. */
    boolean hasSameNames(Identity other) {
        return names.equals(other.names);
    }

    /** Returns true if the certificate is valid for a host name. A wildcard stands for one label: RFC 9525, section 6.3. */
    boolean matches(String hostName) {
        String host = hostName.toLowerCase(Locale.ROOT);
        int dot = host.indexOf('.');
        String wildcard = dot < 0 ? host : "*" + host.substring(dot);
        return names.contains(host) || names.contains(wildcard);
    }
}
