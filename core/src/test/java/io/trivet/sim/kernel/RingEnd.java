package io.trivet.sim.kernel;

import io.trivet.net.TcpStream;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One end of a connection in a script for the completion view, and what is known of it from outside. */
final class RingEnd {
    final int number;
    final boolean byRing;
    final boolean toRing;
    /** Of a ring's end. */
    long handle;
    /** Of another one. */
    @Nullable TcpStream stream;
    /** To ask what has arrived; negative: unknown. */
    int fd = -1;
    @Nullable RingEnd peer;
    boolean connecting;
    boolean receiving;
    boolean watchesUrgent;
    boolean echoes;
    /** It has echoed once: what it sends need not be the pattern. */
    boolean echoed;
    /** It received, was stopped, and has not received all since: how much had completed by then, and how much is left, is not said. */
    boolean stopped;
    boolean stopsAtNext;
    boolean closesAtNext;
    boolean finished;
    boolean inputEnded;
    boolean closed;
    /** The ring has told that it is gone. */
    boolean gone;
    boolean failed;
    /** How many bytes the kernel has taken of it, urgent ones too. */
    long sent;
    /** How many a send that is under way has. */
    long pending;
    /** A copy of these bytes: what the socket does not take of them is to be sent again. */
    ByteBuffer pendingBytes = ByteBuffer.allocate(0);
    /** A send did not take all, and it was not told that there is room again. */
    boolean awaitsRoom;
    int urgentSent;
    /** How much it has sent since the other end has read all. */
    long unread;
    /** It has sent until nothing more fitted, or until a send was cut short: how much that was is the kernel's business. */
    boolean filled;
    /** And nobody has read that. */
    boolean full;
    long received;
    int hash = 1;
    /** What it would echo, and could not yet. */
    final ArrayDeque<ByteBuffer> queue = new ArrayDeque<>();
    /** What it was told in this step. */
    final List<String> events = new ArrayList<>();

    RingEnd(int number, boolean byRing, boolean toRing) {
        this.number = number;
        this.byRing = byRing;
        this.toRing = toRing;
    }

    boolean isBusy() {
        return pending > 0 || awaitsRoom || !queue.isEmpty();
    }

    /** Nobody will hear of it any more. */
    boolean isOver() {
        return byRing ? gone : closed;
    }
}
