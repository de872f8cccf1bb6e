package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.server.Connection;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The expected state of one connection: the callbacks so far, the calls of the application, and what follows from both. The
 * checkers compare it with what the client has sent and received.
 */
final class ConnectionModel {
    /** The last of the callbacks that determine which callbacks may follow. */
    enum Phase {
        BEFORE_OPEN, OPEN, INPUT_ENDED, CLOSED
    }

    final ServerPlan plan;
    final Client client;
    final boolean outgoing;
    private @Nullable Connection connection;
    @Nullable ObservedSocket socket;
    Phase phase = Phase.BEFORE_OPEN;
    @Nullable CloseReason reason;
    /** The loop of the connection; known once it is open. */
    int loopKey = RunContext.OUTSIDE;

    // Input.

    /** The next message to be delivered, by its index among those of the client. */
    int nextMessage;
    /** The offset of the next byte that is to be delivered as a part; -1 if messages are delivered. */
    int partsFrom = -1;
    /** With raw framing: the bytes that were delivered. */
    int bytesDelivered;
    final long createdNanos;
    /** When the start of its connect was observed; -1 if not yet. */
    long connectingSinceNanos = -1;
    /** Its address was passed as a host name: it has no number before it is established. */
    boolean connectsByName;
    /** The timeout of its connect. */
    Duration connectTimeout;
    long openedNanos;
    long lastMessageNanos;
    long lastResumeNanos;
    int urgentsDelivered;
    boolean hasReceived;

    // Output. Messages by name, in the order in which they were accepted.

    private final Map<String, SentMessage> sent = new LinkedHashMap<>();
    /** The number of the last received message of each lane and origin. There are few, so a linear search is fast. */
    private long[] lanes = new long[2];
    private int[] lastReceived = new int[2];
    private int laneCount;
    long acceptedBytes;
    long acceptedMessages;
    /** The bytes of messages sent with sendFirst. */
    long sentFirstBytes;
    /** The lengths of the shortest and of the longest message. */
    int framedMin = Integer.MAX_VALUE;
    int framedMax = 1;
    long receivedMessages;
    int nextReplyNumber;
    int urgentsSent;
    /** Messages without content, which have no name. */
    int emptySent;
    int emptyReceived;
    int droppedMessages;
    /** How often onDropped was called. */
    int droppedReports;
    long droppedBytes;
    /** Messages were sent from within onDropped. What they have dropped is reported later: when the queue is empty at the latest. */
    boolean hasSentInOnDropped;
    /** With a pure echo: the bytes of all pieces that were sent back. */
    long echoedBytes;
    /** Replies that are to be sent once the queue has drained. */
    int pumpLeft;
    int pumpSize;
    /** How often a drained queue was refilled. */
    int refills;

    /** The time since which the queue has not been empty, as observed after turns; -1 if it is empty. */
    long waitingSinceNanos = -1;
    /**
     * The time since which the queue has been empty, or since which the output is to end, whichever is later; -1 if not observed
     * yet.
     */
    long notWaitingSinceNanos = -1;
    boolean outputWasFinished;
    /**
     * The number of messages that have arrived completely, the last message that has arrived in part, and the time of its first
     * byte.
     */
    int messagesArrived;
    int partialMessage = -1;
    long partialSinceNanos;
    /** When a message was last added to an empty queue. */
    long queuedIntoEmptyNanos;
    /** The message that has arrived in part, and the time since which its rest is awaited; -1 if no rest is awaited. */
    int awaitedMessage;
    long awaitedSinceNanos = -1;
    /** The state after the last turn, and the time and the number of bytes received when it was first observed. */
    @Nullable ConnectionState stateSeen;
    long stateSeenNanos;
    long stateSeenBytesIn;

    /** A turn has left the connection draining or lingering. */
    boolean hasStartedToEnd;
    /** At that time its loop had to expect more input. */
    boolean endedBehind;
    /** The timeouts that had passed at that time. */
    final Set<CloseReason> overdueAtEnd = EnumSet.noneOf(CloseReason.class);

    // Calls of the application.

    /** The timers that have neither run nor been cancelled. */
    final PriorityQueue<ApplicationTimer> pendingTimers = ApplicationTimer.queue();
    /** The timer that the next request of its kind cancels. */
    @Nullable ApplicationTimer renewedTimer;

