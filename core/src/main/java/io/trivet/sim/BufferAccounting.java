package io.trivet.sim;

/**
 * What Linux decides by the size of its own records of the bytes, and so leaves open to whoever looks from outside. It is all named here,
 * and nowhere else; none of it shows as long as no buffer fills.
 *
 * <ol>
 * <li>How much a send takes when the send buffer is nearly full: a buffer's size counts the kernel's overhead too, which depends on how the
 * bytes came.
 * <li>How many of the bytes that were sent have arrived when the receive buffer is nearly full, for the same reason; and when a receiver that
 * has read tells of the room: not before there is enough for a segment as large as those that came.
 * <li>How much of the send buffer is taken while some of what was sent is not acknowledged, and so whether at least a third of it is free: it is
 * counted in the same way, and an acknowledgement can be late by 40 ms. How large a buffer is that nobody has sized; and how much of what was
 * written has never been sent.
 * <li>Whether the receive buffer is nearly full, so that a low-water mark does not hold back readiness.
 * </ol>
 *
 * <p>Here these are counted by the bytes alone. A test that holds the simulation against a kernel counts as that did; what follows from the
 * numbers is not decided here, and so is held against the kernel.
 */
class BufferAccounting {
    /** Whether it is decided by the bytes, and so changes only when something happens to them. */
    final boolean isByteBased() {
        return getClass() == BufferAccounting.class;
    }

    /** How many bytes a send takes: by the bytes, as many as there is room for. */
    int accepted(TcpEndpoint end, long asked, int room) {
        return (int) Math.min(asked, room);
    }

    /** Up to which position bytes arrive: by the bytes, what was written as far as the window goes. */
    long deliverableEnd(Flow flow, long byBytes) {
        return byBytes;
    }

    /** How much of the send buffer is taken: by the bytes, what is not acknowledged. */
    long sendBufferUsed(TcpEndpoint end, long byBytes) {
        return byBytes;
    }

    /** How large the send buffer is. */
    long sendBufferBytes(TcpEndpoint end) {
        return end.options.sendBytes;
    }

    /** How much was written and never sent: by the bytes, what is beyond the window. */
    long unsent(TcpEndpoint end, long byBytes) {
        return byBytes;
    }

    /** Whether the receive buffer is nearly full: by the bytes, when the window is closed. */
    boolean isUnderMemoryPressure(TcpEndpoint end, boolean byBytes) {
        return byBytes;
    }
}
