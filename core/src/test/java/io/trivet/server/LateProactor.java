package io.trivet.server;

import io.trivet.net.Completions;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.NetworkException;
import io.trivet.net.Proactor;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Random;

/**
 * A proactor that uses every freedom that the kernel's io_uring has:
 *
 * <ul>
 * <li>Completions are late, and those of different connections come in any order.
 * <li>A send stays pending, and its bytes are read from the caller's memory piece by piece.
 * <li>Up to a megabyte is received ahead, and what has completed before a stop is still delivered afterwards.
 * <li>Received memory is overwritten as soon as the contract permits.
 * <li>{@code closed} comes long after the close.
 * </ul>
 *
 * It checks that its caller keeps the contract of {@link Proactor}, and records each violation.
 */
final class LateProactor implements Proactor {
    /** The maximum number of bytes received and not delivered yet. */
    static final int COMPLETED_BYTES_MAX = 1 << 20;

    private static final int PIECE_BYTES_MAX = 65_536;
    private static final byte[] POISON = new byte[PIECE_BYTES_MAX];

    static {
        Arrays.fill(POISON, (byte) 0xee);
    }

    private final LateNetwork network;
    private final Random random;
    private final boolean alwaysPending;
    private final List<Slot> slots = new ArrayList<>();
    private final List<String> violations = new ArrayList<>();
    private final Deque<ByteBuffer> free = new ArrayDeque<>();
    private TcpListener listener;
    private long token;
    /** The memory that is being delivered. */
    private ByteBuffer delivering;
    /** Whether a send has borrowed that memory. */
    private boolean deliveringBorrowed;
    private boolean eager;
    private boolean acceptsEarly;
    private boolean closed;

    /** A connection, also while it is closing. */
    private static final class Slot {
        final int index;
        int generation;
        LatePeer peer;
        InetSocketAddress connecting;
        boolean receiving;
        final Deque<Piece> completed = new ArrayDeque<>();
        int completedBytes;
        boolean endCompleted;
        boolean endDelivered;
        Sending sending;
        boolean awaitsRoom;
        /** Bytes reported as accepted that still wait for room. */
        byte[] early = {};
        boolean awaitsEarly;
        boolean outputEnds;
        boolean closing;
        boolean resets;

        Slot(int index) {
            this.index = index;
        }

        long handle() {
            return (long) generation << 32 | index;
        }
    }

    private record Piece(ByteBuffer memory, int from, int to) {}

    /** A pending send: views of its bytes, and copies made at the start. */
    private static final class Sending {
        final List<ByteBuffer> views = new ArrayList<>();
        final List<byte[]> copies = new ArrayList<>();
        /** The received memory that contains some of the bytes, borrowed until the completion; null if none does. */
        ByteBuffer borrowed;
        long bytes;
        long transferred;

        boolean isUnchanged() {
            for (int i = 0; i < views.size(); i++) {
                byte[] now = new byte[copies.get(i).length];
                views.get(i).get(views.get(i).position(), now);
                if (!Arrays.equals(now, copies.get(i))) {
                    return false;
                }
            }
            return true;
        }

        /** Reads the next bytes from the caller's memory. */
        byte[] next(int count) {
            ByteBuffer next = ByteBuffer.allocate(count);
            long skip = transferred;
            for (ByteBuffer view : views) {
                int from = (int) Math.min(skip, view.remaining());
                int length = Math.min(view.remaining() - from, next.remaining());
                next.put(view.slice(view.position() + from, length));
                skip -= from;
            }
            return next.array();
        }
    }

    LateProactor(LateNetwork network, Random random, boolean alwaysPending) {
        this.network = network;
        this.random = random;
        this.alwaysPending = alwaysPending;
    }

    List<String> violations() {
        return violations;
    }

    /** From now on, completes as much as possible before it delivers anything. */
    void completeAtOnce() {
        eager = true;
    }

    /** From now on, reports short sends as accepted before there is room, as a ring does with bytes in its own memory. */
    void acceptEarly() {
        acceptsEarly = true;
    }

    /** Returns the number of bytes received from a peer and not delivered yet. */
    int completedBytes(LatePeer peer) {
        return slots.stream().filter(slot -> slot.peer == peer).mapToInt(slot -> slot.completedBytes).sum();
    }

