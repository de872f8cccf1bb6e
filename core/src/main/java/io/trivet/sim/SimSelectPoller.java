package io.trivet.sim;

import io.trivet.net.Interest;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Simulates select(2). Reports the lowest descriptor first, and folds errors and hang-ups into READ and WRITE. Where select(2)
 * fails with EBADF because some descriptors are not open, reports only these descriptors.
 */
final class SimSelectPoller extends SimScanPoller {
    /** The current scan has found a descriptor that is not open. */
    private boolean invalid;

    SimSelectPoller(SimHost host) throws IOException {
        super(host);
    }

    @Override
    int places() {
        return table.numbers();
    }

    @Override
    @Nullable
    SimWatch at(int place) {
        return table.at(place);
    }

    @Override
    boolean accepts(int ready) {
        if (ready == Interest.INVALID && !invalid) {
            invalid = true;
            answers.clear();
        }
        return !invalid || ready == Interest.INVALID;
    }

    @Override
    void collect(int capacity) {
        invalid = false;
        super.collect(capacity);
    }

    @Override
    int answer(int ready, int interest) {
        return Interest.fold(ready, interest);
    }
}
