package io.trivet.sim.world;

/** A message that an application has given to a connection, and that was taken. */
final class Sent {
    /** Which of its connection's it is. */
    final int order;
    final String name;
    /** The bytes with its frame. */
    final int framedLength;
    final boolean ahead;
    /** From the connection's own loop, or from elsewhere: only messages from one place keep their order. */
    final int origin;
    boolean received;

    Sent(int order, String name, int framedLength, boolean ahead, int origin) {
        this.order = order;
        this.name = name;
        this.framedLength = framedLength;
        this.ahead = ahead;
        this.origin = origin;
    }
}
