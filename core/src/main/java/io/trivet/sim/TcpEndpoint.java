package io.trivet.sim;

import io.trivet.net.Addresses;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.UnixAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * One end of a TCP connection inside the simulated kernel, or of a Unix domain stream, which has no resets. Source: Linux
 * net/ipv4/tcp.c, tcp_input.c and net/unix/af_unix.c.
 */
final class TcpEndpoint extends Endpoint {
    private enum State {
        /** The client's end while it connects, and the server's end before the handshake is done. */
        SYN_SENT,
        /** From ESTABLISHED to LAST_ACK, distinguished by the flags below. */
        CONNECTED,
        /** TCP_CLOSE: refused, reset, or finished in both directions. */
        CLOSED
    }

    final InetSocketAddress local;
    final InetSocketAddress remote;
    final Flow out;
    final Flow in;
    final SocketOptions options;
    private final TcpEndpoint peer;
    private final boolean isClient;
    private final boolean isUnix;
    private State state = State.SYN_SENT;
    private boolean inputShut;
    private boolean outputShut;
    /** The peer's FIN has arrived (SOCK_DONE). */
    private boolean inputDone;
    /** A caller found this end not writable (SOCK_NOSPACE). */
    private boolean roomMissed;
    /** The index of a client's end in the list of open connections; maintained by {@link TcpStack}. */
    int openIndex = -1;
    /** Shut down before its connect was answered (tcp_disconnect): nothing can be sent, although neither direction has ended. */
    private boolean disconnected;
    /** A client's connect attempt, until it is answered. */
    private TcpStack.@Nullable Connecting connecting;

    private TcpEndpoint(Kernel kernel, InetSocketAddress local, InetSocketAddress remote) {
        super(kernel);
        this.local = local;
        this.remote = remote;
        this.isClient = true;
        this.isUnix = UnixAddress.isUnix(remote);
        this.options = kernel.tcp.drawOptions();
        this.out = new Flow(kernel, this);
        this.peer = new TcpEndpoint(this);
        this.in = peer.out;
        out.window = peer.options.receiveBytes;
        in.window = options.receiveBytes;
    }

    /** Creates the server's end. */
    private TcpEndpoint(TcpEndpoint client) {
        super(client.kernel);
        this.local = client.remote;
        this.remote = client.local;
        this.isClient = false;
        this.isUnix = client.isUnix;
        this.options = kernel.tcp.drawOptions();
        this.out = new Flow(kernel, this);
        this.peer = client;
        this.in = client.out;
    }

    /** Returns the client's end of a new connection. */
    static TcpEndpoint client(Kernel kernel, InetSocketAddress local, InetSocketAddress remote) {
        return new TcpEndpoint(kernel, local, remote);
    }

    TcpEndpoint peer() {
        return peer;
    }

    boolean isClient() {
        return isClient;
    }

    /** Returns whether this is a Unix domain stream. */
    boolean isUnix() {
        return isUnix;
    }

    boolean isUrgentInline() {
        return options.urgentInline;
    }

    boolean isConnecting() {
        return state == State.SYN_SENT;
    }

    /** For tests: returns whether the connection is established, as far as this end knows. */
    boolean isConnected() {
        return state == State.CONNECTED;
    }

    /** Called when a client starts to connect. */
    void connecting(TcpStack.Connecting attempt) {
        connecting = attempt;
    }

    /** Called when the handshake is done, as far as this end knows. */
    void established() {
        state = State.CONNECTED;
        connecting = null;
        if (isClient && kernel.isTraced()) {
            kernel.trace(this + " is connected");
        }
        changed();
    }

    /** Copies a listener's options to the server's end. The client's window becomes the size of the receive buffer. */
    void inherit(SocketOptions listener) {
        options.inherit(listener);
        in.window = options.receiveBytes;
    }

    void connectFailed(ErrorCode why) {
        connecting = null;
        error = why;
        if (kernel.isTraced()) {
            kernel.trace(this + " gets " + why);
        }
        out.cancel();
        end();
    }

