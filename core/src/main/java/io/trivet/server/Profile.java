package io.trivet.server;

/**
 * What the parts of a loop need to know about the connections that they serve. Today all connections of a server share one
 * profile; settings per listener or per connection will be further profiles.
 *
 * @param framing where messages end
 * @param limits the bounds
 * @param overflow what happens when a queue is full
 * @param urgent true to watch for TCP's urgent data
 */
record Profile(Framing framing, Limits limits, Overflow overflow, boolean urgent) {
    boolean pausesWhenHigh() {
        return overflow == Overflow.PAUSE_READING;
    }

    boolean dropsOldest() {
        return overflow == Overflow.DROP_OLDEST;
    }

    /** Returns the low mark, always below the high mark: a handler that is notified of room must find some. */
    int lowBytes() {
        return Math.min(limits.queueLowBytes(), limits.queueHighBytes() - 1);
    }
}
