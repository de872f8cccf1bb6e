package io.trivet.sim.kernel;

import io.trivet.net.Completions;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Proactor;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Runs a script with a proactor and with plain sockets on one network, and records the completions. */
final class RingScriptRunner implements Completions, AutoCloseable {
    private static final int PATTERN_PERIOD = 61;
    private static final int PATTERN_BYTES = 1 << 18;
    /** The bytes sent: each depends on its position in the stream, so that a lost or repeated byte is detected. */
    private static final ByteBuffer PATTERN = pattern();
    private static final int CHUNK_BYTES = 16 * 1024;
    private static final int FILL_CHUNKS_MAX = 2000;
    private static final long SHORT_WAIT_NANOS = 50_000;
    private static final long LONG_WAIT_NANOS = 5_000_000_000L;
    private static final int BACKLOG = 32;
    private static final int SMALL_BYTES = 4096;
    /** The most unread bytes that fit on any system if the peer does not read. */
    private static final int UNREAD_BYTES_MAX = 30_000;
    /** The same if the peer is receiving. */
    private static final int UNREAD_BYTES_MAX_RECEIVING = 60_000;

    private final Network network;
    private final RingSettler settler;
    private final Proactor proactor;
    private final TcpListener ringListener;
    private final TcpListener plainListener;
    private final InetSocketAddress closedPort;
    private final @Nullable RingEnd[] ends = new RingEnd[2 * RingScriptGenerator.CONNECTIONS];
    private final Map<Integer, RingEnd> initiators = new HashMap<>();
    private final Map<Long, RingEnd> byHandle = new HashMap<>();
    private final ByteBuffer reading = ByteBuffer.allocateDirect(1 << 16);
    private boolean accepting = true;
    /** Since the last settling, a receive was stopped, or is to be replaced by another kind. */
    private boolean cancellationPending;
    private String listenerEvents = "";

    RingScriptRunner(Network network, InetAddress host, RingSettler settler) throws IOException {
        this.network = network;
        this.settler = settler;
        this.proactor = network.proactor();
        this.ringListener = network.listen(new InetSocketAddress(host, 0), BACKLOG);
        this.plainListener = network.listen(new InetSocketAddress(host, 0), BACKLOG);
        try (TcpListener temporary = network.listen(new InetSocketAddress(host, 0), BACKLOG)) {
            closedPort = temporary.localAddress();
        }
        proactor.accept(ringListener, 1);
        proactor.poll(this, 0);
    }

    private static ByteBuffer pattern() {
        ByteBuffer pattern = ByteBuffer.allocateDirect(PATTERN_BYTES);
        for (int i = 0; i < PATTERN_BYTES; i++) {
            pattern.put((byte) ('A' + i % PATTERN_PERIOD));
        }
        return pattern.flip();
    }

    Proactor proactor() {
        return proactor;
    }

    @Nullable
    RingEnd[] ends() {
        return ends;
    }

    boolean isAccepting() {
        return accepting;
    }

    List<RingOutcome> run(List<RingStep> steps) throws IOException {
        List<RingOutcome> outcomes = new ArrayList<>(steps.size());
        for (RingStep step : steps) {
            String result;
            try {
                result = execute(step);
            } catch (NetworkException e) {
                result = e.code() + "";
            }
            if (step.skipsPoll() && !closesByRing(step)) {
                outcomes.add(new RingOutcome(result, List.of()));
            } else {
                settler.settle(this);
                cancellationPending = false;
                for (RingEnd end : ends) {
                    if (end != null && end.peer != null && end.peer.receiving) {
                        end.unread = 0;
                        end.peer.stopped = false;
                    }
                }
                outcomes.add(new RingOutcome(result + listenerEvents, describe()));
                listenerEvents = "";
            }
        }
        return outcomes;
    }

    /** Returns true for a close by the ring: it happens at once or in the next poll, so what happens in between is unspecified. */
    private boolean closesByRing(RingStep step) {
        RingEnd end = step.end() < 0 ? null : ends[step.end()];
        return end != null && end.onRing && (step.op() == RingStep.Op.CLOSE || step.op() == RingStep.Op.RESET);
    }

    private List<RingOutcome.@Nullable End> describe() {
        List<RingOutcome.@Nullable End> result = new ArrayList<>();
        for (RingEnd end : ends) {
            result.add(end == null ? null : describe(end));
            if (end != null) {
                end.events.clear();
            }
        }
        return result;
    }

