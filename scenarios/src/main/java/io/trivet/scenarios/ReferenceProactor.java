package io.trivet.scenarios;

import io.trivet.net.Capability;
import io.trivet.net.Completions;
import io.trivet.net.Interest;
import io.trivet.net.Network;
import io.trivet.net.Poller;
import io.trivet.net.Proactor;
import io.trivet.net.ReadyEvents;
import io.trivet.net.SendableFile;
import io.trivet.net.Splicing;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.net.UnixAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link io.trivet.net.ReadinessProactor} does, in the simplest form: connections in a map, flags for what is wanted, no
 * arrays by slot. One thread.
 */
final class ReferenceProactor implements Proactor {
    private static final int RECEIVE_BYTES = 65_536;
    private static final int EVENTS_PER_POLL = 512;
    private static final int ACCEPTS_PER_POLL = 64;
    private static final int SPIN_EVENTS = 1_024;
    private static final int SPIN_POLLS_APART_MAX = 16;

    private static final class Connection {
        final long handle;
        final TcpStream stream;
        boolean connects;
        boolean receives;
        boolean writes;
        boolean urgent;
        /** The poller has refused a change, and does not have the socket any more. */
        boolean lost;
        int fruitless;
        int fruitlessPoll;

        Connection(long handle, TcpStream stream) {
            this.handle = handle;
            this.stream = stream;
        }

        int watched() {
            int write = writes ? Interest.WRITE : 0;
            return lost ? 0 : receives ? Interest.READ | write | (urgent ? Interest.PRIORITY : 0) : write;
        }
    }

    private record Accepting(TcpListener listener, long token) {}

    private final Network network;
    private final Poller poller;
    private final @Nullable Splicing splicing;
    private final ReadyEvents events = new ReadyEvents(EVENTS_PER_POLL);
    private final ByteBuffer memory = ByteBuffer.allocate(RECEIVE_BYTES);
    private final Map<Long, Connection> connections = new LinkedHashMap<>();
    private final Map<Long, Accepting> listeners = new HashMap<>();
    private final BitSet slots = new BitSet();
    private final ArrayDeque<Long> closing = new ArrayDeque<>();
    private long generation;
    private int polls;
    private boolean behind;

    ReferenceProactor(Network network) throws IOException {
        this.network = network;
        poller = network.poller();
        splicing = network.splicing();
    }

    // ---- listeners

    @Override
    public void accept(TcpListener listener, long token) throws IOException {
        long free = -1;
        while (listeners.containsKey(free)) {
            free--;
        }
        poller.register(listener, Interest.READ, free);
        listeners.put(free, new Accepting(listener, token));
    }

    @Override
    public void stopAccepting(TcpListener listener) throws IOException {
        for (Map.Entry<Long, Accepting> each : List.copyOf(listeners.entrySet())) {
            if (each.getValue().listener.equals(listener)) {
                listeners.remove(each.getKey());
                poller.deregister(listener);
            }
        }
    }

    private int acceptAll(long pollerToken, Completions completions) {
        int done = 0;
        for (; done < ACCEPTS_PER_POLL && listeners.containsKey(pollerToken); done++) {
            Accepting accepting = listeners.get(pollerToken);
            try {
                TcpStream stream = accepting.listener.accept();
                if (stream == null) {
                    break;
                }
                completions.accepted(accepting.token, stream);
            } catch (IOException e) {
                completions.acceptFailed(accepting.token, e);
                return done + 1;
            }
        }
        return done;
    }

    // ---- connections

    @Override
    public long adopt(TcpStream stream) throws IOException {
        return add(stream, false);
    }

    @Override
    public long connect(InetSocketAddress address) throws IOException {
        return connect(address, null);
    }

    @Override
    public long connect(InetSocketAddress address, @Nullable InetSocketAddress local) throws IOException {
        TcpStream stream = network.connect(address, local);
        try {
            return add(stream, true);
        } catch (IOException e) {
            resetAtClose(stream);
            stream.close();
            throw e;
        }
    }

    private long add(TcpStream stream, boolean connects) throws IOException {
        int slot = slots.nextClearBit(0);
        Connection connection = new Connection(++generation << 32 | slot, stream);
        connection.connects = connects;
        connection.writes = connects;
        poller.register(stream, connection.watched(), connection.handle);
        slots.set(slot);
        connections.put(connection.handle, connection);
        return connection.handle;
    }