    @Override
    public void accept(TcpListener from, long withToken) {
        listener = from;
        token = withToken;
    }

    @Override
    public void stopAccepting(TcpListener from) {
        listener = null;
    }

    @Override
    public long adopt(TcpStream stream) {
        Slot slot = freeSlot();
        slot.peer = ((LateNetwork.Stream) stream).peer;
        return slot.handle();
    }

    @Override
    public long connect(InetSocketAddress address) {
        Slot slot = freeSlot();
        slot.connecting = address;
        return slot.handle();
    }

    private Slot freeSlot() {
        for (Slot slot : slots) {
            if (slot.peer == null && slot.connecting == null && !slot.closing) {
                return slot;
            }
        }
        Slot slot = new Slot(slots.size());
        slots.add(slot);
        return slot;
    }

    private Slot slot(long handle) {
        Slot slot = slots.get(Proactor.slot(handle));
        return slot.handle() == handle && !slot.closing ? slot : null;
    }

    @Override
    public void receive(long handle) {
        Slot slot = slot(handle);
        if (slot != null) {
            slot.receiving = true;
        }
    }

    @Override
    public void stopReceiving(long handle) {
        Slot slot = slot(handle);
        if (slot != null) {
            slot.receiving = false;
        }
    }

    @Override
    public void watchUrgent(long handle) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean sendUrgent(long handle, byte b) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long send(long handle, ByteBuffer[] parts, int from, int count) throws IOException {
        Slot slot = slot(handle);
        if (slot == null) {
            return 0;
        }
        if (slot.sending != null || slot.awaitsRoom || slot.outputEnds || slot.connecting != null) {
            violations.add("a send on " + Long.toHexString(handle) + " while the contract permits none");
        }
        if (slot.peer.isReset()) {
            throw new NetworkException("send", slot.peer.address, ErrorCode.EPIPE);
        }
        if (acceptsEarly && slot.early.length == 0) {
            return sendEarly(slot, parts, from, count);
        }
        if (!alwaysPending && random.nextInt(3) == 0 && slot.early.length == 0) {
            return acceptNow(slot, parts, from, count);
        }
        Sending sending = new Sending();
        for (int i = from; i < from + count; i++) {
            ByteBuffer part = parts[i];
            if (!part.isDirect()) {
                violations.add("a buffer that is not direct");
            }
            byte[] copy = new byte[part.remaining()];
            part.get(part.position(), copy);
            sending.views.add(part.duplicate());
            sending.copies.add(copy);
            sending.bytes += copy.length;
            if (delivering != null && isWithin(part, delivering)) {
                sending.borrowed = delivering;
                deliveringBorrowed = true;
            }
        }
        slot.sending = sending;
        return PENDING;
    }

    @Override
    public long sendNow(long handle, ByteBuffer[] parts, int from, int count) throws IOException {
        Slot slot = slot(handle);
        if (slot == null) {
            return 0;
        }
        if (slot.sending != null || slot.awaitsRoom || slot.outputEnds || slot.connecting != null) {
            violations.add("a send on " + Long.toHexString(handle) + " while the contract permits none");
        }
        if (slot.peer.isReset()) {
            throw new NetworkException("send", slot.peer.address, ErrorCode.EPIPE);
        }
        return acceptNow(slot, parts, from, count);
    }

    /** Accepts what there is room for, like a socket. If that is not all, a completion follows when there is room again. */
    private long acceptNow(Slot slot, ByteBuffer[] parts, int from, int count) {
        long all = 0;
        for (int i = from; i < from + count; i++) {
            all += parts[i].remaining();
        }
        long left = Math.min(slot.peer.room(), random.nextBoolean() ? all : random.nextLong(all + 1));
        long accepted = left;
        for (int i = from; i < from + count; i++) {
            byte[] bytes = new byte[(int) Math.min(left, parts[i].remaining())];
            parts[i].get(bytes);
            slot.peer.deliver(bytes);
            left -= bytes.length;
        }
        slot.awaitsRoom = accepted < all;
        return accepted;
    }

    private static long sendEarly(Slot slot, ByteBuffer[] parts, int from, int count) {
        for (int i = from; i < from + count; i++) {
            byte[] bytes = new byte[parts[i].remaining()];
            parts[i].get(bytes);
            slot.early = Client.join(slot.early, bytes);
        }
        return slot.early.length;
    }

