package io.trivet.linux;

import static io.trivet.linux.UringConnections.CANCELLING_WRITABLE;
import static io.trivet.linux.UringConnections.CLOSED;
import static io.trivet.linux.UringConnections.CLOSING;
import static io.trivet.linux.UringConnections.CONNECTING;
import static io.trivet.linux.UringConnections.FAILED;
import static io.trivet.linux.UringConnections.OPERATIONS;
import static io.trivet.linux.UringConnections.POLLING_WRITABLE;

import io.trivet.net.Addresses;
import io.trivet.net.Completions;
import io.trivet.net.Interest;
import io.trivet.net.Proactor;
import io.trivet.net.SendableFile;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A proactor on io_uring (man 7 io_uring). One call per turn hands over all sends, and waits. Its parts:
 *
 * <ul>
 *   <li>{@link Ring} and {@link BufferRing} are the memory shared with the kernel.
 *   <li>{@link UringThreads} opens a ring for the thread that polls, and replaces it if that thread has ended.
 *       {@link UringRestart} restarts the operations of the former ring.
 *   <li>{@link UringOperations} counts and starts operations; {@link UringWakeup} ends a wait.
 *   <li>{@link UringConnections} stores the connections by slot.
 *   <li>{@link UringAccepts}, {@link UringReceives} and {@link UringSends} accept, receive and send.
 * </ul>
 *
 * <p>After the last operation of a closed connection has completed, {@link Completions#closed} is delivered and the slot is
 * freed.
 *
 * <p><b>Threads.</b> The ring of a platform thread is bound to it, which makes it fast. If another thread polls after that thread
 * has ended, a free ring replaces it: see {@link UringHandover}. The ring of a virtual thread is free from the beginning.
 */
final class UringProactor implements Proactor {
    /** Maximum number of completions handled per poll. */
    static final int COMPLETIONS_PER_POLL = 1024;

    /**
     * Maximum number of calls in a poll whose wait is over and which has nothing to deliver. They fetch completions that the
     * kernel holds back. So a thread that polls until nothing is delivered leaves no completion that a later thread could not
     * read.
     */
    private static final int EMPTY_ROUNDS_MAX = 64;

    /** On close, maximum time to wait for cancelled operations. */
    private static final long CLOSE_NANOS_MAX = 1_000_000_000L;

    private final LinuxNetwork network;
    private final Timeout timeout = new Timeout();
    private final UringOperations operations = new UringOperations();
    private final UringWakeup wakeup = new UringWakeup(operations);
    private final UringConnections connections = operations.connections;
    private final UringAccepts accepts = new UringAccepts(operations);
    private final UringReceives receives = new UringReceives(operations);
    private final UringSends sends = new UringSends(operations);
    private final UringRestart restart = new UringRestart(operations, accepts, sends);
    private final LinuxSplicing splicing = new LinuxSplicing();
    private final SlotQueue closedSlots = new SlotQueue();
    /** Opens the ring in {@link #prepare} or in the first poll. */
    private final UringThreads threads;

    private boolean closed;

    UringProactor(LinuxNetwork network, UringSizes sizes) throws IOException {
        this.network = network;
        this.threads = new UringThreads(sizes, operations);
    }

    // ---- starting operations

    @Override
    public void accept(TcpListener listener, long token) throws IOException {
        if (!(listener instanceof LinuxTcpListener linux)) {
            throw new IllegalArgumentException(listener + " is not a listener of Linux");
        }
        accepts.accept(linux, token);
    }

    @Override
    public void stopAccepting(TcpListener listener) throws IOException {
        accepts.stop(listener, threads.mayEnter());
    }

    @Override
    public long adopt(TcpStream stream) throws IOException {
        if (!(stream instanceof LinuxTcpStream linux)) {
            throw new IllegalArgumentException(stream + " is not a stream of Linux");
        }
        int slot = connections.add(linux.open(), 0, linux);
        linux.detach();
        return connections.handle(slot);
    }

    @Override
    public long connect(InetSocketAddress address) throws IOException {
        return connect(address, null);
    }

    @Override
    public long connect(InetSocketAddress address, @Nullable InetSocketAddress local) throws IOException {
        LinuxTcpStream stream = (LinuxTcpStream) network.connect(address, local);
        int slot = connections.add(stream.open(), CONNECTING, stream);
        connections.coldState(slot).connecting = stream;
        operations.queueChange(slot);
        return connections.handle(slot);
    }

    @Override
    public void receive(long handle) throws IOException {
        int slot = connections.slot(handle);
        if (slot >= 0) {
            receives.receive(slot);
        }
    }

    @Override
    public void stopReceiving(long handle) throws IOException {
        int slot = connections.slot(handle);
        if (slot >= 0) {
            receives.stop(slot);
        }
    }

    @Override
    public void watchUrgent(long handle) throws IOException {
        int slot = connections.slot(handle);
        if (slot >= 0 && !connections.isUnix(slot)) {
            receives.watchUrgent(slot);
        }
    }

    @Override
    public boolean sendUrgent(long handle, byte b) throws IOException {
        int slot = connections.slot(handle);
        if (slot < 0) {
            return false;
        }
        if (connections.isUnix(slot)) {
            throw LinuxUnixStream.noUrgentData("stream " + Addresses.toString(connections.remote(slot)));
        }
        MemorySegment memory = Scratch.ofThread().number;
        memory.set(ValueLayout.JAVA_BYTE, 0, b);
        long result = Libc.send(connections.descriptor(slot), memory.address(), 1, Libc.MSG_OOB | Libc.MSG_NOSIGNAL);
        return operations.writeResult(slot, "send", result) == 1;
    }

    @Override
    public long send(long handle, ByteBuffer[] parts, int from, int count) throws IOException {
        int slot = connections.slot(handle);
        return slot < 0 ? 0 : sends.send(slot, parts, from, count, true);
    }

    @Override
    public long sendNow(long handle, ByteBuffer[] parts, int from, int count) throws IOException {
        int slot = connections.slot(handle);
        return slot < 0 ? 0 : sends.send(slot, parts, from, count, false);
    }

    @Override
    public long sendFile(long handle, SendableFile file, long position, long count) throws IOException {
        int slot = connections.slot(handle);
        return slot < 0 ? 0 : file instanceof LinuxFile linux ? sends.sendFile(slot, linux, position, count)
                : SendableFile.UNSUPPORTED;
    }

    @Override
    public int splice(long from, long to, int count) throws IOException {
        int slot = connections.slot(from);
        // A receive that waits in the kernel would take bytes at the same time. Connections where many bytes arrive have none.
        return slot < 0 || connections.is(slot, UringConnections.RECEIVING | UringConnections.URGENT_WANTED | CLOSING | FAILED)
                ? 0
                : (int) operations.writeResult(slot, "splice", splicing.fill(connections.descriptor(slot), to, count));
    }

    @Override
    public int sendSpliced(long handle, int count) throws IOException {
        int slot = connections.slot(handle);
        return slot < 0 ? 0 : sends.sendSpliced(slot, splicing, handle, count);
    }

    @Override
    public long unsentBytes(long handle) {
        int slot = connections.slot(handle);
        return slot < 0 ? 0 : sends.unsentBytes(slot);
    }

    @Override
    public long keptBytes() {
        return connections.unsentBytes();
    }

    @Override
    public long keptBytes(long handle) {
        return connections.unsentBytes(connections.slot(handle));
    }

    @Override
    public long ringBytes() {
        Ring current = threads.ring();
        return current == null ? 0 : current.bytes() + operations.buffers().memory().capacity();
    }

    @Override
    public long bufferBytes() {
        return sends.bufferBytes();
    }

    @Override
    public <T> void setOption(long handle, SocketOption<T> option, T value) throws IOException {
        connections.socket(network, handle).setOption(option, value);
    }

    @Override
    public <T> T getOption(long handle, SocketOption<T> option) throws IOException {
        return connections.socket(network, handle).getOption(option);
    }

    @Override
    public void shutdownOutput(long handle) throws IOException {
        int slot = connections.slot(handle);
        if (slot >= 0) {
            sends.shutdownOutput(slot);
        }
    }

    // ---- closing connections

    @Override
    public void close(long handle) {
        int slot = connections.slot(handle);
        if (slot >= 0) {
            VarHandle.releaseFence(); // a thread that finds the handle stale sees what the caller wrote before
            connections.set(slot, CLOSING);
            sends.close(slot);
            splicing.drop(handle);
            if (connections.is(slot, OPERATIONS)) {
                operations.queueChange(slot);
            } else {
                finishClose(slot);
            }
        }
    }

    @Override
    public void reset(long handle) {
        int slot = connections.slot(handle);
        if (slot >= 0) {
            sends.reset(slot);
            close(handle);
        }
    }

    /** Closes the descriptor. The kernel has no operations of the connection any more. */
    private void finishClose(int slot) {
        LinuxTcpStream connecting = connections.is(slot, CONNECTING) ? connections.coldState(slot).connecting : null;
        if (connecting != null) {
            connecting.detach();
        }
        Libc.close(connections.descriptor(slot));
        connections.clearDescriptor(slot);
        connections.set(slot, CLOSED);
        closedSlots.add(slot);
    }

    private int deliverClosed(Completions completions) {
        int delivered = 0;
        for (int slot = closedSlots.take(); slot >= 0; slot = closedSlots.take()) {
            completions.closed(connections.handle(slot));
            connections.remove(slot); // only now, after the caller has released its own data for the slot
            delivered++;
        }
        return delivered;
    }

    // ---- snapshots, from any thread

    @Override
    public InetSocketAddress remoteAddress(long handle) {
        InetSocketAddress address = connections.remoteOrNull(handle);
        if (address == null) {
            throw new IllegalArgumentException("the handle is stale");
        }
        return address;
    }

    @Override
    public InetSocketAddress localAddress(long handle) {
        int slot = connections.slot(handle);
        int fd = slot < 0 ? -1 : connections.descriptor(slot);
        Scratch scratch = Scratch.ofThread();
        int result = fd < 0 ? fd : Libc.getsockname(fd, scratch.address.address(), scratch.addressLength());
        if (result < 0 || !connections.isCurrent(handle)) { // closed during the call
            throw new IllegalArgumentException("the handle is stale");
        }
        return SocketAddress.read(scratch);
    }

    @Override
    public int interest(long handle) {
        return connections.interest(handle);
    }

    /** For tests: returns the flags of a connection. */
    int stateOf(long handle) {
        return connections.state(handle);
    }

    // ---- polling

    @Override
    public void prepare() throws IOException {
        threads.ringOfThisThread();
    }

    @Override
    public int poll(Completions completions, long timeoutNanos) throws IOException {
        Ring current = threads.ringOfThisThread();
        UringHandover handover = threads.takeHandover();
        boolean isHandedOver = handover != null; // the former ring may have reported a wakeup
        int delivered = handover == null ? deliverClosed(completions) : finishHandover(handover, completions);
        startOperations();
        boolean waits = !isHandedOver && timeoutNanos != 0 && delivered == 0 && closedSlots.size() == 0
                && !receives.hasQueuedReads()
                && !sends.mustNotWait()
                && !canRetryStarved() && current.completed() == 0;
        timeout.start(waits ? timeoutNanos : 0);
        wakeup.beginWait(waits);
        try {
            int rounds = 0;
            while (true) {
                check(canRetryStarved() ? current.enterWithoutWaiting() : current.enter(timeout));
                delivered += sends.completeSilentSends(current, completions);
                delivered += handleCompletions(current, completions) + receives.continueReads(completions)
                        + deliverClosed(completions);
                boolean isOver = wakeup.isWoken() || timeout.isExpired();
                if (delivered > 0 || (isOver && (!current.hasMore() || ++rounds == EMPTY_ROUNDS_MAX))) {
                    return delivered;
                }
                startOperations();
                if (isOver) {
                    timeout.start(0);
                } else {
                    timeout.update();
                }
            }
        } finally {
            wakeup.endWait(waits);
        }
    }

    @Override
    public boolean isBehind() {
        Ring current = threads.ring();
        return current != null && (current.completed() > 0 || current.hasMore() || receives.hasQueuedReads()
                || receives.hasStarved());
    }

    /**
     * Returns whether receives without a buffer can be restarted by the next poll. Then this poll must not wait: a restarted
     * receive that finds no bytes ends no wait, and others wait for their turn. Bytes that they could receive would stay in their
     * sockets.
     */
    private boolean canRetryStarved() {
        return receives.hasStarved() && (sends.hasSilentSends() || operations.buffers().free() > 0);
    }

    /** Delivers the completions of a former ring, and queues the operations that it had in flight to be started again. */
    private int finishHandover(UringHandover left, Completions completions) {
        wakeup.handedOver(left);
        BitSet doubtful = restart.restart(left);
        int delivered = deliverClosed(completions);
        for (UringHandover.Completion completion : left.completions()) {
            delivered += handle(completion.data(), completion.result(), completion.flags(), completions);
        }
        return delivered + restart.fail(doubtful, completions);
    }

    /**
     * Checks the result of entering the ring. A signal, an expired timeout and a full completion queue are not errors: the
     * completions are handled next.
     */
    private static void check(int result) throws IOException {
        if (result < 0 && result != -Errno.ETIME && !Ring.isTemporary(result)) {
            throw Errno.failure("io_uring_enter", null, -result);
        }
    }

    private void startOperations() {
        wakeup.start();
        accepts.poll();
        receives.retryStarved();
        for (int slot = operations.nextChanged(); slot >= 0; slot = operations.nextChanged()) {
            int state = connections.state(slot);
            if ((state & CLOSING) != 0 && (state & OPERATIONS) == 0) {
                finishClose(slot);
            } else {
                receives.reconcile(slot);
                sends.reconcile(slot);
            }
        }
    }

    private int handleCompletions(Ring current, Completions completions) {
        int delivered = 0;
        for (int i = Math.min(current.completed(), COMPLETIONS_PER_POLL); i > 0; i--) {
            int data = (int) current.userData();
            int result = current.result();
            int flags = current.flags();
            current.advance();
            delivered += handle(data, result, flags, completions);
        }
        return delivered;
    }

    private int handle(int data, int result, int flags, Completions completions) {
        operations.countCompletion(data, flags);
        int index = UringOperations.index(data);
        return switch (UringOperations.kind(data)) {
            case UringOperations.RECEIVE -> receives.received(index, result, flags, completions);
            case UringOperations.SEND -> sends.sent(index, result, completions);
            case UringOperations.SILENT_SEND -> sends.refused(index, result, completions);
            case UringOperations.POLL_INPUT -> receives.ready(index, result, flags, completions);
            case UringOperations.POLL_WRITABLE -> writable(index, result, flags, completions);
            case UringOperations.ACCEPT -> accepts.ready(index, completions);
            case UringOperations.WAKEUP -> {
                wakeup.completed(flags);
                yield 0;
            }
            default -> 0; // CANCEL: the cancelled operation has a completion of its own
        };
    }

    /** Handles a completion of a poll for writability: the socket is writable, or has failed. */
    private int writable(int slot, int result, int flags, Completions completions) {
        if ((flags & Uring.CQE_MORE) == 0) {
            connections.clear(slot, POLLING_WRITABLE | CANCELLING_WRITABLE);
            operations.queueChange(slot);
        }
        boolean isReady = result >= 0 && Interest.fold(PollBits.events(result), Interest.WRITE) != 0;
        if (!isReady || connections.is(slot, CLOSING | FAILED)) {
            return 0;
        }
        try {
            return connections.is(slot, CONNECTING) ? finishConnect(slot, completions) : sends.writable(slot, completions);
        } catch (IOException e) {
            return operations.fail(slot, e, completions);
        }
    }

    private int finishConnect(int slot, Completions completions) throws IOException {
        LinuxTcpStream stream = Objects.requireNonNull(connections.coldState(slot).connecting);
        operations.queueChange(slot);
        if (!stream.finishConnect()) {
            return 0;
        }
        if (!connections.isUnix(slot)) {
            stream.setOption(StandardSocketOptions.TCP_NODELAY, true);
        }
        connections.coldState(slot).connecting = null;
        stream.detach();
        connections.clear(slot, CONNECTING);
        completions.connected(connections.handle(slot));
        return 1;
    }

    @Override
    public void wakeup() {
        wakeup.signal();
    }

    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        boolean mayEnter = threads.mayEnter();
        Ring current = threads.end();
        if (current != null) {
            if (mayEnter) {
                cancelOperations(current);
            } else {
                sends.resetSilentSends();
            }
            operations.detach();
            current.close(); // if another thread closes, the kernel cancels the operations in flight by itself
        }
        for (int slot = 0; slot < connections.count(); slot++) {
            if (connections.descriptor(slot) >= 0) {
                connections.set(slot, CLOSING);
                sends.close(slot);
                finishClose(slot);
            }
        }
        splicing.close();
        wakeup.close();
    }

    /** Hands over the waiting sends, and cancels all operations. A descriptor may be closed only when no operation holds it. */
    private void cancelOperations(Ring current) {
        operations.start(Uring.OP_ASYNC_CANCEL, 0, 0, -1, 0, 0, Uring.CANCEL_ANY | Uring.CANCEL_ALL,
                UringOperations.userData(UringOperations.CANCEL, 0));
        timeout.start(CLOSE_NANOS_MAX);
        while (operations.inFlight() > 0 && !timeout.isExpired()) {
            int result = current.enter(timeout);
            for (int i = current.completed(); i > 0; i--) {
                int data = (int) current.userData();
                operations.countCompletion(data, current.flags());
                if (UringOperations.kind(data) == UringOperations.SILENT_SEND) {
                    sends.reset(UringOperations.index(data));
                }
                current.advance();
            }
            if (result < 0 && !Ring.isTemporary(result)) {
                return;
            }
            timeout.update();
        }
    }
}