    /** Changes what is wanted. */
    private void want(Connection connection, boolean receives, boolean writes, boolean urgent) throws IOException {
        if (connection.lost) {
            return;
        }
        int before = connection.watched();
        connection.receives = receives;
        connection.writes = writes;
        connection.urgent = urgent;
        if (connection.watched() != before) {
            try {
                poller.modify(connection.stream, connection.watched(), connection.handle);
            } catch (IOException e) {
                connection.lost = true;
                connection.connects = false;
                connection.receives = false;
                connection.writes = false;
                connection.urgent = false;
                throw e;
            }
        }
    }

    @Override
    public void receive(long handle) throws IOException {
        Connection connection = connections.get(handle);
        if (connection != null) {
            want(connection, true, connection.writes, connection.urgent);
        }
    }

    @Override
    public void stopReceiving(long handle) throws IOException {
        Connection connection = connections.get(handle);
        if (connection != null) {
            want(connection, false, connection.writes, connection.urgent);
        }
    }

    @Override
    public void watchUrgent(long handle) throws IOException {
        if (!network.supports(Capability.URGENT_DATA)) {
            throw new UnsupportedOperationException();
        }
        Connection connection = connections.get(handle);
        if (connection != null && !UnixAddress.isUnix(connection.stream.remoteAddress())) {
            want(connection, connection.receives, connection.writes, true);
        }
    }

    @Override
    public boolean sendUrgent(long handle, byte b) throws IOException {
        Connection connection = connections.get(handle);
        return connection != null && connection.stream.sendUrgent(b);
    }

    @Override
    public long send(long handle, ByteBuffer[] parts, int from, int count) throws IOException {
        Connection connection = connections.get(handle);
        if (connection == null) {
            return 0;
        }
        long all = 0;
        for (int i = from; i < from + count; i++) {
            all += parts[i].remaining();
        }
        return awaitRoom(connection, connection.stream.write(parts, from, count), all);
    }

    /** Waits for a writable socket if something was not written. */
    private long awaitRoom(Connection connection, long written, long all) throws IOException {
        if (written >= 0 && written < all) {
            want(connection, connection.receives, true, connection.urgent);
        }
        return written;
    }

    @Override
    public long sendFile(long handle, SendableFile file, long position, long count) throws IOException {
        Connection connection = connections.get(handle);
        return connection == null ? 0 : awaitRoom(connection, connection.stream.sendFile(file, position, count), count);
    }

    @Override
    public int splice(long from, long to, int count) throws IOException {
        Connection connection = connections.get(from);
        return connection == null || splicing == null || connection.urgent ? 0 : splicing.fill(connection.stream, to, count);
    }

    @Override
    public int sendSpliced(long handle, int count) throws IOException {
        Connection connection = connections.get(handle);
        return connection == null || splicing == null ? 0
                : (int) awaitRoom(connection, splicing.drain(handle, connection.stream, count), count);
    }

    private TcpStream open(long handle) {
        Connection connection = connections.get(handle);
        if (connection == null) {
            throw new IllegalArgumentException();
        }
        return connection.stream;
    }

    @Override
    public <T> void setOption(long handle, SocketOption<T> option, T value) throws IOException {
        open(handle).setOption(option, value);
    }

    @Override
    public <T> T getOption(long handle, SocketOption<T> option) throws IOException {
        return open(handle).getOption(option);
    }

    @Override
    public void shutdownOutput(long handle) throws IOException {
        if (connections.containsKey(handle)) {
            open(handle).shutdownOutput();
        }
    }

    @Override
    public void close(long handle) {
        Connection connection = connections.remove(handle);
        if (connection == null) {
            return;
        }
        if (splicing != null) {
            splicing.drop(handle);
        }
        closing.add(handle);
        try {
            poller.deregister(connection.stream);
        } catch (IOException | IllegalArgumentException e) {
            // The poller does not have it.
        }
        try {
            connection.stream.close();
        } catch (IOException e) {
            // It is closed nevertheless.
        }
    }

    @Override
    public void reset(long handle) {
        Connection connection = connections.get(handle);
        if (connection != null) {
            resetAtClose(connection.stream);
            close(handle);
        }
    }

    private static void resetAtClose(TcpStream stream) {
        try {
            stream.setOption(StandardSocketOptions.SO_LINGER, 0);
        } catch (IOException e) {
            // It has failed already.
        }
    }

    @Override
    public InetSocketAddress remoteAddress(long handle) {
        try {
            return open(handle).remoteAddress();
        } catch (IOException e) {
            throw new IllegalArgumentException(e);
        }
    }

    @Override
    public InetSocketAddress localAddress(long handle) {
        try {
            return open(handle).localAddress();
        } catch (IOException e) {
            throw new IllegalArgumentException(e);
        }
    }

