package io.trivet.server;

/** What happens with an unfinished message when the peer ends its output: see {@link Framing#withRemainder}. */
public enum Remainder {
    /** It is dropped. This is the default. */
    DROP,
    /**
     * It is delivered as a last message: all bytes after the last complete frame, including a head. With lines, this is
     * the last line without its end. Then onEndOfInput is called.
     */
    DELIVER,
    /**
     * The connection is closed with {@link io.trivet.observe.CloseReason#PROTOCOL_ERROR}, after sending what was accepted;
     * onEndOfInput is not called.
     */
    ERROR
}
