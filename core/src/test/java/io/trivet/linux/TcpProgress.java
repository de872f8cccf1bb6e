package io.trivet.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The kernel's information about a connection, for tests that must know when something has arrived (linux/tcp.h, struct tcp_info;
 * linux/sock_diag.h, SK_MEMINFO_…).
 */
public final class TcpProgress {
    /** linux/tcp_states.h. */
    public static final int ESTABLISHED = 1;
    /** Connecting. */
    public static final int SYN_SENT = 2;
    /** Closed in both directions. */
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

    /** Reads the information of a stream. Returns false if it is closed. */
    public boolean ask(int fd) {
        info.set(ValueLayout.JAVA_INT, LENGTH, LENGTH);
        return fd >= 0 && Libc.getsockopt(fd, Options.IPPROTO_TCP, TCP_INFO, info.address(), info.address() + LENGTH) >= 0;
    }

    /** Reads the information about its buffers as well. Returns false if it is closed. */
    public boolean askMemory(int fd) {
        memory.set(ValueLayout.JAVA_INT, MEMORY_LENGTH, MEMORY_LENGTH);
        return ask(fd)
                && Libc.getsockopt(fd, Options.SOL_SOCKET, SO_MEMINFO, memory.address(), memory.address() + MEMORY_LENGTH) >= 0;
    }

    /** Returns the state of the connection. */
    public int state() {
        return info.get(ValueLayout.JAVA_BYTE, 0);
    }

    /** Returns the number of bytes that have arrived in order; a FIN counts as one. */
    public long bytesReceived() {
        return info.get(ValueLayout.JAVA_LONG, BYTES_RECEIVED);
    }

    /** Returns the number of bytes that were acknowledged; the SYN of a connect counts as one, and so does a FIN. */
    public long bytesAcknowledged() {
        return info.get(ValueLayout.JAVA_LONG, BYTES_ACKNOWLEDGED);
    }

    /** Returns the number of bytes that were written but never sent. */
    public int bytesNotSent() {
        return info.get(ValueLayout.JAVA_INT, BYTES_NOT_SENT);
    }

    /** Returns the estimated length of incoming segments (rcv_mss). */
    public int segmentBytes() {
        return info.get(ValueLayout.JAVA_INT, SEGMENT_BYTES);
    }

    /** Returns the window that was last advertised to the peer; negative: this kernel does not report it. */
    public int receiveWindow() {
        boolean said = info.get(ValueLayout.JAVA_INT, LENGTH) >= RECEIVE_WINDOW + Integer.BYTES;
        return said ? info.get(ValueLayout.JAVA_INT, RECEIVE_WINDOW) : -1;
    }

    /** Returns the used part of the receive buffer, as the kernel counts it. */
    public int receiveTaken() {
        return memory.getAtIndex(ValueLayout.JAVA_INT, 0);
    }

    /** Returns the size of the receive buffer. */
    public int receiveBytes() {
        return memory.getAtIndex(ValueLayout.JAVA_INT, 1);
    }

    /** Returns the size of the send buffer. */
    public int sendBytes() {
        return memory.getAtIndex(ValueLayout.JAVA_INT, 3);
    }

    /** Returns the used part of the send buffer, as the kernel counts it. */
    public int sendTaken() {
        return memory.getAtIndex(ValueLayout.JAVA_INT, 5);
    }

    /** Returns whether the peer's FIN has arrived: CLOSE_WAIT, LAST_ACK, CLOSING, TIME_WAIT; or the connection is closed. */
    public boolean isInputOver() {
        return switch (state()) {
            case 6, 7, 8, 9, 11 -> true;
            default -> false;
        };
    }
}
