package io.trivet.nats;

/** How far a stream of another server was received. */
final class Position {
    /** The number of the last message that was delivered or reported as missed. */
    long number;
    /** When a message or a heartbeat last showed that nothing was missing. */
    long atNanos;

    Position(long number, long atNanos) {
        this.number = number;
        this.atNanos = atNanos;
    }
}
