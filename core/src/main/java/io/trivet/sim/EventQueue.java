package io.trivet.sim;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** What is to happen, by time; at the same time, in the order in which it was scheduled. A binary heap of events that know their place. */
@SuppressWarnings("ReferenceEquality") // this very event
final class EventQueue {
    /** No event is due any more. */
    static final long NEVER = Long.MAX_VALUE;

    /** Something that happens at a time; used again and again, and scheduled once at a time. */
    abstract static class Event {
        private long timeNanos;
        private long order;
        private int place = -1;

        /** It is time. */
        abstract void fire();

        final boolean isScheduled() {
            return place >= 0;
        }

        final long timeNanos() {
            return timeNanos;
        }
    }

    private @Nullable Event[] heap = new @Nullable Event[32];
    private int size;
    private long orders;

    /** When the next event is due. */
    long next() {
        Event first = heap[0];
        return first == null ? NEVER : first.timeNanos;
    }

    /** Schedules an event, or puts it off. */
    void schedule(Event event, long timeNanos) {
        if (event.place >= 0) {
            cancel(event);
        }
        event.timeNanos = timeNanos;
        event.order = orders++;
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, size * 2);
        }
        up(event, size++);
    }

    void cancel(Event event) {
        int place = event.place;
        if (place < 0) {
            return;
        }
        event.place = -1;
        Event last = heap[--size];
        heap[size] = null;
        if (last != null && last != event) {
            if (place > 0 && isBefore(last, at((place - 1) / 2))) {
                up(last, place);
            } else {
                down(last, place);
            }
        }
    }

    /** Takes the first event if it is due. */
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
        int place = from;
        while (place > 0) {
            int parent = (place - 1) / 2;
            Event above = at(parent);
            if (!isBefore(event, above)) {
                break;
            }
            put(above, place);
            place = parent;
        }
        put(event, place);
    }

    private void down(Event event, int from) {
        int place = from;
        while (true) {
            int child = 2 * place + 1;
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
            put(below, place);
            place = child;
        }
        put(event, place);
    }

    private Event at(int place) {
        Event event = heap[place];
        if (event == null) {
            throw new AssertionError("a hole in the agenda at " + place);
        }
        return event;
    }

    private void put(Event event, int place) {
        heap[place] = event;
        event.place = place;
    }

    private static boolean isBefore(Event one, Event other) {
        return one.timeNanos != other.timeNanos ? one.timeNanos < other.timeNanos : one.order < other.order;
    }
}
