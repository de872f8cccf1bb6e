package io.trivet.sim;

import io.trivet.net.Interest;

/** Injects the torture network's readiness faults into the events of a poll or a three-list call. */
final class ReadinessFaults {
    /** The bits that may be delayed. An event with other bits reports the end of a connection, and is left unchanged. */
    private static final int ORDINARY = Interest.ALL;

    private ReadinessFaults() {}

    /** Removes READ or WRITE from some events. At least one event remains. An event that loses all its bits becomes 0. */
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
            } else if (injector.below(++emptied) == 0) { // each emptied event has the same chance to be restored
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

    /** Draws READ or WRITE from an interest, to be reported although the socket may not be ready; 0 if neither is allowed. */
    static int spurious(TortureInjector injector, TorturedSocket<?> socket, int interest) {
        int candidates = socket.isOpen() ? socket.mayBeSpurious(interest) : 0;
        return candidates == (Interest.READ | Interest.WRITE) ? Interest.READ << injector.below(2) : candidates;
    }
}
