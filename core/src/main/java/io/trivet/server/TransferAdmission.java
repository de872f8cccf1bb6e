package io.trivet.server;

import io.trivet.observe.CloseReason;
import java.nio.ByteBuffer;
import java.util.concurrent.RejectedExecutionException;

/**
 * Accepts transfers for sending, or refuses them: reserves a place in the connection's queue, and hands the transfer to the sender.
 * Any thread.
 *
 * <p>A transfer is one message of the queue. It reserves few bytes, because only one piece of it will be in memory, and only when
 * the messages before it have been sent.
 */
final class TransferAdmission {
    /** Maximum bytes that a waiting transfer reserves: about the memory of its objects, so that the queue's cap bounds them. */
    private static final int RESERVED_BYTES_MAX = 1024;

    private final Mailbox mailbox;
    private final Counters counters;
    private final Budget budget;
    private final ReplyBatch batch;
    private final Sender sender;
    private final CloseRequests closeRequests;

    TransferAdmission(Mailbox mailbox, Counters counters, Budget budget, ReplyBatch batch, Sender sender,
            CloseRequests closeRequests) {
        this.mailbox = mailbox;
        this.counters = counters;
        this.budget = budget;
        this.batch = batch;
        this.sender = sender;
        this.closeRequests = closeRequests;
    }

    /**
     * Accepts a transfer.
     *
     * @return QUEUED: its completion will be called; otherwise nothing was done with it
     */
    SendResult put(ConnectionRecord connection, Transfer transfer) {
        if (!connection.takesMessages()) {
            return SendResult.CLOSED;
        }
        transfer.reserved(Math.clamp(connection.profile().limits().queueBytesMax() / 4, 1, RESERVED_BYTES_MAX));
        return put(connection, transfer, 0, () -> arrive(connection, transfer));
    }

    /**
     * Accepts a message with a listener. It counts in the queue and in the budget with all its bytes.
     *
     * @param content the message without its frame; the position moves to the limit if the result is QUEUED
     * @return CLOSED: also if another thread sends it and the budget has no room; then the connection is being closed
     * @throws IllegalArgumentException the message is too long for the frame
     */
    SendResult putMessage(ConnectionRecord connection, ByteBuffer content, Transfer.Completion completion) {
        FrameWriter writer = connection.profile().writer();
        int payload = content.remaining();
        int length = writer.frameLength(payload);
        if (!connection.takesMessages()) {
            return SendResult.CLOSED;
        }
        if (length > budget.bytesMax()) {
            return SendResult.FULL;
        }
        Transfer transfer = new Transfer(writer.frame(content.duplicate()), completion);
        transfer.reserved(length);
        SendResult result = put(connection, transfer, length, () -> arriveMessage(connection, transfer, writer, payload));
        if (result == SendResult.QUEUED) {
            content.position(content.limit());
        }
        return result;
    }

    /**
     * Accepts a transfer on the loop thread, or lets the loop run {@code arrival}.
     *
     * @param bytes the bytes that it adds to the budget. The loop may exceed the budget, because it then closes the connection that
     *     holds the most. Another thread may not
     */
    private SendResult put(ConnectionRecord connection, Transfer transfer, int bytes, Runnable arrival) {
        if (!mailbox.isOwnThread()) {
            return putFromOtherThread(connection, transfer, bytes, arrival);
        }
        if (!reserve(connection, transfer)) {
            return SendResult.FULL;
        }
        budget.add(bytes);
        queue(connection, transfer);
        return SendResult.QUEUED;
    }

    /**
     * Reserves a place. Drops no older message to make room for it, whatever the policy: the message that was sent last is likely
     * to be the transfer's head.
     */
    private boolean reserve(ConnectionRecord connection, Transfer transfer) {
        Profile profile = connection.profile();
        if (reserve(connection, transfer, profile.limits().queueBytesMax())) {
            return true;
        }
        if (batch.collectsFor(connection) && !batch.isEmpty()) {
            sender.sendReplies(connection); // until now they were only collected: the socket may accept them
        }
        // A reply to the message that is being delivered may exceed the cap, like any other: reading is paused from now on.
        boolean mayExceedCap = profile.pausesWhenHigh() && batch.collectsFor(connection);
        return reserve(connection, transfer, mayExceedCap ? Integer.MAX_VALUE : profile.limits().queueBytesMax());
    }

    private static boolean reserve(ConnectionRecord connection, Transfer transfer, int bytesMax) {
        return connection.reserve(transfer.reserved(), bytesMax, connection.profile().limits().queueHighBytes());
    }

    private SendResult putFromOtherThread(ConnectionRecord connection, Transfer transfer, int bytes, Runnable arrival) {
        if (!reserve(connection, transfer, connection.profile().limits().queueBytesMax())) {
            return SendResult.FULL;
        }
        if (!connection.takesMessages()) { // checked again: once the place is reserved, the loop waits for the transfer
            withdraw(connection, transfer);
            return SendResult.CLOSED;
        }
        if (!budget.reserve(bytes)) {
            withdraw(connection, transfer);
            mailbox.run(() -> closeRequests.close(connection, CloseReason.BUDGET_EXCEEDED));
            return SendResult.CLOSED;
        }
        try {
            mailbox.execute(arrival);
        } catch (RejectedExecutionException e) {
            budget.release(bytes);
            withdraw(connection, transfer);
            return mailbox.isStopped() ? SendResult.CLOSED : SendResult.FULL;
        }
        return SendResult.QUEUED;
    }

    private void withdraw(ConnectionRecord connection, Transfer transfer) {
        connection.release(1, transfer.reserved());
        mailbox.run(() -> sender.flushLater(connection));
    }

    private void arrive(ConnectionRecord connection, Transfer transfer) {
        if (connection.isClosed()) {
            sender.dropLateTransfer(connection, transfer);
        } else {
            queue(connection, transfer);
        }
    }

    /** If the framing has changed since the message was accepted, it gets the frame that the peer expects now. */
    private void arriveMessage(ConnectionRecord connection, Transfer message, FrameWriter writer, int payload) {
        FrameWriter now = connection.profile().writer();
        ByteBuffer framed = message.piece();
        if (connection.isClosed() || framed == null || now.writesLike(writer)) {
            arrive(connection, message);
            return;
        }
        Transfer again;
        try {
            again = new Transfer(now.frame(framed.slice(framed.limit() - writer.tail().length - payload, payload)),
                    message.completion);
            again.reserved((int) again.left());
            if (!reserve(connection, again, Integer.MAX_VALUE)) {
                throw new IllegalArgumentException("the queue cannot count its bytes");
            }
        } catch (RuntimeException e) { // of the encoder: what was accepted is lost, and the peer must see that
            closeRequests.frameFailed(connection, e);
            sender.dropLateTransfer(connection, message);
            return;
        }
        connection.release(1, message.reserved());
        budget.add(again.reserved() - message.reserved());
        queue(connection, again);
    }

    private void queue(ConnectionRecord connection, Transfer transfer) {
        counters.add(Counters.MESSAGES_OUT, 1);
        sender.queueTransfer(connection, transfer);
    }
}
