package io.trivet.nats;

/** The state of a relay's link to its bus. */
public enum BusState {
    /** Not connected; the next attempt comes after the back-off. */
    AWAY,
    /** An attempt to connect is running. */
    CONNECTING,
    /** Connected. */
    UP,
    /** The relay has ended. */
    CLOSED
}
