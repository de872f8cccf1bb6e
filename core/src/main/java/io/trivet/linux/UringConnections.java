package io.trivet.linux;

import java.lang.invoke.VarHandle;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The connections of a ring, by slot: numbers in arrays, no object for each. A slot is free again only when every operation on it has
 * completed, so a completion always belongs to the connection that is in its slot; generations are for the callers' handles. One thread; what
 * {@link #state} says may be asked from others.
 */
final class UringConnections {
    /** The caller wants what comes. */
    static final int INPUT_WANTED = 1;
    /** The caller wants urgent data, too. */
    static final int URGENT_WANTED = 1 << 1;
    static final int CONNECTING = 1 << 2;
    /** Much comes at a time: it is read when it is there, into memory that stays in the cache. */
    static final int BULK = 1 << 3;
    /** Operations that the kernel has: a receive that repeats itself; a poll for input; a poll for room; a send. */
    static final int RECEIVING = 1 << 4;
    static final int POLLING_INPUT = 1 << 5;
    static final int POLLING_WRITABLE = 1 << 6;
    static final int SENDING = 1 << 7;
    /** The poll for input asks for urgent data as well, and does not repeat itself. */
    static final int POLLING_URGENT = 1 << 8;
    /** Operations that are being cancelled. */
    static final int CANCELLING_INPUT = 1 << 9;
    static final int CANCELLING_WRITABLE = 1 << 10;
    /** The caller waits for room, and has nothing pending. */
    static final int AWAITING_WRITABLE = 1 << 11;
    /** The output ends when what is pending has left. */
    static final int SHUTDOWN_PENDING = 1 << 12;
    static final int FAILED = 1 << 13;
    static final int CLOSING = 1 << 14;
    /** It stands in the queue of those whose operations are to be brought in line with what is wanted. */
    static final int CHANGE_QUEUED = 1 << 15;
    /** It stands in the queue of those that wait for a buffer. */
    static final int AWAITING_BUFFER = 1 << 16;
    /** It stands in the queue of those that have more to read. */
    static final int READ_QUEUED = 1 << 17;
    /** The kernel has nothing of it, and closed() is to be told. */
    static final int CLOSED = 1 << 18;
    /** What was called taken, and a send could not get rid of, is kept until there is room. */
    static final int HAS_UNSENT = 1 << 19;
    /** The caller was told that the bytes of the send, or its rest, were taken: they lie in buffers of ours. */
    static final int SEND_ACCEPTED = 1 << 20;
    /** The kernel has not taken all of such a send, and its completion, which has not yet been looked at, tells how much. */
    static final int SEND_REFUSED = 1 << 21;
    /** Its socket was full once: from then on a caller is told what has become of his bytes when that is known, and not before. */
    static final int WAS_FULL = 1 << 22;
    /**
     * Much comes at a time, and the poll for it, which tells only of changes, has told of more than bytes: the peer's end, or an urgent byte,
     * before which a read stops. Then it is read until there is nothing more.
     */
    static final int READ_UNTIL_EMPTY = 1 << 23;

    static final int OPERATIONS = RECEIVING | POLLING_INPUT | POLLING_WRITABLE | SENDING;

    /** What few connections have. */
    static final class ColdState {
        @Nullable InetSocketAddress ipv6;
        @Nullable LinuxTcpStream connecting;
        @Nullable Unsent unsent;
    }

    /** What was called taken, and the socket did not take at once. */
    static final class Unsent {
        final byte[] bytes;
        int from;

        Unsent(byte[] bytes) {
            this.bytes = bytes;
        }
    }

    private static final int FEW = 64;

    /** What lies together is used together: four numbers a slot share a line of the cache. */
    private static final int STATE = 0;
    private static final int GENERATION = 1;
    private static final int DESCRIPTOR = 2;
    private static final int SEND = 3;
    private static final int SHIFT = 2;

    private int[] numbers = new int[FEW << SHIFT];
    private int[] addresses = new int[FEW];
    private char[] ports = new char[FEW];
    private byte[] smallReads = new byte[FEW];
    private @Nullable ColdState[] coldStates = new @Nullable ColdState[FEW];
    private int[] free = new int[FEW];
    private int freeCount;
    private int count;

    /** The slots that were ever used are below this. */
    int count() {
        return count;
    }

    /** Takes a free slot for a descriptor. */
    int add(int fd, int state, LinuxTcpStream stream) {
        if (freeCount == 0) {
            grow();
        }
        int slot = free[--freeCount];
        VarHandle.storeStoreFence(); // other threads must see the new generation before anything of the new connection
        numbers[(slot << SHIFT) + DESCRIPTOR] = fd;
        numbers[(slot << SHIFT) + STATE] = state;
        addresses[slot] = stream.remoteIpv4();
        ports[slot] = (char) stream.remotePort();
        smallReads[slot] = 0;
        if (stream.remoteIpv6() != null) {
            coldState(slot).ipv6 = stream.remoteIpv6();
        }
        return slot;
    }

    private void grow() {
        if (count == free.length) {
            int size = count * 2;
            addresses = Arrays.copyOf(addresses, size);
            ports = Arrays.copyOf(ports, size);
            smallReads = Arrays.copyOf(smallReads, size);
            coldStates = Arrays.copyOf(coldStates, size);
            free = Arrays.copyOf(free, size);
            numbers = Arrays.copyOf(numbers, size << SHIFT);
        }
        numbers[(count << SHIFT) + DESCRIPTOR] = -1;
        free[freeCount++] = count++;
    }

    /** Frees a slot; handles for it are stale from now on. */
    void remove(int slot) {
        int at = slot << SHIFT;
        // A handle must not be negative, also after years.
        numbers[at + GENERATION] = numbers[at + GENERATION] + 1 & Integer.MAX_VALUE;
        VarHandle.storeStoreFence(); // a closing connection must not look open to other threads before its handle is stale
        numbers[at + DESCRIPTOR] = -1;
        numbers[at + STATE] = 0;
        coldStates[slot] = null;
        free[freeCount++] = slot;
    }

    /** The number of an open connection; -1 once closed. */
    int descriptor(int slot) {
        return numbers[(slot << SHIFT) + DESCRIPTOR];
    }

    void clearDescriptor(int slot) {
        numbers[(slot << SHIFT) + DESCRIPTOR] = -1;
    }

    long handle(int slot) {
        return (long) numbers[(slot << SHIFT) + GENERATION] << 32 | slot;
    }

    /** The slot of an open connection, or -1 when the handle is stale. */
    int slot(long handle) {
        int slot = (int) handle;
        int at = slot << SHIFT;
        return numbers[at + GENERATION] == (int) (handle >>> 32) && (numbers[at + STATE] & CLOSING) == 0 ? slot : -1;
    }

    /** What is known of a handle; 0 when stale. From any thread. */
    int state(long handle) {
        int slot = (int) handle;
        int[] seen = numbers;
        int at = slot << SHIFT;
        return at < seen.length && seen[at + GENERATION] == (int) (handle >>> 32) ? seen[at + STATE] : 0;
    }

    int state(int slot) {
        return numbers[(slot << SHIFT) + STATE];
    }

    boolean is(int slot, int bits) {
        return (numbers[(slot << SHIFT) + STATE] & bits) != 0;
    }

    void set(int slot, int bits) {
        numbers[(slot << SHIFT) + STATE] |= bits;
    }

    void clear(int slot, int bits) {
        numbers[(slot << SHIFT) + STATE] &= ~bits;
    }

    /** The place of the send that is under way. */
    int sendIndex(int slot) {
        return numbers[(slot << SHIFT) + SEND];
    }

    void sendIndex(int slot, int index) {
        numbers[(slot << SHIFT) + SEND] = index;
    }

    /** Counts reads that brought little, one after the other; how many there were. */
    int countSmallReads(int slot, boolean small) {
        byte reads = (byte) (small ? Math.min(smallReads[slot] + 1, Byte.MAX_VALUE) : 0);
        smallReads[slot] = reads;
        return reads;
    }

    ColdState coldState(int slot) {
        ColdState coldState = coldStates[slot];
        if (coldState == null) {
            coldState = new ColdState();
            coldStates[slot] = coldState;
        }
        return coldState;
    }

    /** What a send could not get rid of, if its slot {@link #HAS_UNSENT}. */
    Unsent unsent(int slot) {
        return Objects.requireNonNull(coldState(slot).unsent);
    }

    void keepUnsent(int slot, Unsent unsent) {
        coldState(slot).unsent = unsent;
        set(slot, HAS_UNSENT);
    }

    void clearUnsent(int slot) {
        coldState(slot).unsent = null;
        clear(slot, HAS_UNSENT);
    }

    /**
     * The peer's address, or null when the handle is stale. From any thread: the slot may be given to another connection while it is read,
     * so the handle is compared again afterwards.
     */
    @Nullable
    InetSocketAddress remoteOrNull(long handle) {
        int slot = slot(handle);
        InetSocketAddress address = slot < 0 ? null : remote(slot);
        return isCurrent(handle) ? address : null;
    }

    /** Whether a handle is still that of an open connection, after something of its slot was read. From any thread. */
    boolean isCurrent(long handle) {
        VarHandle.acquireFence(); // what was read before must not be read later
        boolean current = slot(handle) >= 0;
        VarHandle.acquireFence(); // and what the caller reads next not earlier
        return current;
    }

    InetSocketAddress remote(int slot) {
        ColdState coldState = coldStates[slot];
        return coldState == null || coldState.ipv6 == null ? SocketAddress.of(addresses[slot], ports[slot]) : coldState.ipv6;
    }
}
