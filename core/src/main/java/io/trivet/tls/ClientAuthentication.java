package io.trivet.tls;

/** Whether a server asks its clients for a certificate (mutual TLS). */
public enum ClientAuthentication {
    /** The server asks for none. */
    NONE,
    /** The server asks for one. A client without a certificate is accepted; one with a certificate that is not trusted is not. */
    OPTIONAL,
    /** The server asks for one, and refuses clients without a trusted certificate. */
    REQUIRED
}
