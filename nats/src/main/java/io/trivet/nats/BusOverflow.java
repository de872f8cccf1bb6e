package io.trivet.nats;

/** What a relay does when its queue is full because the bus is slow or away. */
public enum BusOverflow {
    /** Drops the oldest queued messages. Local members have received them. The other servers report a gap. */
    DROP_OLDEST,
    /** Drops the new message for the other servers, which report a gap. Local members receive it. */
    DROP_NEW,
    /**
     * Accepts no message: {@link Relay#publish} returns FULL, local members do not receive it either, and {@link
     * RelayListener#onDrained} tells when to continue. The queue drops only what is too old.
     */
    PAUSE
}
