package io.trivet.sim;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * A send that a ring was given: the memory where its bytes lie, and the bytes as they were then, since they may not change. What a socket refuses
 * of a silent one is {@linkplain #keep kept} as these bytes alone.
 */
final class RingSend {
    private final List<ByteBuffer> parts = new ArrayList<>(2);
    private byte[] bytes = new byte[0];
    /** The same bytes. */
    private ByteBuffer given = ByteBuffer.wrap(bytes);
    private int length;
    /** How much of it has gone. */
    private int gone;
    /** The buffer of the ring that it was lent; negative: none. */
    int buffer = -1;
    /** It is not looked at before this. */
    long dueNanos;
    /** Its connection is closed, and the cancellation came too late for it. */
    boolean outlivesClose;
    /** The kernel has looked at it. */
    boolean tried;
    /** It was called taken at once: its completion is left out, unless it is refused or cut short. */
    boolean silent;

    void begin(ByteBuffer[] buffers, int from, int count, int total) {
        if (bytes.length < total) {
            bytes = new byte[Math.max(total, 2 * bytes.length)];
            given = ByteBuffer.wrap(bytes);
        }
        length = total;
        gone = 0;
        outlivesClose = false;
        tried = false;
        silent = false;
        int at = 0;
        for (int i = from; i < from + count; i++) {
            ByteBuffer part = buffers[i].slice();
            parts.add(part);
            part.get(0, bytes, at, part.remaining());
            at += part.remaining();
        }
    }

    int length() {
        return length;
    }

    int gone() {
        return gone;
    }

    int left() {
        return length - gone;
    }

    /** Gives some bytes to a connection, after a look at whether they are still what they were. */
    void write(Object connection, Flow flow, int count) {
        check(connection);
        flow.write(bytes, gone, count);
        gone += count;
    }

    /** Until its completion is told the memory is the kernel's, also when it has been cancelled. */
    void check(Object connection) {
        int at = 0;
        for (int i = 0; i < parts.size(); i++) {
            ByteBuffer part = parts.get(i);
            if (part.mismatch(given.limit(at + part.remaining()).position(at)) >= 0) {
                throw new IllegalStateException(
                        "the memory of a pending send on " + connection + " has changed before its completion");
            }
            at += part.remaining();
        }
    }

    /** Of a silent one: the memory is given back, and what has not gone of the bytes goes from here. */
    void keep() {
        parts.clear();
        buffer = -1;
    }

    /** Gives to a socket what it takes of what was kept; how much that was. */
    int writeKept(SimTcpStream stream) throws IOException {
        int count = stream.write(given.limit(length).position(gone));
        gone += count;
        return count;
    }

    void end() {
        parts.clear();
        buffer = -1;
    }
}
