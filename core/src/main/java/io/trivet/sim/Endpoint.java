package io.trivet.sim;

import io.trivet.net.ErrorCode;
import org.jspecify.annotations.Nullable;

/** A socket's kernel object, with its pending error. */
abstract class Endpoint extends OpenFile {
    /** The pending error (sk_err). The next call that checks for it reports and clears it. */
    @Nullable ErrorCode error;

    Endpoint(Kernel kernel) {
        super(kernel);
    }

    /** Returns and clears the pending error; null if there is none. */
    final @Nullable ErrorCode takeError() {
        ErrorCode taken = error;
        error = null;
        return taken;
    }
}
