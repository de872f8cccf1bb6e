package io.trivet.server;

import java.nio.ByteBuffer;

/**
 * What waits for one peer: three lanes, sent one behind the other. A message of which bytes have left must be ended before anything else;
 * then those that were sent first; then the rest. It exists only while something waits. One thread.
 */
final class Backlog {
    private final Lane begun;
    private final Lane first;
    private final Lane ordinary;
    private final Lane[] lanes;
    /** When the oldest message came, to within those that came with it; other threads read it as it happens to be. */
    private long sinceNanos;
    /** When the peer last took something, or the first message came. */
    long progressNanos;
    /** What the proactor had called taken before was still on its way when the socket last took nothing. */
    boolean isBehindUnsent;

    Backlog(BufferPool pool, long nowNanos) {
        begun = new Lane(pool);
        first = new Lane(pool);
        ordinary = new Lane(pool);
        lanes = new Lane[]{begun, first, ordinary};
        progressNanos = nowNanos;
        sinceNanos = nowNanos;
    }

    /** An empty one, for somebody else. */
    Backlog beginAgain(long nowNanos) {
        progressNanos = nowNanos;
        sinceNanos = nowNanos;
        isBehindUnsent = false;
        return this;
    }

    /** Whether it is worth keeping when it is empty. */
    boolean isSmall() {
        return begun.isSmall() && first.isSmall() && ordinary.isSmall();
    }

    long sinceNanos() {
        return sinceNanos;
    }

    long bytes() {
        return begun.bytes() + first.bytes() + ordinary.bytes();
    }

    int messages() {
        return begun.messages() + first.messages() + ordinary.messages();
    }

    boolean isEmpty() {
        return begun.isEmpty() && first.isEmpty() && ordinary.isEmpty();
    }

    /** The lane for new messages. */
    Lane ordinary() {
        return ordinary;
    }

    /** The lane ahead of the rest, at the next end of a message. */
    Lane first() {
        if (ordinary.isBegun()) {
            ordinary.removeFirst(begun);
        }
        return first;
    }

    /** Fills in the buffers to send from; how many. */
    int parts(ByteBuffer[] parts) {
        // A message of the first lane that is begun stands there at the front, and nothing overtakes it.
        return ordinary.parts(parts, first.parts(parts, begun.parts(parts, 0)));
    }

    /** Forgets the bytes that were sent; how many messages left with them. */
    int sent(long bytes, long nowNanos) {
        if (bytes > 0) {
            progressNanos = nowNanos;
        }
        long fromBegun = Math.min(bytes, begun.bytes());
        long fromFirst = Math.min(bytes - fromBegun, first.bytes());
        int gone = begun.sent(fromBegun) + first.sent(fromFirst) + ordinary.sent(bytes - fromBegun - fromFirst);
        lookForOldest();
        return gone;
    }

    private void lookForOldest() {
        Lane oldest = null;
        for (Lane lane : lanes) {
            if (!lane.isEmpty() && (oldest == null || lane.oldestNanos() - oldest.oldestNanos() < 0)) {
                oldest = lane;
            }
        }
        if (oldest != null) {
            sinceNanos = oldest.oldestNanos();
        }
    }

    /** Takes over what waits in a newer one, of which nothing has left. */
    void add(Backlog newer) {
        if (!newer.first.isEmpty()) {
            first().add(newer.first);
        }
        ordinary.add(newer.ordinary);
    }

    /** Moves the positions of the buffers, for a pending send, which has not moved them. */
    void advance(long bytes) {
        long fromBegun = Math.min(bytes, begun.bytes());
        long fromFirst = Math.min(bytes - fromBegun, first.bytes());
        begun.advance(fromBegun);
        first.advance(fromFirst);
        ordinary.advance(bytes - fromBegun - fromFirst);
    }

    /** Drops the oldest ordinary message of which no byte has left; its length, or -1: there is none. */
    int dropOldest() {
        if (ordinary.isBegun()) {
            ordinary.removeFirst(begun);
        }
        if (ordinary.isEmpty()) {
            return -1;
        }
        int length = ordinary.removeFirst(null);
        lookForOldest();
        return length;
    }

    void clear() {
        begun.clear();
        first.clear();
        ordinary.clear();
    }
}
