package io.trivet.sim;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The future events of a simulated network, ordered by time. Events with equal times keep the order in which they were scheduled.
 * The queue is a binary heap. Each event stores its index in the heap, so that it can be cancelled.
 */
@SuppressWarnings("ReferenceEquality") // events are compared by identity
final class EventQueue {
    /** The time of an event that never occurs. */
    static final long NEVER = Long.MAX_VALUE;

    /** An event that fires at a given time. It is in the queue at most once, and can be scheduled again after it has fired. */
    abstract static class Event {
        private long timeNanos;
        private long order;
        /** The index in the heap; negative if the event is not scheduled. */
        private int index = -1;

        /** Called at the scheduled time. */
        abstract void fire();

        final boolean isScheduled() {
            return index >= 0;
        }

        final long timeNanos() {
            return timeNanos;
        }
    }

    private @Nullable Event[] heap = new @Nullable Event[32];
    private int size;
    private long orders;

    /** Returns the time of the next event, or {@link #NEVER}. */
    long next() {
        Event first = heap[0];
        return first == null ? NEVER : first.timeNanos;
    }

    /** Schedules an event, or moves it to another time. */
    void schedule(Event event, long timeNanos) {
        if (event.index >= 0) {
            cancel(event);
        }
        event.timeNanos = timeNanos;
        event.order = orders++;
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, size * 2);
        }
        up(event, size++);
    }

    /** Schedules an action that cannot be cancelled. */
    void schedule(long timeNanos, Runnable action) {
        schedule(new Event() {
            @Override
            void fire() {
                action.run();
            }
        }, timeNanos);
    }

    void cancel(Event event) {
        int index = event.index;
        if (index < 0) {
            return;
        }
        event.index = -1;
        Event last = heap[--size];
        heap[size] = null;
        if (last != null && last != event) {
            if (index > 0 && isBefore(last, at((index - 1) / 2))) {
                up(last, index);
            } else {
                down(last, index);
            }
        }
    }

    /** Removes and returns the first event if it is due; otherwise returns null. */
    @Nullable
    Event pollDue(long nowNanos) {
        Event first = heap[0];
        if (first == null || first.timeNanos > nowNanos) {
            return null;
        }
        cancel(first);
        return first;
    }

    private void up(Event event, int from) {
        int index = from;
        while (index > 0) {
            int parent = (index - 1) / 2;
            Event above = at(parent);
            if (!isBefore(event, above)) {
                break;
            }
            put(above, index);
            index = parent;
        }
        put(event, index);
    }

    private void down(Event event, int from) {
        int index = from;
        while (true) {
            int child = 2 * index + 1;
            if (child >= size) {
                break;
            }
            if (child + 1 < size && isBefore(at(child + 1), at(child))) {
                child++;
            }
            Event below = at(child);
            if (!isBefore(below, event)) {
                break;
            }
            put(below, index);
            index = child;
        }
        put(event, index);
    }

    private Event at(int index) {
        Event event = heap[index];
        if (event == null) {
            throw new AssertionError("the event queue has a hole at " + index);
        }
        return event;
    }

    private void put(Event event, int index) {
        heap[index] = event;
        event.index = index;
    }

    private static boolean isBefore(Event one, Event other) {
        return one.timeNanos != other.timeNanos ? one.timeNanos < other.timeNanos : one.order < other.order;
    }
}
