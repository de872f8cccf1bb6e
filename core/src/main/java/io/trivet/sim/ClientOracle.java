package io.trivet.sim;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Checks what a {@link SimClient} has received, and how its connection has ended. It knows which ends are allowed, given the
 * server's policy and the faults that have affected the connection. It accepts what faults explain, and nothing else.
 *
 * <p>Pass the messages as they are on the wire, including frames. The client must receive each message of a sequence at most
 * once, in order, and without gaps. Messages of several sequences, such as those of several senders of a chat, interleave in any
 * way.
 *
 * <table class="striped">
 * <caption>What is allowed when the messages are not complete</caption>
 * <thead><tr><th>{@link SimClient#end}</th><th>allowed if</th></tr></thead>
 * <tbody>
 * <tr><td>OPEN</td><td>never: stop the faults, and let the network run before the check. A client that has stopped reading does not
 * notice an end: it must read again first</td></tr>
 * <tr><td>ENDED</td><td>between two messages, if {@link #mayEndEarly} says so, or a deadline of the server may have expired because
 * of {@link Fault#STALL}, {@link Fault#CLOG} or {@link Fault#CLOCK_JUMP}, or {@link Fault#WATCH_REFUSED} has affected the
 * connection. Never in the middle of a message: an end of input means that nothing is missing</td></tr>
 * <tr><td>RESET</td><td>at any byte, if {@link #mayReset} says so, a deadline may have expired, the fault {@link Fault#RESET},
 * {@link Fault#ACCEPT_ABORTED} or {@link Fault#WATCH_REFUSED} has affected the connection. The same holds if the messages are
 * complete. A server that closes a connection before it has read everything resets it, and what it has sent may be lost:
 * {@code finish()} waits for the client instead</td></tr>
 * <tr><td>REFUSED</td><td>if {@link #mayRefuse} says so, or a fault has affected the connect</td></tr>
 * <tr><td>CLOSED</td><td>always: the client has ended the connection itself</td></tr>
 * </tbody>
 * </table>
 *
 * <p>An immutable value: each method returns a copy.
 */
public final class ClientOracle {
    private static final Set<Fault> REFUSES = EnumSet.of(Fault.CONNECT_REFUSED, Fault.CONNECT_UNREACHABLE, Fault.CONNECT_IGNORED,
            Fault.ACCEPT_ABORTED, Fault.RESET);
    /** Maximum number of ways to read what was received. Equal messages of several sequences multiply them. */
    private static final int READINGS_MAX = 200_000;
    private static final Set<Fault> RESETS = EnumSet.of(Fault.RESET, Fault.ACCEPT_ABORTED, Fault.WATCH_REFUSED);
    private static final Set<Fault> DELAYS = EnumSet.of(Fault.STALL, Fault.CLOG);

    /** What the server and its policy are allowed to do. */
    private enum Permission {
        DROP, START_LATE, END_EARLY, RESET, REFUSE
    }

    /** The messages of one sender; {@code mayStop}: any number of them from the beginning. */
    private record Sequence(List<byte[]> messages, boolean mayStop) {}

    /** A way to read what was received: a number of bytes, as messages before a position of each sequence, some of them skipped. */
    private record Reading(int offset, List<Integer> positions, boolean skips) {}

    /**
     * What the readings of all received bytes have in common.
     *
     * @param isEverything no message of any sequence is missing
     * @param isEnough what is missing may be missing on a connection that nothing has cut
     */
    private record Match(boolean isEverything, boolean isEnough, boolean endsBetweenMessages) {}

    private final List<Sequence> sequences;
    private final Set<Permission> permissions;

    private ClientOracle(List<Sequence> sequences, Set<Permission> permissions) {
        this.sequences = sequences;
        this.permissions = permissions;
    }

    /**
     * Returns an oracle for a client that receives a sequence of messages.
     *
     * @param messages each message with its frame, as {@code "hello\n"}, in UTF-8; none: it receives nothing
     * @return the oracle
     */
    public static ClientOracle expecting(String... messages) {
        return expecting(List.of(messages));
    }

    /**
     * Returns an oracle for a client that receives a sequence of messages.
     *
     * @param messages each message with its frame, in UTF-8
     * @return the oracle
     */
    public static ClientOracle expecting(Collection<String> messages) {
        return new ClientOracle(List.of(), Set.of()).and(messages);
    }

    /**
     * Returns an oracle for a client that receives a sequence of binary messages.
     *
     * @param messages each message with its frame
     * @return the oracle
     */
    public static ClientOracle expectingBytes(Collection<byte[]> messages) {
        return new ClientOracle(List.of(), Set.of()).with(messages, false);
    }

    /**
     * Adds a sequence, which interleaves with the others.
     *
     * @param messages each message with its frame, in UTF-8
     * @return a copy
     */
    public ClientOracle and(Collection<String> messages) {
        return with(messages.stream().map(message -> message.getBytes(UTF_8)).toList(), false);
    }

    /**
     * Adds a sequence of which the client receives any number of messages, from the first one on: for instance those of a sender
     * whose own connection was reset.
     *
     * @param messages each message with its frame, in UTF-8
     * @return a copy
     */
    public ClientOracle andUpTo(Collection<String> messages) {
        return with(messages.stream().map(message -> message.getBytes(UTF_8)).toList(), true);
    }

    /**
     * Adds a sequence of binary messages, which interleaves with the others.
     *
     * @param messages each message with its frame
     * @return a copy
     */
    public ClientOracle andBytes(Collection<byte[]> messages) {
        return with(messages, false);
    }

    /**
     * Adds a sequence of binary messages of which the client receives any number, from the first one on.
     *
     * @param messages each message with its frame
     * @return a copy
     */
    public ClientOracle andBytesUpTo(Collection<byte[]> messages) {
        return with(messages, true);
    }

    private ClientOracle with(Collection<byte[]> messages, boolean mayStop) {
        List<Sequence> more = new ArrayList<>(sequences);
        more.add(new Sequence(messages.stream().map(byte[]::clone).toList(), mayStop));
        for (byte[] message : more.getLast().messages) {
            if (message.length == 0) {
                throw new IllegalArgumentException("a message must have at least one byte, with its frame");
            }
        }
        return new ClientOracle(List.copyOf(more), permissions);
    }

    /**
     * Allows that messages are missing, as with {@code Overflow.DROP_OLDEST}. Their order stays, and none is received twice. The
     * newest message is never dropped: on a connection that nothing has cut, the last message of at least one sequence must arrive,
     * unless a sequence was added with {@link #andUpTo}, whose last message is not known.
     *
     * @return a copy
     */
    public ClientOracle mayDrop() {
        return with(Permission.DROP);
    }

    /**
     * Allows that messages are missing at the beginning of each sequence, as for a client that joins a chat.
     *
     * @return a copy
     */
    public ClientOracle mayStartLate() {
        return with(Permission.START_LATE);
    }

    /**
     * Allows that the server ends its output between two messages, before the last one: for instance because the client may
     * exceed a timeout, or does not send everything. If a timeout expires while something waits for the client, the server drops
     * that, and resets the connection: this needs {@link #mayReset}.
     *
     * @return a copy
     */
    public ClientOracle mayEndEarly() {
        return with(Permission.END_EARLY);
    }

    /**
     * Allows that the server resets the connection: with {@code Overflow.DISCONNECT}; if a broadcast, or a message that is no
     * reply, does not fit into the queue; at limits and timeouts that the client exceeds while something waits for it; or if a
     * handler closes connections, or the test closes the server, before everything was read.
     *
     * @return a copy
     */
    public ClientOracle mayReset() {
        return with(Permission.RESET);
    }

    /**
     * Allows that the server accepts no connection from the client, or ends it before the first message: because of a limit on
     * connections, or because it is closed.
     *
     * @return a copy
     */
    public ClientOracle mayRefuse() {
        return with(Permission.REFUSE);
    }

    private ClientOracle with(Permission permission) {
        EnumSet<Permission> more = EnumSet.of(permission);
        more.addAll(permissions);
        return new ClientOracle(sequences, more);
    }

    // ---- the check

    /**
     * Checks a client at the end of a run, after {@link SimNetwork#stopFaults} and some more simulated time.
     *
     * @param client the client
     * @return true if it has received every message of every sequence; false if some are missing, and may be missing. A test in
     *     which no client ever gets everything checks little
     * @throws AssertionError if the client has seen what it must not see; the message says what
     * @throws IllegalStateException if too many messages are equal to tell those of the sequences apart
     */
    public boolean check(SimClient client) {
        Match match = match(client);
        boolean refused = permissions.contains(Permission.REFUSE) && client.received().length == 0;
        boolean late = client.hasClockJumped() || intersects(client.faults(), DELAYS);
        switch (client.end()) {
            case OPEN -> {
                if (!match.isEnough) {
                    fail(client, "is still connected, and has not received everything"
                            + (client.waitsFor().isEmpty() ? "" : "; it " + client.waitsFor())
                            + (client.isReading() ? "; if the network did not run long enough after stopFaults(), run it longer"
                                    : "; it has stopped reading: call resumeReading() before the check"));
                }
            }
            case ENDED -> {
                if (!match.endsBetweenMessages) {
                    fail(client, "has read the end of its input in the middle of a message: what is missing was lost in silence");
                }
                boolean explained = permissions.contains(Permission.END_EARLY) || late || refused
                        || client.faults().contains(Fault.WATCH_REFUSED);
                if (!match.isEnough && !explained) {
                    fail(client, "has read the end of its input before it had received everything");
                }
            }
            case RESET -> {
                boolean explained = permissions.contains(Permission.RESET) || late || refused
                        || intersects(client.faults(), RESETS);
                if (!explained) {
                    fail(client, "was reset by the server, and no fault explains it"
                            + (client.wasLeftUnread() ? ": the server has closed the connection before it had read everything;"
                                    + " finish() reads what the client still sends" : ""));
                }
            }
            case REFUSED -> {
                boolean explained = permissions.contains(Permission.REFUSE) || client.address() == null
                        || intersects(client.faults(), REFUSES);
                if (!explained) {
                    fail(client, "was not connected, and no fault explains it: " + client.failure());
                }
            }
            case CLOSED -> {
                // anything may be missing
            }
        }
        return match.isEverything;
    }

    /**
     * Checks a client during a run: what it has received is the beginning of what it should receive.
     *
     * @param client the client
     * @throws AssertionError if it has received anything else
     * @throws IllegalStateException if too many messages are equal to tell those of the sequences apart
     */
    public void checkSoFar(SimClient client) {
        match(client);
    }

    /** Reads what was received as messages of the sequences, in all possible ways. Fails if there is none. */
    private Match match(SimClient client) {
        byte[] received = client.received();
        boolean everything = false;
        boolean enough = false;
        boolean between = false;
        boolean cut = false;
        Reading start = new Reading(0, sequences.stream().map(_ -> 0).toList(), false);
        Reading farthest = start;
        Set<Reading> seen = new HashSet<>(Set.of(start));
        Deque<Reading> open = new ArrayDeque<>(seen);
        while (!open.isEmpty() && !everything) { // no other reading can say more
            Reading reading = open.removeLast();
            farthest = reading.offset > farthest.offset ? reading : farthest;
            if (reading.offset == received.length) {
                between = true;
                everything |= isEverything(reading);
                enough |= isEnough(reading);
                continue;
            }
            for (int i = 0; i < sequences.size(); i++) {
                List<byte[]> messages = sequences.get(i).messages;
                int first = reading.positions.get(i);
                for (int next = first; next <= lastCandidate(i, first); next++) {
                    byte[] message = messages.get(next);
                    if (EscapedBytes.startsWith(received, reading.offset, message)) {
                        List<Integer> positions = new ArrayList<>(reading.positions);
                        positions.set(i, next + 1);
                        Reading longer = new Reading(reading.offset + message.length, positions,
                                reading.skips || next > first);
                        if (seen.add(longer)) {
                            open.add(longer);
                        }
                        if (seen.size() > READINGS_MAX) {
                            throw new IllegalStateException(client + ": there are more than " + READINGS_MAX
                                    + " ways to read what was received: give the messages of each sequence a text of their own,"
                                    + " such as the name of the sender and a number");
                        }
                    } else {
                        cut |= isBeginning(received, reading.offset, message);
                    }
                }
            }
        }
        if (!between && !cut) {
            fail(client, "has received what it must not receive: after " + farthest.offset + " bytes that are right comes "
                    + EscapedBytes.quote(received, farthest.offset, received.length) + describeNext(farthest));
        }
        return new Match(everything, enough, between);
    }

    /** Returns the index of the last message of a sequence that may come next. */
    private int lastCandidate(int sequence, int first) {
        int last = sequences.get(sequence).messages.size() - 1;
        boolean skips = permissions.contains(Permission.DROP) || (first == 0 && permissions.contains(Permission.START_LATE));
        return skips ? last : Math.min(first, last);
    }

    private boolean isEverything(Reading reading) {
        return !reading.skips && IntStream.range(0, sequences.size()).allMatch(i -> isAtEnd(reading, i));
    }

    private boolean isEnough(Reading reading) {
        boolean drops = permissions.contains(Permission.DROP);
        boolean hasNewest = false;
        boolean isEmpty = true;
        for (int i = 0; i < sequences.size(); i++) {
            boolean mayMiss = sequences.get(i).mayStop
                    || (reading.positions.get(i) == 0 && permissions.contains(Permission.START_LATE));
            if (!mayMiss && !drops && !isAtEnd(reading, i)) {
                return false;
            }
            isEmpty &= sequences.get(i).messages.isEmpty();
            // The newest message may be that of a sequence that may stop.
            hasNewest |= mayMiss || (isAtEnd(reading, i) && !sequences.get(i).messages.isEmpty());
        }
        return !drops || hasNewest || isEmpty;
    }

    private boolean isAtEnd(Reading reading, int sequence) {
        return reading.positions.get(sequence) == sequences.get(sequence).messages.size();
    }

    private static boolean isBeginning(byte[] received, int offset, byte[] message) {
        int count = received.length - offset;
        return count < message.length && Arrays.equals(received, offset, received.length, message, 0, count);
    }

    private String describeNext(Reading reading) {
        List<String> next = new ArrayList<>();
        for (int i = 0; i < sequences.size(); i++) {
            List<byte[]> messages = sequences.get(i).messages;
            if (reading.positions.get(i) < messages.size()) {
                next.add(EscapedBytes.quote(messages.get(reading.positions.get(i))));
            }
        }
        return next.isEmpty() ? ", but nothing more is expected" : ", but expected is " + String.join(" or ", next);
    }

    private static boolean intersects(Set<Fault> some, Set<Fault> others) {
        return some.stream().anyMatch(others::contains);
    }

    private void fail(SimClient client, String what) {
        String expected = sequences.stream()
                .map(sequence -> (sequence.mayStop ? "up to " : "") + EscapedBytes.quote(joined(sequence)))
                .reduce((one, other) -> one + " and " + other).orElse("nothing");
        throw new AssertionError(client + " " + what + System.lineSeparator()
                + "  received: " + EscapedBytes.quote(client.received()) + System.lineSeparator()
                + "  expected: " + expected + System.lineSeparator()
                + "  sent:     " + EscapedBytes.quote(client.sent()) + System.lineSeparator()
                + "  end:      " + client.end() + (client.failure() == null ? "" : ", " + client.failure().getMessage())
                + (client.faults().isEmpty() ? "" : "; faults on its connection: " + client.faults()));
    }

    private static byte[] joined(Sequence sequence) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        sequence.messages.forEach(all::writeBytes);
        return all.toByteArray();
    }
}
