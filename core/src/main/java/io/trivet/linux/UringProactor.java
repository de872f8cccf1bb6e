package io.trivet.linux;

import static io.trivet.linux.UringConnections.AWAITS_ROOM;
import static io.trivet.linux.UringConnections.BULK;
import static io.trivet.linux.UringConnections.CANCELLING_INPUT;
import static io.trivet.linux.UringConnections.CANCELLING_ROOM;
import static io.trivet.linux.UringConnections.CHANGED;
import static io.trivet.linux.UringConnections.CLOSING;
import static io.trivet.linux.UringConnections.CONNECTING;
import static io.trivet.linux.UringConnections.ENDS_OUTPUT;
import static io.trivet.linux.UringConnections.FAILED;
import static io.trivet.linux.UringConnections.GONE;
import static io.trivet.linux.UringConnections.OPERATIONS;
import static io.trivet.linux.UringConnections.POLLING_INPUT;
import static io.trivet.linux.UringConnections.POLLING_ROOM;
import static io.trivet.linux.UringConnections.POLLING_URGENT;
import static io.trivet.linux.UringConnections.READABLE;
import static io.trivet.linux.UringConnections.RECEIVES;
import static io.trivet.linux.UringConnections.RECEIVING;
import static io.trivet.linux.UringConnections.SENDING;
import static io.trivet.linux.UringConnections.STARVED;
import static io.trivet.linux.UringConnections.URGENT;

