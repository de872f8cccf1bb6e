package io.trivet.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What the kernel says of a connection, for tests that must know when something has arrived, or what the kernel's own records say (linux/tcp.h,
 * struct tcp_info; linux/sock_diag.h, SK_MEMINFO_…).
 */
public final class TcpProgress {
    /** linux/tcp_states.h. */
    public static final int ESTABLISHED = 1;
    /** Connecting. */
    public static final int SYN_SENT = 2;
    /** Nothing goes any more, in either direction. */
    public static final int CLOSE = 7;

    private static final int TCP_INFO = 11;
    private static final int LENGTH = 240;
    private static final int SEGMENT_BYTES = 20;
    private static final int BYTES_ACKNOWLEDGED = 120;
    private static final int BYTES_RECEIVED = 128;
    private static final int BYTES_NOT_SENT = 144;
    /** Since Linux 6.2. */
    private static final int RECEIVE_WINDOW = 232;

    private static final int SO_MEMINFO = 55;
    private static final int MEMORY_LENGTH = 36;

    private final MemorySegment info = Arena.ofAuto().allocate(LENGTH + 8, 8);
    private final MemorySegment memory = Arena.ofAuto().allocate(MEMORY_LENGTH + 4, 8);

    /** Asks about a stream; false: it is closed. */
    public boolean ask(int fd) {
        info.set(ValueLayout.JAVA_INT, LENGTH, LENGTH);
        return fd >= 0 && Libc.getsockopt(fd, Options.IPPROTO_TCP, TCP_INFO, info.address(), info.address() + LENGTH) >= 0;
    }

    /** Asks about its buffers, too; false: it is closed. */
    public boolean askMemory(int fd) {
        memory.set(ValueLayout.JAVA_INT, MEMORY_LENGTH, MEMORY_LENGTH);
        return ask(fd)
                && Libc.getsockopt(fd, Options.SOL_SOCKET, SO_MEMINFO, memory.address(), memory.address() + MEMORY_LENGTH) >= 0;
    }

    /** The state of the connection. */
    public int state() {
        return info.get(ValueLayout.JAVA_BYTE, 0);
    }

    /** How many bytes have arrived, in order; the end of the input counts as one. */
    public long bytesReceived() {
        return info.get(ValueLayout.JAVA_LONG, BYTES_RECEIVED);
    }

    /** How many bytes were acknowledged; who has connected counts one more, and so does the end of the output. */
    public long bytesAcknowledged() {
        return info.get(ValueLayout.JAVA_LONG, BYTES_ACKNOWLEDGED);
    }

    /** How many bytes were written, and never sent. */
    public int bytesNotSent() {
        return info.get(ValueLayout.JAVA_INT, BYTES_NOT_SENT);
    }

    /** How long the segments that come are, most likely (rcv_mss). */
    public int segmentBytes() {
        return info.get(ValueLayout.JAVA_INT, SEGMENT_BYTES);
    }

    /** The window that the peer was told of last; negative: this kernel does not say. */
    public int receiveWindow() {
        boolean said = info.get(ValueLayout.JAVA_INT, LENGTH) >= RECEIVE_WINDOW + Integer.BYTES;
        return said ? info.get(ValueLayout.JAVA_INT, RECEIVE_WINDOW) : -1;
    }

    /** How much of the receive buffer is taken, by the kernel's count. */
    public int receiveTaken() {
        return memory.getAtIndex(ValueLayout.JAVA_INT, 0);
    }

    /** The size of the receive buffer. */
    public int receiveBytes() {
        return memory.getAtIndex(ValueLayout.JAVA_INT, 1);
    }

    /** The size of the send buffer. */
    public int sendBytes() {
        return memory.getAtIndex(ValueLayout.JAVA_INT, 3);
    }

    /** How much of the send buffer is taken, by the kernel's count. */
    public int sendTaken() {
        return memory.getAtIndex(ValueLayout.JAVA_INT, 5);
    }

    /** Whether the peer's end of output has arrived: CLOSE_WAIT, LAST_ACK, CLOSING, TIME_WAIT; or all is over. */
    public boolean isInputOver() {
        return switch (state()) {
            case 6, 7, 8, 9, 11 -> true;
            default -> false;
        };
    }
}
