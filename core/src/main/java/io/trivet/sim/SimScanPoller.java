package io.trivet.sim;

import io.trivet.net.Interest;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The common part of select and poll, which look at every registration in each call. What has not changed since it was found not
 * ready is skipped, which the caller cannot notice.
 */
abstract sealed class SimScanPoller extends SimPoller permits SimPollPoller, SimSelectPoller {
    /** How many registrations are {@linkplain SimWatch#queued queued}. */
    private int queued;
    /** Where the next scan starts, so that sockets behind a full buffer get their turn. */
    private int cursor;
    /** The host's change count at the last full scan. */
    private long changesSeen = -1;

    SimScanPoller(SimHost host) throws IOException {
        super(host, "eventfd");
    }

    /** Returns the number of places to scan. */
    abstract int places();

    /** Returns the registration at a place, or null. */
    abstract @Nullable SimWatch at(int place);

    /** Returns whether an event of this scan is to be reported. */
    abstract boolean accepts(int ready);

    /** {@inheritDoc} Neither call looks at a number before it waits, so a number that is not open can be registered. */
    @Override
    final OpenFile file(SimSocket socket) throws IOException {
        return socket.isThere() ? socket.file() : self;
    }

    @Override
    final void watch(SimSocket socket, OpenFile file) {
        // Neither call registers anything with the kernel.
    }

    @Override
    final void unwatch(SimWatch watch) {
        dequeue(watch);
    }

    @Override
    final void changed(SimWatch watch, int what) {
        enqueue(watch);
    }

    @Override
    final void await() {
        if (changesSeen != host.changes() || !host.kernel.accounting.isByteBased()) {
            changesSeen = host.changes();
            List<SimWatch> all = table.all();
            for (int i = 0; i < all.size(); i++) {
                enqueue(all.get(i));
            }
        }
    }

    @Override
    void collect(int capacity) {
        if (queued == 0) {
            return;
        }
        int count = places();
        int begin = cursor < count ? cursor : 0;
        for (int i = 0; i < count; i++) {
            int place = begin + i < count ? begin + i : begin + i - count;
            SimWatch watch = at(place);
            if (watch == null || !watch.queued) {
                continue;
            }
            int ready = readiness(watch);
            if (ready == 0) {
                dequeue(watch);
            } else if (accepts(ready)) {
                if (answers.size() == capacity) {
                    cursor = place;
                    return;
                }
                report(watch, ready);
            }
        }
    }

    @Override
    final int answer(SimWatch watch) {
        return isCurrent(watch) ? answer(watch.file.ready(), watch.interest) : Interest.INVALID;
    }

    /** Returns what the call reports of a file that is ready. */
    abstract int answer(int ready, int interest);

    private void enqueue(SimWatch watch) {
        if (!watch.queued) {
            watch.queued = true;
            queued++;
            wake();
        }
    }

    private void dequeue(SimWatch watch) {
        if (watch.queued) {
            watch.queued = false;
            queued--;
        }
    }
}
