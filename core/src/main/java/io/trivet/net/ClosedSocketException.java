package io.trivet.net;

import java.nio.channels.ClosedChannelException;

/** Thrown when a closed socket is used. The message names the socket, and its position if it was in a list. */
public final class ClosedSocketException extends ClosedChannelException {
    private static final long serialVersionUID = 1;

    /** Name of the socket. */
    private final String socket;

    /**
     * Creates an exception for a closed socket.
     *
     * @param socket its name, for instance its {@code toString}
     */
    public ClosedSocketException(String socket) {
        this.socket = socket;
    }

    @Override
    public String getMessage() {
        return socket + " is closed";
    }
}
