package io.trivet.server;

import io.trivet.observe.CloseReason;
import java.nio.ByteBuffer;

/**
 * The methods of a connection that the parts of a loop call without depending on Connection: its settings, its decoder, and its
 * handler's callbacks. Only Callbacks calls the callbacks; it catches their exceptions.
 */
abstract class HandlerCalls {
    /** Returns the connection's settings. Any thread. */
    abstract Profile profile();

    /** Returns the decoder of the connection's input. */
    abstract FrameDecoder decoder();

    abstract void callOpen() throws Exception;

    abstract void callMessage(ByteBuffer message) throws Exception;

    abstract void callPart(ByteBuffer part, boolean last) throws Exception;

    abstract void callUrgent(byte b) throws Exception;

    abstract void callEndOfInput() throws Exception;

    abstract void callDrained() throws Exception;

    abstract void callDropped(DroppedMessages dropped) throws Exception;

    abstract void callClose(CloseReason reason) throws Exception;

    // ---- sessions

    /** Returns true if a session wants to be notified when messages have been delivered. Any thread. */
    boolean hasSession() {
        return false;
    }

    /** Notifies the session that one or several messages have been delivered to it. */
    void callDelivered() {}

    /** Notifies the session, which waits for it, that the connection has TLS now. */
    void callSecured() {}

    /** Returns the bytes of messages that the session has not received, while it waits for TLS. */
    int unreadBySession() {
        return 0;
    }

    /** Returns the bytes of messages on their way to and from the session. */
    long sessionBytes() {
        return 0;
    }

    /** Drops the messages that the session has not received. */
    void dropReceivedBySession() {}

    /**
     * Asks the session to end. It may still send until then.
     *
     * @return false if the connection has no session; the caller then has to finish it
     */
    boolean callDrain() {
        return false;
    }
}
