package io.trivet.linux;

import io.trivet.net.Interest;
import io.trivet.net.UnixAddress;
import java.lang.invoke.VarHandle;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The connections of a ring, by slot, as numbers in arrays without an object per connection. A slot is free again only after
 * every operation on it has completed, so a completion always belongs to the connection that is in its slot. Generations are
 * needed only for the callers' handles.
 *
 * <p>One thread modifies them. Other threads may call {@link #state(long)}, {@link #remoteOrNull}, {@link #slot},
 * {@link #descriptor} and {@link #isCurrent}.
 */
final class UringConnections {
    /** The caller wants to receive. */
    static final int INPUT_WANTED = 1;
    /** The caller wants urgent data as well. */
    static final int URGENT_WANTED = 1 << 1;
    static final int CONNECTING = 1 << 2;
    /** Many bytes arrive at a time. Once they have arrived, they are read by plain calls, into memory that stays in the cache. */
    static final int BULK = 1 << 3;
    /** A multishot receive is in the kernel. */
    static final int RECEIVING = 1 << 4;
    /** A poll for input is in the kernel. */
    static final int POLLING_INPUT = 1 << 5;
    /** A poll for writability is in the kernel. */
    static final int POLLING_WRITABLE = 1 << 6;
    /** A send is in the kernel. */
    static final int SENDING = 1 << 7;
    /** The poll for input includes urgent data, and is not multishot. */
    static final int POLLING_URGENT = 1 << 8;
    /** The receive or the poll for input is being cancelled. */
    static final int CANCELLING_INPUT = 1 << 9;
    /** The poll for writability is being cancelled. */
    static final int CANCELLING_WRITABLE = 1 << 10;
    /** The caller waits until the socket is writable, and has no send pending. */
    static final int AWAITING_WRITABLE = 1 << 11;
    /** The output is to be shut down when the pending bytes have been sent. */
    static final int SHUTDOWN_PENDING = 1 << 12;
    static final int FAILED = 1 << 13;
    static final int CLOSING = 1 << 14;
    /** Queued for {@code reconcile} at the next poll. */
    static final int CHANGE_QUEUED = 1 << 15;
    /** Queued because a receive found no free buffer. */
    static final int AWAITING_BUFFER = 1 << 16;
    /** Queued because there is more to read. */
    static final int READ_QUEUED = 1 << 17;
    /** The descriptor is closed, and closed() has to be delivered. */
    static final int CLOSED = 1 << 18;
    /** Bytes that were accepted for sending, but refused by the socket, are kept until the socket is writable. */
    static final int HAS_UNSENT = 1 << 19;
    /** The bytes of the send in flight, or the unsent rest of it, were accepted from the caller: they are in our buffers. */
    static final int SEND_ACCEPTED = 1 << 20;
    /**
     * The socket has not accepted all bytes of an accepted send. Its completion, which is still in the queue, contains the number
     * of bytes that it did accept.
     */
    static final int SEND_REFUSED = 1 << 21;
    /** The socket was full once. From then on, a send is reported only when its result is known. */
    static final int WAS_FULL = 1 << 22;
    /**
     * The multishot poll, which reports only changes, has reported the end of input, or an urgent byte, before which a read
     * stops. Reads continue until nothing is left.
     */
    static final int READ_UNTIL_EMPTY = 1 << 23;

    /** All operations that the kernel may have of a connection. */
    static final int OPERATIONS = RECEIVING | POLLING_INPUT | POLLING_WRITABLE | SENDING;

    /** Rarely used state, allocated on demand. */
    static final class ColdState {
        /** The peer's address, null if it is IPv4. */
        @Nullable InetSocketAddress remote;
        @Nullable LinuxTcpStream connecting;
        @Nullable Unsent unsent;
    }

    /** Bytes that were accepted for sending, but not accepted by the socket. */
    static final class Unsent {
        final byte[] bytes;
        int from;

        Unsent(byte[] bytes) {
            this.bytes = bytes;
        }
    }

    private static final int FEW = 64;

    /** Four numbers per slot share a cache line, since they are used together. */
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
    /** A stack of the free slots. Its size follows the number of slots that were free at the same time. */
    private int[] free = new int[FEW];
    private int freeCount;
    private long unsentBytes;
    private int count;

    /** Returns the number of slots that were ever used. */
    int count() {
        return count;
    }

    /** Stores a connection in a free slot, and returns the slot. */
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
        if (stream.remoteOther() != null) {
            coldState(slot).remote = stream.remoteOther();
        }
        return slot;
    }

    private void grow() {
        if (count == ports.length) {
            int size = count + count / 2;
            addresses = Arrays.copyOf(addresses, size);
            ports = Arrays.copyOf(ports, size);
            smallReads = Arrays.copyOf(smallReads, size);
            coldStates = Arrays.copyOf(coldStates, size);
            numbers = Arrays.copyOf(numbers, size << SHIFT);
        }
        numbers[(count << SHIFT) + DESCRIPTOR] = -1;
        free(count++);
    }

    /** Frees a slot. Its handle is stale from now on. */
    void remove(int slot) {
        int at = slot << SHIFT;
        // The generation wraps around to 0, so a handle is never negative.
        numbers[at + GENERATION] = numbers[at + GENERATION] + 1 & Integer.MAX_VALUE;
        VarHandle.storeStoreFence(); // a closing connection must not look open to other threads before its handle is stale
        numbers[at + DESCRIPTOR] = -1;
        numbers[at + STATE] = 0;
        unsentBytes -= unsentBytes(slot);
        coldStates[slot] = null;
        free(slot);
    }

    private void free(int slot) {
        if (freeCount == free.length) {
            free = Arrays.copyOf(free, 2 * freeCount);
        }
        free[freeCount++] = slot;
    }

    /** Returns the descriptor of a connection, or -1 once it is closed. */
    int descriptor(int slot) {
        return numbers[(slot << SHIFT) + DESCRIPTOR];
    }

    void clearDescriptor(int slot) {
        numbers[(slot << SHIFT) + DESCRIPTOR] = -1;
    }

    long handle(int slot) {
        return (long) numbers[(slot << SHIFT) + GENERATION] << 32 | slot;
    }

    /** Returns the slot of an open connection, or -1 if the handle is stale. */
    int slot(long handle) {
        int slot = (int) handle;
        int at = slot << SHIFT;
        return numbers[at + GENERATION] == (int) (handle >>> 32) && (numbers[at + STATE] & CLOSING) == 0 ? slot : -1;
    }

    /** Returns the socket of a connection, borrowed; throws if the handle is stale. */
    LinuxSocket socket(LinuxNetwork network, long handle) {
        int slot = slot(handle);
        if (slot < 0) {
            throw new IllegalArgumentException("the handle is stale");
        }
        return new LinuxDescriptor(network, descriptor(slot));
    }

    /** Returns the state of a handle; 0 if it is stale. Any thread may call it. */
    int state(long handle) {
        int slot = (int) handle;
        int generation = (int) (handle >>> 32);
        int[] seen = numbers;
        int at = slot << SHIFT;
        if (at >= seen.length || seen[at + GENERATION] != generation) {
            return 0;
        }
        int state = seen[at + STATE];
        VarHandle.acquireFence(); // compared again after reading: the slot may be another connection's by now
        return seen[at + GENERATION] == generation ? state : 0;
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

    /** Returns the index of the connection's send in {@link InFlightSends}. */
    int sendIndex(int slot) {
        return numbers[(slot << SHIFT) + SEND];
    }

    void sendIndex(int slot, int index) {
        numbers[(slot << SHIFT) + SEND] = index;
    }

    /** Counts consecutive small reads, and returns their number. */
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

    /** Returns the unsent bytes of a slot that {@link #HAS_UNSENT}. */
    Unsent unsent(int slot) {
        return Objects.requireNonNull(coldState(slot).unsent);
    }

    void keepUnsent(int slot, Unsent unsent) {
        coldState(slot).unsent = unsent;
        unsentBytes += unsent.bytes.length;
        set(slot, HAS_UNSENT);
    }

    void clearUnsent(int slot) {
        unsentBytes -= unsentBytes(slot);
        coldState(slot).unsent = null;
        clear(slot, HAS_UNSENT);
    }

    /** Returns the size of the array that holds a slot's unsent bytes; 0 if there are none, or the slot is negative. */
    int unsentBytes(int slot) {
        ColdState coldState = slot < 0 ? null : coldStates[slot];
        return coldState == null || coldState.unsent == null ? 0 : coldState.unsent.bytes.length;
    }

    /** Returns the size of the arrays of all unsent bytes. */
    long unsentBytes() {
        return unsentBytes;
    }

    /** Returns what the ring waits for on a connection, as bits of {@link Interest}. Any thread. */
    int interest(long handle) {
        int state = state(handle);
        if ((state & CLOSING) != 0) {
            return 0;
        }
        int interest = 0;
        if ((state & INPUT_WANTED) != 0) {
            interest |= Interest.READ;
            if ((state & URGENT_WANTED) != 0) {
                interest |= Interest.PRIORITY;
            }
        }
        boolean awaitsSend = (state & (SENDING | SEND_ACCEPTED)) == SENDING;
        // The multishot poll for room stays for the next time: that it is there does not mean that anything waits.
        if (awaitsSend || (state & (AWAITING_WRITABLE | CONNECTING | HAS_UNSENT)) != 0) {
            interest |= Interest.WRITE;
        }
        return interest;
    }

    /**
     * Returns the peer's address, or null if the handle is stale. Any thread may call it: the slot may be given to another
     * connection while it is read, so the handle is compared again afterwards.
     */
    @Nullable
    InetSocketAddress remoteOrNull(long handle) {
        int slot = slot(handle);
        InetSocketAddress address = slot < 0 ? null : remote(slot);
        return isCurrent(handle) ? address : null;
    }

    /**
     * Returns whether a handle is current. Called after reading its slot: if not, the data may be another connection's. Any
     * thread may call it.
     */
    boolean isCurrent(long handle) {
        VarHandle.acquireFence(); // orders the earlier reads before the comparison
        boolean current = slot(handle) >= 0;
        VarHandle.acquireFence(); // and the comparison before the caller's later reads
        return current;
    }

    InetSocketAddress remote(int slot) {
        ColdState coldState = coldStates[slot];
        return coldState == null || coldState.remote == null ? SocketAddress.of(addresses[slot], ports[slot]) : coldState.remote;
    }

    boolean isUnix(int slot) {
        ColdState coldState = coldStates[slot];
        return coldState != null && coldState.remote != null && UnixAddress.isUnix(coldState.remote);
    }
}
