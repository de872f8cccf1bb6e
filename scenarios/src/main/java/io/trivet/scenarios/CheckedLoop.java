package io.trivet.scenarios;

import io.trivet.net.Loop;
import java.io.IOException;

/** A loop of a server, with the checks that follow each of its turns. */
final class CheckedLoop implements Loop {
    /** The maximum number of consecutive turns that find a deadline due and do nothing. */
    private static final int IDLE_TURNS_MAX = 16;
    /** The maximum number of consecutive turns that do something without any progress. */
    private static final int TURNS_WITHOUT_PROGRESS_MAX = 1_000;
    /** The maximum number of callbacks that the application's own calls cause without any other progress. */
    private static final int CALLBACKS_WITHOUT_PROGRESS_MAX = 20_000;

    private static final long ENDS_WITHIN_NANOS = 1_000_000;
    private static final int TURNS_OVERDUE_MAX = 8;

    /** How often a loop with nothing to do is checked. */
    private static final long CHECK_INTERVAL_NANOS = 50_000_000;

    private final RunContext context;
    private final ServerUnderTest server;
    private final int number;
    private final Loop loop;
    private final CheckedProactor proactor;
    private final LoopStateChecker stateChecker;
    private long checkNanos;
    /** When the loop was turned last. */
    private long turnedNanos;
    private long turnCount;
    private long timers;
    private final TimerOrder timerOrder;
    private boolean receivesUnknownBroadcast;
    /** During a turn: it handles such a broadcast, before or after the current callback. */
    private boolean handlesUnknownBroadcast;
    private int turnsOverdue;
    private int idleTurns;
    private int turnsWithoutProgress;
    private long callbacksWithoutProgress;
    /** The deadline that the loop has asked for, by its network's clock; {@link #NO_DEADLINE} if it waits for events only. */
    private long sleepsUntil;

    CheckedLoop(RunContext context, ServerUnderTest server, int number, Loop loop, CheckedProactor proactor) {
        this.context = context;
        this.server = server;
        this.number = number;
        this.loop = loop;
        this.proactor = proactor;
        sleepsUntil = context.clock.nanoTime();
        timerOrder = new TimerOrder(context);
        stateChecker = new LoopStateChecker(context, server, proactor, RunContext.loopKey(server.plan.number(), number));
    }

    @Override
    public int turn() throws IOException {
        context.currentLoop = RunContext.loopKey(server.plan.number(), number);
        context.detectClockJump();
        boolean isCheckDue = context.now() >= checkNanos;
        if (isCheckDue && context.jumpedNanos() <= turnedNanos) {
            stateChecker.checkBeforeTurn();
        }
        turnedNanos = context.now();
        // With a single loop, an external action comes from the loop's own thread, which is awake then.
        boolean awake = proactor.takeWakeup() || isOver(server.plan.loops() == 1 ? loop.nextDeadline() : sleepsUntil);
        turnCount++;
        timerOrder.beginTurn();
        handlesUnknownBroadcast = receivesUnknownBroadcast;
        receivesUnknownBroadcast = false;
        long progressBefore = context.progress;
        long selfCausedCallbacksBefore = context.selfCausedCallbacks;
        int done;
        try {
            done = loop.turn();
        } finally {
            context.currentLoop = RunContext.OUTSIDE;
        }
        if (handlesUnknownBroadcast) {
            server.broadcasts.handledUnobserved(number);
            handlesUnknownBroadcast = false;
        }
        if (done > 0 || isCheckDue) {
            stateChecker.check();
        }
        if (isCheckDue) {
            // the same times for all loops, so that fewer turns are needed
            checkNanos = (context.now() / CHECK_INTERVAL_NANOS + 1) * CHECK_INTERVAL_NANOS;
        }
        if (done > 0 && !awake && proactor.completionCount() == 0) {
            context.failures.report(Rule.LIVENESS,
                    this + " has " + done + " things to do, but nothing has woken it: on a kernel it would still sleep");
        }
        if (server.isBudgetScarce()) {
            server.resetBudgetBound();
        }
        sleepsUntil = loop.nextDeadline();
        checkEnding();
        callbacksWithoutProgress = context.progress != progressBefore ? 0
                : callbacksWithoutProgress + context.selfCausedCallbacks - selfCausedCallbacksBefore;
        guardAgainstSpin(done, context.progress != progressBefore);
        context.failures.abortIfFailed();
        return done;
    }

