package io.trivet.sim;

import io.trivet.net.Loop;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Decides which of the attached loops to turn. A loop that has polled and found nothing sleeps, like a thread that waits in the
 * kernel, until an event concerns what it polled, or its deadline is due. A loop that polls nothing never sleeps, because the
 * scheduler does not know what it waits for.
 */
final class LoopScheduler {
    private static final class ScheduledLoop {
        final Loop loop;
        boolean awake = true;
        /** The loop has polled in its current turn. */
        boolean polled;
        /** While asleep: the latest time to wake it. */
        long dueNanos = EventQueue.NEVER;

        ScheduledLoop(Loop loop) {
            this.loop = loop;
        }
    }

    /** The wait queue of a poller or a ring: a loop that polls it sleeps here until it is woken. */
    static final class WaitQueue {
        private final LoopScheduler scheduler;
        private @Nullable ScheduledLoop waiter;
        /** Several loops poll the same poller or ring, so none of them sleeps. */
        private boolean isShared;

        private WaitQueue(LoopScheduler scheduler) {
            this.scheduler = scheduler;
        }

        /**
         * Called at the end of a poll.
         *
         * @param maySleep true if another poll would find nothing until an event occurs
         */
        void polled(boolean maySleep) {
            ScheduledLoop now = scheduler.current;
            if (now == null) {
                return; // not polled by a loop
            }
            if (waiter != null && waiter != now) {
                isShared = true;
                waiter.awake = true;
            }
            waiter = now;
            now.polled = true;
            now.awake |= !maySleep || isShared;
        }

        void wake() {
            if (waiter != null) {
                waiter.awake = true;
            }
        }
    }

    private final SimClock clock;
    private final SimRandom order;
    private ScheduledLoop[] loops = new ScheduledLoop[0];
    /** The loops to turn in this round. */
    private ScheduledLoop[] awake = new ScheduledLoop[0];
    private @Nullable ScheduledLoop current;

    LoopScheduler(SimClock clock, SimRandom order) {
        this.clock = clock;
        this.order = order;
    }

    WaitQueue waitQueue() {
        return new WaitQueue(this);
    }

    void add(Loop loop) {
        loops = Arrays.copyOf(loops, loops.length + 1);
        loops[loops.length - 1] = new ScheduledLoop(loop);
    }

    boolean isEmpty() {
        return loops.length == 0;
    }

    /** Returns whether a loop is being turned. */
    boolean isTurning() {
        return current != null;
    }

    /** Wakes all loops. Called after a change that may concern any of them. */
    void wakeAll() {
        for (ScheduledLoop each : loops) {
            each.awake = true;
        }
    }

    /** Turns each loop that is awake once, in random order. Returns how much work they did. */
    long turn() throws IOException {
        int count = findAwake();
        long done = 0;
        try {
            for (int i = 0; i < count; i++) {
                int other = i + (i + 1 < count ? order.below(count - i) : 0);
                ScheduledLoop next = awake[other];
                awake[other] = awake[i];
                awake[i] = next;
                done += turn(next);
            }
        } finally {
            current = null;
        }
        return done;
    }

    private int findAwake() {
        if (awake.length < loops.length) {
            awake = new ScheduledLoop[loops.length];
        }
        int count = 0;
        long now = clock.elapsedNanos();
        for (ScheduledLoop each : loops) {
            if (each.awake || each.dueNanos <= now) {
                awake[count++] = each;
            }
        }
        return count;
    }

    private int turn(ScheduledLoop turned) throws IOException {
        current = turned;
        turned.awake = false;
        turned.polled = false;
        int done = turned.loop.turn();
        if (done > 0 || !turned.polled) {
            turned.awake = true;
        } else if (!turned.awake) {
            turned.dueNanos = deadline(turned);
        }
        return done;
    }

    /**
     * Returns the earliest deadline of all loops. Asks each loop again, because a call from outside may have changed the deadline
     * of a sleeping one.
     */
    long nextDeadline() {
        long next = EventQueue.NEVER;
        for (ScheduledLoop each : loops) {
            each.dueNanos = deadline(each);
            next = Math.min(next, each.dueNanos);
        }
        return next;
    }

    private long deadline(ScheduledLoop scheduled) {
        long deadline = scheduled.loop.nextDeadline();
        return deadline == Loop.NO_DEADLINE ? EventQueue.NEVER : clock.elapsedAt(deadline);
    }
}
