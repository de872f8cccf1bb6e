package io.trivet.linux;

import static io.trivet.linux.UringConnections.AWAITS_ROOM;
import static io.trivet.linux.UringConnections.CANCELLING_ROOM;
import static io.trivet.linux.UringConnections.CLOSING;
import static io.trivet.linux.UringConnections.CONNECTING;
import static io.trivet.linux.UringConnections.ENDS_OUTPUT;
import static io.trivet.linux.UringConnections.FAILED;
import static io.trivet.linux.UringConnections.POLLING_ROOM;
import static io.trivet.linux.UringConnections.REFUSED;
import static io.trivet.linux.UringConnections.RESTS;
import static io.trivet.linux.UringConnections.SENDING;
import static io.trivet.linux.UringConnections.TAKEN;
import static io.trivet.linux.UringConnections.TIGHT;

import io.trivet.linux.UringConnections.Unsent;
import io.trivet.net.Completions;
import io.trivet.net.Proactor;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Sending. Up to {@link #RING_BYTES_MAX} go through the ring, from where they lie. The kernel tries once and at once, while they are handed
 * over: so it has let go of the memory when the next poll begins, however slowly a peer reads. What the socket refused is the caller's again.
 * Longer ones are sent by a plain call.
 *
 * <p><b>Silent sends.</b> Bytes that lie in buffers of the ring's, as those of an echo do, can be called taken at once, since nobody else
 * gives that memory away. Such a send has a completion only when the socket did not take all: so the wait that hands it over is not ended by
 * it, and one call in a turn does both. What was refused is copied then, and sent when there is room. Once a socket has refused something, its
 * sends tell how they went.
 */
final class UringSends {
    /** Longer sends, where the call itself costs little, are made at once, and tell how far they came. */
    static final int RING_BYTES_MAX = 16 * 1024;

    private static final int PLACES = 1024;
    private static final int FLAGS = Libc.MSG_NOSIGNAL | Uring.MSG_DONTWAIT;

    private final UringOperations operations;
    private final UringConnections connections;
    private final SendPlaces places = new SendPlaces(PLACES);
    /** Connections with silent sends, which the kernel may not have been handed yet. */
    private final int[] silent = new int[PLACES];

    private int silentCount;
    /** A completion was asked for that a silent send does not have: the next poll must not wait. */
    private boolean hurries;

    UringSends(UringOperations operations) {
        this.operations = operations;
        connections = operations.connections;
    }

    // ---- beginning

    /** {@link Proactor#send}, or where nothing may be pending {@link Proactor#sendNow}. */
    long send(int slot, ByteBuffer[] parts, int from, int count, boolean mayBePending) throws IOException {
        int state = connections.state(slot);
        if ((state & (SENDING | RESTS)) != 0) {
            if ((state & TAKEN) == 0) {
                throw new IllegalStateException("a send is pending already");
            }
            connections.set(slot, AWAITS_ROOM);
            hurries |= (state & SENDING) != 0;
            return 0;
        }
        long length = parts[from].remaining();
        for (int i = 1; i < count; i++) {
            length += parts[from + i].remaining();
        }
        if (length == 0) {
            return 0;
        }
        boolean byRing = mayBePending && length <= RING_BYTES_MAX && count <= SendPlaces.PARTS_MAX && operations.isOpen()
                && places.hasFree()
                && (state & (CONNECTING | FAILED)) == 0;
        if (!byRing || !begin(slot, parts, from, count, (int) length)) {
            return sendNow(slot, parts, from, count, length);
        }
        if (connections.is(slot, TAKEN)) {
            LinuxTcpStream.moveOver(parts, from, length);
            return length;
        }
        return Proactor.PENDING;
    }

    /** Gives a send to the ring, unless it must be made at once. */
    private boolean begin(int slot, ByteBuffer[] parts, int from, int count, int length) {
        BufferRing pool = operations.buffers();
        int buffer = BufferRing.NONE;
        boolean allInOne = true;
        long address = 0;
        for (int i = count - 1; i >= 0; i--) {
            ByteBuffer part = parts[from + i];
            if (!part.isDirect()) {
                return false;
            }
            if (!part.hasRemaining()) {
                continue;
            }
            address = places.addressOf(part);
            int lies = pool.bufferAt(address);
            if (pool.isPlace(address) || (lies >= 0 && buffer >= 0 && lies != buffer)) {
                return false;
            }
            allInOne &= lies >= 0;
            buffer = Math.max(buffer, lies);
        }
        boolean isSilent = allInOne && silentCount < silent.length && operations.ring().completesInCallsOnly()
                && !connections.is(slot, TIGHT);
        int place = count == 1 ? places.addSingle(address, length, buffer) : places.addParts(parts, from, count, length, buffer);
        int opcode = count == 1 ? Uring.OP_SEND : Uring.OP_SENDMSG;
        long what = count == 1 ? address : places.message(place);
        int size = count == 1 ? length : 1;
        if (buffer >= 0) {
            pool.use(buffer);
        }
        connections.send(slot, place);
        if (isSilent) {
            connections.set(slot, SENDING | TAKEN);
            silent[silentCount++] = slot;
            // With WAITALL a send that was cut short counts as failed: else its completion would be left out, too.
            operations.beginSilently(opcode, connections.descriptor(slot), what, size, FLAGS | Uring.MSG_WAITALL,
                    UringOperations.userData(UringOperations.SILENT_SEND, slot));
        } else {
            connections.set(slot, SENDING);
            operations.begin(opcode, 0, 0, connections.descriptor(slot), what, size, FLAGS,
                    UringOperations.userData(UringOperations.SEND, slot));
        }
        return true;
    }

    private long sendNow(int slot, ByteBuffer[] parts, int from, int count, long length) throws IOException {
        int fd = connections.descriptor(slot);
        long taken;
        if (count == 1 && parts[from].isDirect()) {
            ByteBuffer part = parts[from];
            taken = operations.taken(slot, "send",
                    Libc.send(fd, places.addressOf(part), part.remaining(), Libc.MSG_NOSIGNAL));
        } else {
            taken = operations.taken(slot, "sendmsg", LinuxTcpStream.gather(fd, parts, from, count));
        }
        LinuxTcpStream.moveOver(parts, from, taken);
        if (taken < length) {
            connections.set(slot, AWAITS_ROOM);
            operations.change(slot);
        }
        return taken;
    }

    /** What was called taken, and the kernel has not taken; its leaving is told. */
    long unsentBytes(int slot) {
        int state = connections.state(slot);
        if ((state & TAKEN) == 0) {
            return 0;
        }
        connections.set(slot, AWAITS_ROOM);
        if ((state & SENDING) != 0) {
            hurries = true;
            return places.length(connections.send(slot));
        }
        Unsent unsent = connections.unsent(slot);
        return unsent.bytes.length - (long) unsent.from;
    }

    void shutdownOutput(int slot) throws IOException {
        if (connections.is(slot, SENDING | RESTS)) {
            connections.set(slot, ENDS_OUTPUT);
            hurries = true;
            return;
        }
        int result = Libc.shutdown(connections.descriptor(slot), Libc.SHUT_WR);
        if (result < 0) {
            throw operations.failure(slot, "shutdown", -result);
        }
    }

    /** The connection is being closed. What it was told was taken leaves, as long as the kernel takes it; else the peer learns that it is cut. */
    void close(int slot) {
        if (connections.is(slot, SENDING)) {
            hurries = true;
        } else if (connections.is(slot, RESTS) && connections.is(slot, TAKEN)) {
            giveUp(slot);
        }
    }

    /** All is being closed, and the kernel has not taken all of what the caller was told was taken. */
    void cut(int slot) {
        Options.resetOnClose(connections.descriptor(slot));
    }

    private void giveUp(int slot) {
        Unsent unsent = connections.unsent(slot);
        if (sendRest(slot, unsent) < unsent.bytes.length - unsent.from) {
            cut(slot);
        }
        connections.forgetUnsent(slot);
    }

    /** All is being closed by another thread than the ring's: what was never handed over cannot be any more. */
    void abandon() {
        for (int i = 0; i < silentCount; i++) {
            cut(silent[i]);
        }
        silentCount = 0;
    }

    /** Whether the next poll may not wait. */
    boolean hurries() {
        return hurries;
    }

    /** Whether buffers may come back of which no completion will tell. */
    boolean holdsBuffersSilently() {
        return silentCount > 0;
    }

    /** Lets the kernel tell of room, if somebody waits for that, and no longer when nobody does. */
    void bringInLine(int slot) {
        int state = connections.state(slot);
        boolean room = (state & (CONNECTING | RESTS)) != 0 || (state & (AWAITS_ROOM | SENDING)) == AWAITS_ROOM;
        if (room && (state & (FAILED | CLOSING | POLLING_ROOM)) == 0) {
            connections.set(slot, POLLING_ROOM);
            // It repeats itself, and tells only of changes: the kernel reports a peer's FIN (RDHUP) unasked, and a poll that is over
            // after one answer would give that answer again and again.
            operations.begin(Uring.OP_POLL_ADD, 0, 0, connections.descriptor(slot), 0, Uring.POLL_ADD_MULTI, PollBits.POLLOUT,
                    UringOperations.userData(UringOperations.POLL_ROOM, slot));
        } else if ((state & POLLING_ROOM) != 0 && (state & CANCELLING_ROOM) == 0 && (state & (FAILED | CLOSING)) != 0) {
            connections.set(slot, CANCELLING_ROOM);
            operations.cancel(UringOperations.userData(UringOperations.POLL_ROOM, slot));
        }
    }

    // ---- completing

    /** After the ring was entered: silent sends that have been handed over have gone out whole, unless a completion says otherwise. */
    int settle(Ring ring, Completions completions) {
        if (silentCount == 0) {
            hurries = false;
            return 0;
        }
        if (!ring.isSettled()) {
            return 0;
        }
        for (int i = ring.completed() - 1; i >= 0; i--) {
            int data = (int) ring.userData(i);
            if (UringOperations.kind(data) == UringOperations.SILENT_SEND) {
                connections.set(UringOperations.index(data), REFUSED);
            }
        }
        hurries = false;
        int told = 0;
        int settled = silentCount; // telling may begin further ones, behind these
        for (int i = 0; i < settled; i++) {
            int slot = silent[i];
            if (!connections.is(slot, REFUSED)) {
                free(slot);
                told += connections.is(slot, ENDS_OUTPUT | AWAITS_ROOM | CLOSING) ? hasLeft(slot, 0, completions) : 0;
            }
        }
        silentCount -= settled;
        System.arraycopy(silent, settled, silent, 0, silentCount);
        return told;
    }

    /** The kernel has let go of the send's memory. */
    private void free(int slot) {
        int place = connections.send(slot);
        int buffer = places.buffer(place);
        if (buffer >= 0) {
            operations.buffers().release(buffer);
        }
        places.remove(place);
        connections.clear(slot, connections.is(slot, RESTS) ? SENDING | REFUSED : SENDING | REFUSED | TAKEN);
    }

    /** A silent send has failed, or was cut short. */
    int refused(int slot, int result, Completions completions) {
        if (!connections.is(slot, REFUSED)) { // not settled, since completions overflowed; and settling would give back what it has once more
            int at = 0;
            while (silent[at] != slot) {
                at++;
            }
            silent[at] = silent[--silentCount];
        }
        return sent(slot, result, completions);
    }

    /** A send has completed. */
    int sent(int slot, int result, Completions completions) {
        int place = connections.send(slot);
        int length = places.length(place);
        boolean wasTaken = connections.is(slot, TAKEN);
        boolean isOpen = !connections.is(slot, FAILED) && (wasTaken || !connections.is(slot, CLOSING));
        int taken = result == -Errno.EAGAIN || result == -Errno.EINTR ? 0 : result;
        if (isOpen && taken >= 0 && taken < length) {
            connections.set(slot, TIGHT);
            if (!wasTaken) {
                return cutShort(slot, taken, completions);
            }
            connections.keep(slot, new Unsent(places.copyFrom(place, taken)));
        }
        free(slot);
        if (connections.is(slot, CLOSING)) {
            if (connections.is(slot, RESTS)) {
                giveUp(slot);
            }
            operations.change(slot);
            return 0;
        }
        operations.change(slot);
        if (!isOpen || connections.is(slot, RESTS)) {
            return 0;
        }
        return taken < 0 ? operations.fail(slot, operations.failure(slot, "send", -taken), completions)
                : hasLeft(slot, wasTaken ? 0 : length, completions);
    }

    /** The socket is full. The rest is the caller's again; he may still look at it where it lay, so the ring's buffer comes back only then. */
    private int cutShort(int slot, int taken, Completions completions) {
        int buffer = places.buffer(connections.send(slot));
        places.remove(connections.send(slot));
        connections.clear(slot, SENDING);
        connections.set(slot, AWAITS_ROOM);
        operations.change(slot);
        int told = endOutput(slot, completions);
        if (told == 0) {
            completions.sent(connections.handle(slot), taken);
            told = 1;
        }
        if (buffer >= 0) {
            operations.buffers().release(buffer);
        }
        return told;
    }

    /** Ends the output, if that waits for what has left now; how many completions were told: a failure, or none. */
    private int endOutput(int slot, Completions completions) {
        if (!connections.is(slot, ENDS_OUTPUT)) {
            return 0;
        }
        connections.clear(slot, ENDS_OUTPUT);
        int result = Libc.shutdown(connections.descriptor(slot), Libc.SHUT_WR);
        return result < 0 ? operations.fail(slot, operations.failure(slot, "shutdown", -result), completions) : 0;
    }

    /** Everything that was begun has left: what waited for that comes now. */
    private int hasLeft(int slot, long bytes, Completions completions) {
        if (connections.is(slot, CLOSING | FAILED)) {
            operations.change(slot);
            return 0;
        }
        int failures = endOutput(slot, completions);
        if (failures > 0) {
            return failures;
        }
        if (bytes == 0 && !connections.is(slot, AWAITS_ROOM)) {
            return 0;
        }
        connections.clear(slot, AWAITS_ROOM);
        completions.sent(connections.handle(slot), bytes);
        return 1;
    }

    /** A socket has room again. */
    int room(int slot, Completions completions) throws IOException {
        if (connections.is(slot, RESTS)) {
            Unsent unsent = connections.unsent(slot);
            int count = (int) operations.taken(slot, "send", sendRest(slot, unsent));
            unsent.from += count;
            if (unsent.from < unsent.bytes.length) {
                if (count == 0 || !connections.is(slot, AWAITS_ROOM)) {
                    return 0;
                }
                connections.clear(slot, AWAITS_ROOM); // whoever waits is told of progress, and asks again
                completions.sent(connections.handle(slot), 0);
                return 1;
            }
            connections.forgetUnsent(slot);
            connections.clear(slot, TAKEN);
            return hasLeft(slot, 0, completions);
        }
        return connections.is(slot, SENDING) ? 0 : hasLeft(slot, 0, completions);
    }

    private long sendRest(int slot, Unsent unsent) {
        ByteBuffer left = ByteBuffer.wrap(unsent.bytes, unsent.from, unsent.bytes.length - unsent.from);
        int length = Scratch.length(left);
        long address = Scratch.ofThread().outgoing(left, length, 0);
        return Libc.send(connections.descriptor(slot), address, length, Libc.MSG_NOSIGNAL);
    }
}
