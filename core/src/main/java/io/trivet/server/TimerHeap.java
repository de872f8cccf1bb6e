package io.trivet.server;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A binary heap of timers, earliest first. Timers with equal deadlines keep the order in which they were added. Each timer stores
 * its index, so adding and removing take logarithmic time. One thread.
 */
final class TimerHeap {
    static final int ABSENT = -1;
    private static final int LENGTH_MIN = 64;

    private @Nullable Timer[] heap = new @Nullable Timer[LENGTH_MIN];
    private int size;
    private long number;

    /** Returns the earliest timer, or null. */
    @Nullable
    Timer first() {
        return heap[0];
    }

    int size() {
        return size;
    }

    /** Returns the length of the array, for tests. */
    int length() {
        return heap.length;
    }

    /** Returns the number of the timer that is added next. All timers in the heap have lower numbers. */
    long nextNumber() {
        return number;
    }

    void add(Timer timer) {
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, 2 * size);
        }
        timer.number = number++;
        moveUp(timer, size++);
    }

    /** Removes a timer that is in the heap. */
    void remove(Timer timer) {
        int place = timer.place;
        timer.place = ABSENT;
        Timer last = at(--size);
        heap[size] = null;
        if (place < size) {
            if (place > 0 && isBefore(last, at((place - 1) / 2))) {
                moveUp(last, place);
            } else {
                moveDown(last, place);
            }
        }
        if (size < heap.length / 4 && heap.length > LENGTH_MIN) { // only below a quarter, so that it does not grow again at once
            heap = Arrays.copyOf(heap, heap.length / 2);
        }
    }

    private void moveUp(Timer timer, int start) {
        int place = start;
        while (place > 0 && isBefore(timer, at((place - 1) / 2))) {
            put(place, at((place - 1) / 2));
            place = (place - 1) / 2;
        }
        put(place, timer);
    }

    private void moveDown(Timer timer, int start) {
        int place = start;
        while (2 * place + 1 < size) {
            int child = 2 * place + 1;
            if (child + 1 < size && isBefore(at(child + 1), at(child))) {
                child++;
            }
            if (!isBefore(at(child), timer)) {
                break;
            }
            put(place, at(child));
            place = child;
        }
        put(place, timer);
    }

    private static boolean isBefore(Timer timer, Timer other) {
        long difference = timer.deadlineNanos - other.deadlineNanos;
        return difference < 0 || (difference == 0 && timer.number < other.number);
    }

    @SuppressWarnings("NullAway") // below size, no element is null
    private Timer at(int place) {
        return heap[place];
    }

    private void put(int place, Timer timer) {
        heap[place] = timer;
        timer.place = place;
    }
}
