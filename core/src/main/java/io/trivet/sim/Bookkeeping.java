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
 * <li>Whether a stream is writable while some of what it sent is not acknowledged: that at least a third of the buffer is free is counted
 * in the same way, and an acknowledgement can be late by 40 ms.
 * <li>Whether a low-water mark still holds back readiness when the receive buffer is nearly full.
 * </ol>
 *
 * <p>Here these are decided by the bytes alone. A test that holds the simulation against a kernel decides them as that did.
 */
class Bookkeeping {
    /** Whether it is decided by the bytes, and so changes only when something happens to them. */
    final boolean isOwn() {
        return getClass() == Bookkeeping.class;
    }

    /** How many bytes a send takes: by the bytes, as many as there is room for. */
    int taken(TcpEnd end, long asked, int room) {
        return (int) Math.min(asked, room);
    }

    /** Up to which position bytes arrive: by the bytes, what was written as far as the window goes. */
    long reach(Flow flow, long byBytes) {
        return byBytes;
    }

    /** Whether a stream is writable, when its state allows it. */
    boolean isWritable(TcpEnd end, boolean byBytes) {
        return byBytes;
    }

    /** Whether the receive buffer is so full that a low-water mark does not count any more. */
    boolean isWindowClosed(TcpEnd end, boolean byBytes) {
        return byBytes;
    }
}
