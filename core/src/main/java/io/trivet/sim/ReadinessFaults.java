package io.trivet.sim;

import io.trivet.net.Interest;

/** What the torture does to the answers of a poll or a three-list call. */
final class ReadinessFaults {
    /** Events with other bits than these concern the end of a connection and are left alone. */
    private static final int ORDINARY = Interest.ALL;

    private ReadinessFaults() {}

    /** Removes READ and WRITE from some answers, but never everything from all. An answer that is left with nothing becomes 0. */
    static void delay(TortureInjector injector, int[] events, int count) {
        int left = 0;
        int emptied = 0;
        int restoredIndex = -1;
        int restoredEvents = 0;
        for (int i = 0; i < count; i++) {
            int before = events[i];
            if (before == 0) {
                continue;
            }
            events[i] = delayed(injector, before);
            if (events[i] != 0) {
                left++;
            } else if (injector.below(++emptied) == 0) { // each of them has the same chance to be restored
                restoredIndex = i;
                restoredEvents = before;
            }
        }
        if (left == 0 && restoredIndex >= 0) {
            events[restoredIndex] = restoredEvents;
        }
    }

    private static int delayed(TortureInjector injector, int events) {
        if ((events & ~ORDINARY) != 0) {
            return events;
        }
        int late = 0;
        for (int bit = Interest.READ; bit <= Interest.WRITE; bit <<= 1) {
            if ((events & bit) != 0 && injector.shouldInject(Fault.READY_LATE)) {
                injector.count(Fault.READY_LATE);
                late |= bit;
            }
        }
        return events & ~late;
    }

    /** Draws READ or WRITE from what is registered, to be reported although it may not hold; 0 if neither may be. */
    static int spurious(TortureInjector injector, TorturedSocket<?> socket, int interest) {
        int candidates = socket.isOpen() ? socket.mayBeSpurious(interest) : 0;
        return candidates == (Interest.READ | Interest.WRITE) ? Interest.READ << injector.below(2) : candidates;
    }
}
