package io.trivet.scenarios;

/** A message that a connection has accepted for sending. */
final class SentMessage {
    /** Its number among the messages of the server. */
    final int order;
    final String name;
    /** The bytes with its frame. */
    final int framedLength;
    final boolean sentFirst;
    /** The loop that it was sent from. Only messages from one loop keep their order. */
    final int origin;
    boolean received;
    /** If it is another client's message that was relayed: the length of its content; otherwise -1. */
    int relayedLength = -1;
    /**
     * If it was sent with sendFirst: the bytes that had been sent before, or were being sent. A message behind these must come
     * after it. -1 if unknown.
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
