package io.trivet.scenarios;

import io.trivet.server.Handler;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Makes handlers of a trial. One of its calls fails: it throws, or returns null. */
final class FailingFactory implements Supplier<@Nullable Handler> {
    /** The handlers that it has made. */
    final List<TrialHandler> made = new ArrayList<>();
    /** The number of the call that fails, from 0 on. */
    final int failingCall;
    private final boolean returnsNull;
    int calls;

    /**
     * Draws which call fails, and how.
     *
     * @param last the number of the last call
     */
    FailingFactory(SeededRandom random, int last) {
        failingCall = random.between(0, last);
        returnsNull = random.chance(50);
    }

    @Override
    public @Nullable Handler get() {
        if (calls++ == failingCall) {
            if (returnsNull) {
                return null;
            }
            throw new IllegalStateException("drawn");
        }
        made.add(new TrialHandler());
        return made.getLast();
    }
}
