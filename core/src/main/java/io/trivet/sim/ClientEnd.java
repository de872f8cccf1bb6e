package io.trivet.sim;

/** How the connection of a {@link SimClient} has ended, as the client saw it. */
public enum ClientEnd {
    /** Not yet: the client is connecting or connected. */
    OPEN,
    /** The connection was never established: refused, unreachable, not answered in time, or no socket could be opened. */
    REFUSED,
    /** The client has read the end of its input: the server has ended its output in order, and everything it sent has arrived. */
    ENDED,
    /** The connection was reset, by the server or by a fault. Bytes may be missing at the end. */
    RESET,
    /** The client itself has closed or reset the connection. */
    CLOSED
}
