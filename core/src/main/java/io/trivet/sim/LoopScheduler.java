package io.trivet.sim;

import io.trivet.net.Loop;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The loops of a network, and whose turn it is. A loop that has polled, and found nothing to do, sleeps as a thread does that waits in the
 * kernel: until something happens to what it polled, or its deadline comes. A loop that polls nothing never sleeps: what it waits for is
 * not known.
 */
final class LoopScheduler {
    /** A loop, and whether it sleeps. */
    private static final class ScheduledLoop {
        final Loop loop;
        boolean awake = true;
        /** It has polled on its turn. */
        boolean polled;
        /** Asleep: when it is woken at the latest. */
        long dueNanos = EventQueue.NEVER;

        ScheduledLoop(Loop loop) {
            this.loop = loop;
        }
    }

    /** Where a loop sleeps: belongs to a poller or a ring, which wakes it. */
    static final class WaitQueue {
        private final LoopScheduler scheduler;
        private @Nullable ScheduledLoop seat;
        /** Several loops poll it: none of them sleeps. */
        private boolean isShared;

        private WaitQueue(LoopScheduler scheduler) {
            this.scheduler = scheduler;
        }

        /**
         * It was polled.
         *
         * @param quiet whether nothing is left that the next poll would find, even if nothing happens
         */
        void polled(boolean quiet) {
            ScheduledLoop now = scheduler.current;
            if (now == null) {
                return; // not by a loop
            }
            if (seat != null && seat != now) {
                isShared = true;
                seat.awake = true;
            }
            seat = now;
            now.polled = true;
            now.awake |= !quiet || isShared;
        }

        void wake() {
            if (seat != null) {
                seat.awake = true;
            }
        }
    }

    private final SimClock clock;
    private final SimRandom order;
    private ScheduledLoop[] seats = new ScheduledLoop[0];
    /** Those whose turn it is in this round. */
    private ScheduledLoop[] turns = new ScheduledLoop[0];
    private @Nullable ScheduledLoop current;

    LoopScheduler(SimClock clock, SimRandom order) {
        this.clock = clock;
        this.order = order;
    }

    WaitQueue waitQueue() {
        return new WaitQueue(this);
    }

    void add(Loop loop) {
        seats = Arrays.copyOf(seats, seats.length + 1);
        seats[seats.length - 1] = new ScheduledLoop(loop);
    }

    boolean isEmpty() {
        return seats.length == 0;
    }

    /** Whether a loop is being turned. */
    boolean isTurning() {
        return current != null;
    }

    /** Something has happened that may concern any of them. */
    void wakeAll() {
        for (ScheduledLoop seat : seats) {
            seat.awake = true;
        }
    }

    /** Turns every loop once that does not sleep, in an order drawn anew; how much they did. */
    long turn() throws IOException {
        int count = findAwake();
        long done = 0;
        try {
            for (int i = 0; i < count; i++) {
                int other = i + (i + 1 < count ? order.below(count - i) : 0);
                ScheduledLoop seat = turns[other];
                turns[other] = turns[i];
                turns[i] = seat;
                done += turn(seat);
            }
        } finally {
            current = null;
        }
        return done;
    }

    private int findAwake() {
        if (turns.length < seats.length) {
            turns = new ScheduledLoop[seats.length];
        }
        int count = 0;
        long now = clock.elapsedNanos();
        for (ScheduledLoop seat : seats) {
            if (seat.awake || seat.dueNanos <= now) {
                turns[count++] = seat;
            }
        }
        return count;
    }

    private int turn(ScheduledLoop seat) throws IOException {
        current = seat;
        seat.awake = false;
        seat.polled = false;
        int done = seat.loop.turn();
        if (done > 0 || !seat.polled) {
            seat.awake = true;
        } else if (!seat.awake) {
            seat.dueNanos = deadline(seat);
        }
        return done;
    }

    /** The first of all deadlines, asked for anew: whoever did something to a loop that sleeps may have changed it. */
    long nextDeadline() {
        long next = EventQueue.NEVER;
        for (ScheduledLoop seat : seats) {
            seat.dueNanos = deadline(seat);
            next = Math.min(next, seat.dueNanos);
        }
        return next;
    }

    private long deadline(ScheduledLoop seat) {
        long deadline = seat.loop.nextDeadline();
        return deadline == Loop.NO_DEADLINE ? EventQueue.NEVER : clock.elapsedAt(deadline);
    }
}
