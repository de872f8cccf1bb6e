package io.trivet.scenarios;

import io.trivet.server.ScheduledTask;
import java.util.Comparator;
import java.util.Objects;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/** A task that the application has scheduled, and its outcome. */
final class ApplicationTimer {
    final long dueNanos;
    /** The turn of its own loop in which it was scheduled; -1 if from elsewhere. */
    long scheduledInTurn = -1;
    /** Its number among those that were scheduled in turns of the same loop. */
    long number;
    boolean isScheduledByTimer;
    boolean cancelled;
    boolean hasRun;
    private @Nullable ScheduledTask task;

    ApplicationTimer(long dueNanos) {
        this.dueNanos = dueNanos;
    }

    /** Returns a queue of timers, earliest first. */
    static PriorityQueue<ApplicationTimer> queue() {
        return new PriorityQueue<>(2, Comparator.comparingLong(timer -> timer.dueNanos));
    }

    void task(ScheduledTask scheduled) {
        task = scheduled;
    }

    /** Returns true if the task has run or was cancelled. */
    boolean isOver() {
        return cancelled || hasRun;
    }

    boolean cancel() {
        boolean done = Objects.requireNonNull(task).cancel();
        cancelled |= done;
        return done;
    }
}
