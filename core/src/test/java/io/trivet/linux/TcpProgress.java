package io.trivet.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** What the kernel says of a connection, for tests that must know when something has arrived (linux/tcp.h, struct tcp_info). */
public final class TcpProgress {
    /** linux/tcp_states.h. */
    public static final int ESTABLISHED = 1;
    /** Connecting. */
    public static final int SYN_SENT = 2;
    /** Nothing goes any more, in either direction. */
    public static final int CLOSE = 7;

    private static final int TCP_INFO = 11;
    private static final int LENGTH = 232;
    private static final int BYTES_RECEIVED = 128;

    private final MemorySegment info = Arena.ofAuto().allocate(LENGTH + 8, 8);

    /** Asks about a stream; false: it is closed. */
    public boolean ask(int fd) {
        info.set(ValueLayout.JAVA_INT, LENGTH, LENGTH);
        return fd >= 0 && Libc.getsockopt(fd, Options.IPPROTO_TCP, TCP_INFO, info.address(), info.address() + LENGTH) >= 0;
    }

    /** The state of the connection. */
    public int state() {
        return info.get(ValueLayout.JAVA_BYTE, 0);
    }

    /** How many bytes have arrived, in order; the end of the input counts as one. */
    public long bytesReceived() {
        return info.get(ValueLayout.JAVA_LONG, BYTES_RECEIVED);
    }

    /** Whether the peer's end of output has arrived: CLOSE_WAIT, LAST_ACK, CLOSING, TIME_WAIT; or all is over. */
    public boolean isInputOver() {
        return switch (state()) {
            case 6, 7, 8, 9, 11 -> true;
            default -> false;
        };
    }
}