    /** Called when this loop, in a turn, schedules a timer of its own. */
    void schedules(ApplicationTimer timer) {
        timer.scheduledInTurn = turnCount;
        timer.number = timers++;
        timer.isScheduledByTimer = timerOrder.hasStarted() && context.runsTimer;
    }

    /** Called when this loop runs a timer, before the timer's task. */
    void timerStarts(ApplicationTimer timer, Object owner) {
        timerOrder.runs(timer, turnCount, owner);
        context.runsTimer = true;
    }

    /** Returns how often the loop was turned. */
    long turnCount() {
        return turnCount;
    }

    /** Returns true if the loop must not judge deadlines of peers in this turn. */
    boolean mustNotJudge() {
        return proactor.mustNotJudge();
    }

    /** Returns the number of polls of its proactor, and of the completions that these have delivered. */
    long polls() {
        return proactor.completedPolls();
    }

    long completions() {
        return proactor.completions();
    }

    boolean anyCloseOverdue() {
        return proactor.anyCloseOverdue();
    }

    /** Called before a turn that handles a broadcast, if the loop has served no connection on which a task could observe it. */
    void receivesUnknownBroadcast() {
        receivesUnknownBroadcast = true;
    }

    /** Returns true if the loop is in a turn that handles such a broadcast. */
    boolean handlesUnknownBroadcast() {
        return handlesUnknownBroadcast;
    }

    /**
     * Checks that a draining server is closed at its deadline. The close may take a few turns, since its loops end one after the
     * other.
     */
    private void checkEnding() {
        boolean overdue = server.draining && context.now() - server.endDeadlineNanos > ENDS_WITHIN_NANOS
                && !server.instance().isClosed();
        turnsOverdue = overdue ? turnsOverdue + 1 : 0;
        if (turnsOverdue > TURNS_OVERDUE_MAX) {
            context.failures.report(Rule.DEADLINES, server + " is still draining; its deadline passed "
                    + ReportText.duration(context.now() - server.endDeadlineNanos) + " ago");
        }
    }

    private void guardAgainstSpin(int done, boolean progress) {
        boolean isIdle = done == 0 && isOver(sleepsUntil);
        idleTurns = isIdle ? idleTurns + 1 : 0;
        if (idleTurns > IDLE_TURNS_MAX) {
            context.failures.report(Rule.SPIN, this + " reports a due deadline and does nothing, "
                    + idleTurns + " turns in a row");
        }
        turnsWithoutProgress = done > 0 && !progress ? turnsWithoutProgress + 1 : 0;
        if (turnsWithoutProgress > TURNS_WITHOUT_PROGRESS_MAX) {
            context.failures.report(Rule.SPIN,
                    this + " has turned " + turnsWithoutProgress + " times in a row without progress");
        }
        if (callbacksWithoutProgress > CALLBACKS_WITHOUT_PROGRESS_MAX) {
            context.failures.report(Rule.SPIN, this + " has called onDropped or onDrained " + callbacksWithoutProgress
                    + " times without other progress");
        }
    }

    private boolean isOver(long due) {
        return due != NO_DEADLINE && due - context.clock.nanoTime() <= 0;
    }

    /** Returns the loop's own deadline. While there are connections, the loop is turned for checks as well. */
    @Override
    public long nextDeadline() {
        long own = loop.nextDeadline();
        if (server.connections().isEmpty()) {
            return own;
        }
        long look = context.deadline(checkNanos);
        return own == NO_DEADLINE || look - own < 0 ? look : own;
    }

    @Override
    public String toString() {
        return "loop " + number + " of server " + server.plan.number();
    }
}
