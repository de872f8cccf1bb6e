package io.trivet.net;

import java.io.IOException;
import java.lang.invoke.VarHandle;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Provider interface (SPI): adapts a {@link Poller} to a {@link Proactor}. It waits for readiness, then reads, accepts and
 * connects. A send goes to the socket at once. If it does not write all bytes, WRITE is watched until the socket is writable
 * again, and otherwise not.
 *
 * <p>All connections share one receive buffer: the next read overwrites what {@link Completions#received} delivered. The proactor
 * reads once each time that a socket is reported, so no connection can hold up the others.
 *
 * <p><b>Threads.</b> See {@link Proactor}. The methods that return addresses and interests use no lock: a slot's generation
 * changes before its next connection is stored, and these methods compare the generation again after reading.
 */
public final class ReadinessProactor implements Proactor {
    /** Maximum number of bytes per read. */
    static final int RECEIVE_BYTES = 64 * 1024;
    /** Maximum number of sockets reported per poll. The poller reports the remaining ones next. */
    static final int EVENTS_PER_POLL = 512;

    private static final int CONNECTING = 1 << 7;
    /**
     * A change of interest has failed, and the poller no longer has the socket. Nothing is watched, and the caller has been
     * notified.
     */
    private static final int LOST = 1 << 6;

    private final Network network;
    private final Poller poller;
    private final ReadinessAccepts accepts;
    private final ReadyEvents events = new ReadyEvents(EVENTS_PER_POLL);
    private final ByteBuffer memory = ByteBuffer.allocateDirect(RECEIVE_BYTES);

    /** By slot. A free slot has no stream, and the generation of its next connection. */
    private @Nullable TcpStream[] streams = new @Nullable TcpStream[64];

    private int[] generations = new int[64];
    /** By slot: the wanted bits of {@link Interest}, and CONNECTING; or LOST. */
    private byte[] states = new byte[64];

    /** A stack of the free slots. Its size follows the number of slots that were free at the same time. */
    private int[] freeSlots = new int[16];
    private int freeCount;
    private int slotCount;

    /** Handles that were closed since the last poll. The next poll reports them. */
    private long[] closedHandles = new long[16];

    private int closedCount;
    /** Null if the network cannot splice. */
    private final @Nullable Splicing splicing;
    private final SpinGuard spins = new SpinGuard();
    /** True if the last poll has reached a bound: of the events, or of the bytes of a read. */
    private boolean behind;

    /**
     * Opens a poller of a network and adapts it.
     *
     * @param network the network
     * @throws IOException the kernel refuses to open a poller
     */
    public ReadinessProactor(Network network) throws IOException {
        this.network = network;
        this.poller = network.poller();
        this.splicing = network.splicing();
        this.accepts = new ReadinessAccepts(poller);
    }

    @Override
    public void accept(TcpListener listener, long token) throws IOException {
        accepts.accept(listener, token);
    }

    @Override
    public void stopAccepting(TcpListener listener) throws IOException {
        accepts.stop(listener);
    }

    @Override
    public long adopt(TcpStream stream) throws IOException {
        return add(stream, 0);
    }

    @Override
    public long connect(InetSocketAddress address) throws IOException {
        return connect(address, null);
    }

    @Override
    public long connect(InetSocketAddress address, @Nullable InetSocketAddress local) throws IOException {
        TcpStream stream = network.connect(address, local);
        try {
            return add(stream, CONNECTING | Interest.WRITE);
        } catch (IOException | RuntimeException e) {
            resetAtClose(stream); // the peer may have accepted it, and must not take this for a complete stream
            stream.close();
            throw e;
        }
    }

    private long add(TcpStream stream, int state) throws IOException {
        if (freeCount == 0) {
            grow();
        }
        int slot = freeSlots[freeCount - 1];
        long handle = (long) generations[slot] << 32 | slot;
        poller.register(stream, watched(state), handle);
        freeCount--;
        VarHandle.storeStoreFence(); // other threads must see the new generation before the new stream
        streams[slot] = stream;
        states[slot] = (byte) state;
        spins.reset(slot);
        return handle;
    }

    private void grow() {
        if (slotCount == streams.length) {
            int size = slotCount + slotCount / 2;
            streams = Arrays.copyOf(streams, size);
            generations = Arrays.copyOf(generations, size);
            states = Arrays.copyOf(states, size);
        }
        free(slotCount++);
    }

    private void free(int slot) {
        if (freeCount == freeSlots.length) {
            freeSlots = Arrays.copyOf(freeSlots, 2 * freeCount);
        }
        freeSlots[freeCount++] = slot;
    }

    @Override
    public void receive(long handle) throws IOException {
        TcpStream stream = stream(handle);
        if (stream != null) {
            watch(stream, handle, states[Proactor.slot(handle)] | Interest.READ);
        }
    }

    @Override
    public void stopReceiving(long handle) throws IOException {
        TcpStream stream = stream(handle);
        if (stream != null) {
            watch(stream, handle, states[Proactor.slot(handle)] & ~Interest.READ);
        }
    }

    @Override
    public void watchUrgent(long handle) throws IOException {
        if (!network.supports(Capability.URGENT_DATA)) {
            throw new UnsupportedOperationException("the network " + network.name()
                    + " does not support urgent data: epoll, poll and select on Linux do");
        }
        TcpStream stream = stream(handle);
        if (stream != null && !UnixAddress.isUnix(stream.remoteAddress())) {
            watch(stream, handle, states[Proactor.slot(handle)] | Interest.PRIORITY);
        }
    }

    @Override
    public boolean sendUrgent(long handle, byte b) throws IOException {
        TcpStream stream = stream(handle);
        return stream != null && stream.sendUrgent(b);
    }

    @Override
    public long send(long handle, ByteBuffer[] parts, int from, int count) throws IOException {
        TcpStream stream = stream(handle);
        if (stream == null) {
            return 0;
        }
        long written;
        boolean complete;
        if (count == 1) {
            ByteBuffer only = parts[from];
            written = stream.write(only);
            complete = !only.hasRemaining();
        } else {
            written = stream.write(parts, from, count);
            complete = true;
            for (int i = from + count - 1; i >= from && complete; i--) {
                complete = !parts[i].hasRemaining();
            }
        }
        if (!complete) {
            watch(stream, handle, states[Proactor.slot(handle)] | Interest.WRITE);
        }
        return written;
    }

    @Override
    public long sendFile(long handle, SendableFile file, long position, long count) throws IOException {
        TcpStream stream = stream(handle);
        if (stream == null) {
            return 0;
        }
        long written = stream.sendFile(file, position, count);
        if (written >= 0 && written < count) {
            watch(stream, handle, states[Proactor.slot(handle)] | Interest.WRITE);
        }
        return written;
    }

    @Override
    public int splice(long from, long to, int count) throws IOException {
        TcpStream stream = stream(from);
        if (stream == null || splicing == null || (states[Proactor.slot(from)] & Interest.PRIORITY) != 0) {
            return 0; // with urgent data, a plain read stops at the mark
        }
        return splicing.fill(stream, to, count);
    }

    @Override
    public int sendSpliced(long handle, int count) throws IOException {
        TcpStream stream = stream(handle);
        if (stream == null || splicing == null) {
            return 0;
        }
        int written = splicing.drain(handle, stream, count);
        if (written < count) {
            watch(stream, handle, states[Proactor.slot(handle)] | Interest.WRITE);
        }
        return written;
    }

    @Override
    public <T> void setOption(long handle, SocketOption<T> option, T value) throws IOException {
        requireOpen(handle).setOption(option, value);
    }

    @Override
    public <T> T getOption(long handle, SocketOption<T> option) throws IOException {
        return requireOpen(handle).getOption(option);
    }

    @Override
    public void shutdownOutput(long handle) throws IOException {
        TcpStream stream = stream(handle);
        if (stream != null) {
            stream.shutdownOutput();
        }
    }

    @Override
    public void close(long handle) {
        TcpStream stream = stream(handle);
        if (stream == null) {
            return;
        }
        int slot = Proactor.slot(handle);
        VarHandle.releaseFence(); // a thread that finds the handle stale sees what the caller wrote before
        streams[slot] = null;
        // The handle is stale from now on. The slot is freed after closed() has been delivered. The generation wraps around to 0,
        // so a handle is never negative.
        generations[slot] = generations[slot] + 1 & Integer.MAX_VALUE;
        states[slot] = 0;
        if (splicing != null) {
            splicing.drop(handle);
        }
        if (closedCount == closedHandles.length) {
            closedHandles = Arrays.copyOf(closedHandles, closedCount * 2);
        }
        closedHandles[closedCount++] = handle;
        try {
            poller.deregister(stream);
        } catch (IOException | IllegalArgumentException e) {
            // The kernel has already dropped the socket, or the poller has after a failed change. Either way it is no longer
            // registered.
        } finally {
            closeQuietly(stream);
        }
    }

    @Override
    public void reset(long handle) {
        TcpStream stream = stream(handle);
        if (stream != null) {
            resetAtClose(stream);
            close(handle);
        }
    }

    private static void resetAtClose(TcpStream stream) {
        try {
            stream.setOption(StandardSocketOptions.SO_LINGER, 0);
        } catch (IOException e) {
            // The connection has failed already: the peer will not take its end for an orderly one.
        }
    }

    private static void closeQuietly(TcpStream stream) {
        try {
            stream.close();
        } catch (IOException e) {
            // The connection is no longer used. The error has no effect.
        }
    }

    @Override
    public InetSocketAddress remoteAddress(long handle) {
        InetSocketAddress address;
        try {
            address = requireOpen(handle).remoteAddress();
        } catch (IOException e) {
            throw new IllegalArgumentException("the stream was closed during the call", e);
        }
        requireOpen(handle); // closed during the call: the slot may be another connection's by now
        return address;
    }

    @Override
    public InetSocketAddress localAddress(long handle) {
        InetSocketAddress address;
        try {
            address = requireOpen(handle).localAddress();
        } catch (IOException e) {
            throw new IllegalArgumentException("the stream was closed during the call", e);
        }
        requireOpen(handle); // closed during the call: the slot, and the descriptor, may be another connection's by now
        return address;
    }

    private TcpStream requireOpen(long handle) {
        TcpStream stream = stream(handle);
        VarHandle.acquireFence(); // for other threads: the caller's next reads happen after this one
        if (stream == null) {
            throw new IllegalArgumentException("the handle is stale");
        }
        return stream;
    }

    @Override
    public int interest(long handle) {
        int slot = Proactor.slot(handle);
        int generation = (int) (handle >>> 32);
        int[] seen = generations;
        byte[] seenStates = states;
        if (slot >= seen.length || slot >= seenStates.length || seen[slot] != generation) {
            return 0;
        }
        int state = seenStates[slot];
        VarHandle.acquireFence(); // compared again after reading: the slot may be another connection's by now
        return seen[slot] == generation ? watched(state) : 0;
    }

    @Override
    public int poll(Completions completions, long timeoutNanos) throws IOException {
        int delivered = deliverClosed(completions);
        int ready = poller.poll(events, delivered > 0 ? 0 : timeoutNanos);
        spins.polled();
        behind = ready >= EVENTS_PER_POLL / 2; // the poller omits stale events, which may have filled the rest
        for (int i = 0; i < ready; i++) {
            long token = events.token(i);
            delivered += accepts.isListener(token)
                    ? accepts.acceptAll(token, completions)
                    : handleEvents(token, events.events(i), completions);
        }
        return delivered + deliverClosed(completions);
    }

    @Override
    public long bufferBytes() {
        return RECEIVE_BYTES;
    }

    @Override
    public boolean isBehind() {
        return behind;
    }

    private int deliverClosed(Completions completions) {
        int delivered = 0;
        while (delivered < closedCount) { // the callback may close further connections
            long handle = closedHandles[delivered++];
            completions.closed(handle);
            free(Proactor.slot(handle)); // only now, after the caller has released its own data for the slot
        }
        closedCount = 0;
        return delivered;
    }

    /** Handles the events of one socket: exceptional before readable before writable, until a callback closes the connection. */
    private int handleEvents(long handle, int ready, Completions completions) {
        TcpStream stream = stream(handle);
        if (stream == null) {
            return 0; // closed by the callback for an earlier event
        }
        int delivered = 0;
        try {
            int slot = Proactor.slot(handle);
            if ((states[slot] & CONNECTING) != 0) {
                delivered = finishConnect(stream, handle, completions);
            } else {
                if ((ready & Interest.PRIORITY) != 0) {
                    delivered += receiveUrgent(stream, handle, completions);
                }
                boolean readable = Interest.fold(ready, Interest.READ) != 0;
                if (readable && (states[slot] & Interest.READ) != 0 && isCurrent(handle)) {
                    delivered += receiveOnce(stream, handle, completions);
                }
                boolean writable = Interest.fold(ready, Interest.WRITE) != 0;
                if (writable && isCurrent(handle) && (states[slot] & Interest.WRITE) != 0) {
                    watch(stream, handle, states[slot] & ~Interest.WRITE);
                    completions.sent(handle, 0);
                    delivered++;
                }
            }
        } catch (IOException e) {
            fail(stream, handle, e, completions);
            delivered++;
        }
        if (delivered > 0) {
            spins.reset(Proactor.slot(handle));
        } else if (spins.isSpin(Proactor.slot(handle)) && isCurrent(handle)) {
            completions.spinning(handle, describeSpin(stream, handle, ready));
        }
        return delivered;
    }

    private int finishConnect(TcpStream stream, long handle, Completions completions) throws IOException {
        if (!stream.finishConnect()) {
            return 0;
        }
        if (!UnixAddress.isUnix(stream.remoteAddress())) {
            stream.setOption(StandardSocketOptions.TCP_NODELAY, true);
        }
        watch(stream, handle, states[Proactor.slot(handle)] & (Interest.READ | Interest.PRIORITY));
        completions.connected(handle);
        return 1;
    }

    private static int receiveUrgent(TcpStream stream, long handle, Completions completions) throws IOException {
        int urgent = stream.receiveUrgent();
        if (urgent < 0) {
            return 0;
        }
        completions.urgent(handle, (byte) urgent);
        return 1;
    }

    private int receiveOnce(TcpStream stream, long handle, Completions completions) throws IOException {
        memory.clear();
        int bytes = stream.read(memory);
        if (bytes > 0) {
            behind |= bytes == RECEIVE_BYTES;
            completions.received(handle, memory, 0, bytes);
            return 1;
        }
        if (bytes < 0) {
            watch(stream, handle, states[Proactor.slot(handle)] & ~(Interest.READ | Interest.PRIORITY));
            completions.inputEnded(handle);
            return 1;
        }
        return 0;
    }

    private void fail(TcpStream stream, long handle, IOException failure, Completions completions) {
        if (!isCurrent(handle)) {
            return;
        }
        try {
            watch(stream, handle, 0); // a failed socket would be ready forever
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
        completions.failed(handle, failure);
    }

    private String describeSpin(TcpStream stream, long handle, int ready) {
        String descriptor = network.supports(Capability.DESCRIPTORS) ? ", descriptor " + stream.fd() : "";
        return stream + descriptor + ": reported " + Interest.toString(ready) + ", watched "
                + Interest.toString(watched(states[Proactor.slot(handle)])) + ", " + SpinGuard.FRUITLESS_EVENTS_MAX
                + " times in a row without anything to do";
    }

    /** Sets the state, and changes the poller's interest if it differs. */
    private void watch(TcpStream stream, long handle, int state) throws IOException {
        int slot = Proactor.slot(handle);
        int before = states[slot];
        if ((byte) state == before || (before & LOST) != 0) {
            return;
        }
        states[slot] = (byte) state;
        if (watched(state) != watched(before)) {
            try {
                poller.modify(stream, watched(state), handle);
            } catch (IOException e) {
                states[slot] = LOST;
                throw e;
            }
        }
    }

    /**
     * Returns the interest for the poller. Urgent data is watched only while receiving: a reset is reported without being asked
     * for, and with PRIORITY alone no read would consume it, so the loop would spin.
     */
    private static int watched(int state) {
        return (state & Interest.READ) != 0 ? state & Interest.ALL : state & Interest.WRITE;
    }

    private boolean isCurrent(long handle) {
        return stream(handle) != null;
    }

    private @Nullable TcpStream stream(long handle) {
        int slot = Proactor.slot(handle);
        return generations[slot] == (int) (handle >>> 32) ? streams[slot] : null;
    }

    @Override
    public void wakeup() {
        poller.wakeup();
    }

    @Override
    public void close() throws IOException {
        for (int slot = 0; slot < slotCount; slot++) {
            TcpStream stream = streams[slot];
            if (stream != null) {
                streams[slot] = null;
                generations[slot] = generations[slot] + 1 & Integer.MAX_VALUE;
                closeQuietly(stream);
            }
        }
        if (splicing != null) {
            splicing.close();
        }
        poller.close();
    }
}
