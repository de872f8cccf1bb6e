package io.trivet.sim;

/**
 * The decisions of Linux that depend on the size of its own bookkeeping for a buffer, and that a caller cannot predict. They are
 * all named here, and nowhere else. None of them shows while no buffer is nearly full.
 *
 * <ol>
 * <li>How much a send accepts when the send buffer is nearly full. The size of a buffer includes the kernel's overhead, which
 * depends on how the bytes arrived.
 * <li>How many of the sent bytes have arrived when the receive buffer is nearly full, for the same reason; and when a receiver
 * that has read announces the room: not before there is enough for a segment as large as those it has received.
 * <li>How much of the send buffer is in use while sent bytes are not acknowledged, and so whether at least a third of it is free.
 * The kernel counts in the same way, and an acknowledgement can be late by 40 ms. Also how large a buffer is whose size was not
 * set, and how many of the written bytes were never sent.
 * <li>Whether the receive buffer is nearly full, so that a low-water mark no longer holds back readiness.
 * </ol>
 *
 * <p>This class counts bytes alone. The tests that compare the simulation with a kernel replace it by one that counts as that
 * kernel did. What follows from the numbers is not decided here, and so it is compared.
 */
class BufferAccounting {
    /** Returns whether the bytes alone decide, so that the decisions change only when something happens to them. */
    final boolean isByteBased() {
        return getClass() == BufferAccounting.class;
    }

    /** Returns how many bytes a send accepts. By bytes: as many as there is room for. */
    int accepted(TcpEndpoint end, long asked, int room) {
        return (int) Math.min(asked, room);
    }

    /** Returns the position up to which bytes arrive. By bytes: what was written, as far as the window reaches. */
    long deliverableEnd(Flow flow, long byBytes) {
        return byBytes;
    }

    /** Returns how much of the send buffer is in use. By bytes: what is not acknowledged. */
    long sendBufferUsed(TcpEndpoint end, long byBytes) {
        return byBytes;
    }

    /** Returns the size of the send buffer. */
    long sendBufferBytes(TcpEndpoint end) {
        return end.options.sendBytes;
    }

    /** Returns how many written bytes were never sent. By bytes: those beyond the window. */
    long unsent(TcpEndpoint end, long byBytes) {
        return byBytes;
    }

    /** Returns whether the receive buffer is nearly full. By bytes: when the window is closed. */
    boolean isUnderMemoryPressure(TcpEndpoint end, boolean byBytes) {
        return byBytes;
    }
}
