package io.trivet.net;

/** A network that was named cannot be had here: unknown, or not on this system. The message says why, and the cure if there is one. */
public final class UnavailableException extends UnsupportedOperationException {
    private static final long serialVersionUID = 1;

    /** The whole message. */
    private final String reason;

    /**
     * Why not.
     *
     * @param message the network's name, the reason and the cure
     */
    public UnavailableException(String message) {
        super(message);
        reason = message;
    }

    /**
     * The message: why not, and what would cure it.
     *
     * @return one line
     */
    public String reason() {
        return reason;
    }
}
