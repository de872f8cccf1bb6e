package io.trivet.net;

import java.nio.channels.ClosedChannelException;

/** A socket was used after it had been closed. The message names the socket, and its place in the list if it stood in one. */
public final class ClosedSocketException extends ClosedChannelException {
    private static final long serialVersionUID = 1;

    /** Which socket. */
    private final String socket;

    /**
     * A socket that is closed.
     *
     * @param socket what it is called, for instance its {@code toString}
     */
    public ClosedSocketException(String socket) {
        this.socket = socket;
    }

    @Override
    public String getMessage() {
        return socket + " is closed";
    }
}
