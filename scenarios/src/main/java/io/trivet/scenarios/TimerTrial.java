package io.trivet.scenarios;

import io.trivet.net.Loop;
import io.trivet.observe.ConnectionState;
import io.trivet.server.Connection;
import io.trivet.server.ScheduledTask;
import io.trivet.server.Server;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Timers of a server and of its connections: they run in the order of their times, and those with the same time in the order in
 * which they were scheduled; exactly when they are due, once, and not after a cancel or the end of their connection.
 */
final class TimerTrial implements Trial {
    private static final long MILLI = 1_000_000;
    private static final int PER_TURN_MAX = 1024;
    private static final int PER_CONNECTION_MAX = 1 << 16;
    /** One in this number of trials schedules as many timers of a connection as there may be. */
    private static final int MANY_ONE_IN = 20;

    /** What a timer does in addition. */
    private enum Deed {
        NOTHING, THROWS, CANCELS_LAST, CLOSES_OWNER
    }

    private static final class Planned {
        final int number;
        final long dueNanos;
        /** Null if it belongs to the server. */
        final TrialHandler.@Nullable Seen owner;
        /** How often it schedules another one without a delay when it runs. */
        final int children;
        final Deed deed;
        @Nullable ScheduledTask task;
        /** The timer that it cancels, or null. */
        @Nullable Planned target;

        Planned(int number, long dueNanos, TrialHandler.@Nullable Seen owner, int children, Deed deed) {
            this.number = number;
            this.dueNanos = dueNanos;
            this.owner = owner;
            this.children = children;
            this.deed = deed;
        }
    }

    @Override
    public void run(TrialRun run) throws IOException {
        new Steps(run).perform();
    }

    private static final class Steps {
        final TrialRun run;
        final TrialNetwork network;
        final TrialHandler handler = new TrialHandler();
        final Server server;
        final TreeSet<Planned> pending = new TreeSet<>(
                Comparator.<Planned>comparingLong(each -> each.dueNanos).thenComparingInt(each -> each.number));
        final List<Planned> over = new ArrayList<>();
        final List<Integer> ran = new ArrayList<>();
        private final Set<Planned> cancelled = new LinkedHashSet<>();
        private int numbers;

        Steps(TrialRun run) throws IOException {
            this.run = run;
            network = run.anyNetwork();
            server = run.builder(network, handler, LIMITS).open();
            for (int i = 0; i < 3; i++) {
                TrialClient.connect(run, run.address);
            }
            network.settle();
        }

        void perform() throws IOException {
            int steps = run.random.between(5, 30);
            for (int i = 0; i < steps && !run.hasFailed(); i++) {
                step();
                checkDeadline();
            }
            if (run.random.below(MANY_ONE_IN) == 0 && !run.hasFailed()) {
                scheduleMany();
            }
            run.close(network, server);
        }

        private void step() throws IOException {
            SeededRandom random = run.random;
            switch (random.below(6)) {
                case 0, 1 -> {
                    boolean many = random.chance(3); // more than run in a turn
                    int count = many ? PER_TURN_MAX + random.between(-1, 60) : random.chance(10) ? random.between(1, 40)
                            : random.between(1, 4);
                    for (int i = 0; i < count; i++) {
                        schedule(random.number(0, 0, 1, 1, 5) * random.logUniform(1, 20 * MILLI), random.chance(20) ? 2 : 0);
                    }
                }
                case 2 -> cancel();
                case 3 -> {
                    if (random.chance(30)) {
                        close();
                    }
                }
                default -> pass();
            }
        }

        private void schedule(long delayNanos, int children) {
            TrialHandler.Seen owner = run.random.chance(40) ? null : handler.all.get(run.random.below(handler.all.size()));
            if (owner != null && !owner.isOpen()) {
                return;
            }
            schedule(owner, delayNanos, children);
        }

        private void schedule(TrialHandler.@Nullable Seen owner, long delayNanos, int children) {
            Deed deed = children > 0 || !run.random.chance(8) ? Deed.NOTHING : run.random.chance(60) ? Deed.CANCELS_LAST
                    : owner == null ? Deed.THROWS : Deed.CLOSES_OWNER;
            Planned planned = new Planned(numbers++, network.now() + delayNanos, owner, children, deed);
            Duration delay = Duration.ofNanos(delayNanos);
            planned.task = owner == null ? server.schedule(delay, () -> runs(planned))
                    : owner.connection.schedule(delay, () -> runs(planned));
            pending.add(planned);
            run.log("timer " + planned.number + " of " + (owner == null ? "the server" : "connection " + owner.number) + " in "
                    + ReportText.duration(delayNanos));
        }

        private void runs(Planned planned) {
            ran.add(planned.number);
            if (planned.children > 0) {
                schedule(planned.owner, 0, planned.children - 1);
            }
            TrialHandler.Seen owner = planned.owner;
            Planned target = planned.target;
            if (target != null) {
                run.same(Rule.CALLBACKS, "cancel of timer " + target.number + " by another one", cancel(target), true);
            }
            if (planned.deed == Deed.CLOSES_OWNER && owner != null) {
                owner.connection.close();
            }
            if (planned.deed == Deed.THROWS) {
                throw new IllegalStateException("drawn");
            }
        }

