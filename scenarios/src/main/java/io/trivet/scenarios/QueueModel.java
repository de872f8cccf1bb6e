package io.trivet.scenarios;

import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** The expected queue of one connection. */
final class QueueModel {
    /** A message that waits: a line of the same character. Its length includes the end of the line. */
    static final class Waiting {
        final byte fill;
        final int length;
        final long sinceNanos;
        final boolean urgent;
        /**
         * True if it was sent with a listener: no message overtakes it or is dropped before it, and it counts with its full
         * length until it was sent.
         */
        final boolean listened;
        int left;

        Waiting(byte fill, int length, long sinceNanos, boolean urgent, boolean listened) {
            this.fill = fill;
            this.length = length;
            this.sinceNanos = sinceNanos;
            this.urgent = urgent;
            this.listened = listened;
            left = length;
        }

        boolean isBegun() {
            return left < length;
        }

        int counted() {
            return listened ? length : left;
        }
    }

    /** A part of a message that was sent. */
    static final class Part {
        final Waiting of;
        int at;
        final int to;

        Part(Waiting of, int at, int to) {
            this.of = of;
            this.at = at;
            this.to = to;
        }
    }

    Limits limits;
    final Overflow overflow;
    /** In the order in which they will be sent. */
    final List<Waiting> queue = new ArrayList<>();
    /** The bytes that were sent and not compared yet: parts of messages, with their first and last offsets. */
    final ArrayDeque<Part> sent = new ArrayDeque<>();
    boolean high;
    int drained;
    long droppedMessages;
    long droppedBytes;
    long acceptedBytes;
    /** Messages with listeners of which all bytes were sent. */
    int listenedEnds;
    /** The queue has held a message with a listener since it was last empty. */
    boolean hasListened;

    /** True if messages are sent in the order of acceptance, and may arrive before their send has completed. */
    final boolean inOrder;

    QueueModel(Limits limits, Overflow overflow, boolean inOrder) {
        this.limits = limits;
        this.overflow = overflow;
        this.inOrder = inOrder;
    }

    long bytes() {
        return queue.stream().mapToLong(Waiting::counted).sum();
    }

    /** Returns the index behind the last message with a listener. */
    private int afterListened() {
        int at = queue.size();
        while (at > 0 && !queue.get(at - 1).listened) {
            at--;
        }
        return at;
    }

    void add(Waiting message) {
        int at = queue.size();
        if (message.urgent) {
            at = afterListened();
            while (at < queue.size() && (queue.get(at).isBegun() || queue.get(at).urgent)) {
                at++;
            }
        }
        queue.add(at, message);
        hasListened |= message.listened;
        if (inOrder) {
            sent.add(new Part(message, 0, message.length));
        }
        acceptedBytes += message.length;
        high |= bytes() >= limits.queueHighBytes();
    }

    /** Drops the oldest ordinary messages until one of that length fits. */
    void makeRoom(int length) {
        int at = afterListened();
        while (at < queue.size() && bytes() + length > limits.queueBytesMax()) {
            Waiting oldest = queue.get(at);
            if (oldest.isBegun() || oldest.urgent) {
                at++;
            } else {
                queue.remove(at);
                droppedMessages++;
                droppedBytes += oldest.length;
            }
        }
        hasListened &= !queue.isEmpty();
    }

    boolean fits(int length) {
        return bytes() + length <= limits.queueBytesMax();
    }

    void sent(long bytes) {
        long left = bytes;
        while (left > 0 && !queue.isEmpty()) {
            Waiting first = queue.getFirst();
            int part = (int) Math.min(left, first.left);
            int at = first.length - first.left;
            if (!inOrder) {
                sent.add(new Part(first, at, at + part));
            }
            first.left -= part;
            left -= part;
            if (first.left == 0) {
                queue.removeFirst();
                listenedEnds += first.listened ? 1 : 0;
            }
        }
        hasListened &= !queue.isEmpty();
        int low = Math.min(limits.queueLowBytes(), limits.queueHighBytes() - 1);
        if (high && bytes() <= low) {
            high = false;
            drained++;
        }
    }

    long oldestNanos() {
        return queue.stream().mapToLong(waiting -> waiting.sinceNanos).min().orElseThrow();
    }
}
