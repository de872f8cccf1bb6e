package io.trivet.server;

import io.trivet.observe.CloseReason;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Thrown by a {@link Session} when its connection was closed: by the peer, by a limit or deadline, or by the server. The cause is
 * the error with which the network ended the connection, if it did.
 */
public final class ConnectionClosedException extends IOException {
    private static final long serialVersionUID = 1;

    private final CloseReason reason;

    ConnectionClosedException(String connection, CloseReason reason, @Nullable IOException failure) {
        super(connection + ": " + reason, failure);
        this.reason = reason;
    }

    /**
     * Returns why the connection was closed.
     *
     * @return the reason
     */
    public CloseReason reason() {
        return reason;
    }
}
