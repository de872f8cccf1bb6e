package io.trivet.scenarios;

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
    /** Of another client's message that was sent on: its length; else -1. */
    int relayedLength = -1;
    /** Of one sent ahead: the bytes that had left before, or were on their way. What begins behind them must come after it. -1: not known. */
    long leftBefore = -1;

    Sent(int order, String name, int framedLength, boolean ahead, int origin) {
        this.order = order;
        this.name = name;
        this.framedLength = framedLength;
        this.ahead = ahead;
        this.origin = origin;
    }
}
