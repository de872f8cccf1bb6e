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
import io.trivet.net.SendableFile;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Sends bytes. A send of up to {@link #RING_BYTES_MAX} bytes goes through the ring, and the kernel reads the bytes in place. It
 * tries once, while the submission is handed over, so it has released the memory by the next poll, however slowly a peer reads.
 * The caller owns again what the socket did not accept. Longer sends are made by a plain call.
 *
 * <p><b>Silent sends.</b> Bytes that are in buffers of the ring, as those of an echo are, can be accepted at once, since nothing
 * else reuses that memory. Such a send has a completion only if the socket did not accept all bytes. It therefore does not end
 * the wait that hands it over, and one call per turn does both. Bytes that the socket did not accept are then copied, and sent
 * when it is writable. Once a socket was full, its sends are no longer silent.
 */
final class UringSends {
    /**
     * Maximum number of bytes of a send through the ring. Longer sends are made at once by a plain call, whose own cost is then
     * small.
     */
    static final int RING_BYTES_MAX = 16 * 1024;

    private static final int PENDING_MAX = 1024;
    private static final int FLAGS = Libc.MSG_NOSIGNAL | Uring.MSG_DONTWAIT;

    private final UringOperations operations;
    private final UringConnections connections;
    private final InFlightSends inFlight = new InFlightSends(PENDING_MAX);
    /** The slots of connections with silent sends that may not have been handed to the kernel yet. */
    private final int[] silent = new int[PENDING_MAX];

    private int silentCount;
    /** The caller expects a completion that a silent send does not have, so the next poll must not wait. */
    private boolean mustNotWait;

    UringSends(UringOperations operations) {
        this.operations = operations;
        connections = operations.connections;
    }

    // ---- starting sends

    /** Implements {@link Proactor#send}; or {@link Proactor#sendNow}, if {@code mayBePending} is false. */
    long send(int slot, ByteBuffer[] parts, int from, int count, boolean mayBePending) throws IOException {
        if (isBehindUnsent(slot)) {
            return 0;
        }
        int state = connections.state(slot);
        long length = parts[from].remaining();
        for (int i = 1; i < count; i++) {
            length += parts[from + i].remaining();
        }
        if (length == 0) {
            return 0;
        }
        boolean byRing = mayBePending && length <= RING_BYTES_MAX && count <= InFlightSends.PARTS_MAX && operations.isOpen()
                && inFlight.hasFree()
                && (state & (CONNECTING | FAILED)) == 0;
        if (!byRing || !start(slot, parts, from, count)) {
            return sendNow(slot, parts, from, count, length);
        }
        if (connections.is(slot, SEND_ACCEPTED)) {
            LinuxTcpStream.advance(parts, from, length);
            return length;
        }
        return Proactor.PENDING;
    }

    /** Returns whether accepted bytes have not been sent. If so, requests a notification. */
    private boolean isBehindUnsent(int slot) {
        int state = connections.state(slot);
        if ((state & (SENDING | HAS_UNSENT)) == 0) {
            return false;
        }
        if ((state & SEND_ACCEPTED) == 0) {
            throw new IllegalStateException("a send is pending already");
        }
        connections.set(slot, AWAITING_WRITABLE);
        mustNotWait |= (state & SENDING) != 0;
        return true;
    }

    /**
     * Implements {@link Proactor#sendFile}, by a plain call. The ring's way is a splice through a pipe, whose two operations would
     * be moved to worker threads of the kernel.
     */
    long sendFile(int slot, LinuxFile file, long position, long count) throws IOException {
        if (isBehindUnsent(slot)) {
            return 0;
        }
        long result = file.sendTo(connections.descriptor(slot), position, count);
        if (result == 0) {
            return SendableFile.ENDED;
        }
        if (LinuxFile.isUnsupported(result)) {
            return SendableFile.UNSUPPORTED;
        }
        long written = operations.writeResult(slot, "sendfile", result);
        if (written < count) {
            connections.set(slot, AWAITING_WRITABLE);
            operations.queueChange(slot);
        }
        return written;
    }

    /** Implements {@link Proactor#sendSpliced}. */
    int sendSpliced(int slot, LinuxSplicing splicing, long handle, int count) throws IOException {
        if (isBehindUnsent(slot)) {
            return 0;
        }
        int written = (int) operations.writeResult(slot, "splice", splicing.drain(handle, connections.descriptor(slot), count));
        if (written < count) {
            connections.set(slot, AWAITING_WRITABLE);
            operations.queueChange(slot);
        }
        return written;
    }

    /** Starts a send through the ring. Returns false if it must be made by a plain call. */
    private boolean start(int slot, ByteBuffer[] parts, int from, int count) {
        BufferRing pool = operations.buffers();
        int buffer = BufferRing.NONE;
        boolean inOneBuffer = true;
        int length = 0;
        long address = 0;
        for (int i = count - 1; i >= 0; i--) {
            if (!inFlight.locate(parts[from + i], i)) {
                return false; // the bytes must be copied
            }
            if (inFlight.partLength(i) == 0) {
                continue;
            }
            length += inFlight.partLength(i);
            address = inFlight.partAddress(i);
            int holder = pool.bufferAt(address);
            if (pool.isInReadArea(address) || (holder >= 0 && buffer >= 0 && holder != buffer)) {
                return false;
            }
            inOneBuffer &= holder >= 0;
            buffer = Math.max(buffer, holder);
        }
        boolean isSilent = inOneBuffer && silentCount < silent.length && operations.ring().defersCompletions()
                && !connections.is(slot, WAS_FULL);
        int index = count == 1 ? inFlight.addSingle(address, length, buffer) : inFlight.addParts(count, length, buffer);
        if (!inOneBuffer) {
            inFlight.hold(index, parts, from, count);
        }
        int opcode = count == 1 ? Uring.OP_SEND : Uring.OP_SENDMSG;
        long argument = count == 1 ? address : inFlight.message(index);
        int size = count == 1 ? length : 1;
        if (buffer >= 0) {
            pool.retain(buffer);
        }
        connections.sendIndex(slot, index);
        if (isSilent) {
            connections.set(slot, SENDING | SEND_ACCEPTED);
            silent[silentCount++] = slot;
            // With WAITALL a partial send counts as failed. Otherwise its completion would be skipped, too.
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
        if (count == 1 && inFlight.locate(parts[from], 0)) {
            written = operations.writeResult(slot, "send",
                    Libc.send(fd, inFlight.partAddress(0), inFlight.partLength(0), Libc.MSG_NOSIGNAL));
        } else {
            written = operations.writeResult(slot, "sendmsg", LinuxTcpStream.gather(fd, parts, from, count));
        }
        LinuxTcpStream.advance(parts, from, written); // and keeps the buffers reachable during the call
        if (written < length) {
            connections.set(slot, AWAITING_WRITABLE);
            operations.queueChange(slot);
        }
        return written;
    }

    /** Implements {@link Proactor#unsentBytes}. */
    long unsentBytes(int slot) {
        int state = connections.state(slot);
        if ((state & SEND_ACCEPTED) == 0) {
            return 0;
        }
        connections.set(slot, AWAITING_WRITABLE);
        if ((state & SENDING) != 0) {
            mustNotWait = true;
            return inFlight.length(connections.sendIndex(slot));
        }
        Unsent unsent = connections.unsent(slot);
        return unsent.bytes.length - (long) unsent.from;
    }

    /** Returns the size of the native memory for sends in flight, in bytes. */
    long bufferBytes() {
        return inFlight.bytes();
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

    /**
     * Prepares the close of a connection. Bytes that were accepted for sending are still sent. If the socket does not accept all
     * of them, the peer gets a reset.
     */
    void close(int slot) {
        if (connections.is(slot, SENDING)) {
            mustNotWait = true;
        } else if (connections.is(slot, HAS_UNSENT) && connections.is(slot, SEND_ACCEPTED)) {
            sendOrReset(slot);
        }
    }

    /** Makes the coming close a reset. */
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

    /**
     * Resets the connections with silent sends that were never handed over: the proactor is being closed by another thread than
     * the ring's.
     */
    void resetSilentSends() {
        for (int i = 0; i < silentCount; i++) {
            reset(silent[i]);
        }
        silentCount = 0;
    }

    /** Returns whether the next poll must not wait. */
    boolean mustNotWait() {
        return mustNotWait;
    }

    /** Returns whether silent sends hold buffers, which no completion will release. */
    boolean hasSilentSends() {
        return silentCount > 0;
    }

    /** Starts a poll for writability if it is needed, and cancels it if the connection has failed or is closing. */
    void reconcile(int slot) {
        int state = connections.state(slot);
        boolean writable = (state & (CONNECTING | HAS_UNSENT)) != 0
                || (state & (AWAITING_WRITABLE | SENDING)) == AWAITING_WRITABLE;
        if (writable && (state & (FAILED | CLOSING | POLLING_WRITABLE)) == 0) {
            connections.set(slot, POLLING_WRITABLE);
            // Multishot, so it reports only changes: the kernel reports a peer's FIN (RDHUP) without being asked, and a
            // single-shot poll would report it again and again.
            operations.start(Uring.OP_POLL_ADD, 0, 0, connections.descriptor(slot), 0, Uring.POLL_ADD_MULTI, PollBits.POLLOUT,
                    UringOperations.userData(UringOperations.POLL_WRITABLE, slot));
        } else if ((state & POLLING_WRITABLE) != 0 && (state & CANCELLING_WRITABLE) == 0 && (state & (FAILED | CLOSING)) != 0) {
            connections.set(slot, CANCELLING_WRITABLE);
            operations.cancel(UringOperations.userData(UringOperations.POLL_WRITABLE, slot));
        }
    }

    // ---- completing sends

    /**
     * Completes silent sends after the ring was entered: those that have been handed over have been sent completely, unless a
     * completion says otherwise.
     */
    int completeSilentSends(Ring ring, Completions completions) {
        if (silentCount == 0) {
            mustNotWait = false;
            return 0;
        }
        if (!ring.isInSync()) {
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
        int completed = silentCount; // callbacks may start further ones, after these
        for (int i = 0; i < completed; i++) {
            int slot = silent[i];
            if (!connections.is(slot, SEND_REFUSED)) {
                releaseSend(slot);
                delivered += connections.is(slot, SHUTDOWN_PENDING | AWAITING_WRITABLE | CLOSING) ? allSent(slot, 0, completions)
                        : 0;
            }
        }
        silentCount -= completed;
        System.arraycopy(silent, completed, silent, 0, silentCount);
        return delivered;
    }

    /** Releases the entry and the buffer of a send whose memory the kernel has released. */
    private void releaseSend(int slot) {
        int index = connections.sendIndex(slot);
        int buffer = inFlight.buffer(index);
        if (buffer >= 0) {
            operations.buffers().release(buffer);
        }
        inFlight.remove(index);
        connections.clear(slot,
                connections.is(slot, HAS_UNSENT) ? SENDING | SEND_REFUSED : SENDING | SEND_REFUSED | SEND_ACCEPTED);
    }

    /** Handles a completion of a silent send: it has failed, or was partial. */
    int refused(int slot, int result, Completions completions) {
        // completeSilentSends has skipped this send, because completions overflowed; completing it later would release its buffer
        // twice
        if (!connections.is(slot, SEND_REFUSED)) {
            int at = 0;
            while (silent[at] != slot) {
                at++;
            }
            silent[at] = silent[--silentCount];
        }
        return sent(slot, result, completions);
    }

    /** Handles the loss of a send's completion. The connection has failed already. */
    int lost(int slot, Completions completions) {
        return connections.is(slot, SEND_ACCEPTED) ? refused(slot, -Errno.ECANCELED, completions)
                : sent(slot, -Errno.ECANCELED, completions);
    }

    /** Handles the completion of a send. */
    int sent(int slot, int result, Completions completions) {
        int index = connections.sendIndex(slot);
        int length = inFlight.length(index);
        boolean wasAccepted = connections.is(slot, SEND_ACCEPTED);
        boolean isOpen = !connections.is(slot, FAILED) && (wasAccepted || !connections.is(slot, CLOSING));
        int written = result == -Errno.EAGAIN || result == -Errno.EINTR ? 0 : result;
        if (isOpen && written >= 0 && written < length) {
            connections.set(slot, WAS_FULL);
            if (!wasAccepted) {
                return partlySent(slot, written, completions);
            }
            connections.keepUnsent(slot, new Unsent(inFlight.copyFrom(index, written)));
        }
        releaseSend(slot);
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

    /**
     * Handles a partial send: the socket is full, and the caller owns the rest again. The caller may still read it in place, so
     * the ring's buffer is released after the callback.
     */
    private int partlySent(int slot, int written, Completions completions) {
        int buffer = inFlight.buffer(connections.sendIndex(slot));
        inFlight.remove(connections.sendIndex(slot));
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

    /**
     * Shuts down the output, if the shutdown was waiting for this send. Returns the number of completions delivered: a failure,
     * or none.
     */
    private int endOutput(int slot, Completions completions) {
        if (!connections.is(slot, SHUTDOWN_PENDING)) {
            return 0;
        }
        connections.clear(slot, SHUTDOWN_PENDING);
        int result = Libc.shutdown(connections.descriptor(slot), Libc.SHUT_WR);
        return result < 0 ? operations.fail(slot, operations.failure(slot, "shutdown", -result), completions) : 0;
    }

    /** Continues after all accepted bytes have been sent: with the shutdown or the notification that waited for it. */
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

    /** Continues after the socket has become writable again. */
    int writable(int slot, Completions completions) throws IOException {
        if (connections.is(slot, HAS_UNSENT)) {
            Unsent unsent = connections.unsent(slot);
            int count = (int) operations.writeResult(slot, "send", sendUnsent(slot, unsent));
            unsent.from += count;
            if (unsent.from < unsent.bytes.length) {
                if (count == 0 || !connections.is(slot, AWAITING_WRITABLE)) {
                    return 0;
                }
                connections.clear(slot, AWAITING_WRITABLE); // the caller is notified of the progress, and asks again
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
        Scratch scratch = Scratch.ofThread();
        long address = scratch.outgoing(left, 0);
        return Libc.send(connections.descriptor(slot), address, scratch.length(), Libc.MSG_NOSIGNAL);
    }
}
