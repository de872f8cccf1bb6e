package io.trivet.scenarios;

import io.trivet.server.Limits;

/**
 * What can be made plain about a server or a client, so that a story tells only of what matters to it. The length of a message stays: what is
 * said depends on it.
 */
enum Plain {
    LOOPS, DESCRIPTORS, URGENT, BACKLOG, GREETINGS, FAREWELL, QUEUE, BUDGET, CONNECTIONS, MESSAGE_TIMEOUT, FIRST_MESSAGE_TIMEOUT, IDLE_TIMEOUT, WRITE_TIMEOUT, CONNECT_TIMEOUT, LINGERING, PACE, BUFFERS, TAKES_URGENT;

    private static final long BUDGET_BYTES = 64 << 20;
    private static final int BACKLOG_CONNECTIONS = 128;
    private static final Limits DEFAULTS = Limits.defaults();

    /** A server without what is special about it in this. */
    ServerPlan of(ServerPlan s) {
        Limits limits = s.limits();
        return switch (this) {
            case LOOPS -> new ServerPlan(s.number(), s.engine(), 1, s.frames(), s.overflow(), limits, s.urgent(), s.backlog(),
                    s.descriptorLimit(), s.greetings(), s.pureEcho(), s.farewell(), s.habits());
            case DESCRIPTORS -> new ServerPlan(s.number(), s.engine(), s.loops(), s.frames(), s.overflow(), limits, s.urgent(),
                    s.backlog(), 0, s.greetings(), s.pureEcho(), s.farewell(), s.habits());
            case URGENT -> new ServerPlan(s.number(), s.engine(), s.loops(), s.frames(), s.overflow(), limits, false, s.backlog(),
                    s.descriptorLimit(), s.greetings(), s.pureEcho(), s.farewell(), s.habits());
            case BACKLOG -> new ServerPlan(s.number(), s.engine(), s.loops(), s.frames(), s.overflow(), limits, s.urgent(),
                    BACKLOG_CONNECTIONS, s.descriptorLimit(), s.greetings(), s.pureEcho(), s.farewell(), s.habits());
            case GREETINGS -> new ServerPlan(s.number(), s.engine(), s.loops(), s.frames(), s.overflow(), limits, s.urgent(),
                    s.backlog(), s.descriptorLimit(), 0, s.pureEcho(), s.farewell(), s.habits());
            case FAREWELL -> new ServerPlan(s.number(), s.engine(), s.loops(), s.frames(), s.overflow(), limits, s.urgent(),
                    s.backlog(), s.descriptorLimit(), s.greetings(), s.pureEcho(), Farewell.FINISH, s.habits());
            case QUEUE -> s.withLimits(limits.withQueueBytesMax(DEFAULTS.queueBytesMax())
                    .withQueueMarks(DEFAULTS.queueHighBytes(), DEFAULTS.queueLowBytes()));
            case BUDGET -> s.withLimits(limits.withQueueBudgetBytes(BUDGET_BYTES));
            case CONNECTIONS -> s.withLimits(limits.withConnectionsMax(DEFAULTS.connectionsMax())
                    .withConnectionsPerAddressMax(DEFAULTS.connectionsPerAddressMax()));
            case MESSAGE_TIMEOUT -> s.withLimits(limits.withMessageTimeout(DEFAULTS.messageTimeout()));
            case FIRST_MESSAGE_TIMEOUT -> s.withLimits(limits.withFirstMessageTimeout(DEFAULTS.firstMessageTimeout()));
            case IDLE_TIMEOUT -> s.withLimits(limits.withIdleTimeout(DEFAULTS.idleTimeout()));
            case WRITE_TIMEOUT -> s.withLimits(limits.withWriteTimeout(DEFAULTS.writeTimeout()));
            case CONNECT_TIMEOUT -> s.withLimits(limits.withConnectTimeout(DEFAULTS.connectTimeout()));
            case LINGERING -> s.withLimits(limits.withLingerTimeout(DEFAULTS.lingerTimeout())
                    .withLingerBytesMax(DEFAULTS.lingerBytesMax()));
            case PACE, BUFFERS, TAKES_URGENT -> s;
        };
    }

    /** The same of a client. */
    PeerPlan of(PeerPlan p) {
        return switch (this) {
            case PACE -> new PeerPlan(p.number(), p.manner(), p.host(), p.server(), p.called(), p.listens(), p.startNanos(),
                    Pace.BRISK, p.takesUrgent(), p.bufferBytes(), p.steps());
            case BUFFERS -> new PeerPlan(p.number(), p.manner(), p.host(), p.server(), p.called(), p.listens(), p.startNanos(),
                    p.pace(), p.takesUrgent(), 0, p.steps());
            case TAKES_URGENT -> new PeerPlan(p.number(), p.manner(), p.host(), p.server(), p.called(), p.listens(),
                    p.startNanos(), p.pace(), false, p.bufferBytes(), p.steps());
            case LOOPS, DESCRIPTORS, URGENT, BACKLOG, GREETINGS, FAREWELL, QUEUE, BUDGET, CONNECTIONS, MESSAGE_TIMEOUT,
                    FIRST_MESSAGE_TIMEOUT, IDLE_TIMEOUT, WRITE_TIMEOUT, CONNECT_TIMEOUT, LINGERING ->
                p;
        };
    }

    /** The limits that are not as usual; empty: all are. */
    static String unusual(Limits limits) {
        StringBuilder text = new StringBuilder();
        add(text, limits.queueBytesMax() != DEFAULTS.queueBytesMax() || limits.queueHighBytes() != DEFAULTS.queueHighBytes()
                || limits.queueLowBytes() != DEFAULTS.queueLowBytes(),
                "queues of " + limits.queueBytesMax() + " B (high "
                        + limits.queueHighBytes() + ", low " + limits.queueLowBytes() + ")");
        add(text, limits.queueBudgetBytes() != BUDGET_BYTES, "all together " + limits.queueBudgetBytes() + " B");
        add(text, limits.connectionsMax() != DEFAULTS.connectionsMax(), "at most " + limits.connectionsMax() + " connections");
        add(text, limits.connectionsPerAddressMax() > 0, "at most " + limits.connectionsPerAddressMax() + " of an address");
        add(text, true, "messages of at most " + limits.messageBytesMax() + " B");
        time(text, "message", limits.messageTimeout(), DEFAULTS.messageTimeout());
        time(text, "first message", limits.firstMessageTimeout(), DEFAULTS.firstMessageTimeout());
        time(text, "idle", limits.idleTimeout(), DEFAULTS.idleTimeout());
        time(text, "write", limits.writeTimeout(), DEFAULTS.writeTimeout());
        time(text, "connect", limits.connectTimeout(), DEFAULTS.connectTimeout());
        time(text, "linger", limits.lingerTimeout(), DEFAULTS.lingerTimeout());
        add(text, limits.lingerBytesMax() != DEFAULTS.lingerBytesMax(), "lingers for at most " + limits.lingerBytesMax() + " B");
        return text.toString();
    }

    private static void time(StringBuilder text, String what, java.time.Duration timeout, java.time.Duration usual) {
        add(text, !timeout.equals(usual), what + " timeout " + (timeout.isZero() ? "off" : Words.time(timeout.toNanos())));
    }

    private static void add(StringBuilder text, boolean unusual, String what) {
        if (unusual) {
            text.append(text.isEmpty() ? "" : ", ").append(what);
        }
    }
}
