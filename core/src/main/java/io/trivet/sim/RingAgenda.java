package io.trivet.sim;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * What a ring has to look at, and when: the connections at which something may have changed, now or at a time, and whether a poll leaves
 * something to do of which nothing else would tell. It wakes the loop that sleeps on the ring.
 */
final class RingAgenda {
    private static final long LATE_NANOS_MIN = 1_000;
    private static final long LATE_NANOS_MAX = 10_000_000;

    private final Agenda.Event reminder = new Agenda.Event() {
        @Override
        void happen() {
            wake();
        }
    };

    private final Kernel kernel;
    private final Faults faults;
    private final Rota.WaitQueue waitQueue;
    /** Connections to look at: something may have changed. */
    private final ArrayDeque<RingConnection> touched = new ArrayDeque<>();
    /** Those to look at again at a time, and the earliest of these. */
    private final List<RingConnection> later = new ArrayList<>();
    private long laterNanos = Agenda.NEVER;
    /** There is something to do that nothing will tell of. */
    private boolean again;

    RingAgenda(SimHost host) {
        kernel = host.kernel;
        faults = host.faults;
        waitQueue = kernel.rota.waitQueue();
    }

    void wake() {
        waitQueue.wake();
        kernel.progress();
    }

    /** It is looked at when the ring is entered next. */
    void touch(RingConnection connection) {
        if (!connection.touched) {
            connection.touched = true;
            touched.addLast(connection);
            wake();
        }
    }

    /** It is looked at once more at a time to come. */
    void touchAt(RingConnection connection, long nanos) {
        later.add(connection);
        laterNanos = Math.min(laterNanos, nanos);
        remind(nanos);
    }

    /** Touches those whose time has come. All that have one are looked at then: who came too early is put off again. */
    void touchDue() {
        if (laterNanos <= kernel.now()) {
            laterNanos = Agenda.NEVER;
            for (int i = 0; i < later.size(); i++) {
                touch(later.get(i));
            }
            later.clear();
        } else if (laterNanos != Agenda.NEVER) {
            remind(laterNanos); // it may have been set for something else that came before
        }
    }

    /** How many have been touched; taking one may touch others, which stand behind these. */
    int touched() {
        return touched.size();
    }

    RingConnection takeTouched() {
        RingConnection connection = touched.removeFirst();
        connection.touched = false;
        return connection;
    }

    /** The next poll finds something, even if nothing happens until then. */
    void again() {
        again = true;
        kernel.progress();
    }

    /** Whether the poll leaves something to do; asked once in each round, since the next one does what was left. */
    boolean takeMore() {
        boolean more = again || !touched.isEmpty();
        again = false;
        return more;
    }

    /** A poll is over. */
    void polled(boolean leavesMore) {
        waitQueue.polled(!leavesMore);
    }

    /** Ends the sleep of whoever polls at a time to come, or sooner. */
    void remind(long nanos) {
        if (nanos > kernel.now() && (!reminder.isScheduled() || reminder.timeNanos() > nanos)) {
            kernel.agenda.schedule(reminder, nanos);
        }
    }

    /** A time soon, as late as a fault makes it. */
    long drawTime(Fault fault) {
        return kernel.now() + faults.random(fault).between(LATE_NANOS_MIN, LATE_NANOS_MAX);
    }

    void end() {
        kernel.agenda.cancel(reminder);
    }
}
