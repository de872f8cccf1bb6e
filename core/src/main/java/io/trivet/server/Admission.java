package io.trivet.server;

import io.trivet.observe.CloseReason;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Accepts messages for sending, or refuses them: reserves room in the connection's queue, and hands the message to the reply
 * batch, to the queue, or, from another thread, to the loop. Any thread.
 *
 * <p>The server's budget counts messages of other threads while they are on their way to the loop.
 */
@SuppressWarnings("ReferenceEquality") // the same profile
final class Admission {
    /** Maximum length of a text that is encoded in place. The JDK encodes a longer text, into an array of its own. */
    private static final int PLAIN_TEXT_MAX = 8192;

    /** Approximate heap memory of a message from another thread until the loop has queued it, in addition to its bytes. */
    private static final int TASK_BYTES = 128;

    private final Mailbox mailbox;
    private final TurnClock clock;
    private final Counters counters;
    private final Budget budget;
    private final SendQueues queues;
    private final PendingSends pendingSends;
    private final ReplyBatch batch;
    private final Sender sender;
    private final DropOldest dropOldest;
    private final CloseRequests closeRequests;
    /** The message of the present broadcast in the frame of the last connection. */
    private @Nullable Chunk sharedChunk;

    Admission(Mailbox mailbox, TurnClock clock, Counters counters, Budget budget, SendQueues queues, PendingSends pendingSends,
            ReplyBatch batch, Sender sender, DropOldest dropOldest, CloseRequests closeRequests) {
        this.mailbox = mailbox;
        this.clock = clock;
        this.counters = counters;
        this.budget = budget;
        this.queues = queues;
        this.pendingSends = pendingSends;
        this.batch = batch;
        this.sender = sender;
        this.dropOldest = dropOldest;
        this.closeRequests = closeRequests;
    }

    /**
     * Accepts a message.
     *
     * @param content the message without its frame; the position moves to the limit if the result is QUEUED
     * @param urgentLane true to send it before the messages of the ordinary lane
     * @param mayExceedCap true to accept a reply beyond the cap: see {@link Overflow#PAUSE_READING}
     * @throws IllegalArgumentException the message is too long for the frame
     * @throws RuntimeException the encoder failed. Nothing was accepted
     */
    SendResult put(ConnectionRecord connection, ByteBuffer content, boolean urgentLane, boolean mayExceedCap) {
        FrameWriter writer = connection.profile().writer();
        int length = writer.frameLength(content.remaining());
        if (!connection.takesMessages()) {
            return SendResult.CLOSED;
        }
        if (length == 0) { // with raw framing, an empty message has nothing that could wait or be sent
            return SendResult.QUEUED;
        }
        if (!mailbox.isOwnThread()) {
            return putFromOtherThread(connection, content, length, urgentLane);
        }
        if (!makeRoom(connection, length, mayExceedCap)) {
            return SendResult.FULL;
        }
        if (urgentLane || !joinsBatch(connection, length)) {
            queue(connection, content, length, urgentLane);
        } else if (batch.isReceivedMessage(content) && length == content.remaining() + writer.tail().length) {
            batch.addReceived(content.position(), content.limit(), writer.tail());
            content.position(content.limit());
        } else {
            int payload = content.remaining();
            ByteBuffer staging = batch.staging();
            int start = staging.position();
            putHead(connection, writer, staging, length, payload);
            staging.put(content).put(writer.tail());
            batch.addStaged(start);
        }
        counters.add(Counters.MESSAGES_OUT, 1);
        return SendResult.QUEUED;
    }

    /**
     * Accepts a text. An ASCII text that joins the reply batch is encoded in place.
     *
     * @throws IllegalArgumentException the message is too long for the frame
     */
    SendResult put(ConnectionRecord connection, String text) {
        FrameWriter writer = connection.profile().writer();
        int chars = text.length();
        int length = chars <= PLAIN_TEXT_MAX ? writer.frameLength(chars) : 0;
        boolean collected = length > 0 && mailbox.isOwnThread() && connection.takesMessages() && joinsBatch(connection, length);
        if (!collected || !isAscii(text)) {
            return put(connection, utf8(text), false, true);
        }
        if (!makeRoom(connection, length, true)) {
            return SendResult.FULL;
        }
        if (!joinsBatch(connection, length)) { // making room has filled the socket
            queue(connection, utf8(text), length, false);
            counters.add(Counters.MESSAGES_OUT, 1);
            return SendResult.QUEUED;
        }
        ByteBuffer staging = batch.staging();
        int start = staging.position();
        putHead(connection, writer, staging, length, chars);
        int at = staging.position();
        for (int i = 0; i < chars; i++) {
            staging.put(at + i, (byte) text.charAt(i));
        }
        staging.position(at + chars).put(writer.tail());
        batch.addStaged(start);
        counters.add(Counters.MESSAGES_OUT, 1);
        return SendResult.QUEUED;
    }

