/**
 * TLS for servers and outgoing connections. {@link io.trivet.tls.TlsServer} has the certificates and settings of a server, {@link
 * io.trivet.tls.TlsClient} those of a client; a {@code Protocol} of {@code io.trivet.server} gets one of them. {@link
 * io.trivet.tls.TlsInfo} describes what a connection has negotiated.
 *
 * <p>TLS stands between the network and the server, as a proactor that wraps another one ({@link io.trivet.tls.TlsProactor}), so everything above it sees plaintext and knows nothing of records. Behind it is
 * one engine per connection: the JDK's {@code SSLEngine}, or OpenSSL's.
 *
 * <p>Source: RFC 8446 (TLS 1.3), RFC 5246 (TLS 1.2), RFC 9325 (recommendations).
 */
@NullMarked
package io.trivet.tls;

import org.jspecify.annotations.NullMarked;
