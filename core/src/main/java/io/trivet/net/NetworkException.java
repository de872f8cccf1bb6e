package io.trivet.net;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * An operating error of a network. Its message is one line: the call, its subject, the error's name and an explanation, for
 * instance {@code bind 127.0.0.1:8080: EADDRINUSE, the address is in use: another process has this port}.
 */
public class NetworkException extends IOException {
    private static final long serialVersionUID = 1;

    /** Name of the call that failed. */
    private final String call;
    /** The error. */
    private final ErrorCode code;

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
        super(call + (subject == null ? "" : " " + Addresses.toString(subject)) + ": " + explanation);
        this.call = call;
        this.code = code;
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
     * Returns the error.
     *
     * @return the error; {@link ErrorCode#OTHER} if only the message identifies it
     */
    public ErrorCode code() {
        return code;
    }
}
