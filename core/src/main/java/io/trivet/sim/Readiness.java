package io.trivet.sim;

import io.trivet.net.Interest;
import io.trivet.sim.Torture.Fault;

/** What is done to the answers of a poll or a three-list call. */
final class Readiness {
    /** Events that say more than this say something about the end of a connection: they are left alone. */
    private static final int ORDINARY = Interest.ALL;

    private Readiness() {}

    /** Takes READ and WRITE out of some answers, never out of all; those that are left with nothing become 0. */
    static void delay(Dice dice, int[] events, int count) {
        int left = 0;
        int emptied = 0;
        int restoredIndex = -1;
        int restoredEvents = 0;
        for (int i = 0; i < count; i++) {
            int before = events[i];
            if (before == 0) {
                continue;
            }
            events[i] = delayed(dice, before);
            if (events[i] != 0) {
                left++;
            } else if (dice.below(++emptied) == 0) { // each of them with the same chance to be given back
                restoredIndex = i;
                restoredEvents = before;
            }
        }
        if (left == 0 && restoredIndex >= 0) {
            events[restoredIndex] = restoredEvents;
        }
    }

    private static int delayed(Dice dice, int events) {
        if ((events & ~ORDINARY) != 0) {
            return events;
        }
        int late = 0;
        for (int bit = Interest.READ; bit <= Interest.WRITE; bit <<= 1) {
            if ((events & bit) != 0 && dice.wants(Fault.LATE_EVENT)) {
                dice.count(Fault.LATE_EVENT);
                late |= bit;
            }
        }
        return events & ~late;
    }

    /** Which events are to be reported though they do not hold, should somebody watch them. */
    static int wanted(Dice dice) {
        return (dice.wants(Fault.SPURIOUS_READ) ? Interest.READ : 0) | (dice.wants(Fault.SPURIOUS_WRITE) ? Interest.WRITE : 0);
    }

    /** One of the wanted events that an open socket is watched for, and which may be reported; 0: there is none. */
    static int spurious(Dice dice, TorturedSocket<?> socket, int interest, int wanted) {
        int candidates = socket.isOpen() ? socket.mayBeSpurious(interest) & wanted : 0;
        return candidates == (Interest.READ | Interest.WRITE) ? Interest.READ << dice.below(2) : candidates;
    }

    /** Such an event was reported. */
    static void countSpurious(Dice dice, int event) {
        dice.count(event == Interest.READ ? Fault.SPURIOUS_READ : Fault.SPURIOUS_WRITE);
    }
}
