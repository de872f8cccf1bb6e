package io.trivet.linux;

import java.util.Arrays;

/** A FIFO queue of slots. It grows as needed. Not thread-safe. */
final class SlotQueue {
    private int[] slots = new int[16];
    private int head;
    private int size;

    void add(int slot) {
        if (size == slots.length) {
            int[] larger = Arrays.copyOfRange(slots, head, head + size * 2);
            System.arraycopy(slots, 0, larger, size - head, head);
            slots = larger;
            head = 0;
        }
        slots[head + size++ & slots.length - 1] = slot;
    }

    /** Removes and returns the first slot, or returns -1 if the queue is empty. */
    int take() {
        if (size == 0) {
            return -1;
        }
        int slot = slots[head];
        head = head + 1 & slots.length - 1;
        size--;
        return slot;
    }

    int size() {
        return size;
    }
}