    private static RingOutcome.End describe(RingEnd end) {
        boolean stopped = end.onRing && !end.receiving;
        RingEnd peer = end.peer;
        boolean full = end.everFilled || (peer != null && peer.everFilled);
        String pending = end.isSending() ? " still sending" : "";
        return new RingOutcome.End(end.events + pending, end.received, end.hash, end.sent,
                full ? RingOutcome.Incomparable.FULL : stopped ? RingOutcome.Incomparable.STOPPED : null);
    }

    private String execute(RingStep step) throws IOException {
        RingEnd end = step.end() < 0 ? null : ends[step.end()];
        return switch (step.op()) {
            case CONNECT -> connect(step.end(), step.value());
            case ACCEPT -> acceptPlain();
            case STOP_ACCEPTING -> {
                if (cancellationPending) {
                    yield RingOutcome.SKIPPED; // it is submitted at once, before or after the cancellation: the ring's order is unspecified
                }
                proactor.stopAccepting(ringListener);
                accepting = false;
                yield "ok";
            }
            case ACCEPT_AGAIN -> {
                if (!accepting) {
                    proactor.accept(ringListener, 1);
                    accepting = true;
                }
                yield "ok";
            }
            case WAIT -> {
                proactor.poll(this, SHORT_WAIT_NANOS);
                yield "ok";
            }
            case WAKE -> {
                proactor.wakeup();
                long startNanos = network.clock().nanoTime();
                proactor.poll(this, 2 * LONG_WAIT_NANOS);
                yield network.clock().nanoTime() - startNanos < LONG_WAIT_NANOS ? "woken" : "not woken";
            }
            default -> end == null || (!end.onRing && end.closed) ? Outcome.NO_OP
                    : end.onRing ? executeOnRing(step, end) : executePlain(step, end);
        };
    }

    // Connecting and accepting.

    private String connect(int index, int flags) throws IOException {
        RingEnd previous = ends[index];
        RingEnd previousPeer = ends[index + 1];
        if ((previous != null && !previous.isReleased()) || (previousPeer != null && !previousPeer.isReleased())) {
            return Outcome.NO_OP;
        }
        boolean targetsRing = (flags & RingStep.TO_RING) != 0;
        boolean toClosedPort = (flags & RingStep.TO_CLOSED_PORT) != 0;
        InetSocketAddress address = toClosedPort ? closedPort : targetsRing ? ringListener.localAddress()
                : plainListener.localAddress();
        RingEnd end = new RingEnd(index, (flags & RingStep.FROM_RING) != 0, targetsRing && !toClosedPort);
        end.connecting = true;
        ends[index] = end;
        ends[index + 1] = null;
        int port;
        if (end.onRing) {
            end.handle = proactor.connect(address);
            byHandle.put(end.handle, end);
            port = proactor.localAddress(end.handle).getPort();
        } else {
            TcpStream stream = network.connect(address);
            end.stream = stream;
            port = stream.localAddress().getPort();
        }
        initiators.put(port, end);
        return "ok";
    }

    /** Checks whether a plain connect has completed or failed. */
    void finishConnect(RingEnd end) throws IOException {
        TcpStream stream = end.stream;
        if (stream != null && end.connecting && !end.closed) {
            try {
                if (stream.finishConnect()) {
                    end.connecting = false;
                    stream.setOption(StandardSocketOptions.TCP_NODELAY, true);
                    end.fd = settler.descriptor(stream);
                }
            } catch (NetworkException e) {
                end.connecting = false;
                recordFailure(end, e);
            }
        }
    }

    private String acceptPlain() throws IOException {
        String result = "";
        for (TcpStream stream = plainListener.accept(); stream != null; stream = plainListener.accept()) {
            result += accepted(stream, false);
        }
        return result.isEmpty() ? "none" : result;
    }

    private String accepted(TcpStream stream, boolean onRing) throws IOException {
        RingEnd initiator = initiators.get(stream.remoteAddress().getPort());
        if (initiator == null || ends[initiator.index] != initiator) {
            stream.close();
            return " an earlier connection";
        }
        stream.setOption(StandardSocketOptions.TCP_NODELAY, true);
        RingEnd end = new RingEnd(initiator.index + 1, onRing, true);
        end.fd = settler.descriptor(stream);
        end.peer = initiator;
        initiator.peer = end;
        ends[end.index] = end;
        if (onRing) {
            end.handle = proactor.adopt(stream);
            byHandle.put(end.handle, end);
        } else {
            end.stream = stream;
        }
        return " c" + initiator.index / 2;
    }

