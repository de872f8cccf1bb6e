package io.trivet.nats;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What this server tells others about its clients: numbered changes, or a snapshot of all, if the others may have missed changes or
 * there are too many. Holds at most a bounded number of changes. Loop thread only.
 */
final class Presence {
    private static final int CHANGES_MAX = 4096;

    private final SortedSet<String> clients = new TreeSet<>();
    private final List<Frame.Change> unsent = new ArrayList<>();
    /** Frames that are to be sent before anything else, because they belong together. */
    private final Deque<byte[]> ready = new ArrayDeque<>();
    /** The number of the last change. */
    private long number;
    private boolean isSnapshotRequested;

    void change(boolean isPresent, String client) {
        number++;
        if (isPresent) {
            clients.add(client);
        } else {
            clients.remove(client);
        }
        if (isSnapshotRequested) {
            return;
        }
        unsent.add(new Frame.Change(isPresent, client));
        if (unsent.size() > CHANGES_MAX) {
            requestSnapshot();
        }
    }

    /** All clients leave. */
    void clear() {
        number += clients.size();
        clients.clear();
        requestSnapshot();
    }

    /** All clients must be sent, instead of the changes. */
    void requestSnapshot() {
        unsent.clear();
        ready.clear(); // a new first part makes receivers forget those before
        isSnapshotRequested = number > 0;
    }

    /** Returns true if everything was sent. */
    boolean isSent() {
        return !isSnapshotRequested && unsent.isEmpty() && ready.isEmpty();
    }

    /** Returns the number of the last change that was sent, or is among the frames to be sent next. */
    long sentNumber() {
        return number - unsent.size();
    }

    /**
     * Returns the next frame to send, or null.
     *
     * @param entriesMax how many clients a frame may list
     */
    byte @Nullable [] next(Frame.Sender sender, int entriesMax) {
        if (ready.isEmpty() && !isSent()) {
            prepare(sender, entriesMax);
            unsent.clear();
            isSnapshotRequested = false;
        }
        return ready.peek();
    }

    /** The next frame was sent. */
    void sent() {
        ready.remove();
    }

    private void prepare(Frame.Sender sender, int entriesMax) {
        if (isSnapshotRequested) {
            List<String> all = List.copyOf(clients);
            int parts = Math.max(1, (all.size() + entriesMax - 1) / entriesMax);
            for (int part = 0; part < parts; part++) {
                ready.add(Wire.snapshot(new Frame.Snapshot(sender, number, part, parts,
                        all.subList(part * entriesMax, Math.min(all.size(), (part + 1) * entriesMax)))));
            }
            return;
        }
        long first = sentNumber() + 1;
        for (int i = 0; i < unsent.size(); i += entriesMax) {
            ready.add(Wire.changes(new Frame.Changes(sender, first + i,
                    unsent.subList(i, Math.min(unsent.size(), i + entriesMax)))));
        }
    }
}
