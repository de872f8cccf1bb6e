package io.trivet.nats;

import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A gap in a stream of another server that the history of the bus may fill, and the messages that wait behind it. Loop thread only. */
final class Fill {
    final Peer peer;
    final String stream;
    final Position position;
    /** The number of the last message that is known to exist. */
    long last;
    /** The time since which messages may be missing. */
    final long sinceNanos;
    /** When the history was first requested. */
    long begunNanos;
    /** When the gap is given up. */
    long untilNanos;
    /** True if the last request for the history may not cover everything that is missing. */
    boolean hasGrown;
    private final TreeMap<Long, Frame.Message> held = new TreeMap<>();
    private long heldBytes;

    Fill(Peer peer, String stream, Position position, long last) {
        this.peer = peer;
        this.stream = stream;
        this.position = position;
        this.last = last;
        sinceNanos = position.atNanos;
    }

    long heldBytes() {
        return heldBytes;
    }

    /** Records that a message of this number exists, which has not arrived. */
    void exists(long number) {
        if (number > last) {
            last = number;
            hasGrown = true;
        }
    }

    /** Holds a message that is not the next one. Returns false if it is already held. */
    boolean hold(Frame.Message message) {
        if (held.putIfAbsent(message.number(), message) != null) {
            return false;
        }
        heldBytes += bytes(message);
        hasGrown |= message.number() > last + 1;
        last = Math.max(last, message.number());
        return true;
    }

    /** Removes and returns the first message that is held if it is the next one, or if {@code any} is true; null if there is none. */
    Frame.@Nullable Message take(boolean any) {
        if (held.isEmpty() || (!any && held.firstKey() != position.number + 1)) {
            return null;
        }
        Frame.Message first = held.pollFirstEntry().getValue();
        heldBytes -= bytes(first);
        return first;
    }

    /** Returns true if nothing is missing. */
    boolean isComplete() {
        return position.number >= last;
    }

    private static int bytes(Frame.Message message) {
        return message.content().remaining() + RelayOptions.OVERHEAD_BYTES;
    }
}
