package io.trivet.sim.kernel;

import io.trivet.net.TcpStream;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One end of a connection in a script for the completion view, and what the script knows of its state. */
final class RingEnd {
    final int index;
    final boolean onRing;
    final boolean targetsRing;
    /** The proactor's handle, if the end is on the ring. */
    long handle;
    /** The stream, if the end is not on the ring. */
    @Nullable TcpStream stream;
    /** The descriptor for reading TCP_INFO; negative if unknown. */
    int fd = -1;
    @Nullable RingEnd peer;
    boolean connecting;
    boolean receiving;
    boolean watchesUrgent;
    boolean echoes;
    /** Whether it has ever echoed: its output then need not follow the pattern. */
    boolean echoed;
    /** Receiving was stopped and not everything has been received since: how much had completed by then is unspecified. */
    boolean stopped;
    boolean stopsOnNextReceive;
    boolean closesOnNextReceive;
    boolean outputEnded;
    boolean inputEnded;
    boolean closed;
    /** Whether the ring has reported {@code closed}. */
    boolean released;
    boolean failed;
    /** The number of bytes that the kernel has accepted, including urgent ones. */
    long sent;
    /** The length of the pending send; 0 if there is none. */
    long pending;
    /** A copy of these bytes: those that the socket does not accept are sent again. */
    ByteBuffer pendingBytes = ByteBuffer.allocate(0);
    /** Whether a send was accepted in part only and {@code sent} has not been reported since. */
    boolean awaitsRoom;
    int urgentSent;
    /** The number of bytes sent since the other end last read everything. */
    long unread;
    /** Whether it has ever sent until nothing more fitted: how many bytes that is depends on the kernel's memory accounting. */
    boolean everFilled;
    /** Whether these bytes are still unread. */
    boolean full;
    long received;
    int hash = 1;
    /** Bytes to be echoed that were not accepted yet. */
    final ArrayDeque<ByteBuffer> queue = new ArrayDeque<>();
    /** The completions of this step. */
    final List<String> events = new ArrayList<>();

    RingEnd(int index, boolean onRing, boolean targetsRing) {
        this.index = index;
        this.onRing = onRing;
        this.targetsRing = targetsRing;
    }

    boolean isSending() {
        return pending > 0 || awaitsRoom || !queue.isEmpty();
    }

    /** Returns true if no further completions can follow. */
    boolean isReleased() {
        return onRing ? released : closed;
    }
}
