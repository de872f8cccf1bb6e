package io.trivet.linux;

import java.util.Arrays;

/** Small numbers, first in, first out. One thread. */
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

    /** The first, or -1 when it is empty. */
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
