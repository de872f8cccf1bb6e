package io.trivet.sim;

import io.trivet.net.Interest;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The common part of the simulated select and poll, which check every registration in each call. As an optimization, a
 * registration that was not ready and has not changed since is skipped; the caller cannot notice this.
 */
abstract sealed class SimScanPoller extends SimPoller permits SimPollPoller, SimSelectPoller {
    /** How many registrations are {@linkplain SimWatch#queued queued}. */
    private int queued;
    /**
     * The place at which the next scan starts. If the caller's buffer was full, the next scan continues there, so that every
     * socket is reported in turn.
     */
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

    /** Returns whether this scan may report an event. */
    abstract boolean accepts(int ready);

    /** {@inheritDoc} Select and poll check a descriptor only when they wait, so a number that is not open can be registered. */
    @Override
    final OpenFile file(SimSocket socket) throws IOException {
        return socket.isDescriptorOpen() ? socket.file() : self;
    }

    @Override
    final void watch(SimSocket socket, OpenFile file) {
        // Select and poll register nothing with the kernel.
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

    /** Returns the events that the call reports for a file's readiness. */
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
