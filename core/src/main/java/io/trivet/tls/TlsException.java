package io.trivet.tls;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * TLS has failed on a connection: the handshake could not be completed, or a record was forged or not allowed. The message is one
 * line with the reason, such as an untrusted certificate, and for an alert of the peer its name. The connection cannot be used any
 * more.
 */
public class TlsException extends IOException {
    private static final long serialVersionUID = 1;

    /**
     * Creates an exception.
     *
     * @param message the reason, in one line
     * @param cause the cause, or null
     */
    public TlsException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
