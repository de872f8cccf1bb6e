package io.trivet.scenarios;

import io.trivet.observe.LoopStats;
import io.trivet.observe.MemoryStats;
import io.trivet.observe.ServerStats;
import java.util.List;

/**
 * Counts what a server does, from its calls and callbacks, and compares the counters of its statistics. Except where noted they
 * are equal after each turn.
 */
final class CounterChecker {
    private final RunContext context;
    private final ServerUnderTest server;
    long accepted;
    long acceptFailures;
    long messagesIn;
    /** Messages that connections have accepted: in a call on their own loop, and in any call. */
    private long messagesOutHere;
    private long messagesOut;
    long bytesIn;
    long bytesOut;
    long closed;
    /** Messages reported as dropped. A report follows the drop, or is omitted if the connection is closed first. */
    long dropped;
    /** Tasks of the application that ran in turns since the last check, and the server's counter then. */
    private long tasks;
    private long tasksBefore;
    /** The fixed memory of the loops at the last check. It is allocated once. */
    private long fixedBefore;

    CounterChecker(RunContext context, ServerUnderTest server) {
        this.context = context;
        this.server = server;
    }

    /**
     * A connection has accepted a message.
     *
     * @param here true if the call came from the connection's own loop. Otherwise the message has yet to arrive there, and does
     *     not count if the connection is closed by then
     */
    void messageOut(boolean here) {
        messagesOut++;
        messagesOutHere += here ? 1 : 0;
    }

    /** It is unknown whether a connection has accepted a message. */
    void messageMayBeOut() {
        messagesOut++;
    }

    /** A task of the application runs. */
    void task() {
        tasks += context.currentLoop == RunContext.OUTSIDE ? 0 : 1; // a loop that ends does not count its last tasks
    }

    /** Called after a turn of one of the server's loops, or after the server was closed. */
    void check(ServerStats stats) {
        LoopStats total = stats.total();
        equal("accepted", total.accepted(), accepted, true);
        equal("acceptFailures", total.acceptFailures(), acceptFailures, true);
        equal("messagesIn", total.messagesIn(), messagesIn, true);
        equal("bytesIn", total.bytesIn(), bytesIn, true);
        equal("bytesOut", total.bytesOut(), bytesOut, true);
        equal("closed", total.closed(), closed, true);
        equal("dropped", total.dropped(), dropped, false);
        if (!server.isEnding()) { // tasks of the server count, too; the last ones of a loop do not
            equal("tasks", total.tasks(), tasksBefore + tasks, false);
        }
        tasksBefore = total.tasks();
        tasks = 0;
        equal("messagesOut", total.messagesOut(), messagesOutHere,
                messagesOutHere == messagesOut && !server.broadcasts.anyUnobserved());
        if (total.messagesOut() > messagesOut && !server.broadcasts.anyUnobserved()) {
            report("messagesOut", total.messagesOut(), "at most " + messagesOut);
        }
        if (!server.isEnding() && server.probes < 0) {
            // with several loops, an accepted connection may be on its way to its loop
            equal("connections", total.connections(), server.connections().size(), server.plan.loops() == 1);
        }
        List<CheckedLoop> loops = server.network().loops();
        for (int i = 0; i < loops.size(); i++) {
            equal("turns of loop " + i, stats.loops().get(i).turns(), loops.get(i).polls(), true);
            equal("completions of loop " + i, stats.loops().get(i).completions(), loops.get(i).completions(), true);
        }
        MemoryStats memory = stats.memory();
        long fixed = memory.rings() + memory.buffers();
        if (!server.isEnding() && fixed < fixedBefore) {
            report("fixed memory of the loops", fixed, "at least " + fixedBefore);
        }
        fixedBefore = fixed;
        if (memory.spare() < 0 || memory.spare() > stats.queueBytesMax() / 4) {
            report("memory kept for reuse", memory.spare(), "0 to " + stats.queueBytesMax() / 4);
        }
    }

    private void equal(String name, long value, long expected, boolean exact) {
        if (exact ? value != expected : value < expected) {
            report(name, value, (exact ? "" : "at least ") + expected);
        }
    }

    private void report(String name, long value, String expected) {
        context.failures.report(Rule.GAUGES, "the statistics of " + server + " report " + value + " as " + name + " instead of "
                + expected);
    }
}
