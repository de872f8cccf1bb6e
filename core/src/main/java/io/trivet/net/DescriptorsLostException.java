package io.trivet.net;

/** Thrown when descriptors were passed to a {@link UnixStream} that could not be received. All of that message are closed. */
public final class DescriptorsLostException extends NetworkException {
    private static final long serialVersionUID = 1;

    /**
     * Creates an exception.
     *
     * @param stream the stream
     * @param max how many descriptors the caller would have received
     */
    public DescriptorsLostException(Socket stream, int max) {
        super("recvmsg", stream, ErrorCode.EMSGSIZE, "more than " + max
                + " descriptors were passed, or this process has none left (ulimit -n): all of that message are closed");
    }
}