    @Override
    public int interest(long handle) {
        Connection connection = connections.get(handle);
        return connection == null ? 0 : connection.watched();
    }

    // ---- polling

    @Override
    public int poll(Completions completions, long timeoutNanos) throws IOException {
        int delivered = deliverClosed(completions);
        int ready = poller.poll(events, delivered > 0 ? 0 : timeoutNanos);
        polls++;
        behind = ready >= EVENTS_PER_POLL / 2;
        for (int i = 0; i < ready; i++) {
            long token = events.token(i);
            Connection connection = connections.get(token);
            if (token < 0) {
                delivered += acceptAll(token, completions);
            } else if (connection != null) {
                int done = handle(connection, events.events(i), completions);
                countFruitless(connection, done > 0, events.events(i), completions);
                delivered += done;
            }
        }
        return delivered + deliverClosed(completions);
    }

    private int deliverClosed(Completions completions) {
        int delivered = 0;
        for (Long handle = closing.poll(); handle != null; handle = closing.poll()) {
            completions.closed(handle);
            slots.clear(Proactor.slot(handle));
            delivered++;
        }
        return delivered;
    }

    private int handle(Connection connection, int ready, Completions completions) {
        int done = 0;
        try {
            if (connection.connects) {
                return finishConnect(connection, completions);
            }
            if ((ready & Interest.PRIORITY) != 0) {
                int urgent = connection.stream.receiveUrgent();
                if (urgent >= 0) {
                    done++;
                    completions.urgent(connection.handle, (byte) urgent);
                }
            }
            boolean failed = (ready & Interest.ERROR) != 0;
            if ((failed || (ready & (Interest.READ | Interest.HANG_UP)) != 0) && isOpen(connection) && connection.receives) {
                done += receive(connection, completions);
            }
            if ((failed || (ready & Interest.WRITE) != 0) && isOpen(connection) && connection.writes) {
                want(connection, connection.receives, false, connection.urgent);
                done++;
                completions.sent(connection.handle, 0);
            }
        } catch (IOException e) {
            done++;
            fail(connection, e, completions);
        }
        return done;
    }

    private boolean isOpen(Connection connection) {
        return connections.containsKey(connection.handle);
    }

    private int finishConnect(Connection connection, Completions completions) throws IOException {
        if (!connection.stream.finishConnect()) {
            return 0;
        }
        if (!UnixAddress.isUnix(connection.stream.remoteAddress())) {
            connection.stream.setOption(StandardSocketOptions.TCP_NODELAY, true);
        }
        connection.connects = false;
        want(connection, connection.receives, false, connection.urgent);
        completions.connected(connection.handle);
        return 1;
    }

    private int receive(Connection connection, Completions completions) throws IOException {
        int bytes = connection.stream.read(memory.clear());
        behind |= bytes == RECEIVE_BYTES;
        if (bytes > 0) {
            completions.received(connection.handle, memory, 0, bytes);
        } else if (bytes < 0) {
            want(connection, false, connection.writes, false);
            completions.inputEnded(connection.handle);
        }
        return bytes == 0 ? 0 : 1;
    }

    private void fail(Connection connection, IOException failure, Completions completions) {
        if (!isOpen(connection)) {
            return;
        }
        connection.connects = false;
        try {
            want(connection, false, false, false);
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
        completions.failed(connection.handle, failure);
    }

    private void countFruitless(Connection connection, boolean wasUseful, int ready, Completions completions) {
        boolean isApart = polls - connection.fruitlessPoll > SPIN_POLLS_APART_MAX;
        connection.fruitless = wasUseful ? 0 : isApart ? 1 : connection.fruitless + 1;
        connection.fruitlessPoll = wasUseful ? connection.fruitlessPoll : polls;
        if (connection.fruitless == SPIN_EVENTS) {
            connection.fruitless = 0;
            completions.spinning(connection.handle, connection.stream + ", descriptor " + connection.stream.fd() + ": reported "
                    + Interest.toString(ready) + ", watched " + Interest.toString(connection.watched()));
        }
    }

    @Override
    public long bufferBytes() {
        return RECEIVE_BYTES;
    }

    @Override
    public boolean isBehind() {
        return behind;
    }

    @Override
    public void wakeup() {
        poller.wakeup();
    }

    @Override
    public void close() throws IOException {
        for (Connection connection : connections.values()) {
            try {
                connection.stream.close();
            } catch (IOException e) {
                // It is closed nevertheless.
            }
        }
        connections.clear();
        if (splicing != null) {
            splicing.close();
        }
        poller.close();
    }
}
