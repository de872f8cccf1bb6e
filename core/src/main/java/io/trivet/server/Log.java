package io.trivet.server;

import io.trivet.net.Addresses;
import io.trivet.net.Clock;
import io.trivet.net.Network;
import io.trivet.observe.CloseReason;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * Logs what an operator must know, one line each, at a bounded rate: after a line, further lines of its kind are only counted for
 * a second, and the next one says how many were omitted. Any thread.
 */
final class Log {
    private static final String NAME = "io.trivet.server";
    private static final long QUIET_NANOS = 1_000_000_000L;
    private static final int QUOTED_MAX = 400;

    private final Clock clock;
    private final System.Logger logger;
    private final Kind handlers = new Kind();
    private final Kind tasks = new Kind();
    private final Kind calls = new Kind();
    private final Kind transfers = new Kind();
    private final Kind sources = new Kind();
    private final Kind adoptions = new Kind();
    private final Kind refusals = new Kind();
    private final Kind denials = new Kind();
    private final Kind limits = new Kind();
    private final Kind spins = new Kind();
    private final Kind slow = new Kind();
    private final Kind memory = new Kind();
    private final Kind queues = new Kind();
    private final Kind budgets = new Kind();

    /** A kind of line: when it was last logged, and how many lines were omitted since. */
    private static final class Kind {
        private boolean used;
        private long lastNanos;
        private long omitted;
    }

    /** Creates a log with the logger of a network. */
    Log(Network network) {
        this(network.clock(), network.logger(NAME));
    }

    /** Creates a log with the system's logger. */
    Log(Clock clock) {
        this(clock, System.getLogger(NAME));
    }

    private Log(Clock clock, System.Logger logger) {
        this.clock = clock;
        this.logger = logger;
    }

    void handlerFailed(ConnectionRecord connection, Throwable failure) {
        log(handlers, Level.WARNING, "a handler threw, " + connection + " is closed: " + escaped(failure), failure);
    }

    void taskFailed(Exception failure) {
        log(tasks, Level.WARNING, "a task threw: " + escaped(failure), failure);
    }

    void callFailed(ConnectionRecord connection, IOException failure) {
        log(calls, Level.WARNING, connection + " is closed: " + failure.getMessage(), null);
    }

    void transferFailed(ConnectionRecord connection, IOException failure) {
        log(transfers, Level.WARNING, connection + " is reset: a transfer to it was cut: " + escaped(failure), null);
    }

    void sourceNotClosed(ConnectionRecord connection, Exception failure) {
        log(sources, Level.WARNING, "the source of a transfer to " + connection + " could not be closed: " + escaped(failure),
                failure);
    }

    void adoptFailed(IOException failure) {
        log(adoptions, Level.WARNING, "an accepted connection could not be used: " + failure.getMessage(), null);
    }

    void connectFailed(IOException failure) {
        logger.log(Level.DEBUG, escaped(String.valueOf(failure.getMessage()))); // a peer may have sent the host's name
    }

    void spinning(ConnectionRecord connection, String description) {
        log(spins, Level.WARNING, "the loop spins on " + description + "; " + connection + " is closed", null);
    }

    void observerFailed(RuntimeException failure) {
        logger.log(Level.WARNING, "the observer of the loops threw, and is detached: " + escaped(failure), failure);
    }

    void slowHandler(String thread, long millis, StackTraceElement[] stack) {
        StringBuilder text = new StringBuilder("a callback or task has held " + thread + " for " + millis + " ms:");
        for (StackTraceElement element : stack) {
            text.append(System.lineSeparator()).append("    at ").append(element);
        }
        log(slow, Level.WARNING, text.toString(), null);
    }

    void memoryRefused(long limitBytes) {
        log(memory, Level.WARNING, "the JVM has no more direct memory (" + limitBytes
                + " bytes, -XX:MaxDirectMemorySize): the connection that holds the most is closed", null);
    }

    void budgetLowered(long asked, long granted, long limitBytes) {
        logger.log(Level.WARNING, "the budget of all queues is " + granted + " bytes instead of " + asked + ": the JVM may use "
                + limitBytes + " bytes of direct memory. -XX:MaxDirectMemorySize or -Xmx raises that");
    }

    void bufferRefused(ConnectionRecord connection, long bytesMax) {
        log(budgets, Level.WARNING, connection + " is closed: its unfinished message is longer than half of the memory of all"
                + " connections (" + bytesMax + " bytes, half of queueBudgetBytes or --queue-budget)", null);
    }