    /**
     * Returns false if the position of an urgent byte is unspecified. An unwatched urgent byte is skipped by a ring's receive at once, but by a read
     * only when there is something to read; with many bytes in flight the outcomes differ. They also differ after receiving was stopped.
     */
    private static boolean isUrgentComparable(RingEnd end) {
        RingEnd peer = end.peer;
        return peer != null
                && (!peer.onRing || (!peer.stopped && (peer.watchesUrgent || peer.received + end.sent < SMALL_BYTES)));
    }

    // Operations by system calls.

    private String executePlain(RingStep step, RingEnd end) throws IOException {
        TcpStream stream = Objects.requireNonNull(end.stream);
        finishConnect(end);
        if (end.connecting) {
            return "connecting";
        }
        return switch (step.op()) {
            case SEND, GATHER, SEND_FROM_HEAP -> {
                if (!fits(end, step.value())) {
                    yield Outcome.NO_OP;
                }
                int accepted = stream.write(bytes(end, step.value()));
                end.sent += accepted;
                end.everFilled |= accepted < step.value();
                end.full |= accepted < step.value();
                yield end.everFilled ? "accepted some" : "accepted " + accepted;
            }
            case URGENT -> {
                if (!isUrgentComparable(end)) {
                    yield RingOutcome.SKIPPED;
                }
                boolean sent = stream.sendUrgent(bytes(end, 1).get());
                end.sent += sent ? 1 : 0;
                end.urgentSent += sent ? 1 : 0;
                yield end.everFilled && !sent ? "urgent" : "urgent " + sent;
            }
            case SHUTDOWN_OUTPUT -> {
                if (peerStopsOnNextReceive(end)) {
                    yield RingOutcome.SKIPPED;
                }
                end.outputEnded = true;
                stream.shutdownOutput();
                yield "ok";
            }
            case CLOSE, RESET -> {
                if (peerStopsOnNextReceive(end) || resetsPendingSendOfPeer(end)) {
                    yield RingOutcome.SKIPPED;
                }
                if (step.op() == RingStep.Op.RESET) {
                    stream.setOption(StandardSocketOptions.SO_LINGER, 0);
                }
                stream.close();
                end.closed = true;
                yield "ok";
            }
            case READ -> {
                RingEnd peer = end.peer;
                if (peer != null && peer.full) {
                    yield RingOutcome.SKIPPED; // after a partial read it is unspecified how much more fits
                }
                yield read(end, stream, step.value());
            }
            case DRAIN -> {
                yield drain(end, stream);
            }
            default -> {
                yield Outcome.NO_OP;
            }
        };
    }

    private String read(RingEnd end, TcpStream stream, int bytesMax) throws IOException {
        int count = stream.read(reading.clear().limit(Math.min(bytesMax, reading.capacity())));
        if (count > 0) {
            recordReceived(end, reading, 0, count);
        }
        return count < 0 ? "end" : count == 0 ? "would block" : "read";
    }

    private String drain(RingEnd end, TcpStream stream) throws IOException {
        RingEnd peer = end.peer;
        if (peer != null) {
            peer.full = false;
            peer.unread = 0;
        }
        String result = "read";
        while (result.equals("read")) {
            do {
                result = read(end, stream, reading.capacity());
            } while (result.equals("read"));
            if (result.equals("would block")) {
                settler.settle(this);
                result = read(end, stream, reading.capacity());
            }
        }
        return result;
    }

    // Operations by the ring.

