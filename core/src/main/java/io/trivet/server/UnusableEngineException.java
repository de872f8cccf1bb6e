package io.trivet.server;

import java.io.IOException;

/**
 * Thrown when a server's loops cannot be set up on its network. Never leaves the package: the builder tries another network, or
 * throws the reason.
 */
final class UnusableEngineException extends Exception {
    private static final long serialVersionUID = 1;

    private final IOException reason;

    UnusableEngineException(IOException reason) {
        super(reason);
        this.reason = reason;
    }

    /** Returns why the loops cannot be set up. */
    IOException reason() {
        return reason;
    }
}
