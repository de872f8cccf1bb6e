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
}
