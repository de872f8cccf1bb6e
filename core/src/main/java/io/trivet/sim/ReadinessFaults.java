package io.trivet.sim;

import io.trivet.net.Interest;

/** What is done to the answers of a poll or a three-list call. */
final class ReadinessFaults {
    /** Events that say more than this say something about the end of a connection: they are left alone. */
    private static final int ORDINARY = Interest.ALL;

    private ReadinessFaults() {}

    /** Takes READ and WRITE out of some answers, never out of all; those that are left with nothing become 0. */
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
            } else if (injector.below(++emptied) == 0) { // each of them with the same chance to be given back
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

    /** Chooses READ or WRITE to report although it may not hold, from what is registered; 0 if neither may be. */
    static int spurious(TortureInjector injector, TorturedSocket<?> socket, int interest) {
        int candidates = socket.isOpen() ? socket.mayBeSpurious(interest) : 0;
        return candidates == (Interest.READ | Interest.WRITE) ? Interest.READ << injector.below(2) : candidates;
    }
}
