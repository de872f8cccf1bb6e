package io.trivet.sim;

/**
 * Decisions of the kernel that a caller cannot predict, because they depend on the memory that Linux uses for its own bookkeeping
 * of a buffer. All such decisions are in this class. They make a difference only when a buffer is nearly full.
 *
 * <ol>
 * <li>How much a send accepts when the send buffer is nearly full. The kernel counts its overhead as part of the buffer, and the
 * overhead depends on how the bytes arrived.
 * <li>How many of the sent bytes have arrived when the receive buffer is nearly full, for the same reason. Also when a receiver
 * that has read some bytes announces the free space: only when a segment as large as the earlier ones fits.
 * <li>How much of the send buffer is in use while sent bytes are not acknowledged, and therefore whether at least a third of it
 * is free. The kernel counts its overhead here too, and an acknowledgement can be up to 40 ms late. Also the size of a buffer if
 * none was set, and how many of the written bytes have not been sent.
 * <li>Whether the receive buffer is nearly full. If so, the socket is readable even below its low-water mark.
 * </ol>
 *
 * <p>This class counts only the payload bytes. The tests that compare the simulation with a kernel replace it by a subclass that
 * uses the kernel's own numbers. The consequences of these numbers are computed elsewhere, so the tests do compare them.
 */
class BufferAccounting {
    /** Returns whether only payload bytes are counted. If so, a decision changes only when bytes are sent, arrive or are read. */
    final boolean isByteBased() {
        return getClass() == BufferAccounting.class;
    }

    /** Returns how many bytes a send accepts. Here: as many as fit. */
    int accepted(TcpEndpoint end, long asked, int room) {
        return (int) Math.min(asked, room);
    }

    /**
     * Returns the stream position up to which bytes can arrive. Here: {@code byBytes}, the written bytes that the window admits.
     */
    long deliverableEnd(Flow flow, long byBytes) {
        return byBytes;
    }

    /** Returns how much of the send buffer is in use. Here: {@code byBytes}, the unacknowledged bytes. */
    long sendBufferUsed(TcpEndpoint end, long byBytes) {
        return byBytes;
    }

    /** Returns the size of the send buffer. */
    long sendBufferBytes(TcpEndpoint end) {
        return end.options.sendBytes;
    }

    /** Returns how many written bytes have not been sent. Here: {@code byBytes}, the bytes beyond the window. */
    long unsent(TcpEndpoint end, long byBytes) {
        return byBytes;
    }

    /** Returns whether the receive buffer is nearly full. Here: {@code byBytes}, whether the window is closed. */
    boolean isUnderMemoryPressure(TcpEndpoint end, boolean byBytes) {
        return byBytes;
    }
}
