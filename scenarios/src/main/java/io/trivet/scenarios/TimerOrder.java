package io.trivet.scenarios;

/**
 * The order of the timers that one loop runs in one turn: by their times, and at the same time as they were scheduled. A timer that
 * a timer schedules runs in a later turn, even without a delay.
 */
final class TimerOrder {
    private final RunContext context;
    /** The number of timers that have started in this turn, and the last of them. */
    private int started;
    private long lastDueNanos;
    private long lastNumber;

    TimerOrder(RunContext context) {
        this.context = context;
    }

    void beginTurn() {
        started = 0;
    }

    /** Returns true if timers have started in this turn. */
    boolean hasStarted() {
        return started > 0;
    }

    /** A timer runs. */
    void runs(ApplicationTimer timer, long turn, Object owner) {
        if (timer.scheduledInTurn == turn && timer.isScheduledByTimer) {
            context.failures.report(Rule.CALLBACKS, owner + ": a timer runs in the turn in which another timer has scheduled it");
        }
        // the number of a timer of another loop is given when the timer arrives
        boolean wrongOrder = started > 0 && (timer.dueNanos < lastDueNanos
                || (timer.dueNanos == lastDueNanos && timer.scheduledInTurn >= 0 && lastNumber > timer.number));
        if (wrongOrder) {
            context.failures.report(Rule.CALLBACKS, owner + ": a timer runs behind one that was due "
                    + (timer.dueNanos < lastDueNanos ? "later" : "at the same time, and was scheduled after it"));
        }
        started++;
        lastDueNanos = timer.dueNanos;
        lastNumber = timer.scheduledInTurn >= 0 ? timer.number : -1;
    }
}
