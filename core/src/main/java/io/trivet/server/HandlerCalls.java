package io.trivet.server;

import io.trivet.observe.CloseReason;
import java.nio.ByteBuffer;

/**
 * What the parts of a loop ask of a connection without knowing Connection: its settings, its decoder, and its handler's
 * callbacks. The callbacks are called by Callbacks alone, which catches what they throw.
 */
abstract class HandlerCalls {
    /** Returns the connection's settings. Any thread. */
    abstract Profile profile();

    /** Returns what finds the messages in the connection's input. */
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

    /**
     * Asks the session to end, which may still send meanwhile.
     *
     * @return false if there is none, so that the connection has to be finished
     */
    boolean callDrain() {
        return false;
    }
}