    private String executeOnRing(RingStep step, RingEnd end) throws IOException {
        long handle = end.handle;
        switch (step.op()) {
            case SEND, GATHER, SEND_FROM_HEAP -> {
                boolean canSend = !end.isSending() && !end.closed && !end.failed && !end.outputEnded && fits(end, step.value());
                return canSend ? send(step, end) : Outcome.NO_OP;
            }
            case URGENT -> {
                if (end.isSending() || !isUrgentComparable(end)) {
                    return RingOutcome.SKIPPED; // its order relative to the pending send is unspecified
                }
                byte b = bytes(end, 1).get();
                boolean sent = proactor.sendUrgent(handle, b);
                end.sent += sent ? 1 : 0;
                end.urgentSent += sent ? 1 : 0;
                return end.everFilled && !sent ? "urgent" : "urgent " + sent;
            }
            case SHUTDOWN_OUTPUT -> {
                if (end.connecting || end.failed) {
                    return Outcome.NO_OP;
                }
                if (peerStopsOnNextReceive(end)) {
                    return RingOutcome.SKIPPED;
                }
                end.outputEnded |= !end.closed;
                proactor.shutdownOutput(handle);
            }
            case CLOSE, RESET -> {
                RingEnd peer = end.peer;
                // A poll does not always report an urgent byte that arrived together with the acknowledgement of a FIN.
                boolean urgentMayRace = peer != null
                        && ((peer.onRing && peer.pending > 0) || (end.outputEnded && peer.urgentSent > 0));
                if (!end.closed && (end.stopped || urgentMayRace || peerStopsOnNextReceive(end))) {
                    return RingOutcome.SKIPPED; // unspecified whether unread bytes remain, which would turn the close into a reset
                }
                close(end);
            }
            case RECEIVE -> {
                end.receiving |= !end.closed && !end.failed && !end.inputEnded;
                if (!end.inputEnded) {
                    proactor.receive(handle);
                }
            }
            case STOP_RECEIVING -> stop(end);
            case WATCH_URGENT -> {
                cancellationPending |= end.receiving && !end.watchesUrgent;
                end.watchesUrgent = true;
                proactor.watchUrgent(handle);
            }
            case ECHO -> {
                RingEnd peer = end.peer; // if both ends echoed, the echo would never end
                end.echoes = peer != null && !peer.echoes && !end.outputEnded && !end.stopsOnNextReceive && !end.stopped
                        && !end.closesOnNextReceive && !peer.closesOnNextReceive;
                end.echoed |= end.echoes;
                return skippedIf(end.stopped || (peer != null && peer.closesOnNextReceive));
            }
            case STOP_ON_NEXT_RECEIVE -> {
                RingEnd peer = end.peer;
                boolean isLast = peer != null && peer.closesOnNextReceive;
                end.stopsOnNextReceive = peer != null && !end.echoes && !peer.outputEnded && !peer.closed
                        && !end.closesOnNextReceive
                        && !end.stopped && !isLast;
                return skippedIf(end.stopped || isLast);
            }
            // Which bytes are echoed before the last completion depends on how many completions the input is split into.
            case CLOSE_ON_NEXT_RECEIVE -> {
                RingEnd peer = end.peer;
                boolean isEcho = peer != null && peer.echoes;
                end.closesOnNextReceive = !end.stopsOnNextReceive && !end.stopped && !end.echoes && !isEcho
                        && !peerStopsOnNextReceive(end);
                return skippedIf(end.stopped || end.echoes || isEcho || peerStopsOnNextReceive(end));
            }
            case FILL -> {
                return fill(end);
            }
            default -> {
                return Outcome.NO_OP;
            }
        }
        return "ok";
    }

    /** Returns true if the peer stops receiving on its next completion: what it still receives depends on how the bytes are split into completions. */
    private static boolean peerStopsOnNextReceive(RingEnd end) {
        return end.peer != null && end.peer.stopsOnNextReceive;
    }

    /**
     * Returns true if this close resets a peer whose send waits for room. Whether the peer first receives all bytes (on which it closes) and the end
     * of input depends on how they are split into completions.
     */
    private static boolean resetsPendingSendOfPeer(RingEnd end) {
        RingEnd peer = end.peer;
        return peer != null && peer.onRing && peer.full && end.unread > 0 && (peer.closesOnNextReceive || end.outputEnded);
    }

    private static String skippedIf(boolean unspecified) {
        return unspecified ? RingOutcome.SKIPPED : "ok";
    }

    private void close(RingEnd end) {
        end.everFilled |= end.isSending(); // whether pending bytes are still sent is unspecified
        end.closed = true;
        end.receiving = false;
        end.queue.clear();
        end.pending = 0;
        end.awaitsRoom = false;
        proactor.close(end.handle);
    }

    private void stop(RingEnd end) throws IOException {
        end.stopped |= end.receiving;
        cancellationPending |= end.receiving;
        end.receiving = false;
        proactor.stopReceiving(end.handle);
    }

