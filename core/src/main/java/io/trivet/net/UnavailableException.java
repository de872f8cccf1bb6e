package io.trivet.net;

/**
 * Thrown when a named network is not available here: its name is unknown, or this system does not support it. The message states
 * the reason and, if there is one, the cure.
 */
public final class UnavailableException extends UnsupportedOperationException {
    private static final long serialVersionUID = 1;

    /** The whole message. */
    private final String reason;

    /**
     * Creates an exception.
     *
     * @param message the network's name, the reason and the cure
     */
    public UnavailableException(String message) {
        super(message);
        reason = message;
    }

    /**
     * Returns the message: the reason and the cure.
     *
     * @return one line
     */
    public String reason() {
        return reason;
    }
}
