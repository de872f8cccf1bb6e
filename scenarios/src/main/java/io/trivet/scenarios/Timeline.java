package io.trivet.scenarios;

import io.trivet.sim.SimClock;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Logs the events of a run, each with its time, if there is a listener. */
final class Timeline {
    private final SimClock clock;
    private final @Nullable RunObserver listener;

    Timeline(SimClock clock, @Nullable RunObserver listener) {
        this.clock = clock;
        this.listener = listener;
    }

    /** Returns true if there is a listener. Callers check this before they build a line, since most runs have none. */
    boolean isEnabled() {
        return listener != null;
    }

    void log(String line) {
        if (listener != null) {
            listener.happened(String.format(Locale.ROOT, "%14.6f ms  %s", clock.elapsedNanos() / 1e6, line), line);
        }
    }

    void failed(CheckFailure failure) {
        if (listener != null) {
            log("CHECK FAILED " + failure.rule() + ": " + failure.text());
            listener.failed(failure);
        }
    }
}