    private String send(RingStep step, RingEnd end) throws IOException {
        ByteBuffer content = bytes(end, step.value());
        return switch (step.op()) {
            case GATHER -> {
                int third = content.remaining() / 3;
                yield send(end,
                        new ByteBuffer[]{content.slice(content.position(), third),
                            content.slice(content.position() + third, third),
                            content.slice(content.position() + 2 * third, content.remaining() - 2 * third)});
            }
            case SEND_FROM_HEAP -> send(end, new ByteBuffer[]{ByteBuffer.allocate(content.remaining()).put(content).flip()});
            default -> send(end, new ByteBuffer[]{content});
        };
    }

    private String send(RingEnd end, ByteBuffer[] parts) throws IOException {
        long length = 0;
        for (ByteBuffer part : parts) {
            length += part.remaining();
        }
        long accepted = proactor.send(end.handle, parts, 0, parts.length);
        if (accepted == Proactor.PENDING) {
            recordPending(end, parts, (int) length);
        } else {
            end.sent += accepted;
            end.awaitsRoom = accepted < length;
            end.everFilled |= accepted < length && !end.connecting;
        }
        return accepted == Proactor.PENDING ? "pending" : "at once";
    }

    private static void recordPending(RingEnd end, ByteBuffer[] parts, int length) {
        end.pending = length;
        end.pendingBytes = ByteBuffer.allocate(length);
        for (ByteBuffer part : parts) {
            end.pendingBytes.put(part.duplicate());
        }
        end.pendingBytes.flip();
    }

    private String fill(RingEnd end) throws IOException {
        RingEnd peer = end.peer;
        if (peer == null || peer.onRing || peer.closed || end.closed || end.failed || end.outputEnded || end.connecting
                || end.isSending()) {
            return Outcome.NO_OP;
        }
        end.everFilled = true;
        for (int i = 0; i < FILL_CHUNKS_MAX && !end.isSending() && !end.failed && !end.closed; i++) {
            send(end, new ByteBuffer[]{bytes(end, CHUNK_BYTES)});
            end.full = true;
            settler.settle(this);
        }
        end.full = end.isSending();
        return end.full ? "full" : "not full";
    }

    /** Returns true if {@code count} more bytes fit on any system even if the peer does not read, and counts them as unread. */
    private static boolean fits(RingEnd end, int count) {
        RingEnd peer = end.peer;
        boolean isRead = peer != null && peer.receiving;
        boolean comesBack = peer != null && peer.echoes && !end.receiving;
        if (end.unread + count > (isRead ? UNREAD_BYTES_MAX_RECEIVING : UNREAD_BYTES_MAX)
                || (comesBack && peer != null && peer.unread + count > UNREAD_BYTES_MAX)) {
            return false;
        }
        end.unread += count;
        if (comesBack && peer != null) {
            peer.unread += count;
        }
        return true;
    }

    private static ByteBuffer bytes(RingEnd end, int count) {
        return PATTERN.slice((int) (end.sent % PATTERN_PERIOD), count);
    }

    private void recordReceived(RingEnd end, ByteBuffer memory, int from, int count) {
        RingEnd peer = end.peer;
        if (peer != null && peer.urgentSent == 0 && !peer.echoed) {
            if (memory.slice(from, count).mismatch(PATTERN.slice((int) (end.received % PATTERN_PERIOD), count)) >= 0) {
                end.events.add("wrong bytes");
            }
        }
        end.received += count;
        for (int i = from; i < from + count; i++) {
            end.hash = 31 * end.hash + memory.get(i);
        }
    }

    // Completions.

    @Override
    public void accepted(long token, TcpStream stream) {
        try {
            listenerEvents += accepted(stream, true);
        } catch (IOException e) {
            listenerEvents += " " + e.getMessage();
        }
    }

    @Override
    public void acceptFailed(long token, IOException failure) {
        listenerEvents += " accept failed: " + failure.getMessage();
    }

    @Override
    public void connected(long handle) {
        RingEnd end = endOf(handle);
        end.connecting = false;
        end.events.add("connected");
    }

