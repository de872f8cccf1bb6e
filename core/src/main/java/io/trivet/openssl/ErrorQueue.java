package io.trivet.openssl;

import org.jspecify.annotations.Nullable;

/** OpenSSL's queue of errors, which each thread has. Source: man 3 ERR_get_error. */
public final class ErrorQueue {
    private static final NativeFunction ERR_GET_ERROR = NativeFunction.of("ERR_get_error");
    private static final NativeFunction ERR_CLEAR_ERROR = NativeFunction.of("ERR_clear_error");
    private static final NativeFunction ERR_REASON_ERROR_STRING = NativeFunction.of("ERR_reason_error_string");

    static final int ERR_LIB_SSL = 20;
    static final int ERR_LIB_OFFSET = 23;
    private static final int LIBRARY_MASK = 0xff;
    static final int ERR_REASON_MASK = 0x7FFFFF;
    /** The reason of an alert that the peer has sent is this number and that of the alert: SSL_R_SSLV3_ALERT_…, SSL_R_TLSV1_ALERT_…. */
    private static final int ALERT_REASON = 1000;
    private static final int ALERT_MAX = 255;
    /** Maximum number of errors that one message names. */
    private static final int ERRORS_MAX = 4;

    private ErrorQueue() {}

    /** Empties the queue of the calling thread. */
    public static void clear() {
        ERR_CLEAR_ERROR.call();
    }

    /**
     * Empties the queue of the calling thread, and describes what was in it.
     *
     * @return the reasons, the first cause first, in one line; {@code "no reason is known"} if the queue was empty
     */
    public static String take() {
        StringBuilder line = new StringBuilder();
        int described = 0;
        for (long error = ERR_GET_ERROR.call(); error != 0; error = ERR_GET_ERROR.call()) {
            String text = text(error);
            if (described < ERRORS_MAX && line.indexOf(text) < 0) {
                line.append(line.isEmpty() ? "" : ": ").append(text);
                described++;
            }
        }
        return line.isEmpty() ? "no reason is known" : line.toString();
    }

    private static String text(long error) {
        int reason = (int) (error & ERR_REASON_MASK);
        int alert = reason - ALERT_REASON;
        if (((error >> ERR_LIB_OFFSET) & LIBRARY_MASK) == ERR_LIB_SSL && alert >= 0 && alert <= ALERT_MAX) {
            return ReceivedAlert.text(alert);
        }
        @Nullable String text = NativeMemory.string(ERR_REASON_ERROR_STRING.call(error));
        return text == null ? "error " + Long.toHexString(error) : text.replace('\n', ' ');
    }
}