    static ByteBuffer utf8(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    private static boolean isAscii(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) >= 0x80) {
                return false;
            }
        }
        return true;
    }

    /**
     * Writes the head of a message for which room is reserved.
     *
     * @throws RuntimeException the encoder failed. Then the room is released again
     */
    private void putHead(ConnectionRecord connection, FrameWriter writer, ByteBuffer out, int length, int payload) {
        try {
            writer.putHead(out, length - payload - writer.tail().length, payload);
        } catch (RuntimeException e) {
            connection.release(1, length);
            sender.flushLater(connection); // the room may have reached the high mark, or the end of the output waits for it
            throw e;
        }
    }

    /** Accepts a broadcast's message. If it does not fit into the queue, or into the connection's frame, ends the connection. */
    void putShared(ConnectionRecord connection, Broadcast broadcast) {
        if (!connection.takesMessages()) {
            return;
        }
        SharedMessage message;
        try {
            message = broadcast.framed(connection.profile().writer());
        } catch (RuntimeException e) {
            closeRequests.protocolError(connection, e);
            return;
        }
        int length = message.length();
        if (length == 0) {
            return;
        }
        if (!makeRoom(connection, length, false)) {
            closeRequests.close(connection, CloseReason.QUEUE_FULL);
            return;
        }
        counters.add(Counters.MESSAGES_OUT, 1);
        sender.queueReplies(connection);
        queues.of(connection).ordinary().putShared(chunkOf(message), clock.now());
        sender.queued(connection);
    }

    /** Returns the chunk that all connections of this loop use for a message of the present broadcast. */
    private Chunk chunkOf(SharedMessage message) {
        Chunk chunk = sharedChunk;
        if (chunk == null || chunk.shared != message) {
            chunk = Chunk.ofShared(message, clock.now());
            sharedChunk = chunk;
        }
        return chunk;
    }

    /** Ends a broadcast: its message is kept only by the queues. */
    void endBroadcast() {
        sharedChunk = null;
    }

    // ---- from other threads

    private SendResult putFromOtherThread(ConnectionRecord connection, ByteBuffer content, int length, boolean urgentLane) {
        // Only the loop can drop messages, so other threads may reserve up to twice the cap until it does.
        Profile profile = connection.profile();
        Limits limits = profile.limits();
        long bytesMax = profile.dropsOldest() ? Math.min(Integer.MAX_VALUE, 2L * limits.queueBytesMax()) : limits.queueBytesMax();
        if (!connection.reserve(length, (int) bytesMax, limits.queueHighBytes())) {
            return SendResult.FULL;
        }
        Profile now = connection.profile();
        if (now != profile) { // the marks may have been lowered meanwhile
            connection.markHighAt(now.limits().queueHighBytes());
        }
        if (!connection.takesMessages()) { // checked again: once the room is reserved, the loop waits for the message
            withdraw(connection, length);
            return SendResult.CLOSED;
        }
        long held = (long) length + TASK_BYTES;
        if (!budget.reserve(held)) {
            withdraw(connection, length);
            mailbox.run(() -> closeRequests.close(connection, CloseReason.BUDGET_EXCEEDED));
            return SendResult.CLOSED;
        }
        ByteBuffer copy = ByteBuffer.allocate(content.remaining()).put(content.duplicate()).flip();
        try {
            mailbox.execute(() -> arrive(connection, copy, length, urgentLane));
        } catch (RejectedExecutionException e) {
            budget.release(held);
            withdraw(connection, length);
            return mailbox.isStopped() ? SendResult.CLOSED : SendResult.FULL;
        }
        content.position(content.limit());
        return SendResult.QUEUED;
    }

    // ---- from sessions

    /** Returns what passes messages between the loop and a session, in one direction. */
    MessageHandover newHandover() {
        return new MessageHandover(budget, counters);
    }

    /**
     * Accepts a message from the thread of a session. Below the high mark every message fits, so the cap may be exceeded by one.
     *
     * @param content the message without its frame; the position moves to the limit if the result is QUEUED
     * @param outbox where it waits for the loop
     * @param task calls {@link #arrive(ConnectionRecord, MessageHandover)} on the loop thread; added if none is on its way
     * @return FULL: the queue is high, and the session is notified when it has drained
     * @throws IllegalArgumentException the message is too long for the frame
     */
    SendResult putFromSession(ConnectionRecord connection, ByteBuffer content, MessageHandover outbox, Runnable task) {
        Profile profile = connection.profile();
        int length = profile.writer().frameLength(content.remaining());
        if (!connection.takesMessages()) {
            return SendResult.CLOSED;
        }
        if (length == 0) {
            return SendResult.QUEUED;
        }
        if (connection.hasReachedHigh()) {
            return SendResult.FULL;
        }
        ByteBuffer framed = framed(profile.writer(), content, length); // here, so that the session gets what an encoder throws
        if (!connection.reserve(length, Integer.MAX_VALUE, profile.limits().queueHighBytes())) {
            return SendResult.FULL; // other threads have filled it meanwhile: the queue is high
        }
        if (!connection.takesMessages()) { // checked again: once the room is reserved, the loop waits for the message
            withdraw(connection, length);
            return SendResult.CLOSED;
        }
        switch (outbox.add(framed, false)) {
            case NO_MEMORY -> {
                withdraw(connection, length);
                mailbox.run(() -> closeRequests.close(connection, CloseReason.BUDGET_EXCEEDED));
                return SendResult.CLOSED;
            }
            case FIRST -> {
                if (!mailbox.runOfSession(task)) { // the loop has ended
                    outbox.drop();
                    connection.release(1, length);
                    return SendResult.CLOSED;
                }
            }
            case NEXT -> {
                // The task is on its way.
            }
        }
        content.position(content.limit());
        return SendResult.QUEUED;
    }

    /** Sends what a session has accepted: as the replies of a delivery, in one call. Loop thread. */
    void arrive(ConnectionRecord connection, MessageHandover outbox) {
        if (!outbox.take()) {
            return;
        }
        batch.begin(connection, null, 0);
        try {
            for (ByteBuffer content = outbox.next(); content != null; content = outbox.next()) {
                int length = content.remaining();
                if (connection.isClosed()) {
                    connection.releaseDropped(1, length);
                } else {
                    counters.add(Counters.MESSAGES_OUT, 1);
                    if (joinsBatch(connection, length)) {
                        int start = batch.staging().position();
                        batch.staging().put(content);
                        batch.addStaged(start);
                    } else {
                        sender.queueReplies(connection);
                        Lane lane = queues.of(connection).ordinary();
                        lane.begin(length);
                        lane.put(content, clock.now());
                        sender.queued(connection);
                    }
                }
            }
        } finally {
            sender.sendReplies(connection);
            batch.end();
            outbox.giveUp();
        }
        dropExcess(connection, connection.profile());
        sender.flushLater(connection);
    }

    /** Returns the message in its frame: the content itself, if the frame adds nothing. */
    private static ByteBuffer framed(FrameWriter writer, ByteBuffer content, int length) {
        int payload = content.remaining();
        if (length == payload) {
            return content;
        }
        ByteBuffer framed = ByteBuffer.allocate(length);
        writer.putHead(framed, length - payload - writer.tail().length, payload);
        return framed.put(content.duplicate()).put(writer.tail()).flip();
    }

    /** Withdraws a reservation. The loop may have seen it, and wait for its message. */
    private void withdraw(ConnectionRecord connection, int length) {
        connection.release(1, length);
        mailbox.run(() -> sender.flushLater(connection));
    }

    /** Queues a message for which another thread has reserved room. Loop thread. */
    private void arrive(ConnectionRecord connection, ByteBuffer content, int reserved, boolean urgentLane) {
        budget.release((long) reserved + TASK_BYTES); // from now on the queue's buffers count instead
        if (connection.isClosed()) {
            connection.releaseDropped(1, reserved);
            return;
        }
        Profile profile = connection.profile();
        try {
            int length = reserveAgain(connection, profile, content.remaining(), reserved);
            if (length > 0) {
                queue(connection, content, length, urgentLane);
            }
        } catch (RuntimeException e) { // of the encoder: what was accepted is lost, and the peer must see that
            closeRequests.frameFailed(connection, e);
            return;
        }
        counters.add(Counters.MESSAGES_OUT, 1);
        dropExcess(connection, profile);
    }

    /** With {@link Overflow#DROP_OLDEST}, drops what is above the cap: messages that have arrived have reserved up to twice that. */
    private void dropExcess(ConnectionRecord connection, Profile profile) {
        if (profile.dropsOldest() && connection.queuedBytes() > profile.limits().queueBytesMax()) {
            dropOldest.makeRoom(connection, 0);
            queues.recycleIfEmpty(connection); // a message above the cap is dropped itself, and then there may be no other
        }
    }

    /**
     * Reserves other room for a message if the framing has changed since room was reserved for it: it gets the frame that the peer
     * expects now.
     *
     * @return the length in the frame; 0: there is nothing to send, and nothing is reserved
     * @throws RuntimeException the frame cannot hold the message, or the encoder failed. Nothing is reserved
     */
    private int reserveAgain(ConnectionRecord connection, Profile profile, int payload, int reserved) {
        int length = -1;
        try {
            length = profile.writer().frameLength(payload);
        } finally {
            if (length != reserved) {
                connection.release(1, reserved);
                sender.flushLater(connection); // the end of the output may have waited for it
            }
        }
        if (length != reserved && length > 0
                && !connection.reserve(length, Integer.MAX_VALUE, profile.limits().queueHighBytes())) {
            throw new IllegalArgumentException("the queue cannot count its bytes");
        }
        return length;
    }

    // ---- on the loop thread

    private boolean makeRoom(ConnectionRecord connection, int length, boolean mayExceedCap) {
        Profile profile = connection.profile();
        int queueBytesMax = profile.limits().queueBytesMax();
        int queueHighBytes = profile.limits().queueHighBytes();
        if (connection.reserve(length, queueBytesMax, queueHighBytes)) {
            return true;
        }
        if (batch.collectsFor(connection) && !batch.isEmpty()) {
            sender.sendReplies(connection); // until now they were only collected: the socket may accept them
            if (connection.reserve(length, queueBytesMax, queueHighBytes)) {
                return true;
            }
        }
        if (mayExceedCap && profile.pausesWhenHigh() && batch.collectsFor(connection)) {
            // A reply to the message that is being delivered: reading is paused from now on, and only the budget bounds it.
            return length <= budget.bytesMax() && connection.reserve(length, Integer.MAX_VALUE, queueHighBytes);
        }
        return profile.dropsOldest() && dropOldest.makeRoom(connection, length)
                && connection.reserve(length, queueBytesMax, queueHighBytes);
    }

    /** Returns true if a message can join the reply batch: it is a reply, and nothing waits that must be sent before it. */
    private boolean joinsBatch(ConnectionRecord connection, int length) {
        if (!batch.collectsFor(connection)) {
            return false;
        }
        if (!batch.hasRoom(length)) {
            sender.sendReplies(connection);
        }
        return connection.sendQueue() == null && pendingSends.get(connection) == null && batch.hasRoom(length)
                && !connection.isClosed();
    }

    private void queue(ConnectionRecord connection, ByteBuffer content, int length, boolean urgentLane) {
        FrameWriter writer = connection.profile().writer();
        int payload = content.remaining();
        int headLength = length - payload - writer.tail().length;
        ByteBuffer head = headLength == 0 ? content : ByteBuffer.allocate(headLength);
        putHead(connection, writer, head, length, payload);
        sender.queueReplies(connection);
        SendQueue queue = queues.of(connection);
        Lane lane = urgentLane ? queue.urgent() : queue.ordinary();
        lane.begin(length);
        if (headLength > 0) {
            lane.put(head.flip(), clock.now());
        }
        lane.put(content, clock.now());
        if (writer.tail().length > 0) {
            lane.put(ByteBuffer.wrap(writer.tail()), clock.now());
        }
        sender.queued(connection);
    }
}
