package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.server.Limits;
import io.trivet.server.Remainder;
import java.time.Duration;
import java.util.List;

/** The expected state, deadlines and end of one connection of an {@link EndingTrial}. */
final class Ending {
    static final long NEVER = Long.MAX_VALUE;

    /** What {@code onEndOfInput} does. */
    enum AtEnd {
        NOTHING, FINISH, FAIL
    }

    final TrialHandler.Seen seen;
    final TrialClient client;
    private final Limits limits;
    /** The bytes that its frame adds to a message. */
    private final int frameBytes;
    ConnectionState state = ConnectionState.OPEN;
    /** Why the connection ends. Valid once it is to end. */
    private CloseReason reason = CloseReason.FINISHED;
    /** The server ends the connection because a rule was broken. It still sends what was accepted, within the linger timeout. */
    private boolean brokenOff;
    boolean peerEnded;
    /** The server has received the peer's FIN. */
    private boolean endReceived;
    /** {@code onEndOfInput} must have been called. */
    boolean endReported;
    int partialBytes;
    private boolean hasMessage;
    private long stateDeadline;
    private long receivedNanos;
    private long beganNanos;
    private long progressNanos;
    /** Bytes that the client has sent, and the server has not received. */
    private int unreceived;
    private long lingered;
    private long received;
    private long accepted;
    private long queued;

    Ending(TrialHandler.Seen seen, TrialClient client, Limits limits, int frameBytes, long nowNanos) {
        this.seen = seen;
        this.client = client;
        this.limits = limits;
        this.frameBytes = frameBytes;
        stateDeadline = after(nowNanos, limits.firstMessageTimeout());
        receivedNanos = nowNanos;
    }

    int number() {
        return seen.number;
    }

    // ---- what has happened

    void clientSends(int bytes) {
        unreceived += bytes;
    }

    private void receive(long nowNanos) {
        received += unreceived;
        unreceived = 0;
        receivedNanos = nowNanos;
    }

    void receivesPart(int bytes, long nowNanos) {
        receive(nowNanos);
        beganNanos = partialBytes > 0 ? beganNanos : nowNanos;
        partialBytes += bytes;
    }

    /** Records a message that has arrived and was answered. */
    void receivesMessage(int answerBytes, long nowNanos) {
        receive(nowNanos);
        hasMessage = true;
        partialBytes = 0;
        if (answerBytes > 0) {
            progressNanos = queued == 0 ? nowNanos : progressNanos;
            accepted += answerBytes + frameBytes;
            queued += answerBytes + frameBytes;
        }
    }

    /** Records that the peer or the handler has broken a rule. */
    void breakOff(CloseReason why, long nowNanos) {
        if (state == ConnectionState.OPEN) {
            receive(nowNanos);
        }
        reason = why;
        brokenOff = true;
        partialBytes = 0;
        state = ConnectionState.DRAINING;
        stateDeadline = after(nowNanos, limits.lingerTimeout());
    }

    void finish() {
        if (state == ConnectionState.OPEN || state == ConnectionState.INPUT_ENDED) {
            reason = state == ConnectionState.INPUT_ENDED ? CloseReason.PEER_FINISHED : CloseReason.FINISHED;
            state = ConnectionState.DRAINING;
            stateDeadline = NEVER;
            partialBytes = 0;
        }
    }

    void close(CloseReason why) {
        reason = brokenOff ? reason : why;
        state = ConnectionState.CLOSED;
    }

    void peerEnds(AtEnd atEnd, Remainder remainder, long nowNanos) {
        peerEnded = true;
        if (state != ConnectionState.OPEN) {
            return; // the FIN is read when the connection lingers
        }
        endReceived = true;
        if (partialBytes > 0 && remainder == Remainder.ERROR) {
            breakOff(CloseReason.PROTOCOL_ERROR, nowNanos);
            return;
        }
        endReported = true;
        partialBytes = 0;
        state = ConnectionState.INPUT_ENDED;
        switch (atEnd) {
            case NOTHING -> {
            }
            case FINISH -> finish();
            case FAIL -> breakOff(CloseReason.HANDLER_FAILED, nowNanos);
        }
    }

    /** Updates the expectation after the loop has settled. */
    void settled(long nowNanos) {
        if (state != ConnectionState.CLOSED) {
            long left = seen.connection.queue().bytes();
            progressNanos = left < queued ? nowNanos : progressNanos;
            queued = left;
        }
        if (state == ConnectionState.DRAINING && queued == 0) {
            if (endReceived) {
                state = ConnectionState.CLOSED;
            } else {
                state = ConnectionState.LINGERING;
                stateDeadline = brokenOff ? stateDeadline : after(nowNanos, limits.lingerTimeout());
            }
        }
        if (state == ConnectionState.LINGERING) {
            lingered += unreceived;
            receive(nowNanos);
            if (peerEnded || lingered > limits.lingerBytesMax()) {
                state = ConnectionState.CLOSED;
            }
        }
    }

    // ---- the deadlines

    private static long after(long sinceNanos, Duration timeout) {
        return timeout.isZero() ? NEVER : sinceNanos + timeout.toNanos();
    }

    private boolean isOpen() {
        return state == ConnectionState.OPEN || state == ConnectionState.INPUT_ENDED;
    }

    private long stateDeadline() {
        return isOpen() && hasMessage ? NEVER : stateDeadline;
    }

    private long messageDeadline() {
        return partialBytes > 0 ? after(beganNanos, limits.messageTimeout()) : NEVER;
    }

    private long writeDeadline() {
        return queued > 0 ? after(progressNanos, limits.writeTimeout()) : NEVER;
    }

    private long readIdleDeadline() {
        return state == ConnectionState.OPEN ? after(receivedNanos, limits.readIdleTimeout()) : NEVER;
    }

    List<Long> deadlines() {
        return List.of(stateDeadline(), messageDeadline(), writeDeadline(), readIdleDeadline());
    }

    /** Applies the deadlines that have passed. One may start another that has passed too. */
    void expire(long nowNanos) {
        for (int i = 0; i < 3 && state != ConnectionState.CLOSED; i++) {
            if (stateDeadline() <= nowNanos) {
                if (isOpen()) {
                    breakOff(CloseReason.FIRST_MESSAGE_TIMEOUT, nowNanos);
                } else {
                    state = ConnectionState.CLOSED;
                }
            } else if (messageDeadline() <= nowNanos) {
                breakOff(CloseReason.MESSAGE_TIMEOUT, nowNanos);
            } else if (writeDeadline() <= nowNanos) {
                close(CloseReason.WRITE_TIMEOUT);
            } else if (readIdleDeadline() <= nowNanos) {
                breakOff(CloseReason.IDLE_TIMEOUT, nowNanos);
            }
        }
    }

    // ---- what must be seen

    boolean receives() {
        return state == ConnectionState.OPEN && !peerEnded;
    }

    boolean isEnding() {
        return state == ConnectionState.DRAINING || state == ConnectionState.LINGERING;
    }

    boolean isClosed() {
        return state == ConnectionState.CLOSED;
    }

    String end() {
        return isClosed() ? reason.name() : "open";
    }

    /** Returns true if something accepted for sending was dropped. */
    boolean isCut() {
        return queued > 0;
    }

    long bytesIn() {
        return received;
    }

    long bytesOut() {
        return accepted - queued;
    }

    /** Returns true if the kernel resets a closed connection, because of input that was not read. */
    boolean hasUnreadInput() {
        return unreceived > 0;
    }
}
