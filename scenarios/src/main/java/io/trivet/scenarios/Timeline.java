package io.trivet.scenarios;

import io.trivet.sim.SimClock;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Tells a run line by line, with the time before each; or nothing at all, when nobody listens. */
final class Timeline {
    private final SimClock clock;
    private final @Nullable Consumer<String> listener;

    Timeline(SimClock clock, @Nullable Consumer<String> listener) {
        this.clock = clock;
        this.listener = listener;
    }

    /** Ask before building a line: most runs have no listener. */
    boolean isTold() {
        return listener != null;
    }

    void tell(String line) {
        if (listener != null) {
            listener.accept(String.format(Locale.ROOT, "%14.6f ms  %s", clock.elapsedNanos() / 1e6, line));
        }
    }
}
