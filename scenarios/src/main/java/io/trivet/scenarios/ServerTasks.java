package io.trivet.scenarios;

import java.time.Duration;
import java.util.PriorityQueue;
import java.util.concurrent.RejectedExecutionException;

/** The application's tasks that belong to no connection. */
final class ServerTasks {
    private final RunContext context;
    private final ServerUnderTest server;
    private final PriorityQueue<ApplicationTimer> pending = ApplicationTimer.queue();

    ServerTasks(RunContext context, ServerUnderTest server) {
        this.context = context;
        this.server = server;
    }

    /** Runs a task, schedules two more, and cancels one of these. */
    void executeAndSchedule(long delayNanos) {
        try {
            execute();
            ApplicationTimer cancelled = schedule(delayNanos);
            schedule(delayNanos / 2);
            if (!cancelled.cancel()) {
                context.failures.report(Rule.CALLBACKS, server + ": cancel returns false for a task that has not run");
            }
            pending.remove(cancelled);
        } catch (RejectedExecutionException e) {
            if (!server.isEnding()) {
                context.failures.report(Rule.CRASH, server + " is open and rejects a task", e);
            }
        }
    }

    private void execute() {
        server.instance().execute(() -> {
            server.tasksLeft--;
            server.counters.task();
            context.progress++;
            checkLoop();
        });
        server.tasksLeft++;
    }

    private ApplicationTimer schedule(long delayNanos) {
        ApplicationTimer timer = new ApplicationTimer(context.now() + delayNanos);
        CheckedLoop loop = server.turningLoop();
        if (loop != null && context.currentLoop == RunContext.loopKey(server.plan.number(), 0)) {
            loop.schedules(timer);
        }
        timer.task(server.instance().schedule(Duration.ofNanos(delayNanos), () -> {
            pending.remove(timer);
            CallbackChecker.timerRuns(context, timer, server);
            timerStarts(timer);
            checkLoop();
            context.runsTimer = false;
        }));
        pending.add(timer);
        return timer;
    }

    private void timerStarts(ApplicationTimer timer) {
        CheckedLoop loop = server.turningLoop();
        if (loop != null) {
            loop.timerStarts(timer, server);
        }
    }

    private void checkLoop() {
        boolean first = context.currentLoop == RunContext.loopKey(server.plan.number(), 0);
        if (!first && context.currentLoop != RunContext.OUTSIDE) {
            context.failures.report(Rule.CALLBACKS, server + ": a task of no connection runs on loop " + context.currentLoop);
        }
    }

    /**
     * Called after a turn of the first loop. Checks that no task is overdue. A server that is ending drops the tasks that are not
     * due.
     */
    void checkOverdue() {
        ApplicationTimer first = pending.peek();
        if (first != null && !server.isEnding()) {
            CallbackChecker.timerWaits(context, first, server);
        }
    }
}
