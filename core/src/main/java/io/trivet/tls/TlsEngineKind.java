package io.trivet.tls;

import io.trivet.net.EngineStatus;
import io.trivet.net.UnavailableException;
import io.trivet.openssl.OpenSslLibrary;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The implementation of TLS. Both have the same behaviour; they differ in speed, and in the text of some errors. Chosen with {@link
 * TlsServer.Builder#engine} and {@link TlsClient.Builder#engine}.
 */
public enum TlsEngineKind {
    /** OPENSSL if it is available and supports the settings, because it needs the least processor time; otherwise JDK. */
    AUTO,
    /** The JDK's, which is always available. */
    JDK,
    /**
     * OpenSSL 3, if {@code libssl.so.3} is installed, on Linux. It needs certificates and keys from PEM files: a key store, an {@code SSLContext} and a source of
     * randomness are the JDK's.
     */
    OPENSSL;

    /**
     * Returns the engines, and which of them are available here. The first one is what {@link #AUTO} takes for certificates from PEM
     * files.
     *
     * @return each engine's name, and its version, or why it is not available with the cure
     */
    public static List<EngineStatus> engines() {
        EngineStatus jdk = JDK.status(null);
        String obstacle = OpenSslLibrary.obstacle();
        EngineStatus openSsl = obstacle == null ? OPENSSL.status(null) : new EngineStatus(OPENSSL.toString(), false, obstacle);
        return obstacle == null ? List.of(openSsl, jdk) : List.of(jdk, openSsl);
    }

    /**
     * Chooses an engine for settings.
     *
     * @param sources the certificates and keys
     * @param protocols the versions of TLS
     * @return its name and version, and why it was chosen
     * @throws UnavailableException OPENSSL was requested, and is not available
     * @throws IllegalStateException OPENSSL was requested, and does not support the settings
     */
    EngineStatus choose(TlsContexts sources, List<String> protocols) {
        String unsupported = sources.onlyForTheJdk();
        return switch (this) {
            case JDK -> status("as requested");
            case OPENSSL -> {
                String obstacle = OpenSslLibrary.obstacle();
                if (obstacle != null) {
                    throw new UnavailableException("the TLS engine openssl is not available: " + obstacle);
                }
                if (unsupported != null) {
                    throw new IllegalStateException("the TLS engine openssl does not support " + unsupported
                            + ": use PEM files, or the engine jdk");
                }
                yield status("as requested");
            }
            case AUTO -> {
                boolean isUsual = TlsContexts.PROTOCOLS.containsAll(protocols);
                yield automatic(isUsual ? unsupported : "versions other than TLSv1.2 and TLSv1.3");
            }
        };
    }

    private static EngineStatus automatic(@Nullable String unsupported) {
        String obstacle = unsupported == null ? OpenSslLibrary.obstacle() : null;
        if (unsupported == null && obstacle == null) {
            return OPENSSL.status("chosen automatically");
        }
        return JDK.status("chosen automatically, since the engine openssl "
                + (obstacle == null ? "does not support " + unsupported : "is not available: " + obstacle));
    }

    private EngineStatus status(@Nullable String why) {
        String version = this == OPENSSL ? OpenSslLibrary.version() : "Java " + Runtime.version();
        return new EngineStatus(toString(), true, version + (why == null ? "" : ", " + why));
    }

    /** Returns the name in lower case, as on the command line. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
