package io.trivet.tls;

import io.trivet.net.Clock;
import io.trivet.net.Completions;
import io.trivet.net.Proactor;
import io.trivet.net.SendableFile;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Provider interface (SPI): adds TLS to a proactor. It passes everything through until a connection is {@linkplain #secure secured}.
 * From then on the caller sends and receives plaintext. A connection that is not secured costs one array access per call.
 *
 * <p>Differences to other proactors, for secured connections:
 *
 * <ul>
 *   <li>{@link Completions#connected} reports the end of the handshake. Until then nothing is received, and {@link #send} accepts
 *       nothing.
 *   <li>{@link #send} is never pending: the plaintext is encrypted at once. What the socket refuses counts in {@link #unsentBytes} and
 *       {@link #keptBytes()}, as do incomplete records.
 *   <li>{@link Completions#inputEnded} reports the peer's close_notify. If the TCP stream ends without it, {@link
 *       Completions#inputTruncated} is called instead.
 *   <li>{@link #shutdownOutput} and {@link #close(long)} send close_notify; {@link #reset} does not. A close while bytes are unsent
 *       resets the connection.
 *   <li>{@link Completions#failed} gets a {@link TlsException} if TLS has failed. The peer gets an alert.
 *   <li>Files are not sent by the kernel, and there is no urgent data.
 * </ul>
 *
 * <p><b>A storm of handshakes</b> does not starve established connections, and these do not starve handshakes: the steps of handshakes wait in a
 * queue. If the caller always has other work, they take about a quarter of the time.
 */
public final class TlsProactor extends ForwardingProactor {
    private final HeldBuffers buffers = new HeldBuffers();
    private final EngineBuffers engineBuffers = new EngineBuffers();
    private final TlsOutput output;
    private final TlsInput input;
    /** The secured connections, by slot. The owner writes; other threads may read. */
    private volatile @Nullable TlsConnection[] bySlot = new @Nullable TlsConnection[64];
    private final HandshakeQueue handshakes;
    /** Connections whose send has failed, and which do not receive any more: the next poll reports the failure. */
    private final ArrayDeque<TlsConnection> unreported = new ArrayDeque<>();
    private final Decryption decryption = new Decryption();

    /**
     * Adds TLS to a proactor.
     *
     * @param delegate the proactor, which this one owns from now on
     * @param clock measures the turns of the caller
     */
    public TlsProactor(Proactor delegate, Clock clock) {
        super(delegate);
        handshakes = new HandshakeQueue(clock);
        output = new TlsOutput(delegate, buffers);
        input = new TlsInput(output, buffers);
    }

    /**
     * Secures a connection: starts the TLS handshake. Everything that was sent before must have been sent completely, and what has
     * been received before was plaintext. {@link Completions#connected} or {@link Completions#failed} follows.
     *
     * @param handle a connection that is established, and not secured yet
     * @param tls the settings: of a server to wait for the peer's handshake, of a client to begin it
     * @throws IOException the handshake cannot start
     */
    public void secure(long handle, Tls tls) throws IOException {
        TlsEngine engine = switch (tls) {
            case TlsServer server -> server.engine(engineBuffers);
            case TlsClient client -> {
                InetSocketAddress remote = delegate.remoteAddress(handle);
                String host = remote.isUnresolved() ? remote.getHostString() : remote.getAddress().getHostAddress(); // unresolved: Unix
                yield client.engine(host, remote.getPort(), engineBuffers);
            }
        };
        TlsConnection connection = new TlsConnection(handle, engine, tls instanceof TlsServer);
        int slot = Proactor.slot(handle);
        if (slot >= bySlot.length) {
            bySlot = Arrays.copyOf(bySlot, Math.max(slot + 1, bySlot.length + bySlot.length / 2));
        }
        bySlot[slot] = connection;
        output.sendOwn(connection);
        if (engine.hasTask()) {
            handshakes.add(connection);
        }
        updateReceiving(connection);
    }

    /**
     * Returns true if a connection was secured: its handshake has started, or is over.
     *
     * @param handle a connection
     * @return true if it was
     */
    public boolean isSecured(long handle) {
        return get(handle) != null;
    }

    /**
     * Returns true if a send of a secured connection has failed, so that nothing more is sent.
     *
     * @param handle a connection
     * @return true if it was
     */
    public boolean hasSendFailed(long handle) {
        TlsConnection connection = get(handle);
        return connection != null && connection.outputFailed;
    }

    /**
     * Returns what a connection has negotiated. Any thread may call it.
     *
     * @param handle a connection
     * @return the information; null if the connection is not secured, its handshake is not over, or the handle is stale
     */
    public @Nullable TlsInfo info(long handle) {
        TlsConnection connection = get(handle);
        return connection == null ? null : connection.info();
    }

    /**
     * Returns true if the next poll has something to do, whatever arrives: a step of a handshake, or a failure to report.
     *
     * @return true if a caller must poll soon
     */
    public boolean hasWork() {
        return !handshakes.isEmpty() || !unreported.isEmpty();
    }

    /**
     * Returns how long the handshake of a connection has waited for its turn, behind those of other connections. A deadline for the peer
     * should not count this time.
     *
     * @param handle a connection
     * @return the time in nanoseconds; 0 if the connection is not secured
     */
    public long handshakeWaitedNanos(long handle) {
        TlsConnection connection = get(handle);
        return connection == null ? 0 : handshakes.waitedNanos(connection);
    }

    private @Nullable TlsConnection get(long handle) {
        int slot = Proactor.slot(handle);
        @Nullable TlsConnection[] connections = bySlot;
        TlsConnection connection = slot < connections.length ? connections[slot] : null;
        return connection == null || connection.handle != handle ? null : connection;
    }

    // ---- receiving

    @Override
    public void receive(long handle) throws IOException {
        TlsConnection connection = get(handle);
        if (connection == null) {
            delegate.receive(handle);
        } else {
            connection.wantsInput = true;
            updateReceiving(connection);
        }
    }

    @Override
    public void stopReceiving(long handle) throws IOException {
        TlsConnection connection = get(handle);
        if (connection == null) {
            delegate.stopReceiving(handle);
        } else {
            connection.wantsInput = false;
            updateReceiving(connection);
        }
    }

    /**
     * Processes bytes that were received before a connection was secured, and behind those that were for the caller: a header of the
     * PROXY protocol. To be called within the completion that has delivered them.
     *
     * @param handle a secured connection
     * @param memory the memory of the completion
     * @param from the index of the first byte
     * @param to the index after the last byte
     */
    public void receivedEarly(long handle, ByteBuffer memory, int from, int to) {
        decryption.received(handle, memory, from, to);
    }

    /** Receives while the caller wants input; and during the handshake, also while it is queued: the peer may close the connection meanwhile. */
    private void updateReceiving(TlsConnection connection) throws IOException {
        boolean wanted = !connection.failed && !connection.inputEnded && !connection.streamEnded
                && (connection.connected ? connection.wantsInput && !connection.isQueued : !TlsInput.holdsMuch(connection));
        if (wanted != connection.receiving && !connection.closed) {
            connection.receiving = wanted;
            if (wanted) {
                delegate.receive(connection.handle);
            } else {
                delegate.stopReceiving(connection.handle);
                if (connection.sendFailure != null && !connection.failed) {
                    unreported.add(connection); // nothing would be received that could end the connection
                }
            }
        }
    }

    @Override
    public void watchUrgent(long handle) throws IOException {
        if (get(handle) != null) {
            throw new UnsupportedOperationException("TLS has no urgent data");
        }
        delegate.watchUrgent(handle);
    }

    @Override
    public boolean sendUrgent(long handle, byte b) throws IOException {
        if (get(handle) != null) {
            throw new UnsupportedOperationException("TLS has no urgent data: the byte would be in the clear");
        }
        return delegate.sendUrgent(handle, b);
    }

    // ---- sending

    @Override
    public long send(long handle, ByteBuffer[] parts, int from, int count) throws IOException {
        TlsConnection connection = get(handle);
        return connection == null ? delegate.send(handle, parts, from, count) : output.send(connection, parts, from, count);
    }

    @Override
    public long sendNow(long handle, ByteBuffer[] parts, int from, int count) throws IOException {
        TlsConnection connection = get(handle);
        return connection == null ? delegate.sendNow(handle, parts, from, count) : output.send(connection, parts, from, count);
    }

    @Override
    public long sendFile(long handle, SendableFile file, long position, long count) throws IOException {
        return get(handle) == null ? delegate.sendFile(handle, file, position, count) : SendableFile.UNSUPPORTED;
    }

    @Override
    public int splice(long from, long to, int count) throws IOException {
        return get(from) == null && get(to) == null ? delegate.splice(from, to, count) : 0;
    }

    @Override
    public int sendSpliced(long handle, int count) throws IOException {
        return delegate.sendSpliced(handle, count); // only between connections in plaintext
    }

    @Override
    public long unsentBytes(long handle) {
        long below = delegate.unsentBytes(handle);
        TlsConnection connection = get(handle);
        if (connection == null) {
            return below;
        }
        ByteBuffer held = connection.heldOutput;
        long unsent = below + (held == null ? 0 : held.remaining());
        connection.awaitsWritable |= unsent > 0;
        return unsent;
    }

    @Override
    public void shutdownOutput(long handle) throws IOException {
        TlsConnection connection = get(handle);
        if (connection == null) {
            delegate.shutdownOutput(handle);
        } else if (!connection.failed && !connection.broken) {
            output.end(connection);
        }
    }

    // ---- the end

    @Override
    public void close(long handle) {
        TlsConnection connection = get(handle);
        if (connection != null && (connection.heldOutput != null || connection.outputFailed)) {
            reset(handle); // something that was accepted is dropped
            return;
        }
        if (connection != null) {
            output.sayGoodbye(connection);
            forget(connection);
        }
        delegate.close(handle);
    }

    @Override
    public void reset(long handle) {
        TlsConnection connection = get(handle);
        if (connection != null) {
            forget(connection);
        }
        delegate.reset(handle);
    }

    private void forget(TlsConnection connection) {
        connection.closed = true;
        bySlot[Proactor.slot(connection.handle)] = null;
        if (connection.heldInput != null) {
            buffers.release(connection.heldInput);
            connection.heldInput = null;
        }
        if (connection.heldOutput != null) {
            buffers.release(connection.heldOutput);
            connection.heldOutput = null;
        }
        connection.engine.free();
    }

    @Override
    public void close() throws IOException {
        for (TlsConnection connection : bySlot) {
            if (connection != null) {
                forget(connection);
            }
        }
        handshakes.clear(); // a closed server may be referenced for long
        unreported.clear();
        engineBuffers.close();
        buffers.clear();
        delegate.close();
    }

    // ---- polling

    @Override
    public int poll(Completions completions, long timeoutNanos) throws IOException {
        decryption.completions = completions;
        int delivered = delegate.poll(decryption, hasWork() ? 0 : timeoutNanos) + reportFailures(completions);
        boolean isIdle = delivered == 0 && timeoutNanos != 0; // otherwise the caller has something to do
        return handshakes.isEmpty() ? delivered : delivered + continueHandshakes(completions, isIdle);
    }

    private int reportFailures(Completions completions) {
        int reported = 0;
        for (TlsConnection connection = unreported.poll(); connection != null; connection = unreported.poll()) {
            IOException failure = connection.sendFailure;
            if (failure != null && !connection.failed && !connection.closed && !connection.receiving) {
                fail(connection, failure, completions);
                reported++;
            }
        }
        return reported;
    }

    private int continueHandshakes(Completions completions, boolean isIdle) {
        handshakes.begin(isIdle);
        for (TlsConnection connection = handshakes.next(); connection != null; connection = handshakes.next()) {
            try {
                step(connection, completions);
            } catch (IOException e) {
                fail(connection, e, completions);
            }
        }
        return handshakes.done();
    }

    /** Continues a handshake: processes what was received, and runs the task of the engine if it has one. */
    private void step(TlsConnection connection, Completions completions) throws IOException {
        if (!connection.engine.hasTask()) {
            input.processHeld(connection, completions);
        }
        if (!connection.closed && connection.engine.hasTask()) {
            if (connection.hasGivenUp()) {
                streamEnded(connection, completions);
            }
            connection.isQueued = false;
            connection.engine.runTask();
            input.advance(connection, completions);
            if (connection.takesInput()) {
                input.processHeld(connection, completions);
            }
        }
        settle(connection, completions);
    }

    /** Does what has become possible: the next step of the handshake, the end of the stream, receiving. */
    private void settle(TlsConnection connection, Completions completions) throws IOException {
        if (connection.closed) {
            return;
        }
        if (connection.isQueued) {
            handshakes.add(connection);
        } else if (connection.streamEnded && !connection.inputEnded) {
            streamEnded(connection, completions);
        }
        updateReceiving(connection);
    }

    private static void streamEnded(TlsConnection connection, Completions completions) throws IOException {
        if (!connection.connected) {
            throw new TlsException("the peer has closed the connection during the handshake", null);
        }
        connection.throwSendFailure();
        connection.inputEnded = true;
        completions.inputTruncated(connection.handle, new TruncatedException());
    }

    private void fail(TlsConnection connection, IOException failure, Completions completions) {
        if (connection.closed || connection.failed) {
            return;
        }
        output.sendAlert(connection);
        connection.failed = true;
        try {
            updateReceiving(connection);
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
        completions.failed(connection.handle, failure);
    }

    /** What the underlying proactor reports, of which the ciphertext is decrypted. */
    private final class Decryption implements Completions {
        private @Nullable Completions completions;

        private Completions to() {
            Completions receiver = completions;
            if (receiver == null) {
                throw new IllegalStateException("nothing is delivered outside of a poll");
            }
            return receiver;
        }

        @Override
        public void accepted(long token, TcpStream stream) {
            to().accepted(token, stream);
        }

        @Override
        public void acceptFailed(long token, IOException failure) {
            to().acceptFailed(token, failure);
        }

        @Override
        public void connected(long handle) {
            to().connected(handle);
        }

        @Override
        public void received(long handle, ByteBuffer memory, int from, int to) {
            TlsConnection connection = get(handle);
            if (connection == null) {
                to().received(handle, memory, from, to);
            } else if (!connection.failed && !connection.inputEnded) {
                try {
                    boolean wasQueued = connection.isQueued;
                    if (connection.connected) {
                        input.received(connection, memory, from, to, to());
                    } else {
                        input.hold(connection, memory, from, to);
                        connection.isQueued = true;
                    }
                    if (wasQueued) {
                        updateReceiving(connection);
                    } else {
                        settle(connection, to());
                    }
                } catch (IOException e) {
                    fail(connection, e, to());
                }
            }
        }

        @Override
        public void urgent(long handle, byte b) {
            to().urgent(handle, b);
        }

        @Override
        public void inputEnded(long handle) {
            TlsConnection connection = get(handle);
            if (connection == null) {
                to().inputEnded(handle);
            } else {
                connection.streamEnded = true;
                connection.receiving = false;
                if (connection.takesInput()) {
                    try {
                        settle(connection, to());
                    } catch (IOException e) {
                        fail(connection, e, to());
                    }
                }
            }
        }

        @Override
        public void inputTruncated(long handle, IOException failure) {
            to().inputTruncated(handle, failure);
        }

        @Override
        public void sent(long handle, long bytes) {
            TlsConnection connection = get(handle);
            if (connection == null) {
                to().sent(handle, bytes);
            } else if (!connection.failed) {
                try {
                    if (output.sendHeld(connection) && connection.connected && connection.awaitsWritable) {
                        connection.awaitsWritable = false;
                        to().sent(handle, 0);
                    }
                } catch (IOException e) {
                    fail(connection, e, to());
                }
            }
        }

        @Override
        public void failed(long handle, IOException failure) {
            TlsConnection connection = get(handle);
            boolean isReported = connection != null && connection.failed;
            if (connection != null) {
                connection.failed = true;
                connection.receiving = false;
            }
            if (!isReported) {
                to().failed(handle, failure);
            }
        }

        @Override
        public void spinning(long handle, String description) {
            to().spinning(handle, description);
        }

        @Override
        public void closed(long handle) {
            to().closed(handle);
        }
    }

    // ---- memory

    @Override
    public long keptBytes() {
        return delegate.keptBytes() + buffers.bytes();
    }

    @Override
    public long keptBytes(long handle) {
        TlsConnection connection = get(handle);
        return delegate.keptBytes(handle) + (connection == null ? 0 : connection.heldBytes());
    }

    /**
     * Returns the size of the direct buffers that depend on the connections: for incomplete records and unsent ciphertext, in use or kept
     * for reuse. Any thread may call it.
     *
     * @return the number of bytes
     */
    public long connectionBufferBytes() {
        return buffers.memoryBytes();
    }

    @Override
    public long bufferBytes() {
        return delegate.bufferBytes() + output.bufferBytes() + input.bufferBytes() + engineBuffers.bytes();
    }
}
