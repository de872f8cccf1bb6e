package io.trivet.net;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * An operating error: the network said no. Its message is one line: the call, what it was about, the error's name and a sentence,
 * for instance {@code bind 127.0.0.1:8080: EADDRINUSE, the address is in use: another process has this port}.
 */
public class NetworkException extends IOException {
    private static final long serialVersionUID = 1;

    /** The call that failed. */
    private final String call;
    /** The error. */
    private final ErrorCode code;

    /**
     * An error with a known name.
     *
     * @param call the call that failed, by its name in the manual
     * @param subject what it was about: an address, a descriptor; null: nothing in particular
     * @param code the error
     */
    public NetworkException(String call, @Nullable Object subject, ErrorCode code) {
        this(call, subject, code, code + ", " + code.sentence());
    }

    /**
     * An error told in the words of the system below.
     *
     * @param call the call that failed
     * @param subject what it was about; null: nothing in particular
     * @param code the error, {@link ErrorCode#OTHER} when it has no name here
     * @param explanation the rest of the message
     */
    public NetworkException(String call, @Nullable Object subject, ErrorCode code, String explanation) {
        super(call + (subject == null ? "" : " " + Addresses.toString(subject)) + ": " + explanation);
        this.call = call;
        this.code = code;
    }

    /**
     * The call that failed.
     *
     * @return its name in the manual, for instance {@code bind}
     */
    public String call() {
        return call;
    }

    /**
     * Which error it was.
     *
     * @return the error; {@link ErrorCode#OTHER} when only the message tells
     */
    public ErrorCode code() {
        return code;
    }
}
