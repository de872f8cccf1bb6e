package io.trivet.view;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The steps of a recording that are kept: the first ones, and the last ones. The step in which the run has failed is never dropped.
 * One thread.
 */
@SuppressWarnings("ReferenceEquality") // steps share their lists
final class KeptSteps {
    static final int FIRST_MAX = 500;
    static final int LAST_MAX = 4500;
    /** About what all kept steps may take on the heap; the first ones may take a quarter of it. */
    static final long BYTES_MAX = 64 << 20;

    private static final int STEP_BYTES = 1024;
    private static final int PLACE_BYTES = 4;
    private static final int CONNECTION_BYTES = 300;
    private static final int EVENT_BYTES = 40;
    private static final int LINE_BYTES = 64;

    /** A step, and about what it takes on the heap, but for its list of connections, which it may share with its neighbours. */
    private record Kept(RecordedStep step, long bytes) {
        long listBytes() {
            return (long) PLACE_BYTES * step.rows().size();
        }
    }

    private final long bytesMax;
    private final List<Kept> first = new ArrayList<>();
    private final ArrayDeque<Kept> last = new ArrayDeque<>();
    private boolean isFirstComplete;
    private long bytes;
    private long bytesAdded;
    private long total;

    /** Creates an empty recording that takes about that much memory at most. */
    KeptSteps(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    /** Returns the number of steps so far, those that were dropped included. */
    long total() {
        return total;
    }

    long bytesMax() {
        return bytesMax;
    }

    /** Returns about what all kept steps take on the heap. */
    long bytes() {
        return bytes;
    }

    /** Returns about what all steps took on the heap, those that were dropped included. */
    long bytesAdded() {
        return bytesAdded;
    }

    /** Returns how many steps at the beginning are kept. All others that are kept are the last ones. */
    int first() {
        return first.size();
    }

    @Nullable
    RecordedStep newest() {
        return !last.isEmpty() ? last.getLast().step : first.isEmpty() ? null : first.getLast().step;
    }

    /**
     * Adds a step, and drops what there is no room for.
     *
     * @param changed how many connections have changed in it
     */
    void add(RecordedStep step, int changed) {
        RecordedStep before = newest();
        Kept added = new Kept(step, STEP_BYTES + (long) CONNECTION_BYTES * (changed + step.ends().size())
                + (long) EVENT_BYTES * step.turn().events().size()
                + step.lines().stream().mapToLong(line -> LINE_BYTES + line.length()).sum());
        long more = added.bytes + (before != null && before.rows() == step.rows() ? 0 : added.listBytes());
        bytes += more;
        bytesAdded += more;
        total++;
        if (!isFirstComplete) {
            first.add(added);
            isFirstComplete = first.size() == FIRST_MAX || bytes > bytesMax / 4;
            return;
        }
        last.addLast(added);
        while (last.size() > 1 && (last.size() > LAST_MAX || bytes > bytesMax) && !last.getFirst().step.failed()) {
            dropOldest();
        }
    }

    private void dropOldest() {
        Kept dropped = last.removeFirst();
        List<Recording.KeptRow> rows = dropped.step.rows();
        boolean isShared = last.getFirst().step.rows() == rows || first.getLast().step.rows() == rows;
        bytes -= dropped.bytes + (isShared ? 0 : dropped.listBytes());
    }

    /** Marks the newest step as the one in which the run has failed. */
    void markNewestAsFailed() {
        if (last.isEmpty()) {
            Kept newest = first.removeLast();
            first.add(new Kept(newest.step.asFailed(), newest.bytes));
        } else {
            Kept newest = last.removeLast();
            last.addLast(new Kept(newest.step.asFailed(), newest.bytes));
        }
    }

    List<RecordedStep> toList() {
        List<RecordedStep> all = new ArrayList<>();
        first.forEach(kept -> all.add(kept.step));
        last.forEach(kept -> all.add(kept.step));
        return List.copyOf(all);
    }
}
