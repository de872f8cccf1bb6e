package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.server.Connection;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the application knows of one connection: what it was told, what it has asked for, and what it may therefore expect. The judges
 * compare it with what the client has said and seen.
 */
final class Ledger {
    /** Where the callbacks stand. */
    enum Phase {
        BEFORE_OPEN, OPEN, INPUT_ENDED, CLOSED
    }

    final ServerPlan plan;
    final Peer peer;
    final boolean called;
    private @Nullable Connection connection;
    @Nullable Wire wire;
    Phase phase = Phase.BEFORE_OPEN;
    @Nullable CloseReason reason;
    /** Its loop; only once it is open. */
    int loopKey = Scene.OUTSIDE;

    // The way in.

    /** The next message that must come, by its place among those that the client says. */
    int nextMessage;
    /** With raw framing: the bytes that came. */
    int bytesGiven;
    final long createdNanos;
    /** When its connect was seen to have begun; -1: not yet. */
    long connectingSinceNanos = -1;
    /** How long its connect may take. */
    Duration connectTimeout;
    long openedNanos;
    long lastMessageNanos;
    long lastResumeNanos;
    int urgentsTold;
    boolean hasSpoken;

    // The way out: by name, and in the order in which they were taken.

    private final Map<String, Sent> sent = new LinkedHashMap<>();
    /** By lane, of which there are few: the last that came. */
    private long[] lanes = new long[2];
    private int[] lastReceived = new int[2];
    private int laneCount;
    long acceptedBytes;
    long acceptedMessages;
    /** Of these, the bytes that were sent ahead. */
    long aheadBytes;
    /** The lengths of the shortest and of the longest. */
    int framedMin = Integer.MAX_VALUE;
    int framedMax = 1;
    long receivedMessages;
    int numbers;
    int urgentsSent;
    /** Messages without a byte, which have no name. */
    int emptySent;
    int emptyReceived;
    int droppedMessages;
    long droppedBytes;
    /** Every piece that was sent back, one behind the other: how many bytes. */
    long echoedBytes;
    /** Answers that are left to give once the queue has drained. */
    int pumpLeft;
    int pumpSize;
    /** How often an empty queue was answered by a message. */
    int refills;

    /** Since when something waits in the queue, as was seen after a turn; -1: nothing does. */
    long waitingSinceNanos = -1;
    /** Since when nothing waits, or nothing more is to be sent, whichever was later; -1: not seen yet. */
    long notWaitingSinceNanos = -1;
    boolean outputWasFinished;
    /** How many have come whole; and the last of which a first byte has come, and when that was. */
    int arrivedMessages;
    int begunMessage = -1;
    long begunNanos;
    /** When something was queued last before which nothing waited. */
    long queuedAloneNanos;
    /** The message of which a part has come, and since when it is that one's turn; -1: the last came whole. */
    int partOf;

    long partSinceNanos = -1;
    /** The state after the last turn, and since when it is that. */
    @Nullable ConnectionState stateSeen;
    long stateSeenNanos;
    long stateSeenBytesIn;

    // What has been asked for.

    int timersAsked;
    int timersRun;
    /** When all of these must have run. */
    long timersDueNanos;

    boolean wasHigh;
    /** How many turns in a row have ended, and it was not told that its queue has drained. */
    int turnsUndrained;
    boolean wasPaused;
    boolean pausedByApplication;
    private long pausedSinceNanos;
    boolean finished;
    boolean finishedOnLoop;
    boolean outputFinished;
    boolean closedByApplication;
    /** Its handler has thrown an exception while it was not closed yet: that is the end, and the reason for it. */
    boolean hasThrown;
    boolean wasFull;
    /** From another loop it was to be sent more than the server's budget may have held. */
    boolean foundBudgetSpent;

    // Around a message to everybody.

    /** Whether one may have been given to it, or not: nobody could look. */
    boolean mayHaveBroadcast;
    boolean mightBefore;
    boolean tookBefore;
    long takenBefore;
    int queuedBefore;
    /** The turn of its loop in which that was seen. */
    long turnBefore = -1;

    Ledger(ServerPlan plan, Peer peer, boolean called, long nowNanos) {
        this.plan = plan;
        this.peer = peer;
        this.called = called;
        createdNanos = nowNanos;
        connectTimeout = plan.limits().connectTimeout();
    }

    Connection connection() {
        return Objects.requireNonNull(connection);
    }

    void connection(Connection given) {
        connection = given;
    }

    boolean isOver() {
        return phase == Phase.CLOSED;
    }

    /** Whether a message is taken, when nothing else stands against it. */
    boolean takesMessages() {
        return switch (connection().state()) {
            case CONNECTING -> !outputFinished && !finished;
            case OPEN, INPUT_ENDED -> !outputFinished;
            case DRAINING, LINGERING, CLOSED -> false;
        };
    }

    void add(Sent message) {
        sent.put(message.name, message);
        accept(message.framedLength);
        aheadBytes += message.ahead ? message.framedLength : 0;
    }

    /** So many bytes were taken, as one message. */
    void accept(int framedLength) {
        acceptedBytes += framedLength;
        acceptedMessages++;
        framedMin = Math.min(framedMin, framedLength);
        framedMax = Math.max(framedMax, framedLength);
    }

    @Nullable
    Sent sent(String name) {
        return sent.get(name);
    }

    Iterable<Sent> allSent() {
        return sent.values();
    }

    /** Notes that a message has reached the client; the one that came before it in its lane, if that should have come behind it. -1: in order. */
    int overtaken(Sent message) {
        return overtaken((long) message.origin << 2 | (message.ahead ? 1 : 0), message.order);
    }

    /** The same of a message to all. */
    int overtakenBroadcast(int origin, int order) {
        return overtaken((long) origin << 2 | 2, order);
    }

    private int overtaken(long lane, int order) {
        for (int i = 0; i < laneCount; i++) {
            if (lanes[i] == lane) {
                int last = lastReceived[i];
                lastReceived[i] = order;
                return last < order ? -1 : last;
            }
        }
        if (laneCount == lanes.length) {
            lanes = Arrays.copyOf(lanes, 2 * laneCount);
            lastReceived = Arrays.copyOf(lastReceived, 2 * laneCount);
        }
        lanes[laneCount] = lane;
        lastReceived[laneCount++] = order;
        return -1;
    }

    void isPaused(boolean paused, long nowNanos) {
        pausedByApplication = paused;
        pausedSinceNanos = nowNanos;
    }

    /** Whether it has been paused since before now: in the turn in which a pause begins, a deadline may have passed before. */
    boolean wasPausedBefore(long nowNanos) {
        return pausedByApplication && pausedSinceNanos < nowNanos;
    }

    @Override
    public String toString() {
        return "server " + plan.number() + "'s connection to client " + peer.plan.number();
    }
}
