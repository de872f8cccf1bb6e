package io.trivet.scenarios;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.EdECPrivateKeySpec;
import java.security.spec.NamedParameterSpec;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * The TLS contexts of a run: that of its server, and that of its clients, which trust it. Their randomness is that of the run. The
 * certificate has an Ed25519 key, because the JDK takes no randomness for its signatures, and all have the same length.
 */
final class SecuredContexts {
    private static final char[] PASSWORD = "public".toCharArray();
    private static final byte[] KEY = MessageContent.ascii("public key of Trivet's scenarios");
    /** Valid from 2000 to 2199. */
    private static final String CERTIFICATE = """
            -----BEGIN CERTIFICATE-----
            MIIBMzCB5qADAgECAgEBMAUGAytlcDAbMRkwFwYDVQQDDBBUcml2ZXQgc2NlbmFy
            aW9zMCAXDTAwMDEwMTAwMDAwMFoYDzIxOTkxMjMxMjM1OTU5WjAbMRkwFwYDVQQD
            DBBUcml2ZXQgc2NlbmFyaW9zMCowBQYDK2VwAyEAT2fdtONnFiuUOWiYRSey40Rd
            PbWsczwDucyP/PBosGWjTTBLMA8GA1UdEwEB/wQFMAMBAf8wGQYDVR0RBBIwEIII
            c2ltLnRlc3SHBH8AAAEwHQYDVR0OBBYEFDCBXqGMuo7bFvkemA0U5+kdfW9nMAUG
            AytlcANBAOzSUZgSlWYowP8qj8bQHFVJ4Vh/Z0pQlDSZTv+iIDyV+TXAsJtHotpn
            p3DOir9eOvT6bh3D53n9TopCILIPzAc=
            -----END CERTIFICATE-----
            """;

    private static final KeyManager[] KEYS;
    private static final TrustManager[] TRUST;

    static {
        try {
            Certificate certificate = CertificateFactory.getInstance("X.509")
                    .generateCertificate(new ByteArrayInputStream(MessageContent.ascii(CERTIFICATE)));
            PrivateKey key = KeyFactory.getInstance("Ed25519")
                    .generatePrivate(new EdECPrivateKeySpec(NamedParameterSpec.ED25519, KEY));
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            store.setKeyEntry("server", key, PASSWORD, new Certificate[]{certificate});
            KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
            keys.init(store, PASSWORD);
            KEYS = keys.getKeyManagers();
            KeyStore trusted = KeyStore.getInstance("PKCS12");
            trusted.load(null, null);
            trusted.setCertificateEntry("server", certificate);
            TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
            trust.init(trusted);
            TRUST = trust.getTrustManagers();
        } catch (GeneralSecurityException | IOException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private SecuredContexts() {}

    static SSLContext ofServer(SecureRandom random) {
        return context(KEYS, TRUST, random);
    }

    static SSLContext ofClients(SecureRandom random) {
        return context(null, TRUST, random);
    }

    /** Returns the context of clients that have a certificate: the same one as the server. */
    static SSLContext ofKnownClients(SecureRandom random) {
        return context(KEYS, TRUST, random);
    }

    private static SSLContext context(KeyManager @Nullable [] keys, TrustManager @Nullable [] trust, SecureRandom random) {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys, trust, random);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
