package io.trivet.sim;

import io.trivet.net.Addresses;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** One end of a TCP connection, as Linux keeps it. Source: Linux net/ipv4/tcp.c and tcp_input.c. */
final class TcpEndpoint extends OpenFile {
    private enum State {
        /** Connecting; or the server's end of a connection that is not there yet. */
        SYN_SENT,
        /** From ESTABLISHED to LAST_ACK; the flags tell these apart. */
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
    private State state = State.SYN_SENT;
    private boolean inputShut;
    private boolean outputShut;
    /** The peer's FIN has arrived (SOCK_DONE). */
    private boolean inputDone;
    /** Told once, by whichever call comes first (sk_err). */
    private @Nullable ErrorCode error;
    /** Somebody was told that it is not writable. */
    private boolean roomIsMissed;
    /** Where a client's end stands among those that live; {@link TcpStack} keeps it. */
    int place = -1;
    /** It was given up before its connect was answered (tcp_disconnect): nothing goes any more, and yet neither direction has ended. */
    private boolean disconnected;
    /** The client's, until its connect was answered. */
    private TcpStack.@Nullable Connecting connecting;

    private TcpEndpoint(Kernel kernel, InetSocketAddress local, InetSocketAddress remote) {
        super(kernel);
        this.local = local;
        this.remote = remote;
        this.isClient = true;
        this.options = kernel.tcp.drawOptions();
        this.out = new Flow(kernel, this);
        this.peer = new TcpEndpoint(this);
        this.in = peer.out;
        out.window = peer.options.receiveBytes;
        in.window = options.receiveBytes;
    }

    /** The server's end. */
    private TcpEndpoint(TcpEndpoint client) {
        super(client.kernel);
        this.local = client.remote;
        this.remote = client.local;
        this.isClient = false;
        this.options = kernel.tcp.drawOptions();
        this.out = new Flow(kernel, this);
        this.peer = client;
        this.in = client.out;
    }

    /** A client's end that begins to connect. */
    static TcpEndpoint client(Kernel kernel, InetSocketAddress local, InetSocketAddress remote) {
        return new TcpEndpoint(kernel, local, remote);
    }

    TcpEndpoint peer() {
        return peer;
    }

    boolean isClient() {
        return isClient;
    }

    boolean isUrgentInline() {
        return options.urgentInline;
    }

    boolean isConnecting() {
        return state == State.SYN_SENT;
    }

    boolean isConnected() {
        return state == State.CONNECTED;
    }

    void begins(TcpStack.Connecting attempt) {
        connecting = attempt;
    }

    /** The handshake is done, as far as this end knows. */
    void established() {
        state = State.CONNECTED;
        connecting = null;
        if (isClient && kernel.isTraced()) {
            kernel.trace(this + " is connected");
        }
        changed();
    }

    /** A server's end has the options of its listener, and the client learns how large the receive buffer is. */
    void inherit(SocketOptions listener) {
        options.inherit(listener);
        in.window = options.receiveBytes;
    }

    /** The connect has failed. */
    void fails(ErrorCode why) {
        connecting = null;
        error = why;
        if (kernel.isTraced()) {
            kernel.trace(this + " is told " + why);
        }
        out.die();
        end();
    }

    /** The pending error, which is told once; null: there is none. */
    @Nullable
    ErrorCode takeError() {
        ErrorCode taken = error;
        error = null;
        return taken;
    }

    // ReadinessFaults.

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
                roomIsMissed = true;
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

    /** There is room again for who was told that there was none (SOCK_NOSPACE). */
    boolean hasRoomAgain() {
        boolean again = roomIsMissed && isWritable();
        roomIsMissed &= !again;
        return again;
    }

    /** Told if it is writable now, whoever missed room or did not (sk_stream_write_space). */
    @Override
    void roomHasChanged() {
        if (isWritable()) {
            roomIsMissed = false;
            super.roomHasChanged();
        }
    }

    void missRoom() {
        roomIsMissed = true;
    }

    /**
     * At least a third of the send buffer is free (sk_stream_is_writeable), and of what may lie there and was never sent less than half is there
     * (tcp_stream_memory_free, for who waits; for who writes all of it counts).
     */
    private boolean isWritable() {
        BufferAccounting accounting = kernel.accounting;
        long queued = accounting.sendBufferUsed(this, out.unacknowledged());
        long free = accounting.sendBufferBytes(this) - queued;
        return free > 0 && free >= queued >> 1
                && (options.notSentLowWater == 0 || 2 * accounting.unsent(this, out.unsent()) < options.notSentLowWater);
    }

    // Calls. They answer with a number of bytes, or throw nothing: errors are taken by the socket above.

    /** How many bytes a read could give now. */
    int readable() {
        return in.unread() - (in.isAtMark() && !options.urgentInline && in.unread() > 0 ? 1 : 0);
    }

    int read(ByteBuffer target, int most) {
        int count = in.read(target, most);
        in.openWindow(options.receiveBytes);
        return count;
    }

    /** With nothing to read: whether that is the end of the input. Ask for the error first, unless the peer has finished. */
    boolean isInputOver() {
        return inputDone || inputShut || state == State.CLOSED;
    }

    /** Given up, and nobody has ended the input: a read says that there is no connection. */
    boolean hasNoInput() {
        return disconnected && !inputShut;
    }

    /** The peer has finished: then a read says so, whatever error is pending. */
    boolean isInputDone() {
        return inputDone;
    }

    /** Whether a write is to fail: output ended, or an error pending. */
    boolean refusesWrites() {
        return state == State.CLOSED || outputShut || error != null;
    }

    /** How many bytes a write would be taken of now. */
    int room() {
        if (state != State.CONNECTED) {
            return 0;
        }
        long queued = out.unacknowledged();
        if (options.notSentLowWater != 0 && out.unsent() >= options.notSentLowWater) {
            // The last segment is filled up all the same.
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
        changed();
    }

    void shutOutput() {
        if (!outputShut) {
            outputShut = true;
            changed();
            out.writeFin();
        }
    }

    /** A connect that is shut down is given up (inet_shutdown). */
    void giveUp() {
        if (connecting != null) {
            connecting.cancel();
            connecting = null;
        }
        error = ErrorCode.ECONNRESET;
        disconnected = true;
        out.die();
        end();
    }

    @Override
    void release() {
        if (state == State.SYN_SENT) {
            giveUp();
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

    /** Resets the connection from here. */
    void reset() {
        end();
        out.writeReset();
    }

    // What the peer and the net do.

    /** Whether bytes that arrive are taken; if not, they are answered by a reset. */
    boolean takesData() {
        return state == State.CONNECTED && !(inputShut && outputShut);
    }

    /** Bytes have arrived that nobody will read. */
    void refuseData() {
        kernel.noteUnread(this);
        if (state == State.CONNECTED) {
            error = ErrorCode.ECONNRESET;
            end();
        }
        out.die();
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

    /** Finished in both directions, and both ends know. */
    private void finishIfDone() {
        if (inputDone && outputShut && out.finArrived && state == State.CONNECTED) {
            state = State.CLOSED;
            kernel.tcp.ended(this);
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
        out.die();
        end();
    }

    /** The connection breaks somewhere between: both ends are reset. */
    void breakLink() {
        receiveReset();
        peer.receiveReset();
    }

    private void end() {
        if (state == State.CLOSED) {
            return;
        }
        state = State.CLOSED;
        kernel.tcp.ended(this);
        changed();
    }

    @Override
    public String toString() {
        return Addresses.toString(local) + (isClient ? " > " : " < ") + Addresses.toString(remote);
    }
}
