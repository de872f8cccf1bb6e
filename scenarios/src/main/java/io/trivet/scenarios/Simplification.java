package io.trivet.scenarios;

import io.trivet.server.Limits;
import java.time.Duration;

/**
 * A property of a server or a client that can be set to its default, so that a report mentions only what matters. The maximum
 * length of a message is never reset, because the clients' messages depend on it.
 */
enum Simplification {
    // @formatter:off
    LOOPS, LISTENERS, DESCRIPTORS, URGENT, BACKLOG, GREETINGS, END_OF_INPUT, QUEUE, BUDGET, CONNECTIONS,
    MESSAGE_TIMEOUT, FIRST_MESSAGE_TIMEOUT, IDLE_TIMEOUT, WRITE_TIMEOUT, CONNECT_TIMEOUT, LINGERING,
    PACE, BUFFERS, RECEIVES_URGENT;
    // @formatter:on

    private static final long BUDGET_BYTES = 64 << 20;
    private static final int BACKLOG_CONNECTIONS = 128;
    private static final Limits DEFAULTS = Limits.defaults();

    /** Returns a server with the default of this property. */
    ServerPlan applyTo(ServerPlan s) {
        Limits limits = s.limits();
        return switch (this) {
            case LOOPS -> new ServerPlan(s.number(), s.engine(), 1, s.framing(), s.overflow(), limits, s.urgent(), s.backlog(),
                    s.descriptorLimit(), s.greetings(), s.pureEcho(), s.endOfInput(), s.reactions(), s.listeners());
            case LISTENERS -> s.with(Listeners.PORT);
            case DESCRIPTORS -> new ServerPlan(s.number(), s.engine(), s.loops(), s.framing(), s.overflow(), limits, s.urgent(),
                    s.backlog(), 0, s.greetings(), s.pureEcho(), s.endOfInput(), s.reactions(), s.listeners());
            case URGENT ->
                new ServerPlan(s.number(), s.engine(), s.loops(), s.framing(), s.overflow(), limits, false, s.backlog(),
                        s.descriptorLimit(), s.greetings(), s.pureEcho(), s.endOfInput(), s.reactions(), s.listeners());
            case BACKLOG -> new ServerPlan(s.number(), s.engine(), s.loops(), s.framing(), s.overflow(), limits, s.urgent(),
                    BACKLOG_CONNECTIONS, s.descriptorLimit(), s.greetings(), s.pureEcho(), s.endOfInput(), s.reactions(),
                    s.listeners());
            case GREETINGS -> new ServerPlan(s.number(), s.engine(), s.loops(), s.framing(), s.overflow(), limits, s.urgent(),
                    s.backlog(), s.descriptorLimit(), 0, s.pureEcho(), s.endOfInput(), s.reactions(), s.listeners());
            case END_OF_INPUT -> new ServerPlan(s.number(), s.engine(), s.loops(), s.framing(), s.overflow(), limits, s.urgent(),
                    s.backlog(), s.descriptorLimit(), s.greetings(), s.pureEcho(), EndOfInputReaction.FINISH, s.reactions(),
                    s.listeners());
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
            case PACE, BUFFERS, RECEIVES_URGENT -> s;
        };
    }

    /** Returns a client with the default of this property. */
    ClientPlan applyTo(ClientPlan p) {
        return switch (this) {
            case PACE -> p.withPace(Pace.FULL_SPEED);
            case BUFFERS -> p.withBufferBytes(0);
            case RECEIVES_URGENT -> p.withReceivesUrgent(false);
            case LOOPS, LISTENERS, DESCRIPTORS, URGENT, BACKLOG, GREETINGS, END_OF_INPUT, QUEUE, BUDGET, CONNECTIONS,
                    MESSAGE_TIMEOUT,
                    FIRST_MESSAGE_TIMEOUT, IDLE_TIMEOUT, WRITE_TIMEOUT, CONNECT_TIMEOUT, LINGERING ->
                p;
        };
    }

    /** Describes the limits that differ from the default, and the maximum length of a message. */
    static String describeUnusual(Limits limits) {
        StringBuilder text = new StringBuilder();
        add(text, limits.queueBytesMax() != DEFAULTS.queueBytesMax() || limits.queueHighBytes() != DEFAULTS.queueHighBytes()
                || limits.queueLowBytes() != DEFAULTS.queueLowBytes(),
                "queues of " + limits.queueBytesMax() + " B (high "
                        + limits.queueHighBytes() + ", low " + limits.queueLowBytes() + ")");
        add(text, limits.queueBudgetBytes() != BUDGET_BYTES, "all queues together " + limits.queueBudgetBytes() + " B");
        add(text, limits.connectionsMax() != DEFAULTS.connectionsMax(), "at most " + limits.connectionsMax() + " connections");
        add(text, limits.connectionsPerAddressMax() > 0, "at most " + limits.connectionsPerAddressMax() + " from one address");
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

    private static void time(StringBuilder text, String what, Duration timeout, Duration usual) {
        add(text, !timeout.equals(usual),
                what + " timeout " + (timeout.isZero() ? "off" : ReportText.duration(timeout.toNanos())));
    }

    private static void add(StringBuilder text, boolean describeUnusual, String what) {
        if (describeUnusual) {
            text.append(text.isEmpty() ? "" : ", ").append(what);
        }
    }
}
