package io.trivet.net;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * An operating error of a network. Its message is one line: the call, its subject, the error's name and an explanation, for
 * instance {@code bind 127.0.0.1:8080: EADDRINUSE, the address is in use: another socket has this port}. If the subject was a
 * member of a list, its position comes first, for instance {@code rlist[2]: poll descriptor 7: EBADF, the descriptor is not open}.
 */
public class NetworkException extends IOException {
    private static final long serialVersionUID = 1;

    /** Name of the call that failed. */
    private final String call;
    /** The error. */
    private final ErrorCode code;
    /** Number of the error, or 0. */
    private final int errno;
    /** The descriptor, or -1. */
    private final int descriptor;

    /**
     * Creates an exception for an error with a known name.
     *
     * @param call the call that failed, by its name in the manual
     * @param subject the address or descriptor of the call; null: none
     * @param code the error
     */
    public NetworkException(String call, @Nullable Object subject, ErrorCode code) {
        this(call, subject, code, code + ", " + code.sentence());
    }

    /**
     * Creates an exception with an explanation from the underlying system.
     *
     * @param call the call that failed
     * @param subject the address or descriptor of the call; null: none
     * @param code the error; {@link ErrorCode#OTHER} if it has no name here
     * @param explanation the rest of the message
     */
    public NetworkException(String call, @Nullable Object subject, ErrorCode code, String explanation) {
        this(call, subject, code, explanation, code.number(), descriptorOf(subject));
    }

    /**
     * Creates an exception with the numbers of the error and the descriptor.
     *
     * @param call the call that failed
     * @param subject the address or descriptor of the call; null: none
     * @param code the error; {@link ErrorCode#OTHER} if it has no name here
     * @param explanation the rest of the message
     * @param errno the number of the error; 0: none
     * @param descriptor the descriptor on which the call was made; -1: none
     */
    public NetworkException(String call, @Nullable Object subject, ErrorCode code, String explanation, int errno,
            int descriptor) {
        super(call + (subject == null ? "" : " " + Addresses.toString(subject)) + ": " + explanation);
        this.call = call;
        this.code = code;
        this.errno = errno;
        this.descriptor = descriptor;
    }

    private NetworkException(String message, NetworkException cause) {
        super(message, cause);
        call = cause.call;
        code = cause.code;
        errno = cause.errno;
        descriptor = cause.descriptor;
    }

    private static int descriptorOf(@Nullable Object subject) {
        try {
            return subject instanceof Socket socket ? socket.fd() : -1;
        } catch (UnsupportedOperationException e) {
            return -1; // the network has no descriptors
        }
    }

    /**
     * Returns an exception for the same error whose message starts with the position of its socket in a list.
     *
     * @param position for instance {@code rlist[2]}
     * @return the new exception; this one is its cause
     */
    public NetworkException at(String position) {
        return new NetworkException(position + ": " + getMessage(), this);
    }

    /**
     * Returns the call that failed.
     *
     * @return its name in the manual, for instance {@code bind}
     */
    public String call() {
        return call;
    }

    /**
     * Returns the number of the error (errno), as Linux counts. It also identifies an error that is {@link ErrorCode#OTHER}.
     *
     * @return the number; 0: unknown
     */
    public int errno() {
        return errno;
    }

    /**
     * Returns the descriptor on which the call was made. If the socket has been closed since, the number may be another's.
     *
     * @return the number; -1: the call had no descriptor, or the network has none
     */
    public int descriptor() {
        return descriptor;
    }

    /**
     * Returns the error.
     *
     * @return the error; {@link ErrorCode#OTHER} if only the message identifies it
     */
    public ErrorCode code() {
        return code;
    }
}