    boolean wasHigh;
    /** How many turns in a row have ended without the onDrained that is due. */
    int turnsWithoutDrained;
    int turnsWithoutDropped;
    boolean wasPaused;
    boolean pausedByApplication;
    private long pausedSinceNanos;
    boolean finished;
    boolean finishedOnOwnLoop;
    boolean outputFinished;
    boolean closedByApplication;
    /** The application has changed the framing and the handler. */
    boolean upgraded;
    /** A reply was streamed: what its queue holds cannot be derived from what was accepted. */
    boolean hasStreamed;
    /** A reply was streamed whose source ends too early. */
    boolean cutsStream;
    /** The streamed replies whose listener was not called yet. */
    int openStreams;
    /** The handler threw an exception while the connection was open: that must be the reason for its end. */
    boolean hasThrown;
    boolean wasFull;
    /** The handler's onMessage is running. */
    boolean inMessage;
    /** A send from another loop may have exceeded the server's budget. */
    boolean exceededBudget;

    // Broadcasts.

    /** The queue may contain a broadcast whose result could not be observed. */
    boolean mayHoldUnknownBroadcast;
    boolean unknownBefore;
    boolean acceptedMessagesBefore;
    long acceptedBefore;
    int queuedBefore;
    /** The turn of the loop in which this was recorded. */
    long turnBefore = -1;

    ConnectionModel(ServerPlan plan, Client client, boolean outgoing, long nowNanos) {
        this.plan = plan;
        this.client = client;
        this.outgoing = outgoing;
        createdNanos = nowNanos;
        connectTimeout = plan.limits().connectTimeout();
    }

    Connection connection() {
        return Objects.requireNonNull(connection);
    }

    void connection(Connection given) {
        connection = given;
    }

    /** Returns true if the application or a drain wants the connection, or its output, to end when everything was sent. */
    boolean endsGracefully() {
        return finished || outputFinished || client.server.draining;
    }

    boolean isOver() {
        return phase == Phase.CLOSED;
    }

    /** Returns true if the connection accepts messages, provided that its queue and the server's budget have room. */
    boolean acceptsMessages() {
        return switch (connection().state()) {
            case CONNECTING -> !outputFinished && !finished;
            case OPEN, INPUT_ENDED -> !outputFinished;
            case DRAINING, LINGERING, CLOSED -> false;
        };
    }

    /** Returns true if it is known that the kernel has accepted everything that was accepted for sending. */
    boolean hasSentAllAccepted() {
        return socket != null && !mayHoldUnknownBroadcast && acceptedBytes - droppedBytes == socket.bytesOut;
    }

    void add(SentMessage message) {
        sent.put(message.name, message);
        accepted(message.framedLength);
        sentFirstBytes += message.sentFirst ? message.framedLength : 0;
    }

    /** Counts a message that was accepted. */
    void accepted(int framedLength) {
        ServerUnderTest server = client.server;
        boolean here = !mayBeOnItsWay()
                || (plan.loops() > 1 && phase != Phase.BEFORE_OPEN && server.origin(this) == ServerUnderTest.OWN_LOOP);
        server.counters.messageOut(here);
        acceptedBytes += framedLength;
        acceptedMessages++;
        framedMin = Math.min(framedMin, framedLength);
        framedMax = Math.max(framedMax, framedLength);
    }

    /** Returns true unless a single loop belongs to the calling thread, which it does once it has turned. */
    boolean mayBeOnItsWay() {
        return plan.loops() > 1 || client.server.network().loops().getFirst().turnCount() == 0;
    }

    @Nullable
    SentMessage sent(String name) {
        return sent.get(name);
    }

    Iterable<SentMessage> allSent() {
        return sent.values();
    }

    /**
     * Records the arrival of a message at the client. Returns the number of a message that arrived before it in the same lane,
     * and should have arrived after it; -1 if the order is right.
     */
    int overtaken(SentMessage message) {
        return overtaken((long) message.origin << 2 | (message.sentFirst ? 1 : 0), message.order);
    }

    /** Records the arrival of a broadcast in the same way. */
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

    void setPaused(boolean paused, long nowNanos) {
        pausedByApplication = paused;
        pausedSinceNanos = nowNanos;
    }

    /**
     * Returns true if reading was paused before this time. In the turn in which a pause starts, a deadline may have passed first.
     */
    boolean wasPausedBefore(long nowNanos) {
        return pausedByApplication && pausedSinceNanos < nowNanos;
    }

    @Override
    public String toString() {
        return "server " + plan.number() + "'s connection to client " + client.plan.number();
    }

    /** Returns true if the message that the server expects next breaks the framing. */
    boolean mayHaveReceivedMalformedMessage() {
        return client.sentStream.isMalformed(nextMessage);
    }

    /** Returns true if the message that the server expects next is one that exceeds the limit. */
    boolean mayHaveReceivedTooLongMessage() {
        return !mayHaveReceivedMalformedMessage() && nextMessage < client.sentStream.messages().size()
        // an urgent byte may have become part of the message
                && (client.sentStream.messages().get(nextMessage).request() == null || client.urgentsSent > 0);
    }
}