    // Readiness.

    @Override
    int ready() {
        boolean closed = state == State.CLOSED;
        boolean noInput = inputShut || inputDone || (closed && !disconnected);
        boolean noOutput = outputShut || closed;
        int ready = closed || (noInput && noOutput) ? Interest.HANG_UP : 0;
        if (noInput || isReadable()) {
            ready |= Interest.READ;
        }
        if (state != State.SYN_SENT) {
            if (noOutput || isWritable()) {
                ready |= Interest.WRITE;
            } else {
                roomMissed = true;
            }
            if (in.urgent == Flow.Urgent.VALID) {
                ready |= Interest.PRIORITY;
            }
        }
        return error == null ? ready : ready | Interest.ERROR;
    }

    private boolean isReadable() {
        int available = in.unread();
        if (available == 0) {
            return false;
        }
        int target = options.receiveLowWater + (in.isAtMark() && !options.urgentInline ? 1 : 0);
        return available >= target || kernel.accounting.isUnderMemoryPressure(this, in.isWindowClosed());
    }

    /** Returns whether there is room again after a caller found none (SOCK_NOSPACE). Returns true only once. */
    boolean hasRoomAgain() {
        boolean again = roomMissed && isWritable();
        roomMissed &= !again;
        return again;
    }

    /**
     * {@inheritDoc} If this end is writable now, notifies its watchers, even if no caller has found it full
     * (sk_stream_write_space).
     */
    @Override
    void roomHasChanged() {
        if (isWritable()) {
            roomMissed = false;
            super.roomHasChanged();
        }
    }

    void missRoom() {
        roomMissed = true;
    }

    /**
     * Returns whether this end is writable: a third of the send buffer is free (sk_stream_is_writeable), and, if
     * NOT_SENT_LOW_WATER is set, the unsent bytes are below half of it (tcp_stream_memory_free). {@link #room} uses the full
     * value.
     */
    private boolean isWritable() {
        BufferAccounting accounting = kernel.accounting;
        long used = accounting.sendBufferUsed(this, out.unacknowledged());
        long free = accounting.sendBufferBytes(this) - used;
        return free > 0 && free >= used >> 1
                && (options.notSentLowWater == 0 || 2 * accounting.unsent(this, out.unsent()) < options.notSentLowWater);
    }

    // Calls. They never throw: the socket that makes the call reports the pending error.

    /** Returns how many bytes a read could return now. */
    int readable() {
        return in.unread() - (in.isAtMark() && !options.urgentInline && in.unread() > 0 ? 1 : 0);
    }

    int read(ByteBuffer target, int most) {
        int count = in.read(target, most);
        in.openWindow(options.receiveBytes);
        return count;
    }

    /**
     * Returns whether the input has ended when there is nothing to read. Check for an error first, unless {@link #hidesError}.
     */
    boolean isInputOver() {
        return inputDone || inputShut || state == State.CLOSED;
    }

    /** Returns whether a read fails with ENOTCONN: the connect was abandoned, and the input was not shut down. */
    boolean refusesReads() {
        return disconnected && !inputShut;
    }

    /** Returns whether a read reports the end of the input even if an error is pending: the peer's FIN has arrived. */
    boolean hidesError() {
        return inputDone && !isUnix;
    }

    /** Returns whether a write fails: the output has ended, or an error is pending. */
    boolean refusesWrites() {
        return state == State.CLOSED || outputShut || error != null;
    }

    /** Returns how many bytes a write would accept now. */
    int room() {
        if (state != State.CONNECTED) {
            return 0;
        }
        long queued = out.unacknowledged();
        if (options.notSentLowWater != 0 && out.unsent() >= options.notSentLowWater) {
            // Even then, the kernel fills up the last segment.
            long tail = Flow.SEGMENT_BYTES - out.unsent() % Flow.SEGMENT_BYTES;
            return (int) Math.max(0, Math.min(tail, options.sendBytes - queued));
        }
        return (int) Math.max(0, options.sendBytes - queued);
    }