    void budgetExceeded(ConnectionRecord connection, long bytesMax) {
        log(budgets, Level.WARNING, connection + " is closed: the memory of all connections is used up (" + bytesMax
                + " bytes, queueBudgetBytes or --queue-budget), and it held the most", null);
    }

    void queueFull(ConnectionRecord connection, int bytesMax) {
        log(queues, Level.INFO, connection + " is closed: a message did not fit into its queue of " + bytesMax
                + " bytes. A server that sends without being asked uses offer() and onDrained()", null);
    }

    void acceptFailed(IOException failure) {
        logger.log(Level.WARNING, "accepting is paused: " + failure.getMessage());
    }

    void acceptsAgain() {
        logger.log(Level.INFO, "accepting again");
    }

    void refused(InetSocketAddress remote, CloseReason reason) {
        FlightEvents.refused(remote, reason);
        boolean isDenied = reason == CloseReason.ADDRESS_DENIED; // at DEBUG: anyone on the network can cause it
        Level level = isDenied ? Level.DEBUG : Level.WARNING;
        if (logger.isLoggable(level)) {
            log(isDenied ? denials : refusals, level, "refused " + Addresses.toString(remote) + ": " + reason.description(),
                    null);
        }
    }

    void connectionsAtLimit(int connections) {
        log(limits, Level.WARNING, "at the limit of " + connections + " connections: further ones wait in the backlog", null);
    }

    /**
     * Logs the end of a connection.
     *
     * @param isReset true if the peer gets a reset
     */
    void closed(ConnectionRecord connection, boolean isReset) {
        if (logger.isLoggable(Level.DEBUG)) {
            InetSocketAddress remote = connection.cachedAddress();
            logger.log(Level.DEBUG, connection + (remote == null ? "" : " with " + Addresses.toString(remote)) + ": "
                    + connection.finishReason().description() + protocolFailure(connection)
                    + (isReset ? "; what waited was dropped, the peer gets a reset" : ""));
        }
    }

    /** Returns what broke the protocol, or the TLS handshake. */
    private static String protocolFailure(ConnectionRecord connection) {
        IOException failure = connection.failure();
        CloseReason reason = connection.closeReason();
        if (failure == null) {
            return "";
        }
        return reason == CloseReason.PROTOCOL_ERROR ? ": " + escaped(failure)
                : reason == CloseReason.HANDSHAKE_FAILED ? ": " + escaped(String.valueOf(failure.getMessage())) : "";
    }

    void closeFailed(IOException failure) {
        logger.log(Level.WARNING, "closing: " + failure.getMessage());
    }

    /** Logs that a server takes another network than the best one. */
    static void fallsBack(String from, String to, int loops, IOException reason) {
        System.getLogger(NAME).log(Level.INFO,
                "using " + to + ", since " + from + " cannot serve " + loops + (loops == 1 ? " loop" : " loops")
                        + " here: " + reason.getMessage());
    }

    void stopped(Throwable cause) {
        if (cause instanceof OutOfMemoryError) { // its stack does not show what holds the memory
            logger.log(Level.ERROR, "a loop has stopped, the server closes: out of memory (" + cause.getMessage() + ")");
            return;
        }
        logger.log(Level.ERROR, "a loop has stopped, the server closes: " + cause, cause);
    }

    /** Escapes a text that may quote what a peer has sent: it must not forge a line, move a cursor or fill a disk. */
    private static String escaped(Throwable failure) {
        return escaped(failure.toString());
    }

    private static String escaped(String text) {
        StringBuilder escaped = new StringBuilder();
        for (int i = 0; i < Math.min(text.length(), QUOTED_MAX); i++) {
            char c = text.charAt(i);
            if (c >= ' ' && c < 0x7f) {
                escaped.append(c);
            } else {
                escaped.append(String.format(c <= 0xff ? "\\x%02X" : "\\u%04X", (int) c));
            }
        }
        return text.length() > QUOTED_MAX ? escaped.append("...").toString() : escaped.toString();
    }

    private void log(Kind kind, Level level, String text, @Nullable Throwable cause) {
        long omitted;
        synchronized (kind) {
            long now = clock.nanoTime();
            if (kind.used && now - kind.lastNanos < QUIET_NANOS) {
                kind.omitted++;
                return;
            }
            kind.used = true;
            kind.lastNanos = now;
            omitted = kind.omitted;
            kind.omitted = 0;
        }
        String line = omitted == 0 ? text : text + " (and " + omitted + " more like it before)";
        if (cause == null) {
            logger.log(level, line);
        } else {
            logger.log(level, line, cause);
        }
    }
}
