package io.trivet.server;

import io.trivet.net.Addresses;
import io.trivet.net.ErrorCode;
import io.trivet.net.Loop;
import io.trivet.net.NetworkException;
import io.trivet.net.Proactor;
import io.trivet.observe.CloseReason;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Connects to hosts by name, which may have several addresses (RFC 8305, "Happy Eyeballs"). The lookup of the name counts against
 * the connect's deadline. Addresses are tried in the resolver's order, but alternating between the address families. The next
 * address is tried when an attempt has failed, or has had no answer for {@link #DELAY_NANOS}, or for its share of the remaining
 * time if that is shorter. The first connection that is established is used, and the other attempts are closed. Loop thread only.
 */
final class ConnectAttempts {
    /** The Connection Attempt Delay of RFC 8305, section 5, and the minimum that the RFC allows. */
    static final long DELAY_NANOS = 250_000_000;
    static final long DELAY_NANOS_MIN = 10_000_000;
    /** Maximum number of attempts of one connect at the same time. Before a further attempt, the oldest one is closed. */
    static final int AT_ONCE_MAX = 16;
    /** Maximum number of addresses whose failures a message lists. */
    private static final int LISTED_MAX = 16;

    private final Proactor proactor;
    private final TurnClock clock;
    private final Mailbox mailbox;
    private final ConnectionTable table;
    private final CloseRequests closeRequests;
    private final Lifecycle lifecycle;
    private final HostLookup lookup;
    /** The attempts in progress, by handle. */
    private final TreeMap<Long, Attempt> attempts = new TreeMap<>();
    /** The connects with a next attempt or a deadline, ordered by the earlier of the two. */
    private final TreeSet<NamedConnect> byTime = new TreeSet<>();
    private long number;

    /** An attempt to connect to one address. */
    private record Attempt(NamedConnect of, InetSocketAddress address, long handle) {}

    /** A connect by name: the state of one connection until it has a handle. */
    private static final class NamedConnect implements Comparable<NamedConnect> {
        final ConnectionRecord connection;
        final InetSocketAddress name;
        final long deadlineNanos;
        final long number;
        /** The addresses that are yet to be tried; null until the name has been looked up. */
        @Nullable ArrayDeque<InetSocketAddress> untried;
        final List<Attempt> attempts = new ArrayList<>();
        final List<String> failures = new ArrayList<>();
        @Nullable IOException firstFailure;
        long nextAttemptNanos = Loop.NO_DEADLINE;
        /** The next attempt or the deadline, whichever is earlier. Not changed while {@code byTime} contains this connect. */
        long dueNanos = Loop.NO_DEADLINE;
        boolean ended;

        NamedConnect(ConnectionRecord connection, InetSocketAddress name, long deadlineNanos, long number) {
            this.connection = connection;
            this.name = name;
            this.deadlineNanos = deadlineNanos;
            this.number = number;
        }

        void failed(InetSocketAddress address, IOException failure) {
            if (firstFailure == null) {
                firstFailure = failure;
            }
            String subject = Addresses.toString(address) + ": ";
            String message = String.valueOf(failure.getMessage());
            int start = message.indexOf(subject);
            failures.add(start < 0 ? subject + message : message.substring(start));
        }

        @Override
        public int compareTo(NamedConnect other) {
            long difference = dueNanos - other.dueNanos;
            return difference != 0 ? Long.signum(difference) : Long.compare(number, other.number);
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof NamedConnect connect && connect.number == number;
        }

        @Override
        public int hashCode() {
            return Long.hashCode(number);
        }
    }

    ConnectAttempts(Proactor proactor, TurnClock clock, Mailbox mailbox, ConnectionTable table, CloseRequests closeRequests,
            Lifecycle lifecycle, HostLookup lookup) {
        this.proactor = proactor;
        this.clock = clock;
        this.mailbox = mailbox;
        this.table = table;
        this.closeRequests = closeRequests;
        this.lifecycle = lifecycle;
        this.lookup = lookup;
    }

    /**
     * Starts to connect. The table {@linkplain ConnectionTable#expect expects} the connection. Messages that are sent meanwhile
     * wait in its queue.
     *
     * @param name the host's name, unresolved, and the port
     * @param timeout how long the lookup and the attempts may take together; zero: no limit
     */
    void start(ConnectionRecord connection, InetSocketAddress name, Duration timeout) {
        if (!lifecycle.mayConnect(connection)) {
            return;
        }
        long now = clock.now();
        NamedConnect connect = new NamedConnect(connection, name,
                timeout.isZero() ? Loop.NO_DEADLINE : now + Limits.nanos(timeout),
                number++);
        connection.active(now);
        table.putWithoutHandle(connection);
        schedule(connect);
        HostLookup.Listener listener = (addresses, failure) -> lookedUp(connect, addresses, failure);
        connection.connectCancellation(() -> {
            lookup.cancel(name.getHostString(), listener);
            end(connect);
        });
        lookup.start(name.getHostString(), listener);
    }

    /** Called when the lookup has ended. Any thread. */
    private void lookedUp(NamedConnect connect, List<InetAddress> addresses, @Nullable UnknownHostException failure) {
        try {
            mailbox.runInTurn(() -> {
                if (connect.ended) {
                    return;
                }
                if (failure != null) {
                    fail(connect, failure);
                } else {
                    connect.untried = inTurns(addresses, connect.name.getPort());
                    attemptNext(connect);
                }
            });
        } catch (RejectedExecutionException e) {
            // Two million tasks are waiting. The connect ends at its deadline.
        }
    }

    /** Returns the addresses in their order, but alternating between the families (RFC 8305, section 4), without duplicates. */
    private static ArrayDeque<InetSocketAddress> inTurns(List<InetAddress> addresses, int port) {
        ArrayDeque<InetAddress> first = new ArrayDeque<>();
        ArrayDeque<InetAddress> second = new ArrayDeque<>();
        for (InetAddress address : addresses) {
            boolean asFirst = address instanceof Inet4Address == addresses.getFirst() instanceof Inet4Address;
            ArrayDeque<InetAddress> family = asFirst ? first : second;
            if (!family.contains(address)) {
                family.addLast(address);
            }
        }
        ArrayDeque<InetSocketAddress> all = new ArrayDeque<>();
        while (!first.isEmpty() || !second.isEmpty()) {
            if (!first.isEmpty()) {
                all.addLast(new InetSocketAddress(first.removeFirst(), port));
            }
            if (!second.isEmpty()) {
                all.addLast(new InetSocketAddress(second.removeFirst(), port));
            }
        }
        return all;
    }

    /** Starts an attempt to the next address. If it fails at once, tries the following ones until an attempt has started. */
    private void attemptNext(NamedConnect connect) {
        if (connect.connection.isClosed()) { // closed in this turn, whose end also ends the connect
            return;
        }
        ArrayDeque<InetSocketAddress> untried = connect.untried;
        connect.nextAttemptNanos = Loop.NO_DEADLINE;
        boolean started = false;
        while (!started && untried != null && !untried.isEmpty()) {
            long delay = delayNanos(connect, untried.size());
            InetSocketAddress address = untried.removeFirst();
            if (connect.attempts.size() == AT_ONCE_MAX) {
                Attempt oldest = connect.attempts.removeFirst();
                abandon(oldest);
                connect.failed(oldest.address, new NetworkException("connect", oldest.address, ErrorCode.ETIMEDOUT));
            }
            try {
                Attempt attempt = new Attempt(connect, address,
                        proactor.connect(address, connect.connection.profile().localAddress()));
                attempts.put(attempt.handle, attempt);
                connect.attempts.add(attempt);
                connect.nextAttemptNanos = untried.isEmpty() ? Loop.NO_DEADLINE : clock.now() + delay;
                started = true;
            } catch (IOException e) { // for instance, no descriptor or no local port is left
                connect.failed(address, e);
            }
        }
        if (connect.attempts.isEmpty()) {
            fail(connect, failure(connect, null));
        } else {
            schedule(connect);
        }
    }

    private void fail(NamedConnect connect, IOException failure) {
        closeRequests.fail(connect.connection, failure);
        end(connect);
    }

    /**
     * Returns how long to wait before the attempt to the next address: the usual delay, or less if the remaining time is too
     * short for all addresses that are left.
     */
    private long delayNanos(NamedConnect connect, int left) {
        if (connect.deadlineNanos == Loop.NO_DEADLINE) {
            return DELAY_NANOS;
        }
        return Math.clamp((connect.deadlineNanos - clock.now()) / (left + 1), DELAY_NANOS_MIN, DELAY_NANOS);
    }

    // ---- completions

    /** Called when an attempt has succeeded: its handle becomes the connection's. Ignores handles of no attempt. */
    void connected(long handle) {
        Attempt attempt = attempts.remove(handle);
        if (attempt == null) {
            return;
        }
        NamedConnect connect = attempt.of;
        ConnectionRecord connection = connect.connection;
        if (connection.isClosed()) { // closed in this turn
            abandon(attempt);
            connect.attempts.remove(attempt);
            return;
        }
        connect.attempts.remove(attempt);
        end(connect);
        connection.connectCancellation(null);
        connection.handle = handle;
        connection.cachedAddress(attempt.address);
        lifecycle.connectedByName(connection);
    }

    /** Called when an attempt has failed: tries the next address. Ignores handles of no attempt. */
    void failed(long handle, IOException failure) {
        Attempt attempt = attempts.get(handle);
        if (attempt == null) {
            return;
        }
        attempt.of.attempts.remove(attempt);
        attempt.of.failed(attempt.address, failure);
        attemptNext(attempt.of);
        abandon(attempt); // afterwards: without another attempt, the connection is closed now
    }

    /**
     * Ends an attempt. The peer may have accepted it already. If the connection is closed with messages that wait, the peer gets a
     * reset: it must not take the end for that of a complete stream. Otherwise another attempt delivers them, or there are none.
     */
    private void abandon(Attempt attempt) {
        attempts.remove(attempt.handle);
        ConnectionRecord connection = attempt.of.connection;
        if (connection.isClosed() && connection.endsWithReset()) {
            proactor.reset(attempt.handle);
        } else {
            proactor.close(attempt.handle);
        }
    }

    // ---- time

    /** Returns the time of the next attempt or deadline, or {@link Loop#NO_DEADLINE}. */
    long next() {
        return byTime.isEmpty() ? Loop.NO_DEADLINE : byTime.getFirst().dueNanos;
    }

    /** Starts the attempts that are due, and ends the connects whose deadline is over. Returns how many there were. */
    int runDue(long nowNanos) {
        int done = 0;
        for (; Deadline.isOver(next(), nowNanos); done++) {
            NamedConnect connect = byTime.removeFirst();
            connect.dueNanos = Loop.NO_DEADLINE;
            if (connect.connection.isClosed()) {
                end(connect); // completeClose would do it later in this turn
            } else if (Deadline.isOver(connect.deadlineNanos, nowNanos)) {
                connect.connection.failure(failure(connect, ErrorCode.ETIMEDOUT));
                closeRequests.close(connect.connection, CloseReason.CONNECT_TIMEOUT);
                end(connect);
            } else {
                attemptNext(connect);
            }
        }
        return done;
    }

    private void schedule(NamedConnect connect) {
        byTime.remove(connect);
        connect.dueNanos = Deadline.earlier(connect.deadlineNanos, connect.nextAttemptNanos);
        if (connect.dueNanos != Loop.NO_DEADLINE) {
            byTime.add(connect);
        }
    }

    // ---- the end

    /** Ends a connect, and closes the attempts that are left. */
    private void end(NamedConnect connect) {
        if (connect.ended) {
            return;
        }
        connect.ended = true;
        byTime.remove(connect);
        connect.attempts.forEach(this::abandon);
        connect.attempts.clear();
        table.removeWithoutHandle(connect.connection);
    }

    /** Returns an exception that names each address with the reason of its failure. */
    private static IOException failure(NamedConnect connect, @Nullable ErrorCode code) {
        List<String> reasons = new ArrayList<>(connect.failures);
        for (Iterator<Attempt> left = connect.attempts.iterator(); left.hasNext();) {
            reasons.add(Addresses.toString(left.next().address) + ": " + ErrorCode.ETIMEDOUT.sentence());
        }
        IOException first = connect.firstFailure;
        if (code == null && reasons.size() == 1 && first != null) {
            return first;
        }
        if (reasons.size() == 1 && connect.untried != null && connect.untried.isEmpty() && !connect.attempts.isEmpty()) {
            return new NetworkException("connect", connect.attempts.getFirst().address, ErrorCode.ETIMEDOUT);
        }
        ErrorCode shown = code != null ? code : first instanceof NetworkException e ? e.code() : ErrorCode.OTHER;
        ArrayDeque<InetSocketAddress> untried = connect.untried;
        if (untried == null) {
            return new NetworkException("connect", connect.name, shown, shown + ", its name could not be looked up in time");
        }
        int unlisted = Math.max(0, reasons.size() - LISTED_MAX) + untried.size();
        String list = String.join("; ", reasons.subList(0, Math.min(reasons.size(), LISTED_MAX)))
                + (unlisted == 0 ? "" : "; and " + unlisted + " more addresses");
        NetworkException failure = new NetworkException("connect", connect.name, shown,
                shown + ", no address has accepted the connection: " + list);
        if (first != null) {
            failure.initCause(first);
        }
        return failure;
    }
}
