package io.trivet.server;

import java.nio.ByteBuffer;

/** Takes the input of a connection in place of its decoder and its handler. Loop thread only. */
interface InputSink {
    /**
     * Takes received bytes. If it does not take all of them, the caller holds the rest: the sink has paused reading, or it has
     * ended, and the rest is input of the connection again.
     *
     * @param bytes the bytes from the position to the limit; the position advances over those that were taken
     */
    void take(ByteBuffer bytes);

    /** Called when the connection has held input, and reading is not paused. The sink takes it soon. */
    void takeHeld();

    /** Called when the peer has ended its output, and all bytes were taken. */
    void end();

    /** Called when the connection delivers no further input, although its peer has not ended its output. */
    void cut();
}
