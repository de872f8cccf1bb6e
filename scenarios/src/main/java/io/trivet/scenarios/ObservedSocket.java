package io.trivet.scenarios;

import io.trivet.observe.ConnectionState;
import io.trivet.server.Connection;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** The traffic and the state of one socket of a server, as observed between the server and the kernel. */
final class ObservedSocket {
    final InetSocketAddress remote;
    /** The server's connection, once it is open. */
    @Nullable Connection connection;
    long bytesIn;
    /** {@link #bytesIn} without urgent bytes that a later urgent byte has turned into ordinary ones. */
    long ordinaryIn;
    long bytesOut;
    /** Bytes received and sent while the connection was served, as its snapshots count them. */
    long servedIn;
    long servedOut;
    /** The number of urgent bytes that the server wanted to send, whether or not there was room. */
    int urgentsOut;
    /** When the kernel last accepted bytes; initially when the connection was established. */
    long acceptedNanos;
    /** The last two times at which bytes were transferred in either direction. */
    private long activeNanos;
    private long activeBeforeNanos;
    boolean receiving;
    long receivingSinceNanos;
    /** When receiving was last stopped; -1 if never. */
    long stoppedNanos = -1;
    /** When bytes were last received. */
    long receivedNanos;
    boolean inputEnded;
    /** The output was shut down. */
    boolean outputEnded;
    long outputEndedNanos;
    boolean closed;
    long closedNanos;
    /** The bytes of the pending send; 0 if none is pending. */
    long pendingBytes;
    /** The last send was partial, and no writable completion has followed. */
    boolean awaitsWritable;
    /** What the proactor has last reported to a snapshot: the socket is watched for output. */
    boolean isWatchedForOutput;
    /**
     * The number of bytes accepted and not yet sent, as last reported to the server; 0 if all were sent, or a completion has
     * followed.
     */
    long unsentBytes;
    /** {@link #unsentBytes} at the last completion that reported progress; {@link Long#MAX_VALUE} if there was none. */
    long unsentBefore = Long.MAX_VALUE;
    /** The time since which a shutdown of the output waits for unsent bytes; -1 if none waits. */
    long endWaitsSinceNanos = -1;
    /** The bytes that were accepted and not sent when the connection was closed. */
    long unsentAtClose;
    /** Number of the poll that preceded the last accepted send. */
    long acceptedInPoll;
    /** The server has observed that the kernel refused bytes that had been accepted for sending. */
    boolean wasRefused;

    ObservedSocket(InetSocketAddress remote, long nowNanos) {
        this.remote = remote;
        activeNanos = nowNanos;
        activeBeforeNanos = nowNanos;
        connected(nowNanos);
    }

    /** Returns true if the server's connection is open, or ends in order: otherwise the server ignores completions. */
    boolean isServed() {
        Connection of = connection;
        return of != null && of.state() != ConnectionState.CLOSED;
    }

    /** Called when the connection is established. */
    void connected(long nowNanos) {
        acceptedNanos = nowNanos;
        active(nowNanos);
    }

    void active(long nowNanos) {
        if (nowNanos != activeNanos) {
            activeBeforeNanos = activeNanos;
            activeNanos = nowNanos;
        }
    }

    long activeNanos() {
        return activeNanos;
    }

    /** Returns when bytes were last transferred before this time. Deadlines of a turn are checked before its last sends. */
    long activeBefore(long nowNanos) {
        return activeNanos < nowNanos ? activeNanos : activeBeforeNanos;
    }

    void sent(long remaining, long nowNanos) {
        bytesOut += remaining;
        acceptedNanos = nowNanos;
        active(nowNanos);
    }

    /** Called when some of the unsent bytes were sent. */
    void unsentWasSent(long nowNanos) {
        unsentBefore = unsentBytes;
        unsentBytes = 0;
        acceptedNanos = nowNanos;
        active(nowNanos);
    }

    /** Returns true if a shutdown of the output waits for unsent bytes, as far as the server knows. */
    boolean endOfOutputWaits() {
        return endWaitsSinceNanos >= 0 && unsentBytes > 0;
    }

    boolean hasPendingSend() {
        return pendingBytes > 0;
    }

    static long remaining(ByteBuffer[] parts, int from, int count) {
        long remaining = 0;
        for (int i = from; i < from + count; i++) {
            remaining += parts[i].remaining();
        }
        return remaining;
    }
}