    boolean isClosed() {
        return state == State.CLOSED;
    }

    void shutInput() {
        inputShut = true;
        if (isUnix) {
            peer.outputShut = true; // unix_shutdown
            peer.changed();
        }
        changed();
    }

    void shutOutput() {
        boolean isFirst = !outputShut;
        outputShut = true;
        changed(); // even if it was shut before: inet_shutdown of Linux always wakes the watchers
        if (isFirst) {
            out.writeFin();
        }
    }

    /** Abandons a connect attempt, after a shutdown or a close (inet_shutdown). */
    void abandon() {
        if (connecting != null) {
            connecting.cancel();
            connecting = null;
        }
        error = ErrorCode.ECONNRESET;
        disconnected = true;
        out.cancel();
        end();
    }

    @Override
    void release() {
        if (state == State.SYN_SENT) {
            abandon();
        } else if (state == State.CONNECTED && isUnix) {
            closeUnix(false);
        } else if (state == State.CONNECTED) {
            boolean finished = outputShut && inputDone;
            if (in.unread() > 0) {
                kernel.noteUnread(this);
            }
            if (in.unread() > 0 || (options.linger == 0 && !finished)) {
                reset();
            } else {
                inputShut = true;
                shutOutput();
            }
        }
    }

    /** Resets the connection from this end, which was never accepted. */
    void reset() {
        if (isUnix) {
            closeUnix(true);
        } else {
            end();
            out.writeReset();
        }
    }

    /**
     * Closes a Unix domain stream (unix_release_sock). The peer reads what was written, then ECONNRESET once if bytes that it has sent
     * were not read or the connection was not accepted, then the end. It cannot write any more.
     */
    private void closeUnix(boolean unaccepted) {
        boolean unread = in.unread() > 0 || in.unacknowledged() > 0;
        if (unread) {
            kernel.noteUnread(this);
        }
        in.cancel();
        inputShut = true;
        outputShut = true;
        if (peer.state == State.CONNECTED) {
            peer.outputShut = true;
            peer.error = unread || unaccepted ? ErrorCode.ECONNRESET : peer.error;
            peer.changed();
        }
        out.writeFin();
        end();
    }

    // What arrives from the peer and the network.

    /** Returns whether arriving bytes are accepted; otherwise they are answered by a reset. */
    boolean acceptsData() {
        return state == State.CONNECTED && !(inputShut && outputShut);
    }

    /** Called when bytes arrive that will never be read: resets the connection. */
    void refuseData() {
        kernel.noteUnread(this);
        if (state == State.CONNECTED) {
            error = ErrorCode.ECONNRESET;
            end();
        }
        out.cancel();
        peer.receiveReset();
    }

    void receiveFin() {
        if (state != State.CONNECTED) {
            return;
        }
        inputDone = true;
        finishIfDone();
        peer.finishIfDone();
        changed();
    }

    /** Closes this end if both directions have finished, and both ends know it. */
    private void finishIfDone() {
        if (inputDone && outputShut && out.finArrived && state == State.CONNECTED) {
            state = State.CLOSED;
            kernel.tcp.closed(this);
            changed();
        }
    }

    void receiveReset() {
        if (state == State.CLOSED) {
            return;
        }
        error = inputDone && !outputShut ? ErrorCode.EPIPE : ErrorCode.ECONNRESET;
        if (kernel.isTraced()) {
            kernel.trace(this + " is reset");
        }
        out.cancel();
        end();
    }

    /** Breaks the connection between the ends: both are reset. */
    void breakLink() {
        receiveReset();
        peer.receiveReset();
    }

    private void end() {
        if (state == State.CLOSED) {
            return;
        }
        state = State.CLOSED;
        kernel.tcp.closed(this);
        changed();
    }

    @Override
    public String toString() {
        return Addresses.toString(local) + (isClient ? " > " : " < ") + Addresses.toString(remote);
    }
}
