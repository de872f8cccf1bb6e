package io.trivet.linux;

import static io.trivet.linux.UringConnections.AWAITING_WRITABLE;
import static io.trivet.linux.UringConnections.CANCELLING_WRITABLE;
import static io.trivet.linux.UringConnections.CLOSING;
import static io.trivet.linux.UringConnections.CONNECTING;
import static io.trivet.linux.UringConnections.FAILED;
import static io.trivet.linux.UringConnections.HAS_UNSENT;
import static io.trivet.linux.UringConnections.POLLING_WRITABLE;
import static io.trivet.linux.UringConnections.SENDING;
import static io.trivet.linux.UringConnections.SEND_ACCEPTED;
import static io.trivet.linux.UringConnections.SEND_REFUSED;
import static io.trivet.linux.UringConnections.SHUTDOWN_PENDING;
import static io.trivet.linux.UringConnections.WAS_FULL;

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

    private static final int PENDING_MAX = 1024;
    private static final int FLAGS = Libc.MSG_NOSIGNAL | Uring.MSG_DONTWAIT;

    private final UringOperations operations;
    private final UringConnections connections;
    private final PendingSends pending = new PendingSends(PENDING_MAX);
    /** Connections with silent sends, which the kernel may not have been handed yet. */
    private final int[] silent = new int[PENDING_MAX];

    private int silentCount;
    /** A completion was asked for that a silent send does not have: the next poll must not wait. */
    private boolean mustNotWait;

    UringSends(UringOperations operations) {
        this.operations = operations;
        connections = operations.connections;
    }

    // ---- beginning

    /** {@link Proactor#send}, or where nothing may be pending {@link Proactor#sendNow}. */
    long send(int slot, ByteBuffer[] parts, int from, int count, boolean mayBePending) throws IOException {
        int state = connections.state(slot);
        if ((state & (SENDING | HAS_UNSENT)) != 0) {
            if ((state & SEND_ACCEPTED) == 0) {
                throw new IllegalStateException("a send is pending already");
            }
            connections.set(slot, AWAITING_WRITABLE);
            mustNotWait |= (state & SENDING) != 0;
            return 0;
        }
        long length = parts[from].remaining();
        for (int i = 1; i < count; i++) {
            length += parts[from + i].remaining();
        }
        if (length == 0) {
            return 0;
        }
        boolean byRing = mayBePending && length <= RING_BYTES_MAX && count <= PendingSends.PARTS_MAX && operations.isOpen()
                && pending.hasFree()
                && (state & (CONNECTING | FAILED)) == 0;
        if (!byRing || !start(slot, parts, from, count, (int) length)) {
            return sendNow(slot, parts, from, count, length);
        }
        if (connections.is(slot, SEND_ACCEPTED)) {
            LinuxTcpStream.advance(parts, from, length);
            return length;
        }
        return Proactor.PENDING;
    }

    /** Gives a send to the ring, unless it must be made at once. */
    private boolean start(int slot, ByteBuffer[] parts, int from, int count, int length) {
        BufferRing pool = operations.buffers();
        int buffer = BufferRing.NONE;
        boolean inOneBuffer = true;
        long address = 0;
        for (int i = count - 1; i >= 0; i--) {
            ByteBuffer part = parts[from + i];
            if (!part.isDirect()) {
                return false;
            }
            if (!part.hasRemaining()) {
                continue;
            }
            address = pending.addressOf(part);
            int holder = pool.bufferAt(address);
            if (pool.isInReadArea(address) || (holder >= 0 && buffer >= 0 && holder != buffer)) {
                return false;
            }
            inOneBuffer &= holder >= 0;
            buffer = Math.max(buffer, holder);
        }
        boolean isSilent = inOneBuffer && silentCount < silent.length && operations.ring().defersCompletions()
                && !connections.is(slot, WAS_FULL);
        int index = count == 1 ? pending.addSingle(address, length, buffer)
                : pending.addParts(parts, from, count, length, buffer);
        int opcode = count == 1 ? Uring.OP_SEND : Uring.OP_SENDMSG;
        long argument = count == 1 ? address : pending.message(index);
        int size = count == 1 ? length : 1;
        if (buffer >= 0) {
            pool.retain(buffer);
        }
        connections.sendIndex(slot, index);
        if (isSilent) {
            connections.set(slot, SENDING | SEND_ACCEPTED);
            silent[silentCount++] = slot;
            // With WAITALL a send that was cut short counts as failed: else its completion would be left out, too.
            operations.startSilently(opcode, connections.descriptor(slot), argument, size, FLAGS | Uring.MSG_WAITALL,
                    UringOperations.userData(UringOperations.SILENT_SEND, slot));
        } else {
            connections.set(slot, SENDING);
            operations.start(opcode, 0, 0, connections.descriptor(slot), argument, size, FLAGS,
                    UringOperations.userData(UringOperations.SEND, slot));
        }
        return true;
    }

    private long sendNow(int slot, ByteBuffer[] parts, int from, int count, long length) throws IOException {
        int fd = connections.descriptor(slot);
        long written;
        if (count == 1 && parts[from].isDirect()) {
            ByteBuffer part = parts[from];
            written = operations.writeResult(slot, "send",
                    Libc.send(fd, pending.addressOf(part), part.remaining(), Libc.MSG_NOSIGNAL));
        } else {
            written = operations.writeResult(slot, "sendmsg", LinuxTcpStream.gather(fd, parts, from, count));
        }
        LinuxTcpStream.advance(parts, from, written);
        if (written < length) {
            connections.set(slot, AWAITING_WRITABLE);
            operations.queueChange(slot);
        }
        return written;
    }

    /** What was called taken, and the kernel has not taken; its leaving is told. */
    long unsentBytes(int slot) {
        int state = connections.state(slot);
        if ((state & SEND_ACCEPTED) == 0) {
            return 0;
        }
        connections.set(slot, AWAITING_WRITABLE);
        if ((state & SENDING) != 0) {
            mustNotWait = true;
            return pending.length(connections.sendIndex(slot));
        }
        Unsent unsent = connections.unsent(slot);
        return unsent.bytes.length - (long) unsent.from;
    }

    void shutdownOutput(int slot) throws IOException {
        if (connections.is(slot, SENDING | HAS_UNSENT)) {
            connections.set(slot, SHUTDOWN_PENDING);
            mustNotWait = true;
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
            mustNotWait = true;
        } else if (connections.is(slot, HAS_UNSENT) && connections.is(slot, SEND_ACCEPTED)) {
            sendOrReset(slot);
        }
    }

    /** All is being closed, and the kernel has not taken all of what the caller was told was taken. */
    void reset(int slot) {
        Options.resetOnClose(connections.descriptor(slot));
    }

    private void sendOrReset(int slot) {
        Unsent unsent = connections.unsent(slot);
        if (sendUnsent(slot, unsent) < unsent.bytes.length - unsent.from) {
            reset(slot);
        }
        connections.clearUnsent(slot);
    }

    /** All is being closed by another thread than the ring's: what was never handed over cannot be any more. */
    void resetSilentSends() {
        for (int i = 0; i < silentCount; i++) {
            reset(silent[i]);
        }
        silentCount = 0;
    }

    /** Whether the next poll may not wait. */
    boolean mustNotWait() {
        return mustNotWait;
    }

    /** Whether buffers may come back of which no completion will tell. */
    boolean hasSilentSends() {
        return silentCount > 0;
    }

    /** Lets the kernel tell of room, if somebody waits for that, and no longer when nobody does. */
    void reconcile(int slot) {
        int state = connections.state(slot);
        boolean writable = (state & (CONNECTING | HAS_UNSENT)) != 0
                || (state & (AWAITING_WRITABLE | SENDING)) == AWAITING_WRITABLE;
        if (writable && (state & (FAILED | CLOSING | POLLING_WRITABLE)) == 0) {
            connections.set(slot, POLLING_WRITABLE);
            // It repeats itself, and tells only of changes: the kernel reports a peer's FIN (RDHUP) unasked, and a poll that is over
            // after one answer would give that answer again and again.
            operations.start(Uring.OP_POLL_ADD, 0, 0, connections.descriptor(slot), 0, Uring.POLL_ADD_MULTI, PollBits.POLLOUT,
                    UringOperations.userData(UringOperations.POLL_WRITABLE, slot));
        } else if ((state & POLLING_WRITABLE) != 0 && (state & CANCELLING_WRITABLE) == 0 && (state & (FAILED | CLOSING)) != 0) {
            connections.set(slot, CANCELLING_WRITABLE);
            operations.cancel(UringOperations.userData(UringOperations.POLL_WRITABLE, slot));
        }
    }

    // ---- completing

    /** After the ring was entered: silent sends that have been handed over have gone out whole, unless a completion says otherwise. */
    int settle(Ring ring, Completions completions) {
        if (silentCount == 0) {
            mustNotWait = false;
            return 0;
        }
        if (!ring.isSettled()) {
            return 0;
        }
        for (int i = ring.completed() - 1; i >= 0; i--) {
            int data = (int) ring.userData(i);
            if (UringOperations.kind(data) == UringOperations.SILENT_SEND) {
                connections.set(UringOperations.index(data), SEND_REFUSED);
            }
        }
        mustNotWait = false;
        int delivered = 0;
        int settled = silentCount; // telling may begin further ones, behind these
        for (int i = 0; i < settled; i++) {
            int slot = silent[i];
            if (!connections.is(slot, SEND_REFUSED)) {
                free(slot);
                delivered += connections.is(slot, SHUTDOWN_PENDING | AWAITING_WRITABLE | CLOSING) ? allSent(slot, 0, completions)
                        : 0;
            }
        }
        silentCount -= settled;
        System.arraycopy(silent, settled, silent, 0, silentCount);
        return delivered;
    }

    /** The kernel has let go of the send's memory. */
    private void free(int slot) {
        int index = connections.sendIndex(slot);
        int buffer = pending.buffer(index);
        if (buffer >= 0) {
            operations.buffers().release(buffer);
        }
        pending.remove(index);
        connections.clear(slot,
                connections.is(slot, HAS_UNSENT) ? SENDING | SEND_REFUSED : SENDING | SEND_REFUSED | SEND_ACCEPTED);
    }

    /** A silent send has failed, or was cut short. */
    int refused(int slot, int result, Completions completions) {
        if (!connections.is(slot, SEND_REFUSED)) { // not settled, since completions overflowed; and settling would give back what it has once more
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
        int index = connections.sendIndex(slot);
        int length = pending.length(index);
        boolean wasAccepted = connections.is(slot, SEND_ACCEPTED);
        boolean isOpen = !connections.is(slot, FAILED) && (wasAccepted || !connections.is(slot, CLOSING));
        int written = result == -Errno.EAGAIN || result == -Errno.EINTR ? 0 : result;
        if (isOpen && written >= 0 && written < length) {
            connections.set(slot, WAS_FULL);
            if (!wasAccepted) {
                return partlySent(slot, written, completions);
            }
            connections.keepUnsent(slot, new Unsent(pending.copyFrom(index, written)));
        }
        free(slot);
        if (connections.is(slot, CLOSING)) {
            if (connections.is(slot, HAS_UNSENT)) {
                sendOrReset(slot);
            }
            operations.queueChange(slot);
            return 0;
        }
        operations.queueChange(slot);
        if (!isOpen || connections.is(slot, HAS_UNSENT)) {
            return 0;
        }
        return written < 0 ? operations.fail(slot, operations.failure(slot, "send", -written), completions)
                : allSent(slot, wasAccepted ? 0 : length, completions);
    }

    /** The socket is full. The rest is the caller's again; he may still look at it where it lay, so the ring's buffer comes back only then. */
    private int partlySent(int slot, int written, Completions completions) {
        int buffer = pending.buffer(connections.sendIndex(slot));
        pending.remove(connections.sendIndex(slot));
        connections.clear(slot, SENDING);
        connections.set(slot, AWAITING_WRITABLE);
        operations.queueChange(slot);
        int delivered = endOutput(slot, completions);
        if (delivered == 0) {
            completions.sent(connections.handle(slot), written);
            delivered = 1;
        }
        if (buffer >= 0) {
            operations.buffers().release(buffer);
        }
        return delivered;
    }

    /** Ends the output, if that waits for what has left now; how many completions were told: a failure, or none. */
    private int endOutput(int slot, Completions completions) {
        if (!connections.is(slot, SHUTDOWN_PENDING)) {
            return 0;
        }
        connections.clear(slot, SHUTDOWN_PENDING);
        int result = Libc.shutdown(connections.descriptor(slot), Libc.SHUT_WR);
        return result < 0 ? operations.fail(slot, operations.failure(slot, "shutdown", -result), completions) : 0;
    }

    /** Everything that was begun has left: what waited for that comes now. */
    private int allSent(int slot, long bytes, Completions completions) {
        if (connections.is(slot, CLOSING | FAILED)) {
            operations.queueChange(slot);
            return 0;
        }
        int failures = endOutput(slot, completions);
        if (failures > 0) {
            return failures;
        }
        if (bytes == 0 && !connections.is(slot, AWAITING_WRITABLE)) {
            return 0;
        }
        connections.clear(slot, AWAITING_WRITABLE);
        completions.sent(connections.handle(slot), bytes);
        return 1;
    }

    /** A socket has room again. */
    int writable(int slot, Completions completions) throws IOException {
        if (connections.is(slot, HAS_UNSENT)) {
            Unsent unsent = connections.unsent(slot);
            int count = (int) operations.writeResult(slot, "send", sendUnsent(slot, unsent));
            unsent.from += count;
            if (unsent.from < unsent.bytes.length) {
                if (count == 0 || !connections.is(slot, AWAITING_WRITABLE)) {
                    return 0;
                }
                connections.clear(slot, AWAITING_WRITABLE); // whoever waits is told of progress, and asks again
                completions.sent(connections.handle(slot), 0);
                return 1;
            }
            connections.clearUnsent(slot);
            connections.clear(slot, SEND_ACCEPTED);
            return allSent(slot, 0, completions);
        }
        return connections.is(slot, SENDING) ? 0 : allSent(slot, 0, completions);
    }

    private long sendUnsent(int slot, Unsent unsent) {
        ByteBuffer left = ByteBuffer.wrap(unsent.bytes, unsent.from, unsent.bytes.length - unsent.from);
        int length = Scratch.length(left);
        long address = Scratch.ofThread().outgoing(left, length, 0);
        return Libc.send(connections.descriptor(slot), address, length, Libc.MSG_NOSIGNAL);
    }
}
