package io.trivet.server;

import io.trivet.net.Loop;
import java.util.Arrays;

/**
 * The next deadline of each connection, by slot. A binary heap that knows the place of each slot: moving or removing a deadline
 * takes logarithmic time and leaves no stale entry. Of equal deadlines the lower slot comes first, so the order is always the
 * same. One thread.
 *
 * <p>A deadline that moves to a later time need not be updated: at the old time, its owner finds that nothing is due, and sets
 * the new time.
 */
final class DeadlineQueue {
    private static final int ABSENT = -1;

    private int[] heap = new int[64];
    private int size;
    /** The place of each slot in the heap. */
    private int[] places = newPlaces(64);
    private long[] deadlines = new long[64];

    /** Returns the earliest deadline, or {@link Loop#NO_DEADLINE}. */
    long next() {
        return size == 0 ? Loop.NO_DEADLINE : deadlines[heap[0]];
    }

    /** Returns the slot with the earliest deadline. The queue must not be empty. */
    int nextSlot() {
        return heap[0];
    }

    /** Sets a slot's deadline if it has none or a later one. */
    void atLatest(int slot, long deadline) {
        if (slot >= places.length || places[slot] == ABSENT || deadline - deadlines[slot] < 0) {
            set(slot, deadline);
        }
    }

    /** Sets a slot's deadline; {@link Loop#NO_DEADLINE} removes it. */
    void set(int slot, long deadline) {
        if (deadline == Loop.NO_DEADLINE) {
            remove(slot);
            return;
        }
        if (slot >= places.length) {
            int before = places.length;
            int length = Math.max(slot + 1, before + before / 2);
            places = Arrays.copyOf(places, length);
            Arrays.fill(places, before, length, ABSENT);
            deadlines = Arrays.copyOf(deadlines, length);
            heap = Arrays.copyOf(heap, length);
        }
        deadlines[slot] = deadline;
        if (places[slot] == ABSENT) {
            put(size++, slot);
        }
        restoreHeap(places[slot]);
    }

    void remove(int slot) {
        if (slot >= places.length || places[slot] == ABSENT) {
            return;
        }
        int place = places[slot];
        places[slot] = ABSENT;
        int last = heap[--size];
        if (last != slot) {
            put(place, last);
            restoreHeap(place);
        }
    }

    private void restoreHeap(int start) {
        int place = start;
        while (place > 0 && isBefore(heap[place], heap[(place - 1) / 2])) {
            place = swap(place, (place - 1) / 2);
        }
        while (true) {
            int child = 2 * place + 1;
            if (child + 1 < size && isBefore(heap[child + 1], heap[child])) {
                child++;
            }
            if (child >= size || !isBefore(heap[child], heap[place])) {
                return;
            }
            place = swap(place, child);
        }
    }

    private boolean isBefore(int slot, int other) {
        long difference = deadlines[slot] - deadlines[other];
        return difference < 0 || (difference == 0 && slot < other);
    }

    private int swap(int place, int other) {
        int slot = heap[place];
        put(place, heap[other]);
        put(other, slot);
        return other;
    }

    private void put(int place, int slot) {
        heap[place] = slot;
        places[slot] = place;
    }

    private static int[] newPlaces(int length) {
        int[] places = new int[length];
        Arrays.fill(places, ABSENT);
        return places;
    }
}
