package io.trivet.sim;

import io.trivet.net.Completions;
import io.trivet.net.Interest;
import io.trivet.net.Proactor;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.sim.CompletionQueue.Kind;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Simulates io_uring as a {@link Proactor}. The completions of one connection are delivered in order, those of different
 * connections in any order. When a connection is being closed and its last operation has ended, its descriptor is closed and
 * {@code closed} is delivered.
 *
 * <p>Its parts: {@link RingSchedule} has the connections to visit, {@link CompletionQueue} the completions to deliver,
 * {@link RingBuffers} the memory to receive into, and {@link RingSlots} the connections, each a {@link RingConnection}.
 * {@link RingAccepts}, {@link RingReceives} and {@link RingSends} perform the operations, and are independent of each other.
 */
final class SimProactor implements Proactor {
    private final SimHost host;
    private final Kernel kernel;
    private final RingSchedule schedule;
    private final CompletionQueue queue;
    private final RingBuffers buffers;
    private final RingSlots slots;
    private final RingAccepts accepts;
    private final RingReceives receives;
    private final RingSends sends;
    private final int number;
    private boolean polling;
    private volatile boolean woken;
    private volatile boolean closed;
    /** True if the last poll has left work for the next one. */
    private boolean behind;

    SimProactor(SimHost host) throws IOException {
        this.host = host;
        kernel = host.kernel;
        schedule = new RingSchedule(host);
        queue = new CompletionQueue(host, schedule);
        buffers = new RingBuffers(kernel.sizes, schedule);
        slots = new RingSlots(schedule);
        accepts = new RingAccepts(schedule);
        receives = new RingReceives(host, schedule, queue, buffers);
        sends = new RingSends(host, schedule, queue, buffers);
        number = host.descriptors.add(new NeverReadyFile(kernel, "ring"), "io_uring_setup", null);
    }

    // Starting operations.

    @Override
    public void accept(TcpListener listener, long token) throws IOException {
        SimTcpListener ours = (SimTcpListener) host.own(listener);
        ours.checkOpen();
        accepts.accept(ours, token);
    }

    @Override
    public void stopAccepting(TcpListener listener) {
        accepts.stop(listener);
    }

    @Override
    public long adopt(TcpStream stream) throws IOException {
        SimTcpStream ours = (SimTcpStream) host.own(stream);
        ours.checkOpen();
        return slots.add(ours).handle();
    }

    @Override
    public long connect(InetSocketAddress address) throws IOException {
        return connect(address, null);
    }

    @Override
    public long connect(InetSocketAddress address, @Nullable InetSocketAddress local) throws IOException {
        RingConnection connection = slots.add((SimTcpStream) host.connect(address, local));
        connection.connecting = true;
        return connection.handle();
    }

    @Override
    public void receive(long handle) {
        RingConnection connection = slots.find(handle);
        if (connection != null) {
            receives.receive(connection);
        }
    }

    @Override
    public void stopReceiving(long handle) {
        RingConnection connection = slots.find(handle);
        if (connection != null) {
            receives.stop(connection);
        }
    }

    @Override
    public void watchUrgent(long handle) {
        RingConnection connection = slots.find(handle);
        if (connection != null) {
            receives.watchUrgent(connection);
        }
    }

    @Override
    public boolean sendUrgent(long handle, byte b) throws IOException {
        RingConnection connection = slots.find(handle);
        return connection != null && connection.stream().sendUrgent(b);
    }

    @Override
    public long send(long handle, ByteBuffer[] parts, int from, int count) throws IOException {
        return send(handle, parts, from, count, true);
    }

    @Override
    public long sendNow(long handle, ByteBuffer[] parts, int from, int count) throws IOException {
        return send(handle, parts, from, count, false);
    }

    private long send(long handle, ByteBuffer[] parts, int from, int count, boolean mayBePending) throws IOException {
        Objects.checkFromIndexSize(from, count, parts.length);
        RingConnection connection = slots.find(handle);
        return connection == null ? 0 : sends.send(connection, parts, from, count, mayBePending);
    }

    @Override
    public long unsentBytes(long handle) {
        RingConnection connection = slots.find(handle);
        return connection == null ? 0 : sends.unsentBytes(connection);
    }

    @Override
    public void shutdownOutput(long handle) throws IOException {
        RingConnection connection = slots.find(handle);
        if (connection != null) {
            sends.shutdownOutput(connection);
        }
    }

    @Override
    public void close(long handle) {
        RingConnection connection = slots.find(handle);
        if (connection != null) {
            connection.closing = true;
            sends.close(connection);
            schedule.visit(connection);
        }
    }

    @Override
    public <T> void setOption(long handle, SocketOption<T> option, T value) throws IOException {
        requireStream(handle).setOption(option, value);
    }

    @Override
    public <T> T getOption(long handle, SocketOption<T> option) throws IOException {
        return requireStream(handle).getOption(option);
    }

    private SimTcpStream requireStream(long handle) {
        RingConnection connection = slots.find(handle);
        if (connection == null) {
            throw new IllegalArgumentException("the handle is stale");
        }
        return connection.stream();
    }

    @Override
    public void reset(long handle) {
        RingConnection connection = slots.find(handle);
        if (connection != null) {
            RingSends.resetOnClose(connection);
            close(handle);
        }
    }

    // Waiting.

