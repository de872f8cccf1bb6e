package io.trivet.sim;

import io.trivet.net.Completions;
import io.trivet.net.Interest;
import io.trivet.net.Proactor;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.sim.CompletionQueue.Kind;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * Completion as io_uring has it, over simulated sockets. What has completed is told in order for each connection, and in no certain order
 * between them. A connection is closed, and that is told, when its last operation has ended.
 *
 * <p>Its rooms: {@link RingAgenda} is what the ring has to look at, and {@link CompletionQueue} what it has to tell; {@link RingBuffers} is
 * the memory it receives into; {@link RingSlots} are the connections, each a {@link RingConnection}; {@link RingAccepts},
 * {@link RingReceives} and {@link RingSends} do what they are named for, and know nothing of each other.
 */
final class SimProactor implements Proactor {
    /** What stands in the descriptor table for the ring itself. */
    private static final class Ring extends OpenFile {
        Ring(Kernel kernel) {
            super(kernel);
        }

        @Override
        int ready() {
            return 0;
        }

        @Override
        void release() {}

        @Override
        public String toString() {
            return "ring";
        }
    }

    private final SimHost host;
    private final Kernel kernel;
    private final RingAgenda agenda;
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

    SimProactor(SimHost host) throws IOException {
        this.host = host;
        kernel = host.kernel;
        agenda = new RingAgenda(host);
        queue = new CompletionQueue(host, agenda);
        buffers = new RingBuffers(kernel.sizes, agenda);
        slots = new RingSlots(agenda);
        accepts = new RingAccepts(agenda);
        receives = new RingReceives(host, agenda, queue, buffers);
        sends = new RingSends(host, agenda, queue, buffers);
        number = host.descriptors.add(new Ring(kernel), "io_uring_setup", null);
    }

    // Beginning.

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
        RingConnection connection = slots.add((SimTcpStream) host.connect(address));
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
            agenda.touch(connection);
        }
    }

    // The wait.

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
            int told = slots.tellGone(completions);
            while (true) {
                kernel.happen();
                agenda.touchDue();
                told += enter(completions) + tell(completions) + accepts.acceptAll(completions) + slots.tellGone(completions);
                boolean over = told > 0 || woken;
                woken = false;
                boolean more = agenda.takeMore();
                if (more && limit >= 0) {
                    agenda.remind(kernel.now() + Kernel.ROUND_NANOS); // a wait may not pass that by
                }
                if (over || !host.awaits(limit)) {
                    agenda.polled(more);
                    if (told > 0) {
                        kernel.progress();
                    }
                    return told;
                }
            }
        } finally {
            polling = false;
        }
    }

    // What the kernel does, when it is entered.

    private int enter(Completions completions) {
        int told = 0;
        for (int i = buffers.starved(); i > 0 && buffers.hasFree(); i--) { // first, or one that is flooded would have every buffer
            told += advance(buffers.takeStarved(), completions);
        }
        for (int i = agenda.touched(); i > 0; i--) {
            told += advance(agenda.takeTouched(), completions);
        }
        return told;
    }

    /** Goes on with all that a connection has under way; how much was told. */
    private int advance(RingConnection connection, Completions completions) {
        if (connection.gone || connection.stream == null) {
            return 0;
        }
        int told = sends.advance(connection, completions);
        if (connection.closing) {
            receives.end(connection);
            if (connection.isIdle()) {
                slots.remove(connection);
            }
            return told;
        }
        if (connection.hasFailed()) {
            return told;
        }
        if (connection.connecting) {
            advanceConnect(connection);
            return told;
        }
        told += receives.advance(connection, completions);
        sends.findRoom(connection); // last, as by a ring: what came before a reset is told before the reset
        return told;
    }

    private void advanceConnect(RingConnection connection) {
        if (connection.answered) {
            return;
        }
        try {
            if (connection.stream().finishConnect()) {
                connection.stream().setOption(StandardSocketOptions.TCP_NODELAY, true);
                connection.answered = true;
                queue.post(connection, Kind.CONNECTED);
            } else if (!connection.end().isConnecting()) {
                agenda.touch(connection); // it was told late
            }
        } catch (IOException e) {
            connection.answered = true;
            queue.postFailed(connection, e);
        }
    }

    // Telling.

    /** Tells what has completed. What is told may begin, stop and close; nothing completes meanwhile. */
    private int tell(Completions completions) {
        int told = 0;
        queue.begin();
        for (CompletionQueue.Entry entry = queue.next(); entry != null; entry = queue.next()) {
            told += tell(entry, completions);
            entry.clear();
        }
        queue.end();
        return told;
    }

    private int tell(CompletionQueue.Entry entry, Completions completions) {
        RingConnection connection = entry.connection();
        agenda.touch(connection);
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
        connection.answered = false;
        if (!connection.isOpen()) {
            return 0;
        }
        completions.connected(connection.handle());
        return 1;
    }

    // Looking on, and the end.

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
        int read = connection.wantsInput ? connection.urgent ? Interest.READ | Interest.PRIORITY : Interest.READ : 0;
        return read | (connection.connecting || RingSends.waits(connection) ? Interest.WRITE : 0);
    }

    @Override
    public void wakeup() {
        if (!closed) {
            woken = true;
            agenda.wake();
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
            if (connection.stream != null && !connection.gone) {
                sends.flush(connection);
                slots.close(connection);
            }
        }
        accepts.end();
        agenda.end();
        host.descriptors.remove(number);
        if (idle && !buffers.areAllFree()) {
            throw new IllegalStateException("no connection is left, and not all buffers of the ring have been given back");
        }
    }
}
