package io.trivet.server;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The messages that wait for one peer, in three lanes. The message of which some bytes have been sent is completed first; then
 * the urgent lane ({@code sendFirst}) is sent; then the ordinary lane. Exists only while something waits. One thread.
 */
@SuppressWarnings("ReferenceEquality") // the same lane
final class SendQueue {
    /** What a connection needs as long as it has a queue. It passes with the queue from connection to connection. */
    interface Companion {}

    private final BufferPool pool;
    private final Lane empty;
    private final Lane ordinary;
    /** Most queues never need these two, which are then the empty lane that all queues of a loop share. */
    private Lane begun;

    private Lane urgent;
    /** When the oldest message was accepted, or one accepted soon after it. Other threads read it, and may get an old value. */
    private long sinceNanos;
    /** When the peer last accepted bytes, or when the first message was accepted. */
    long progressNanos;
    /** True if the proactor still has unsent bytes, as ciphertext of TLS: what is queued waits for them. */
    boolean isBehindUnsent;
    /** How often the socket has refused bytes of this queue. */
    int timesFull;
    /** An object that the last connection had because of this queue, for the next one; null if there is none. */
    @Nullable Companion companion;

    /**
     * Creates an empty queue.
     *
     * @param empty a lane that stays empty
     */
    SendQueue(BufferPool pool, Lane empty, long nowNanos) {
        this.pool = pool;
        this.empty = empty;
        ordinary = new Lane(pool);
        begun = empty;
        urgent = empty;
        progressNanos = nowNanos;
        sinceNanos = nowNanos;
    }

    /** Prepares an empty queue for another connection. */
    SendQueue reuse(long nowNanos) {
        progressNanos = nowNanos;
        sinceNanos = nowNanos;
        isBehindUnsent = false;
        timesFull = 0;
        return this;
    }

    /** Returns the memory that the messages take, in bytes. */
    long heldBytes() {
        return begun.heldBytes() + urgent.heldBytes() + ordinary.heldBytes();
    }

    long sinceNanos() {
        return sinceNanos;
    }

    long bytes() {
        return begun.bytes() + urgent.bytes() + ordinary.bytes();
    }

    int messages() {
        return begun.messages() + urgent.messages() + ordinary.messages();
    }

    boolean isEmpty() {
        return begun.isEmpty() && urgent.isEmpty() && ordinary.isEmpty();
    }

    /** Returns the lane for new messages. */
    Lane ordinary() {
        return ordinary;
    }

    /** Returns the lane that is sent before the ordinary one, from the next message boundary on. */
    Lane urgent() {
        moveBegun();
        if (urgent == empty) {
            urgent = new Lane(pool);
        }
        return urgent;
    }

    /** Moves the ordinary message of which some bytes have been sent to a lane of its own. */
    private void moveBegun() {
        if (ordinary.isBegun()) {
            if (begun == empty) {
                begun = new Lane(pool);
            }
            ordinary.removeFirst(begun);
        }
    }

    /**
     * Fills the array with buffers to send from.
     *
     * @return the number of buffers
     */
    int parts(ByteBuffer[] parts) {
        // A begun message of the urgent lane stays at the front of that lane: no other message can get ahead of it.
        return ordinary.parts(parts, urgent.parts(parts, begun.parts(parts, 0)));
    }

    /**
     * Removes bytes that were sent.
     *
     * @return the number of messages that were completed
     */
    int sent(long bytes, long nowNanos) {
        if (bytes > 0) {
            progressNanos = nowNanos;
        }
        long fromBegun = Math.min(bytes, begun.bytes());
        long fromUrgent = Math.min(bytes - fromBegun, urgent.bytes());
        int completed = begun.sent(fromBegun) + urgent.sent(fromUrgent) + ordinary.sent(bytes - fromBegun - fromUrgent);
        updateSince();
        return completed;
    }

    private void updateSince() {
        Lane oldest = older(older(begun, urgent), ordinary);
        if (!oldest.isEmpty()) {
            sinceNanos = oldest.oldestNanos();
        }
    }

    private static Lane older(Lane one, Lane other) {
        return one.isEmpty() || (!other.isEmpty() && other.oldestNanos() - one.oldestNanos() < 0) ? other : one;
    }

    /** Moves all messages of a newer queue, of which nothing has been sent, behind the messages of this one. */
    void add(SendQueue newer) {
        if (!newer.urgent.isEmpty()) {
            urgent().add(newer.urgent);
        }
        ordinary.add(newer.ordinary);
    }

    /**
     * Drops the oldest ordinary message of which nothing has been sent.
     *
     * @param nowNanos the time of the next message, if no message is left
     * @param isBehindTransfer true if a transfer waits ahead of these messages: then the age of the queue is the transfer's, and stays
     * @return its length, or -1 if there is none
     */
    int dropOldest(long nowNanos, boolean isBehindTransfer) {
        moveBegun();
        if (ordinary.isEmpty()) {
            return -1;
        }
        int length = ordinary.removeFirst(null);
        if (!isBehindTransfer) {
            sinceNanos = nowNanos;
            updateSince();
        }
        return length;
    }

    /** Drops all messages and releases their buffers, and the lanes that most queues never need. */
    void clear() {
        begun.clear();
        begun = empty;
        urgent.clear();
        urgent = empty;
        ordinary.clear();
    }
}