    @Override
    public void received(long handle, ByteBuffer memory, int from, int to) {
        RingEnd end = endOf(handle);
        recordReceived(end, memory, from, to - from);
        RingEnd peer = end.peer;
        if (end.closesOnNextReceive && peer != null && end.received == peer.sent + peer.pending) {
            close(end); // only on the last bytes: a close with unread bytes would be a reset
            return;
        }
        try {
            if (end.stopsOnNextReceive) {
                end.stopsOnNextReceive = false;
                stop(end);
            }
            if (end.echoes && !end.outputEnded && !end.failed && peer != null && !peer.closed) {
                if (end.isSending()) {
                    ByteBuffer copy = ByteBuffer.allocate(to - from);
                    end.queue.add(copy.put(memory.slice(from, to - from)).flip());
                } else {
                    echo(end, memory.slice(from, to - from));
                }
            }
        } catch (IOException e) {
            recordFailure(end, e);
        }
    }

    /** Sends a part back. Queues a copy of the bytes that are not accepted at once. */
    private void echo(RingEnd end, ByteBuffer part) throws IOException {
        long accepted = proactor.send(end.handle, new ByteBuffer[]{part}, 0, 1);
        if (accepted == Proactor.PENDING) {
            recordPending(end, new ByteBuffer[]{part}, part.remaining());
        } else {
            end.sent += accepted;
            if (part.hasRemaining()) {
                end.awaitsRoom = true;
                end.everFilled |= accepted > 0; // 0 is also returned while a send from a ring's buffer is in flight
                end.queue.addFirst(ByteBuffer.allocate(part.remaining()).put(part).flip());
            }
        }
    }

    @Override
    public void urgent(long handle, byte b) {
        RingEnd end = endOf(handle);
        end.events.add("urgent " + (char) b + " at " + end.received);
    }

    @Override
    public void inputEnded(long handle) {
        RingEnd end = endOf(handle);
        end.inputEnded = true;
        if (!end.failed) { // otherwise it is unspecified whether the other operation in flight reports an end
            end.events.add("input ended");
        }
    }

    @Override
    public void sent(long handle, long bytes) {
        RingEnd end = endOf(handle);
        end.sent += bytes;
        if (bytes > end.pending) {
            end.events.add("sent " + bytes + " of " + end.pending);
        }
        end.awaitsRoom = bytes < end.pending;
        if (end.awaitsRoom) {
            end.everFilled = true;
            if (!end.outputEnded) { // otherwise the output ended after the accepted bytes
                end.queue.addFirst(end.pendingBytes.position((int) bytes));
            }
        }
        end.pending = 0;
        try {
            while (!end.queue.isEmpty() && end.pending == 0 && !end.awaitsRoom) {
                echo(end, end.queue.removeFirst());
            }
        } catch (IOException e) {
            end.awaitsRoom = true; // the queued bytes were waiting for room
            recordFailure(end, e);
        }
    }

    @Override
    public void failed(long handle, IOException failure) {
        recordFailure(endOf(handle), failure);
    }

    /** Records the first failure only: a ring reports the failure of a send later, other engines at once. */
    private static void recordFailure(RingEnd end, IOException failure) {
        if (!end.failed) {
            end.failed = true;
            String code = failure instanceof NetworkException known ? known.code() + "" : failure.toString();
            // Of two operations in flight, one fails with the reset and the other with EPIPE; which one is unspecified.
            boolean either = end.isSending() && (code.equals("EPIPE") || code.equals("ECONNRESET"));
            end.events.add("failed " + (either ? "ECONNRESET or EPIPE" : code));
        }
        end.everFilled |= end.isSending();
        end.receiving = false;
        end.pending = 0;
        end.awaitsRoom = false;
        end.queue.clear();
    }

    @Override
    public void spinning(long handle, String description) {
        endOf(handle).events.add("spinning");
    }

    @Override
    public void closed(long handle) {
        RingEnd end = endOf(handle);
        end.released = true;
        end.events.add("closed");
        byHandle.remove(handle);
    }

    private RingEnd endOf(long handle) {
        RingEnd end = byHandle.get(handle);
        if (end == null) {
            throw new IllegalStateException("completion for a handle that is closed or unknown: " + handle);
        }
        return end;
    }

    /** Closes all sockets, streams with a reset. */
    @Override
    public void close() throws IOException {
        try (proactor; ringListener; plainListener) {
            for (RingEnd end : ends) {
                TcpStream stream = end == null ? null : end.stream;
                if (end != null && stream != null && !end.closed) {
                    try {
                        stream.setOption(StandardSocketOptions.SO_LINGER, 0);
                    } catch (IOException e) {
                        // Already disconnected: nothing lingers.
                    }
                    stream.close();
                }
            }
        }
    }
}
