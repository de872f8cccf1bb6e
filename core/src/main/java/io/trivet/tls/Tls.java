package io.trivet.tls;

import java.time.Duration;

/**
 * The TLS settings of a protocol: {@link TlsServer} for connections that are accepted, {@link TlsClient} for those that are made.
 * Any thread.
 */
public sealed interface Tls permits TlsServer, TlsClient {
    /**
     * Returns how long a handshake may take, from the established TCP connection to the last message.
     *
     * @return the time; zero: no limit
     */
    Duration handshakeTimeout();
}