    @Override
    public int poll(Completions completions, long timeoutNanos) throws IOException {
        if (closed) {
            throw new IllegalStateException("the proactor is closed");
        }
        if (polling) {
            throw new IllegalStateException("the proactor is being polled: one at a time");
        }
        polling = true;
        try {
            long limit = host.waitLimit(timeoutNanos);
            int delivered = slots.deliverClosed(completions);
            while (true) {
                kernel.runDueEvents();
                schedule.visitDue();
                delivered += enter(completions) + deliver(completions) + accepts.acceptAll(completions)
                        + slots.deliverClosed(completions);
                boolean over = delivered > 0 || woken;
                woken = false;
                boolean more = schedule.takePollAgain();
                if (more && limit >= 0) {
                    schedule.wakeAt(kernel.now() + Kernel.ROUND_NANOS); // a wait must not skip that work
                }
                if (over || !host.advance(limit)) {
                    schedule.polled(more);
                    behind = more || buffers.waiting() > 0;
                    if (delivered > 0) {
                        kernel.progress();
                    }
                    return delivered;
                }
            }
        } finally {
            polling = false;
        }
    }

    @Override
    public boolean isBehind() {
        return behind;
    }

    // The kernel's part, when the ring is entered. Each method returns the number of completions delivered.

    private int enter(Completions completions) {
        int delivered = 0;
        // Connections that wait for a buffer come first; otherwise a flooded connection would get every buffer.
        for (int i = buffers.waiting(); i > 0 && buffers.hasFree(); i--) {
            delivered += advance(buffers.takeWaiting(), completions);
        }
        for (int i = schedule.pending(); i > 0; i--) {
            delivered += advance(schedule.takeNext(), completions);
        }
        return delivered;
    }

    /** Advances all operations of a connection. */
    private int advance(RingConnection connection, Completions completions) {
        if (connection.removed || connection.stream == null) {
            return 0;
        }
        int delivered = sends.advance(connection, completions);
        if (connection.closing) {
            receives.end(connection);
            if (connection.isIdle()) {
                slots.remove(connection);
            }
            return delivered;
        }
        if (connection.hasFailed()) {
            return delivered;
        }
        if (connection.connecting) {
            advanceConnect(connection);
            return delivered;
        }
        delivered += receives.advance(connection, completions);
        sends.findRoom(connection); // last, as on a real ring: what came before a reset is delivered before the reset
        return delivered;
    }

    private void advanceConnect(RingConnection connection) {
        if (connection.connectCompleted) {
            return;
        }
        try {
            if (connection.stream().finishConnect()) {
                connection.stream().setOption(StandardSocketOptions.TCP_NODELAY, true);
                connection.connectCompleted = true;
                queue.post(connection, Kind.CONNECTED);
            } else if (!connection.end().isConnecting()) {
                schedule.visit(connection); // the CONNECT_LATE fault: ask again
            }
        } catch (IOException e) {
            connection.connectCompleted = true;
            queue.postFailed(connection, e);
        }
    }

    // Delivering completions. Each method returns how many were delivered.

    /**
     * Delivers the posted completions. Callbacks may start, stop and close operations, but no operation completes in the
     * meantime.
     */
    private int deliver(Completions completions) {
        int delivered = 0;
        queue.beginDelivery();
        for (CompletionQueue.Entry entry = queue.next(); entry != null; entry = queue.next()) {
            delivered += deliver(entry, completions);
            entry.clear();
        }
        queue.endDelivery();
        return delivered;
    }

    private int deliver(CompletionQueue.Entry entry, Completions completions) {
        RingConnection connection = entry.connection();
        schedule.visit(connection);
        return switch (entry.kind()) {
            case RECEIVED -> receives.received(connection, entry.buffer(), entry.bytes(), completions);
            case RECEIVE_ENDED -> {
                receives.ended(connection);
                yield 0;
            }
            case INPUT_ENDED -> receives.inputEnded(connection, completions);
            case FAILED -> {
                receives.failed(connection);
                yield connection.fail(entry.failure(), completions);
            }
            case SENT -> sends.sent(connection, completions);
            case ROOM -> sends.room(connection, completions);
            case CONNECTED -> connected(connection, completions);
        };
    }

    private static int connected(RingConnection connection, Completions completions) {
        connection.connecting = false;
        connection.connectCompleted = false;
        if (!connection.isOpen()) {
            return 0;
        }
        completions.connected(connection.handle());
        return 1;
    }

    // Snapshots and closing.

    @Override
    public InetSocketAddress remoteAddress(long handle) {
        return slots.open(handle).end().remote;
    }

    @Override
    public InetSocketAddress localAddress(long handle) {
        return slots.open(handle).end().local;
    }

    @Override
    public int interest(long handle) {
        RingConnection connection = slots.find(handle);
        if (connection == null) {
            return 0;
        }
        int read = connection.wantsInput ? connection.urgentWatched ? Interest.READ | Interest.PRIORITY : Interest.READ : 0;
        return read | (connection.connecting || RingSends.isWaiting(connection) ? Interest.WRITE : 0);
    }

    @Override
    public void wakeup() {
        if (!closed) {
            woken = true;
            schedule.wake();
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        boolean idle = queue.isEmpty();
        for (int slot = 0; slot < slots.count(); slot++) {
            RingConnection connection = slots.get(slot);
            idle &= connection.stream == null;
            if (connection.stream != null && !connection.removed) {
                sends.flush(connection);
                slots.close(connection);
            }
        }
        accepts.end();
        schedule.end();
        host.descriptors.remove(number);
        if (idle && !buffers.areAllFree()) {
            throw new IllegalStateException("no connection is left, but some buffers of the ring are not released");
        }
    }
}
