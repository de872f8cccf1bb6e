package io.trivet.scenarios;

import io.trivet.sim.SimClock;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Logs the events of a run, each with its time, if there is a listener. */
final class Timeline {
    private final SimClock clock;
    private final @Nullable Consumer<String> listener;

    Timeline(SimClock clock, @Nullable Consumer<String> listener) {
        this.clock = clock;
        this.listener = listener;
    }

    /** Returns true if there is a listener. Callers check this before they build a line, since most runs have none. */
    boolean isEnabled() {
        return listener != null;
    }

    void log(String line) {
        if (listener != null) {
            listener.accept(String.format(Locale.ROOT, "%14.6f ms  %s", clock.elapsedNanos() / 1e6, line));
        }
    }
}
