package io.trivet.nats;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.ObjLongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What a server has to send to others: numbers the messages of each stream, and queues those that the bus has not accepted, within
 * limits. A message is numbered before it can be dropped, so that the receivers find the gap. Loop thread only, except the gauges.
 */
final class Outbox {
    /** The messages of one stream. */
    private static final class Stream {
        final String subject;
        /** The number of the last message. */
        long last;
        /** Messages up to this number have been sent or dropped. */
        long settled;
        int queued;

        Stream(String subject) {
            this.subject = subject;
        }
    }

    /** A message that waits. */
    static final class Queued {
        final String subject;
        final byte[] frame;
        private final Stream stream;
        private final long number;
        private final long sinceNanos;

        private Queued(byte[] frame, Stream stream, long number, long sinceNanos) {
            subject = stream.subject;
            this.frame = frame;
            this.stream = stream;
            this.number = number;
            this.sinceNanos = sinceNanos;
        }
    }

    private final RelayOptions options;
    private final Streams names;
    private final NavigableMap<String, Stream> streams = new TreeMap<>();
    private final Deque<Queued> queue = new ArrayDeque<>();
    private volatile long bytes;
    private volatile int messages;
    private long sent;
    private long dropped;
    private long droppedBytes;

    Outbox(RelayOptions options, Streams names) {
        this.options = options;
        this.names = names;
    }

    /** Returns true if a message of a stream could be numbered. Each stream costs memory for good. */
    boolean knows(String stream) {
        return streams.containsKey(stream) || streams.size() < options.topicsMax() || !Streams.isTopic(stream);
    }

    /** Numbers a message and queues it, or drops this one or older ones. */
    void add(String name, byte[] frame, long nowNanos) {
        Stream stream = streams.computeIfAbsent(name, _ -> new Stream(names.subject(name)));
        stream.last++;
        Wire.setNumber(frame, stream.last);
        if (options.overflow() != BusOverflow.DROP_OLDEST && !fits(frame.length)) {
            dropped++;
            droppedBytes += frame.length;
            if (stream.queued == 0) {
                stream.settled = stream.last;
            }
            return;
        }
        while (!fits(frame.length)) {
            drop();
        }
        queue.add(new Queued(frame, stream, stream.last, nowNanos));
        stream.queued++;
        count(1, frame.length);
    }

    private boolean fits(int more) {
        return messages < options.queueMessagesMax() && bytes + more <= options.queueBytesMax();
    }

    /** Returns the next message to send, or null. Drops those that are too old. */
    @Nullable
    Queued next(long nowNanos) {
        long ageMax = options.queueAgeMax().toNanos();
        while (ageMax > 0 && !queue.isEmpty() && nowNanos - queue.getFirst().sinceNanos > ageMax) {
            drop();
        }
        return queue.peek();
    }

    /** Removes the next message, which the bus has accepted. */
    void sent() {
        remove();
        sent++;
    }

    /** Drops the next message. */
    void drop() {
        Queued message = remove();
        dropped++;
        droppedBytes += message.frame.length;
    }

    private Queued remove() {
        Queued message = queue.remove();
        Stream stream = message.stream;
        stream.queued--;
        stream.settled = stream.queued == 0 ? stream.last : message.number;
        count(-1, -message.frame.length);
        return message;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // only the loop writes; other threads read
    private void count(int more, int moreBytes) {
        messages += more;
        bytes += moreBytes;
    }

    /** Forgets a stream that has no receiver any more. */
    void forget(String name) {
        Stream stream = streams.get(name);
        if (stream != null && stream.queued == 0) {
            streams.remove(name);
        }
    }

    /**
     * Returns, for the streams after a name, up to which number they have been sent or dropped.
     *
     * @param max the most streams
     */
    NavigableMap<String, Long> settled(String after, int max) {
        NavigableMap<String, Long> settled = new TreeMap<>();
        for (var entry : streams.tailMap(after, false).entrySet()) {
            if (settled.size() == max) {
                break;
            }
            settled.put(entry.getKey(), entry.getValue().settled);
        }
        return settled;
    }

    /** Returns the number of the last message of a stream; 0 if there was none. */
    long last(String name) {
        Stream stream = streams.get(name);
        return stream == null ? 0 : stream.last;
    }

    /** Visits each stream with the number of its last message. */
    void forEach(ObjLongConsumer<String> visitor) {
        streams.forEach((name, stream) -> visitor.accept(name, stream.last));
    }

    /** Returns true if there is a stream after a name. */
    boolean hasAfter(String name) {
        return streams.higherKey(name) != null;
    }

    /** Returns true if the queue is at most half full. */
    boolean isHalfEmpty() {
        return bytes <= options.queueBytesMax() / 2 && messages <= options.queueMessagesMax() / 2;
    }

    /** Any thread: returns true if a message fits, beside others that are on their way. */
    boolean hasRoom(long more) {
        return messages < options.queueMessagesMax() && bytes + more <= options.queueBytesMax();
    }

    long bytes() {
        return bytes;
    }

    int messages() {
        return messages;
    }

    long sentCount() {
        return sent;
    }

    long droppedCount() {
        return dropped;
    }

    long droppedBytes() {
        return droppedBytes;
    }
}