        /** Called when it is known that a timer is going to run. */
        private void foresee(Planned planned, Set<TrialHandler.Seen> closed) {
            if (planned.deed == Deed.CANCELS_LAST && !pending.isEmpty()) {
                Planned target = pending.last();
                planned.target = target;
                cancelled.add(target);
                pending.remove(target);
                over.add(target);
            }
            TrialHandler.Seen owner = planned.owner;
            if (planned.deed == Deed.CLOSES_OWNER && owner != null) {
                dropTimersOf(owner);
                closed.add(owner);
            }
        }

        private void dropTimersOf(TrialHandler.Seen owner) {
            pending.removeIf(each -> {
                boolean gone = each.owner == owner;
                if (gone) {
                    over.add(each);
                }
                return gone;
            });
        }

        private void cancel() {
            if (!pending.isEmpty() && run.random.chance(70)) {
                int at = run.random.below(pending.size());
                Planned chosen = pending.stream().skip(at).findFirst().orElseThrow();
                run.log("timer " + chosen.number + " is cancelled");
                run.same(Rule.CALLBACKS, "cancel of timer " + chosen.number, cancel(chosen), true);
                pending.remove(chosen);
                over.add(chosen);
            } else if (!over.isEmpty()) {
                Planned chosen = over.get(run.random.below(over.size()));
                run.same(Rule.CALLBACKS, "cancel of timer " + chosen.number + ", which is over", cancel(chosen), false);
            }
        }

        private static boolean cancel(Planned planned) {
            ScheduledTask task = planned.task;
            return task != null && task.cancel();
        }

        private void close() throws IOException {
            TrialHandler.Seen chosen = handler.all.get(run.random.below(handler.all.size()));
            Connection connection = chosen.connection;
            if (connection.state() != ConnectionState.OPEN) {
                return;
            }
            run.log("connection " + chosen.number + " is closed");
            dropTimersOf(chosen);
            connection.close();
            turnAndCheck();
        }

        /** Lets time pass until just before a timer, or until it, or for some time. */
        private void pass() throws IOException {
            long next = pending.isEmpty() ? network.now() : pending.first().dueNanos;
            long by = run.random.chance(60) ? next - network.now() - run.random.number(0, 0, 1)
                    : run.random.logUniform(1, 30 * MILLI);
            network.pass(Math.max(0, by));
            run.log(ReportText.duration(Math.max(0, by)) + " pass");
            turnAndCheck();
        }

        private void turnAndCheck() throws IOException {
            ran.clear();
            List<Integer> expected = new ArrayList<>();
            int before = numbers;
            Set<TrialHandler.Seen> closed = new LinkedHashSet<>();
            int done = 0; // with the timers of connections that others have just closed, which do not run
            for (Planned each : List.copyOf(pending)) {
                boolean isDropped = each.owner != null && closed.contains(each.owner) && !cancelled.contains(each);
                if (each.dueNanos <= network.now() && done < PER_TURN_MAX && (isDropped || pending.contains(each))) {
                    done++;
                    if (!isDropped) {
                        expected.add(each.number);
                        pending.remove(each);
                        over.add(each);
                        foresee(each, closed);
                    }
                }
            }
            network.turn(0);
            closed.forEach(this::dropTimersOf); // those that were scheduled in this turn
            run.same(Rule.CALLBACKS, "the timers that run in one turn", ran, expected);
            for (int i = 0; i < 3 && numbers > before && !run.hasFailed(); i++) { // those that others have scheduled
                before = numbers;
                turnAndCheck();
            }
        }

        /** Timers that are cancelled at once, and those of a connection that is closed, leave no trace, however many there are. */
        private void scheduleMany() {
            TrialHandler.Seen owner = handler.all.get(run.random.below(handler.all.size()));
            boolean isOpen = owner.isOpen() && owner.connection.state() == ConnectionState.OPEN;
            run.reached(isOpen ? "MANY_TIMERS_CANCELLED" : "MANY_TIMERS_OF_CLOSED");
            long waiting = pending.stream().filter(each -> each.owner == owner).count();
            int accepted = 0;
            try {
                for (; accepted <= PER_CONNECTION_MAX; accepted++) {
                    ScheduledTask task = owner.connection.schedule(Duration.ofSeconds(1), () -> {});
                    if (isOpen) {
                        task.cancel();
                    }
                }
            } catch (RejectedExecutionException e) {
                run.fail(Rule.CAPS, "a timer is rejected although only " + waiting + " wait, after " + accepted + " timers of "
                        + (isOpen ? "an open connection that were cancelled" : "a closed connection"));
            }
        }

        private void checkDeadline() {
            long next = network.nextDeadline(0);
            long expected = pending.isEmpty() ? Loop.NO_DEADLINE : pending.first().dueNanos;
            boolean hasWork = next == network.now();
            if (!hasWork && next != expected) {
                run.fail(Rule.DEADLINES, "the next deadline is " + next + " instead of " + expected);
            }
        }
    }
}