import io.trivet.linux.UringConnections.Unsent;
import io.trivet.net.Addresses;
import io.trivet.net.Completions;
import io.trivet.net.Interest;
import io.trivet.net.Proactor;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Completion by io_uring (man 7 io_uring). One call in a turn hands over all sends, and waits.
 *
 * <p><b>Receiving.</b> A receive repeats itself, into buffers that the kernel takes from a {@link BufferRing} when there are bytes. Where
 * much comes at a time, and where urgent data is watched (a receive that waits in the kernel would destroy it), readiness is polled for
 * instead, and read by a plain call.
 *
 * <p><b>Sending.</b> Up to {@link #RING_SEND_BYTES_MAX} go through the ring, straight from the buffer that was received into, if that is
 * where they lie. The kernel tries once and at once, while they are handed over: so it has let go of the memory when the next poll begins,
 * however slowly a peer reads. What the socket refused is then copied, and sent when there is room. Longer ones are sent by a plain call.
 *
 * <p><b>Order of events.</b> What callers want is noted, and brought in line with what the kernel does at the next poll: so everything may be
 * called before there is a ring. A connection's slot is freed, and {@link Completions#closed} told, when its last operation has completed.
 */
final class UringProactor implements Proactor {
    /** How much of everything there is. */
    record Sizes(int submissions, int completions, int buffers, int bufferBytes) {
        static final Sizes USUAL = new Sizes(256, 4096, 16, 64 * 1024);
    }

    /** Longer sends, where the call itself costs little, are made at once, and tell how far they came. */
    static final int RING_SEND_BYTES_MAX = 16 * 1024;
    /** One read by a plain call. */
    static final int READ_BYTES = 64 * 1024;
    /** Receives that bring at least so much are better read by a plain call, into the same memory each time. */
    static final int BULK_BYTES = 8 * 1024;
    /** After so many reads of less in a row it is a receive again. */
    static final int SMALL_READS = 32;
    /** The connections accepted from one listener in one poll; those behind them wait for the next. */
    static final int ACCEPTS_PER_POLL = 64;
    /** The completions handled in one poll. */
    static final int COMPLETIONS_PER_POLL = 1024;

    /** At the end, what was cancelled is waited for no longer than that. */
    private static final long END_NANOS_MAX = 1_000_000_000L;

    private static final int KIND_SHIFT = 28;
    private static final int INDEX_MASK = (1 << KIND_SHIFT) - 1;
    private static final int WAKEUP = 1;
    private static final int ACCEPT = 2;
    private static final int RECEIVE = 3;
    private static final int POLL_INPUT = 4;
    private static final int POLL_ROOM = 5;
    private static final int SEND = 6;
    private static final int CANCEL = 7;

    private final LinuxNetwork network;
    private final Sizes sizes;
    private final EventFd wakeup = new EventFd();
    private final InterruptHook interrupts = new InterruptHook(wakeup);
    private final Timeout timeout = new Timeout();
    private final UringConnections connections = new UringConnections();
    private final UringSends sends = new UringSends(1024);
    private final SlotQueue changed = new SlotQueue();
    private final SlotQueue starved = new SlotQueue();
    private final SlotQueue readable = new SlotQueue();
    private final SlotQueue gone = new SlotQueue();
    private final List<@Nullable Accepting> listeners = new ArrayList<>();
    /** Made by the first poll, on its thread. */
    private @Nullable Ring ring;

    private @Nullable BufferRing buffers;
    private @Nullable Thread thread;
    private boolean closed;
    /** Operations that have not ended. */
    private int operations;
    private boolean pollingWakeup;
    private boolean listenersChanged;
    private boolean woken;

    /** A listener, and what the kernel does with it. */
    private static final class Accepting {
        final LinuxTcpListener listener;
        final long token;
        boolean polling;
        boolean stopped;

        Accepting(LinuxTcpListener listener, long token) {
            this.listener = listener;
            this.token = token;
        }
    }

    UringProactor(LinuxNetwork network, Sizes sizes) throws IOException {
        this.network = network;
        this.sizes = sizes;
    }

    // ---- accepting

    @Override
    public void accept(TcpListener listener, long token) throws IOException {
        if (!(listener instanceof LinuxTcpListener linux)) {
            throw new IllegalArgumentException(listener + " is no listener of Linux");
        }
        linux.open();
        int index = listeners.indexOf(null);
        if (index < 0) {
            index = listeners.size();
            listeners.add(null);
        }
        listeners.set(index, new Accepting(linux, token));
        listenersChanged = true;
    }

    @Override
    @SuppressWarnings("ReferenceEquality") // a socket is itself alone
    public void stopAccepting(TcpListener listener) throws IOException {
        for (int i = 0; i < listeners.size(); i++) {
            Accepting accepting = listeners.get(i);
            if (accepting != null && accepting.listener == listener && !accepting.stopped) {
                accepting.stopped = true;
                if (!accepting.polling) {
                    listeners.set(i, null);
                } else {
                    stopPolling(accepting, i);
                }
            }
        }
    }

    /** At once, and not with the next poll: as long as the kernel polls a listener, closing it does not end it. */
    private void stopPolling(Accepting accepting, int index) {
        if (ring == null) {
            return;
        }
        if (!isOwnThread()) {
            // Only the ring's thread may cancel: somebody else is closing all this, and nobody may be let in meanwhile.
            Libc.shutdown(accepting.listener.fd(), Libc.SHUT_RD);
            return;
        }
        cancel(userData(ACCEPT, index));
        ring.submit();
    }

    private void pollListeners(Ring open) {
        for (int i = 0; i < listeners.size(); i++) {
            Accepting accepting = listeners.get(i);
            if (accepting != null && !accepting.polling && !accepting.stopped) {
                accepting.polling = true;
                begin(open, Uring.OP_POLL_ADD, 0, 0, accepting.listener.fd(), 0, 0, PollBits.POLLIN, userData(ACCEPT, i));
            }
        }
    }

    private int acceptSome(int index, Completions completions) {
        Accepting accepting = listeners.get(index);
        if (accepting == null) {
            return 0;
        }
        accepting.polling = false;
        int accepted = 0;
        while (accepted < ACCEPTS_PER_POLL && !accepting.stopped) {
            TcpStream stream;
            try {
                stream = accepting.listener.accept();
            } catch (IOException e) {
                completions.acceptFailed(accepting.token, e);
                accepted++;
                break;
            }
            if (stream == null) {
                break;
            }
            accepted++;
            completions.accepted(accepting.token, stream);
        }
        if (accepting.stopped || !accepting.listener.isOpen()) {
            listeners.set(index, null);
        } else {
            listenersChanged = true;
        }
        return accepted;
    }

    // ---- beginning

    @Override
    public long adopt(TcpStream stream) throws IOException {
        if (!(stream instanceof LinuxTcpStream linux)) {
            throw new IllegalArgumentException(stream + " is no stream of Linux");
        }
        int slot = connections.add(linux.open(), 0, linux);
        linux.letGo();
        return connections.handle(slot);
    }

    @Override
    public long connect(InetSocketAddress address) throws IOException {
        LinuxTcpStream stream = (LinuxTcpStream) network.connect(address);
        int slot = connections.add(stream.open(), CONNECTING, stream);
        connections.extra(slot).connecting = stream;
        change(slot);
        return connections.handle(slot);
    }

    @Override
    public void receive(long handle) throws IOException {
        int slot = connections.slot(handle);
        if (slot >= 0 && !connections.is(slot, RECEIVES | FAILED)) {
            connections.set(slot, RECEIVES);
            if (connections.is(slot, BULK)) {
                moreToRead(slot); // the poll that repeats itself told while nobody wanted to know
            }
            change(slot);
        }
    }

    @Override
    public void stopReceiving(long handle) throws IOException {
        int slot = connections.slot(handle);
        if (slot >= 0) {
            connections.clear(slot, RECEIVES);
            change(slot);
        }
    }

    @Override
    public void watchUrgent(long handle) throws IOException {
        int slot = connections.slot(handle);
        if (slot >= 0) {
            connections.set(slot, URGENT);
            change(slot);
        }
    }

    @Override
    public boolean sendUrgent(long handle, byte b) throws IOException {
        int slot = connections.slot(handle);
        if (slot < 0) {
            return false;
        }
        MemorySegment memory = Scratch.ofThread().number;
        memory.set(ValueLayout.JAVA_BYTE, 0, b);
        long result = Libc.send(connections.descriptor(slot), memory.address(), 1, Libc.MSG_OOB | Libc.MSG_NOSIGNAL);
        return taken(slot, "send", result) == 1;
    }

    private void change(int slot) {
        if (!connections.is(slot, CHANGED)) {
            connections.set(slot, CHANGED);
            changed.add(slot);
        }
    }

    private void moreToRead(int slot) {
        if (!connections.is(slot, READABLE)) {
            connections.set(slot, READABLE);
            readable.add(slot);
        }
    }

    /** Lets the kernel do what is wanted, and no longer what is not. */
    private void bringInLine(Ring open, int slot) {
        int state = connections.state(slot);
        if ((state & CLOSING) != 0 && (state & OPERATIONS) == 0) {
            finishClose(slot);
            return;
        }
        boolean input = (state & RECEIVES) != 0 && (state & (FAILED | CLOSING | CONNECTING)) == 0;
        boolean byPoll = (state & (URGENT | BULK)) != 0;
        boolean urgent = (state & URGENT) != 0;
        if ((state & RECEIVING) != 0) {
            if (!input || byPoll) {
                cancelInput(slot, RECEIVE);
            }
        } else if ((state & POLLING_INPUT) != 0) {
            boolean kindHasChanged = ((state & POLLING_URGENT) != 0) != urgent || !byPoll;
            if ((state & (FAILED | CLOSING)) != 0 || (input && kindHasChanged)) {
                cancelInput(slot, POLL_INPUT);
            }
        } else if (input && byPoll) {
            connections.set(slot, urgent ? POLLING_INPUT | POLLING_URGENT : POLLING_INPUT);
            begin(open, Uring.OP_POLL_ADD, 0, 0, connections.descriptor(slot), 0, urgent ? 0 : Uring.POLL_ADD_MULTI,
                    urgent ? PollBits.POLLIN | PollBits.POLLPRI : PollBits.POLLIN, userData(POLL_INPUT, slot));
        } else if (input && (state & STARVED) == 0) {
            connections.set(slot, RECEIVING);
            begin(open, Uring.OP_RECV, Uring.SQE_BUFFER_SELECT, Uring.RECV_MULTISHOT, connections.descriptor(slot), 0, 0, 0,
                    userData(RECEIVE, slot));
        }
        boolean room = (state & (AWAITS_ROOM | CONNECTING)) != 0 || connections.unsent(slot) != null;
        if (room && (state & (FAILED | CLOSING | POLLING_ROOM)) == 0) {
            connections.set(slot, POLLING_ROOM);
            // It repeats itself, and tells only of changes: the kernel reports a peer's FIN (RDHUP) unasked, and a poll that is over
            // after one answer would give that answer again and again.
            begin(open, Uring.OP_POLL_ADD, 0, 0, connections.descriptor(slot), 0, Uring.POLL_ADD_MULTI, PollBits.POLLOUT,
                    userData(POLL_ROOM, slot));
        } else if ((state & POLLING_ROOM) != 0 && (state & CANCELLING_ROOM) == 0 && (state & (FAILED | CLOSING)) != 0) {
            connections.set(slot, CANCELLING_ROOM);
            cancel(userData(POLL_ROOM, slot));
        }
    }

    private void cancelInput(int slot, int kind) {
        if (!connections.is(slot, CANCELLING_INPUT)) {
            connections.set(slot, CANCELLING_INPUT);
            cancel(userData(kind, slot));
        }
    }

    private void cancel(long userData) {
        if (ring != null) {
            begin(ring, Uring.OP_ASYNC_CANCEL, 0, 0, -1, userData, 0, 0, userData(CANCEL, 0));
        }
    }

    // ---- receiving

    /** A receive has brought something, or has ended. */
    private int received(int slot, int result, int flags, Completions completions) {
        if ((flags & Uring.CQE_MORE) == 0) {
            connections.clear(slot, RECEIVING | CANCELLING_INPUT);
            change(slot);
        }
        int told = 0;
        if ((flags & Uring.CQE_BUFFER) != 0) {
            BufferRing pool = Objects.requireNonNull(buffers);
            int buffer = flags >>> Uring.CQE_BUFFER_SHIFT;
            int from = pool.received(buffer, Math.max(result, 0), flags);
            if (result > 0 && !connections.is(slot, CLOSING | FAILED)) {
                completions.received(connections.handle(slot), pool.memory(), from, from + result);
                told = 1;
            }
            pool.release(buffer);
            if (result >= BULK_BYTES && !connections.is(slot, BULK | CLOSING)) {
                connections.set(slot, BULK);
                change(slot);
            }
        }
        return result > 0 || connections.is(slot, CLOSING | FAILED) ? told : endedReceive(slot, result, completions);
    }

    private int endedReceive(int slot, int result, Completions completions) {
        return switch (-result) {
            case 0 -> {
                connections.clear(slot, RECEIVES);
                completions.inputEnded(connections.handle(slot));
                yield 1;
            }
            case Errno.ENOBUFS -> {
                if (!connections.is(slot, STARVED)) {
                    connections.set(slot, STARVED);
                    starved.add(slot);
                }
                yield 0;
            }
            case Errno.ECANCELED, Errno.EINTR, Errno.EAGAIN -> 0;
            default -> fail(slot, failure(slot, "recv", -result), completions);
        };
    }

    /** There is something to read: exceptional before readable, and one read. */
    private int ready(int slot, int result, int flags, Completions completions) {
        if ((flags & Uring.CQE_MORE) == 0) {
            connections.clear(slot, POLLING_INPUT | POLLING_URGENT | CANCELLING_INPUT);
            change(slot);
        }
        if (result < 0 || connections.is(slot, CLOSING | FAILED) || !connections.is(slot, RECEIVES)) {
            return 0;
        }
        int told = 0;
        if ((result & PollBits.POLLPRI) != 0) {
            told += receiveUrgent(slot, completions);
        }
        boolean readable = Interest.fold(PollBits.events(result), Interest.READ) != 0;
        if (readable && connections.is(slot, RECEIVES) && !connections.is(slot, CLOSING | FAILED)) {
            told += readOnce(slot, completions);
        }
        return told;
    }

    private int receiveUrgent(int slot, Completions completions) {
        MemorySegment memory = Scratch.ofThread().number;
        int result = (int) Libc.recv(connections.descriptor(slot), memory.address(), 1, Libc.MSG_OOB);
        if (result == 1) {
            completions.urgent(connections.handle(slot), memory.get(ValueLayout.JAVA_BYTE, 0));
            return 1;
        }
        return switch (-result) {
            case 0, Errno.EINVAL, Errno.EAGAIN, Errno.EINTR -> 0; // taken already, still on its way, or the peer has finished
            default -> fail(slot, failure(slot, "recv", -result), completions);
        };
    }

    private int readOnce(int slot, Completions completions) {
        BufferRing pool = Objects.requireNonNull(buffers);
        int result = (int) Libc.recv(connections.descriptor(slot), pool.placeAddress(), pool.placeBytes(), 0);
        if (result <= 0) {
            return endedReceive(slot, result, completions);
        }
        if (!connections.is(slot, URGENT)) {
            if (result == pool.placeBytes()) {
                moreToRead(slot);
            }
            if (connections.countSmallReads(slot, result < BULK_BYTES) >= SMALL_READS) {
                connections.clear(slot, BULK);
                change(slot);
            }
        }
        completions.received(connections.handle(slot), pool.memory(), 0, result);
        return 1;
    }

    // ---- sending

    @Override
    public long send(long handle, ByteBuffer[] parts, int from, int count) throws IOException {
        int slot = connections.slot(handle);
        if (slot < 0) {
            return 0;
        }
        if (connections.is(slot, SENDING) || connections.unsent(slot) != null) {
            throw new IllegalStateException("a send is pending already");
        }
        long length = parts[from].remaining();
        for (int i = 1; i < count; i++) {
            length += parts[from + i].remaining();
        }
        if (length == 0) {
            return 0;
        }
        boolean byRing = ring != null && length <= RING_SEND_BYTES_MAX && count <= UringSends.PARTS_MAX && sends.hasFree()
                && !connections.is(slot, CONNECTING | FAILED);
        return byRing && beginSend(slot, parts, from, count, (int) length) ? PENDING : sendNow(slot, parts, from, count, length);
    }

    /** Gives a send to the ring, unless it must be made at once. */
    private boolean beginSend(int slot, ByteBuffer[] parts, int from, int count, int length) {
        Ring open = Objects.requireNonNull(ring);
        BufferRing pool = Objects.requireNonNull(buffers);
        int buffer = -1;
        long address = 0;
        for (int i = count - 1; i >= 0; i--) {
            ByteBuffer part = parts[from + i];
            if (!part.isDirect()) {
                return false;
            }
            if (!part.hasRemaining()) {
                continue;
            }
            address = sends.addressOf(part);
            int lies = pool.bufferAt(address);
            if (pool.isPlace(address) || (lies >= 0 && buffer >= 0 && lies != buffer)) {
                return false;
            }
            buffer = Math.max(buffer, lies);
        }
        int flags = Libc.MSG_NOSIGNAL | Uring.MSG_DONTWAIT;
        int place;
        if (count == 1) {
            place = sends.addSingle(address, length, buffer);
            begin(open, Uring.OP_SEND, 0, 0, connections.descriptor(slot), address, length, flags, userData(SEND, slot));
        } else {
            place = sends.addParts(parts, from, count, length, buffer);
            begin(open, Uring.OP_SENDMSG, 0, 0, connections.descriptor(slot), sends.message(place), 1, flags,
                    userData(SEND, slot));
        }
        if (buffer >= 0) {
            pool.use(buffer);
        }
        connections.send(slot, place);
        connections.set(slot, SENDING);
        return true;
    }

    private long sendNow(int slot, ByteBuffer[] parts, int from, int count, long length) throws IOException {
        int fd = connections.descriptor(slot);
        long taken;
        if (count == 1 && parts[from].isDirect()) {
            ByteBuffer part = parts[from];
            taken = taken(slot, "send", Libc.send(fd, sends.addressOf(part), part.remaining(), Libc.MSG_NOSIGNAL));
        } else {
            taken = taken(slot, "sendmsg", LinuxTcpStream.gather(fd, parts, from, count));
        }
        LinuxTcpStream.moveOver(parts, from, taken);
        if (taken < length) {
            connections.set(slot, AWAITS_ROOM);
            change(slot);
        }
        return taken;
    }

    /** The result of a call that writes, as so many bytes. */
    private long taken(int slot, String call, long result) throws IOException {
        if (result == -Errno.EAGAIN || result == -Errno.EINTR) {
            return 0;
        }
        if (result < 0) {
            throw failure(slot, call, (int) -result);
        }
        return result;
    }

    private IOException failure(int slot, String call, int errno) {
        return Errno.failure(call, "stream " + Addresses.toString(connections.remote(slot)), errno);
    }

    /** A send has completed. */
    private int sent(int slot, int result, Completions completions) {
        int place = connections.send(slot);
        int length = sends.length(place);
        connections.clear(slot, SENDING);
        int told = 0;
        boolean isOpen = !connections.is(slot, CLOSING | FAILED);
        int taken = result == -Errno.EAGAIN || result == -Errno.EINTR ? 0 : result;
        if (isOpen && taken >= 0 && taken < length) {
            connections.extra(slot).unsent = new Unsent(sends.copyFrom(place, taken), length);
            change(slot);
        }
        int buffer = sends.buffer(place);
        if (buffer >= 0 && buffers != null) {
            buffers.release(buffer);
        }
        sends.remove(place);
        if (!isOpen) {
            change(slot);
        } else if (taken == length) {
            told = hasSent(slot, length, completions);
        } else if (taken < 0) {
            told = fail(slot, failure(slot, "send", -taken), completions);
        }
        return told;
    }

    private int hasSent(int slot, long bytes, Completions completions) {
        if (connections.is(slot, ENDS_OUTPUT)) {
            connections.clear(slot, ENDS_OUTPUT);
            int result = Libc.shutdown(connections.descriptor(slot), Libc.SHUT_WR);
            if (result < 0) {
                return fail(slot, failure(slot, "shutdown", -result), completions);
            }
        }
        completions.sent(connections.handle(slot), bytes);
        return 1;
    }

    /** A socket is ready to be written to, or has failed. */
    private int room(int slot, int result, int flags, Completions completions) {
        if ((flags & Uring.CQE_MORE) == 0) {
            connections.clear(slot, POLLING_ROOM | CANCELLING_ROOM);
            change(slot);
        }
        boolean isReady = result >= 0 && Interest.fold(PollBits.events(result), Interest.WRITE) != 0;
        if (!isReady || connections.is(slot, CLOSING | FAILED)) {
            return 0;
        }
        try {
            if (connections.is(slot, CONNECTING)) {
                return finishConnect(slot, completions);
            }
            Unsent unsent = connections.unsent(slot);
            if (unsent != null) {
                ByteBuffer left = ByteBuffer.wrap(unsent.bytes, unsent.from, unsent.bytes.length - unsent.from);
                int length = Scratch.length(left);
                long address = Scratch.ofThread().outgoing(left, length, 0);
                unsent.from += (int) taken(slot, "send",
                        Libc.send(connections.descriptor(slot), address, length, Libc.MSG_NOSIGNAL));
                if (unsent.from < unsent.bytes.length) {
                    return 0;
                }
                connections.extra(slot).unsent = null;
                return hasSent(slot, unsent.total, completions);
            }
            if (connections.is(slot, AWAITS_ROOM)) {
                connections.clear(slot, AWAITS_ROOM);
                completions.sent(connections.handle(slot), 0);
                return 1;
            }
            return 0;
        } catch (IOException e) {
            return fail(slot, e, completions);
        }
    }

    private int finishConnect(int slot, Completions completions) throws IOException {
        LinuxTcpStream stream = Objects.requireNonNull(connections.extra(slot).connecting);
        change(slot);
        if (!stream.finishConnect()) {
            return 0;
        }
        stream.setOption(StandardSocketOptions.TCP_NODELAY, true);
        connections.extra(slot).connecting = null;
        stream.letGo();
        connections.clear(slot, CONNECTING);
        completions.connected(connections.handle(slot));
        return 1;
    }

    // ---- the end

    @Override
    public void shutdownOutput(long handle) throws IOException {
        int slot = connections.slot(handle);
        if (slot < 0) {
            return;
        }
        if (connections.is(slot, SENDING) || connections.unsent(slot) != null) {
            connections.set(slot, ENDS_OUTPUT);
            return;
        }
        int result = Libc.shutdown(connections.descriptor(slot), Libc.SHUT_WR);
        if (result < 0) {
            throw failure(slot, "shutdown", -result);
        }
    }

    @Override
    public void close(long handle) {
        int slot = connections.slot(handle);
        if (slot >= 0) {
            connections.set(slot, CLOSING);
            if (connections.is(slot, OPERATIONS)) {
                change(slot);
            } else {
                finishClose(slot);
            }
        }
    }

    /** The kernel has let go of it: its descriptor can be closed, and that is the end. */
    private void finishClose(int slot) {
        LinuxTcpStream connecting = connections.is(slot, CONNECTING) ? connections.extra(slot).connecting : null;
        if (connecting != null) {
            connecting.letGo();
        }
        Libc.close(connections.descriptor(slot));
        connections.forgetDescriptor(slot);
        connections.set(slot, GONE);
        gone.add(slot);
    }

    private int tellGone(Completions completions) {
        int told = 0;
        for (int slot = gone.take(); slot >= 0; slot = gone.take()) {
            completions.closed(connections.handle(slot));
            connections.remove(slot); // only now: the caller has let go of the slot
            told++;
        }
        return told;
    }

    private int fail(int slot, IOException failure, Completions completions) {
        if (connections.is(slot, FAILED | CLOSING)) {
            return 0;
        }
        connections.set(slot, FAILED);
        connections.clear(slot, RECEIVES | AWAITS_ROOM);
        change(slot);
        completions.failed(connections.handle(slot), failure);
        return 1;
    }

    // ---- looking on

    @Override
    public InetSocketAddress remoteAddress(long handle) {
        int slot = connections.slot(handle);
        if (slot < 0) {
            throw new IllegalArgumentException("the handle is stale");
        }
        return connections.remote(slot);
    }

    @Override
    public InetSocketAddress localAddress(long handle) {
        int slot = connections.slot(handle);
        int fd = slot < 0 ? -1 : connections.descriptor(slot);
        Scratch scratch = Scratch.ofThread();
        int result = fd < 0 ? fd : Libc.getsockname(fd, scratch.address.address(), scratch.addressLength());
        if (result < 0 || connections.slot(handle) < 0) { // closed while the kernel was asked: its descriptor may be another's by now
            throw new IllegalArgumentException("the handle is stale");
        }
        return SocketAddress.read(scratch.address);
    }

    @Override
    public int interest(long handle) {
        int state = connections.state(handle);
        if ((state & CLOSING) != 0) {
            return 0;
        }
        int read = (state & RECEIVES) != 0 ? (state & URGENT) != 0 ? Interest.READ | Interest.PRIORITY : Interest.READ : 0;
        return read | ((state & (SENDING | AWAITS_ROOM | CONNECTING | POLLING_ROOM)) != 0 ? Interest.WRITE : 0);
    }

    /** For tests. */
    int stateOf(long handle) {
        return connections.state(handle);
    }

    // ---- the wait

    @Override
    public int poll(Completions completions, long timeoutNanos) throws IOException {
        Ring open = open();
        int told = tellGone(completions);
        prepare(open);
        boolean waits = timeoutNanos != 0 && told == 0 && gone.size() == 0 && readable.size() == 0 && open.completed() == 0;
        timeout.begin(waits ? timeoutNanos : 0);
        if (waits) {
            interrupts.beforeWait();
        }
        try {
            woken = false;
            while (true) {
                check(open.enter(timeout));
                told += handleCompletions(open, completions) + readMore(completions) + tellGone(completions);
                if (told > 0 || woken || timeout.isOver()) {
                    return told;
                }
                prepare(open);
                timeout.again();
            }
        } finally {
            if (waits) {
                interrupts.afterWait();
            }
        }
    }

    private Ring open() throws IOException {
        Ring open = ring;
        if (open == null) {
            if (closed) {
                throw new IllegalStateException("the proactor is closed");
            }
            open = new Ring(sizes.submissions, sizes.completions);
            buffers = new BufferRing(open, sizes.buffers, sizes.bufferBytes, READ_BYTES);
            thread = Thread.currentThread();
            ring = open;
        }
        return open;
    }

    /** A signal, the end of the time and a full queue of completions are no errors: what has completed is looked at next. */
    private static void check(int result) throws IOException {
        if (result < 0) {
            switch (-result) {
                case Errno.EINTR, Errno.ETIME, Errno.EAGAIN, Errno.EBUSY -> {
                }
                default -> throw Errno.failure("io_uring_enter", null, -result);
            }
        }
    }

    private void prepare(Ring open) {
        if (!pollingWakeup) {
            pollingWakeup = true;
            begin(open, Uring.OP_POLL_ADD, 0, 0, wakeup.fd(), 0, Uring.POLL_ADD_MULTI, PollBits.POLLIN, userData(WAKEUP, 0));
        }
        if (listenersChanged) {
            listenersChanged = false;
            pollListeners(open);
        }
        for (int slot = changed.take(); slot >= 0; slot = changed.take()) {
            if (connections.is(slot, CHANGED)) { // or it has gone, and another has its slot
                connections.clear(slot, CHANGED);
                bringInLine(open, slot);
            }
        }
        // Not all at once: the first of them may take every buffer that there is, and would be the first again.
        int some = (Objects.requireNonNull(buffers).free() + 1) / 2;
        for (int i = Math.min(starved.size(), some); i > 0; i--) {
            int slot = starved.take();
            if (connections.is(slot, STARVED)) {
                connections.clear(slot, STARVED);
                bringInLine(open, slot);
            }
        }
    }

    /** Every operation begins here, and ends with a completion that says that no more will come. */
    private void begin(Ring open, int opcode, int flags, int ioprio, int fd, long address, int length, int operationFlags,
            long userData) {
        open.push(opcode, flags, ioprio, fd, address, length, operationFlags, userData);
        operations++;
    }

    private static long userData(int kind, int index) {
        return (long) kind << KIND_SHIFT | index;
    }

    private int handleCompletions(Ring open, Completions completions) {
        int told = 0;
        for (int i = Math.min(open.completed(), COMPLETIONS_PER_POLL); i > 0; i--) {
            int data = (int) open.userData();
            int result = open.result();
            int flags = open.flags();
            open.take();
            if ((flags & Uring.CQE_MORE) == 0) {
                operations--;
            }
            int index = data & INDEX_MASK;
            told += switch (data >>> KIND_SHIFT) {
                case RECEIVE -> received(index, result, flags, completions);
                case SEND -> sent(index, result, completions);
                case POLL_INPUT -> ready(index, result, flags, completions);
                case POLL_ROOM -> room(index, result, flags, completions);
                case ACCEPT -> acceptSome(index, completions);
                case WAKEUP -> wakeUp(flags);
                default -> 0; // CANCEL: what was cancelled says itself how it ended
            };
        }
        return told;
    }

    private int wakeUp(int flags) {
        woken = true;
        wakeup.clear();
        pollingWakeup = (flags & Uring.CQE_MORE) != 0;
        return 0;
    }

    private int readMore(Completions completions) {
        int told = 0;
        for (int i = readable.size(); i > 0; i--) {
            int slot = readable.take();
            if (connections.is(slot, READABLE)) {
                connections.clear(slot, READABLE);
                if (connections.is(slot, RECEIVES) && !connections.is(slot, CLOSING | FAILED)) {
                    told += readOnce(slot, completions);
                }
            }
        }
        return told;
    }

    @Override
    public void wakeup() {
        wakeup.signal();
    }

    @SuppressWarnings("ReferenceEquality") // this very thread
    private boolean isOwnThread() {
        return Thread.currentThread() == thread;
    }

    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        Ring open = ring;
        ring = null;
        if (open != null) {
            if (isOwnThread()) {
                endOperations(open);
            }
            open.close(); // what is still under way, when another thread closes, the kernel cancels by itself
        }
        for (int slot = 0; slot < connections.count(); slot++) {
            if (connections.descriptor(slot) >= 0) {
                connections.set(slot, CLOSING);
                finishClose(slot);
            }
        }
        wakeup.close();
    }

    /** Hands over the sends that wait, and cancels everything: a descriptor is closed only when no operation holds it. */
    private void endOperations(Ring open) {
        begin(open, Uring.OP_ASYNC_CANCEL, 0, 0, -1, 0, 0, Uring.CANCEL_ANY | Uring.CANCEL_ALL, userData(CANCEL, 0));
        timeout.begin(END_NANOS_MAX);
        while (operations > 0 && !timeout.isOver()) {
            int result = open.enter(timeout);
            for (int i = open.completed(); i > 0; i--) {
                operations -= (open.flags() & Uring.CQE_MORE) == 0 ? 1 : 0;
                open.take();
            }
            if (result < 0 && result != -Errno.EINTR && result != -Errno.EAGAIN && result != -Errno.EBUSY) {
                return;
            }
            timeout.again();
        }
    }
}