    @Override
    public long unsentBytes(long handle) {
        Slot slot = slot(handle);
        if (slot == null || slot.early.length == 0) {
            return 0;
        }
        slot.awaitsEarly = true;
        return slot.early.length;
    }

    private static boolean isWithin(ByteBuffer part, ByteBuffer memory) {
        long begin = MemorySegment.ofBuffer(memory.duplicate().clear()).address();
        long address = MemorySegment.ofBuffer(part).address();
        return address >= begin && address < begin + memory.capacity();
    }

    @Override
    public void shutdownOutput(long handle) throws IOException {
        Slot slot = slot(handle);
        if (slot != null) {
            if (slot.peer.isReset()) {
                throw new NetworkException("shutdown", slot.peer.address, ErrorCode.ENOTCONN);
            }
            slot.outputEnds = true;
        }
    }

    @Override
    public void close(long handle) {
        Slot slot = slot(handle);
        if (slot != null) {
            slot.closing = true;
        }
    }

    @Override
    public void reset(long handle) {
        Slot slot = slot(handle);
        if (slot != null) {
            slot.resets = true;
            slot.closing = true;
        }
    }

    @Override
    public InetSocketAddress remoteAddress(long handle) {
        Slot slot = slot(handle);
        if (slot == null) {
            throw new IllegalArgumentException("stale");
        }
        return slot.connecting != null ? slot.connecting : slot.peer.address;
    }

    @Override
    public InetSocketAddress localAddress(long handle) {
        if (slot(handle) == null) {
            throw new IllegalArgumentException("stale");
        }
        return network.localAddress();
    }

    @Override
    public int interest(long handle) {
        Slot slot = slot(handle);
        return slot == null ? 0 : (slot.receiving ? Interest.READ : 0) | (slot.sending != null ? Interest.WRITE : 0);
    }

    @Override
    public int poll(Completions completions, long timeoutNanos) {
        if (closed) {
            throw new IllegalStateException("closed");
        }
        for (Slot slot : slots) {
            work(slot);
        }
        int delivered = 0;
        if (listener != null && network.hasPending() && random.nextBoolean()) {
            completions.accepted(token, network.new Stream(network.nextPending()));
            delivered++;
        }
        List<Slot> order = new ArrayList<>(slots);
        Collections.shuffle(order, random);
        for (Slot slot : order) {
            delivered += deliver(slot, completions);
        }
        return delivered;
    }

    /** Does what the kernel would do in the background. */
    private void work(Slot slot) {
        if (slot.peer == null) {
            return;
        }
        while (slot.receiving && !slot.closing && slot.peer.available() > 0 && slot.completedBytes < COMPLETED_BYTES_MAX
                && (eager || random.nextInt(8) > 0)) {
            ByteBuffer memory = free.isEmpty() ? ByteBuffer.allocateDirect(PIECE_BYTES_MAX) : free.poll();
            int from = random.nextInt(1000);
            byte[] bytes = slot.peer.take(Math.min(slot.peer.available(), 1 + random.nextInt(PIECE_BYTES_MAX - from)));
            memory.put(from, bytes);
            slot.completed.add(new Piece(memory, from, from + bytes.length));
            slot.completedBytes += bytes.length;
        }
        if (slot.receiving && slot.peer.hasFinished()) {
            slot.endCompleted = true;
            slot.receiving = false;
        }
        Sending sending = slot.sending;
        if (slot.early.length > 0) {
            int count = slot.closing ? 0 : Math.min(slot.early.length, slot.peer.room());
            slot.peer.deliver(Arrays.copyOf(slot.early, count));
            slot.early = Arrays.copyOfRange(slot.early, count, slot.early.length);
        } else if (sending != null && !slot.peer.isReset()) {
            int count = (int) Math.min(sending.bytes - sending.transferred, Math.min(slot.peer.room(), random.nextInt(200_000)));
            slot.peer.deliver(sending.next(count));
            sending.transferred += count;
        } else if (slot.outputEnds) {
            slot.peer.serverEnded();
        }
    }

