package io.trivet.scenarios;

import org.jspecify.annotations.Nullable;

/** A message that a connection has accepted for sending. */
final class SentMessage {
    /** Its number among the messages of the server. */
    final int order;
    final String name;
    /** The number of bytes, including the frame. */
    final int framedLength;
    final boolean sentFirst;
    /** The loop that it was sent from. Only messages from one loop keep their order. */
    final int origin;
    boolean received;
    /** If this is a relayed message of another client: the length of its content; otherwise -1. */
    int relayedLength = -1;
    /** Whether it was put into the frame of the framing after the upgrade; null if that is unknown, or there is no upgrade. */
    @Nullable Boolean upgraded;
    /**
     * If the message was sent with sendFirst: the number of bytes that had been sent, or were being sent, at that time. A message
     * that starts after these bytes must arrive after this one. -1 if unknown.
     */
    long bytesBefore = -1;

    SentMessage(int order, String name, int framedLength, boolean sentFirst, int origin) {
        this.order = order;
        this.name = name;
        this.framedLength = framedLength;
        this.sentFirst = sentFirst;
        this.origin = origin;
    }
}
