package io.trivet.sim;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * The work of a ring's next poll: the connections to visit, at once or at a later time. Also records whether a poll has left work
 * that the next poll must do, because no event will wake the loop for it. Wakes the loop that sleeps on the ring.
 */
final class RingSchedule {
    private static final long LATE_NANOS_MIN = 1_000;
    private static final long LATE_NANOS_MAX = 10_000_000;

    private final EventQueue.Event reminder = new EventQueue.Event() {
        @Override
        void fire() {
            wake();
        }
    };

    private final Kernel kernel;
    private final FaultInjector faults;
    private final LoopScheduler.WaitQueue waitQueue;
    /** The connections to visit when the ring is entered next, because something about them may have changed. */
    private final ArrayDeque<RingConnection> due = new ArrayDeque<>();
    /** The connections to visit at a later time, and the earliest of these times. */
    private final List<RingConnection> later = new ArrayList<>();
    private long laterNanos = EventQueue.NEVER;
    private boolean pollAgain;

    RingSchedule(SimHost host) {
        kernel = host.kernel;
        faults = host.faults;
        waitQueue = kernel.scheduler.waitQueue();
    }

    void wake() {
        waitQueue.wake();
        kernel.progress();
    }

    /** Schedules a visit for the next time that the ring is entered. */
    void visit(RingConnection connection) {
        if (!connection.scheduled) {
            connection.scheduled = true;
            due.addLast(connection);
            wake();
        }
    }

    /** Schedules a visit for a later time. */
    void visitAt(RingConnection connection, long nanos) {
        later.add(connection);
        laterNanos = Math.min(laterNanos, nanos);
        wakeAt(nanos);
    }

    /** If any later visit is due, schedules all of {@link #later}. Connections that are visited too early are scheduled again. */
    void visitDue() {
        if (laterNanos <= kernel.now()) {
            laterNanos = EventQueue.NEVER;
            for (int i = 0; i < later.size(); i++) {
                visit(later.get(i));
            }
            later.clear();
        } else if (laterNanos != EventQueue.NEVER) {
            wakeAt(laterNanos); // the reminder may have been used for an earlier time
        }
    }

    /** Returns how many connections are due. Visiting one may add others. */
    int pending() {
        return due.size();
    }

    RingConnection takeNext() {
        RingConnection connection = due.removeFirst();
        connection.scheduled = false;
        return connection;
    }

    /** Records that the next poll has work to do, even if no event occurs until then. */
    void pollAgain() {
        pollAgain = true;
        kernel.progress();
    }

    /** Returns whether this round of a poll leaves work for the next round, and resets that record. */
    boolean takePollAgain() {
        boolean again = pollAgain || !due.isEmpty();
        pollAgain = false;
        return again;
    }

    /** Called at the end of a poll. */
    void polled(boolean leavesWork) {
        waitQueue.polled(!leavesWork);
    }

    /** Wakes the polling loop at the given time, or earlier. */
    void wakeAt(long nanos) {
        if (nanos > kernel.now() && (!reminder.isScheduled() || reminder.timeNanos() > nanos)) {
            kernel.events.schedule(reminder, nanos);
        }
    }

    /** Draws a time in the near future, for a fault that delays something. */
    long drawLateTime(Fault fault) {
        return kernel.now() + faults.random(fault).between(LATE_NANOS_MIN, LATE_NANOS_MAX);
    }

    void end() {
        kernel.events.cancel(reminder);
    }
}
