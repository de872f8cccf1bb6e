package io.trivet.openssl;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a server decides within a handshake, when the client's first message is known. Called on the thread that has called {@link
 * Libssl#doHandshake}. If a method throws, the handshake fails with an alert.
 */
public interface HandshakeChoices {
    /**
     * Chooses the certificates.
     *
     * @param serverName the name that the client asks for (SNI), or null
     * @return the SSL_CTX that has them; 0: that of the connection
     */
    long context(@Nullable String serverName);

    /**
     * Chooses an application protocol (ALPN).
     *
     * @param offered the protocols that the client offers
     * @return one of them, or null: the handshake fails
     */
    @Nullable
    String applicationProtocol(List<String> offered);
}
