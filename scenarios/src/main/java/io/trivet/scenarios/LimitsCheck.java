package io.trivet.scenarios;

import io.trivet.server.Limits;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;

/** Limits that are changed one by one: each change changes one of them, and those that make no sense are refused. */
final class LimitsCheck {
    private final TrialRun run;

    LimitsCheck(TrialRun run) {
        this.run = run;
    }

    /** One limit: how it is set and read. */
    private record One(String name, Function<Limits, Limits> change, Function<Limits, Object> value, Object expected) {}

    private Duration time() {
        return Duration.ofNanos(run.random.logUniform(0, 10_000_000_000L));
    }

    void perform() {
        int number = run.random.between(1, 1 << 20);
        Duration time = time();
        List<One> all = List.of(
                new One("connectionsMax", limits -> limits.withConnectionsMax(number), Limits::connectionsMax, number),
                new One("connectionsPerAddressMax", limits -> limits.withConnectionsPerAddressMax(number - 1),
                        Limits::connectionsPerAddressMax, number - 1),
                new One("queueBudgetBytes", limits -> limits.withQueueBudgetBytes(number), Limits::queueBudgetBytes,
                        (long) number),
                new One("messageBytesMax", limits -> limits.withMessageBytesMax(number), Limits::messageBytesMax, number),
                new One("messageTimeout", limits -> limits.withMessageTimeout(time), Limits::messageTimeout, time),
                new One("firstMessageTimeout", limits -> limits.withFirstMessageTimeout(time), Limits::firstMessageTimeout, time),
                new One("idleTimeout", limits -> limits.withIdleTimeout(time), Limits::idleTimeout, time),
                new One("readIdleTimeout", limits -> limits.withReadIdleTimeout(time), Limits::readIdleTimeout, time),
                new One("writeTimeout", limits -> limits.withWriteTimeout(time), Limits::writeTimeout, time),
                new One("connectTimeout", limits -> limits.withConnectTimeout(time), Limits::connectTimeout, time),
                new One("lingerTimeout", limits -> limits.withLingerTimeout(time), Limits::lingerTimeout, time),
                new One("lingerBytesMax", limits -> limits.withLingerBytesMax(number), Limits::lingerBytesMax, (long) number),
                new One("handlerTimeout", limits -> limits.withHandlerTimeout(time), Limits::handlerTimeout, time));
        Limits limits = Limits.defaults();
        for (int i = 0; i < 3; i++) {
            limits = change(all, limits, all.get(run.random.below(all.size())));
        }
        queue(limits);
        refused();
    }

    private Limits change(List<One> all, Limits before, One changed) {
        Limits after = changed.change.apply(before);
        for (One each : all) {
            run.same(Rule.CALLBACKS, each.name + " after a change of " + changed.name, each.value.apply(after),
                    each.equals(changed) ? each.expected : each.value.apply(before));
        }
        run.same(Rule.CALLBACKS, "the queue after a change of " + changed.name, queueOf(after), queueOf(before));
        return after;
    }

    private static List<Integer> queueOf(Limits limits) {
        return List.of(limits.queueBytesMax(), limits.queueHighBytes(), limits.queueLowBytes());
    }

    /** The marks of a queue are lowered with its cap. */
    private void queue(Limits limits) {
        int low = run.random.between(0, 2_000);
        int high = run.random.between(Math.max(1, low), 3_000);
        int cap = run.random.between(1, 4_000);
        Limits marked = limits.withQueueMarks(high, low);
        run.same(Rule.CALLBACKS, "the marks", queueOf(marked), List.of(limits.queueBytesMax(), high, low));
        run.same(Rule.CALLBACKS, "the marks after a change of the cap", queueOf(marked.withQueueBytesMax(cap)),
                List.of(cap, Math.min(high, cap), Math.min(low, cap)));
        run.same(Rule.CALLBACKS, "other limits after a change of the queue", marked.withQueueBytesMax(cap),
                limits.withQueueBytesMax(cap).withQueueMarks(Math.min(high, cap), Math.min(low, cap)));
    }

    private void refused() {
        Limits limits = Limits.defaults();
        Duration negative = Duration.ofNanos(-1);
        List<Function<Limits, Limits>> wrong = List.of(each -> each.withConnectionsMax(0), each -> each.withQueueBytesMax(0),
                each -> each.withMessageBytesMax(0), each -> each.withQueueBudgetBytes(0), each -> each.withQueueMarks(0, 0),
                each -> each.withConnectionsPerAddressMax(-1), each -> each.withLingerBytesMax(-1),
                each -> each.withQueueMarks(10, -1), each -> each.withQueueMarks(10, 11),
                each -> each.withQueueMarks(each.queueBytesMax() + 1, 1), each -> each.withMessageTimeout(negative),
                each -> each.withFirstMessageTimeout(negative), each -> each.withIdleTimeout(negative),
                each -> each.withReadIdleTimeout(negative), each -> each.withWriteTimeout(negative),
                each -> each.withConnectTimeout(negative), each -> each.withLingerTimeout(negative),
                each -> each.withHandlerTimeout(negative));
        int chosen = run.random.below(wrong.size());
        try {
            Limits accepted = wrong.get(chosen).apply(limits);
            run.fail(Rule.CALLBACKS, "limits that make no sense are accepted: " + accepted);
        } catch (IllegalArgumentException e) {
            // As it must be.
        }
    }
}
