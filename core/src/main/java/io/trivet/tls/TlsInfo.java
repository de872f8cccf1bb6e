package io.trivet.tls;

import java.security.cert.X509Certificate;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a connection has negotiated in its TLS handshake. Immutable.
 *
 * @param engine the implementation: JDK or OPENSSL
 * @param protocol the version, for instance {@code TLSv1.3}
 * @param cipherSuite the cipher suite by its IANA name, for instance {@code TLS_AES_256_GCM_SHA384}
 * @param applicationProtocol the protocol chosen by ALPN (RFC 7301), or null if there was no ALPN
 * @param serverName the host name that the client asked for (SNI, RFC 6066), or null
 * @param peerCertificates the peer's verified certificate, followed by those of its issuers as the peer has sent them; of a session
 *     that was resumed perhaps only the first. Empty if the peer has sent none: most clients. The list cannot be modified
 */
public record TlsInfo(TlsEngineKind engine, String protocol, String cipherSuite, @Nullable String applicationProtocol,
        @Nullable String serverName, List<X509Certificate> peerCertificates) {
    /** Makes the list unmodifiable. */
    public TlsInfo {
        peerCertificates = List.copyOf(peerCertificates);
    }
}
