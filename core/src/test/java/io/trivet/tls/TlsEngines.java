package io.trivet.tls;

import io.trivet.openssl.OpenSslLibrary;
import org.junit.jupiter.api.Assumptions;

/** What tests know of the implementations of TLS. */
public final class TlsEngines {
    private TlsEngines() {}

    /** Returns an engine. Skips the test if it is not available. */
    public static TlsEngineKind require(TlsEngineKind engine) {
        if (engine == TlsEngineKind.OPENSSL) {
            String obstacle = OpenSslLibrary.obstacle();
            Assumptions.assumeTrue(obstacle == null, obstacle);
        }
        return engine;
    }

    /** Returns how many connections of OpenSSL have not been freed. */
    public static int liveConnections() {
        return OpenSslTlsEngine.live();
    }

    /** Returns how an engine describes a failure. */
    public static String text(TlsEngineKind engine, Failure failure) {
        return engine == TlsEngineKind.OPENSSL ? failure.openSsl : failure.jdk;
    }

    /** A failure, and how the engines describe it. */
    public enum Failure {
        UNTRUSTED("unable to find valid certification path", "unable to get local issuer certificate"), EXPIRED(
                "validity check failed",
                "certificate has expired"), FORGED("bad_record_mac", "decryption failed or bad record mac"),
        /** close_notify as the first message: OpenSSL does not accept an alert there. */
        ENDED_AT_ONCE("the peer has ended the connection during the handshake", "unexpected message"),
        /** The alert that a client sends if the host name is wrong. */
        WRONG_NAME_ALERT("certificate_unknown", "bad_certificate");

        private final String jdk;
        private final String openSsl;

        Failure(String jdk, String openSsl) {
            this.jdk = jdk;
            this.openSsl = openSsl;
        }
    }
}