    private int deliver(Slot slot, Completions completions) {
        long handle = slot.handle();
        int delivered = 0;
        if (slot.closing) {
            if (random.nextInt(6) == 0) {
                deliverClosed(slot, completions);
                delivered++;
            }
            return delivered;
        }
        if (slot.connecting != null) {
            if (random.nextInt(4) == 0) {
                deliverConnected(slot, completions);
                delivered++;
            }
            return delivered;
        }
        if (slot.peer == null) {
            return 0;
        }
        if (slot.peer.isReset() && slot.completed.isEmpty() && (slot.receiving || slot.sending != null)
                && random.nextInt(3) == 0) {
            slot.receiving = false;
            completions.failed(handle, new NetworkException("recv", slot.peer.address, ErrorCode.ECONNRESET));
            return 1;
        }
        Sending sending = slot.sending;
        boolean isFull = !alwaysPending && slot.peer.room() == 0; // the rest then belongs to the caller again, and must not change before this completion
        if (sending != null && (sending.transferred == sending.bytes || isFull) && random.nextInt(3) == 0) {
            slot.sending = null;
            slot.awaitsRoom = sending.transferred < sending.bytes;
            checkUnchanged(sending);
            completions.sent(handle, sending.transferred);
            releaseBorrowed(sending);
            delivered++;
        } else if (slot.awaitsEarly && slot.early.length == 0 && random.nextInt(3) == 0) {
            slot.awaitsEarly = false;
            completions.sent(handle, 0);
            delivered++;
        } else if (slot.awaitsRoom && slot.peer.room() > 0 && random.nextInt(3) == 0) {
            slot.awaitsRoom = false;
            completions.sent(handle, 0);
            delivered++;
        }
        while (slot(handle) != null && !slot.completed.isEmpty() && random.nextInt(3) > 0) {
            deliverReceived(slot, completions);
            delivered++;
        }
        if (slot(handle) != null && slot.endCompleted && !slot.endDelivered && slot.completed.isEmpty()
                && random.nextInt(3) == 0) {
            slot.endDelivered = true;
            completions.inputEnded(handle);
            delivered++;
        }
        return delivered;
    }

    private void deliverConnected(Slot slot, Completions completions) {
        long handle = slot.handle();
        if (slot.connecting.getPort() == 1) { // the port without a listener
            completions.failed(handle, new NetworkException("connect", slot.connecting, ErrorCode.ECONNREFUSED));
        } else {
            slot.peer = network.connected(slot.connecting);
            slot.connecting = null;
            completions.connected(handle);
        }
    }

    private void deliverReceived(Slot slot, Completions completions) {
        Piece piece = slot.completed.poll();
        slot.completedBytes -= piece.to - piece.from;
        delivering = piece.memory;
        deliveringBorrowed = false;
        completions.received(slot.handle(), piece.memory, piece.from, piece.to);
        delivering = null;
        if (!deliveringBorrowed) {
            poison(piece.memory);
        }
    }

    private void deliverClosed(Slot slot, Completions completions) {
        long handle = slot.handle();
        if (slot.sending != null) {
            checkUnchanged(slot.sending);
            releaseBorrowed(slot.sending);
            slot.sending = null;
        }
        slot.completed.forEach(piece -> poison(piece.memory));
        if (slot.peer != null) {
            slot.peer.serverClosed(slot.resets);
        }
        int index = slot.index;
        completions.closed(handle);
        Slot next = new Slot(index);
        next.generation = slot.generation + 1;
        slots.set(index, next);
    }

    private void checkUnchanged(Sending sending) {
        if (!sending.isUnchanged()) {
            violations.add("memory of a pending send was changed");
        }
    }

    private void releaseBorrowed(Sending sending) {
        if (sending.borrowed != null) {
            poison(sending.borrowed);
        }
    }

    /** Overwrites memory that the caller must not use any more, and frees it. */
    private void poison(ByteBuffer memory) {
        memory.put(0, POISON);
        free.add(memory);
    }

    @Override
    public void wakeup() {}

    @Override
    public void close() {
        closed = true;
        for (Slot slot : slots) {
            if (slot.sending != null && !slot.sending.isUnchanged()) {
                violations.add("memory of a pending send was changed at the end");
            }
            if (slot.peer != null) {
                slot.peer.serverClosed(false);
            }
        }
    }
}
