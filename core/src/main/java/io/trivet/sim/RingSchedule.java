package io.trivet.sim;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * What a ring has to do when it is polled next: the connections to visit, now or at a later time, and whether a poll leaves work
 * that no event will announce. It wakes the loop that sleeps on the ring.
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
    /** The connections to visit when the ring is entered: something may have changed. */
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

    /** Visits a connection when the ring is entered next. */
    void visit(RingConnection connection) {
        if (!connection.scheduled) {
            connection.scheduled = true;
            due.addLast(connection);
            wake();
        }
    }

    /** Visits a connection at a later time. */
    void visitAt(RingConnection connection, long nanos) {
        later.add(connection);
        laterNanos = Math.min(laterNanos, nanos);
        wakeAt(nanos);
    }

    /** Schedules the connections whose time has come. All of {@link #later} are visited then: those that are early wait again. */
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

    /** Returns how many connections are due. Taking one may append others. */
    int pending() {
        return due.size();
    }

    RingConnection takeNext() {
        RingConnection connection = due.removeFirst();
        connection.scheduled = false;
        return connection;
    }

    /** Notes that the next poll finds work, even if nothing happens until then. */
    void pollAgain() {
        pollAgain = true;
        kernel.progress();
    }

    /** Returns whether this round of a poll leaves work, and forgets it: the next round does that work. */
    boolean takePollAgain() {
        boolean again = pollAgain || !due.isEmpty();
        pollAgain = false;
        return again;
    }

    /** Called at the end of a poll. */
    void polled(boolean leavesWork) {
        waitQueue.polled(!leavesWork);
    }

    /** Ends the sleep of the polling loop at that time at the latest. */
    void wakeAt(long nanos) {
        if (nanos > kernel.now() && (!reminder.isScheduled() || reminder.timeNanos() > nanos)) {
            kernel.events.schedule(reminder, nanos);
        }
    }

    /** Returns a time in the near future, drawn for a fault that delays something. */
    long drawLateTime(Fault fault) {
        return kernel.now() + faults.random(fault).between(LATE_NANOS_MIN, LATE_NANOS_MAX);
    }

    void end() {
        kernel.events.cancel(reminder);
    }
}
