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

/** Performs a script through a proactor and plain sockets, on one network, and writes down what was told. */
final class RingActor implements Completions, AutoCloseable {
    private static final int PERIOD = 61;
    private static final int PATTERN_BYTES = 1 << 18;
    /** What is sent: each byte by its place in the stream, so that one that is lost or repeated is seen. */
    private static final ByteBuffer PATTERN = pattern();
    private static final int CHUNK_BYTES = 16 * 1024;
    private static final int FILL_CHUNKS_MAX = 2000;
    private static final long MOMENT_NANOS = 50_000;
    private static final long LONG_NANOS = 5_000_000_000L;
    private static final int BACKLOG = 32;
    private static final int SMALL_BYTES = 4096;
    private static final int FITS_ANY = 30_000;
    private static final int FITS_ONE_WHO_READS = 60_000;

    private final Network network;
    private final RingSettling settling;
    private final Proactor proactor;
    private final TcpListener ringListener;
    private final TcpListener plainListener;
    private final InetSocketAddress nobody;
    private final @Nullable RingEnd[] ends = new RingEnd[2 * RingAuthor.CONNECTIONS];
    private final Map<Integer, RingEnd> initiators = new HashMap<>();
    private final Map<Long, RingEnd> byHandle = new HashMap<>();
    private final ByteBuffer reading = ByteBuffer.allocateDirect(1 << 16);
    private boolean accepting = true;
    /** Since everything came to rest, a receive was stopped, or is to be done otherwise. */
    private boolean cancels;
    private String listenerEvents = "";

    RingActor(Network network, InetAddress host, RingSettling settling) throws IOException {
        this.network = network;
        this.settling = settling;
        this.proactor = network.proactor();
        this.ringListener = network.listen(new InetSocketAddress(host, 0), BACKLOG);
        this.plainListener = network.listen(new InetSocketAddress(host, 0), BACKLOG);
        try (TcpListener gone = network.listen(new InetSocketAddress(host, 0), BACKLOG)) {
            nobody = gone.localAddress();
        }
        proactor.accept(ringListener, 1);
        proactor.poll(this, 0);
    }

    private static ByteBuffer pattern() {
        ByteBuffer pattern = ByteBuffer.allocateDirect(PATTERN_BYTES);
        for (int i = 0; i < PATTERN_BYTES; i++) {
            pattern.put((byte) ('A' + i % PERIOD));
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

    List<RingAnswer> perform(List<RingStep> steps) throws IOException {
        List<RingAnswer> answers = new ArrayList<>(steps.size());
        for (RingStep step : steps) {
            String result;
            try {
                result = tryTo(step);
            } catch (NetworkException e) {
                result = e.code() + "";
            }
            if (step.holds() && !closesByRing(step)) {
                answers.add(new RingAnswer(result, List.of()));
            } else {
                settling.settle(this);
                cancels = false;
                for (RingEnd end : ends) {
                    if (end != null && end.peer != null && end.peer.receiving) {
                        end.unread = 0;
                        end.peer.stopped = false;
                    }
                }
                answers.add(new RingAnswer(result + listenerEvents, describe()));
                listenerEvents = "";
            }
        }
        return answers;
    }

    /** A ring closes at once or with the next poll: what comes between is up to it. */
    private boolean closesByRing(RingStep step) {
        RingEnd end = step.end() < 0 ? null : ends[step.end()];
        return end != null && end.byRing && (step.op() == RingStep.Op.CLOSE || step.op() == RingStep.Op.RESET);
    }

    private List<RingAnswer.@Nullable End> describe() {
        List<RingAnswer.@Nullable End> all = new ArrayList<>();
        for (RingEnd end : ends) {
            all.add(end == null ? null : describe(end));
            if (end != null) {
                end.events.clear();
            }
        }
        return all;
    }

    private static RingAnswer.End describe(RingEnd end) {
        boolean stopped = end.byRing && !end.receiving;
        RingEnd peer = end.peer;
        boolean full = end.filled || (peer != null && peer.filled);
        String pending = end.isBusy() ? " still sends" : "";
        return new RingAnswer.End(end.events + pending, end.received, end.hash, end.sent,
                full ? RingAnswer.Open.FULL : stopped ? RingAnswer.Open.STOPPED : null);
    }

    private String tryTo(RingStep step) throws IOException {
        RingEnd end = step.end() < 0 ? null : ends[step.end()];
        return switch (step.op()) {
            case CONNECT -> connect(step.end(), step.value());
            case ACCEPT -> acceptPlain();
            case STOP_ACCEPTING -> {
                if (cancels) {
                    yield RingAnswer.LEFT_OUT; // it enters the ring at once: whether that comes before the cancellation is up to the ring
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
                proactor.poll(this, MOMENT_NANOS);
                yield "ok";
            }
            case WAKE -> {
                proactor.wakeup();
                long begun = network.clock().nanoTime();
                proactor.poll(this, 2 * LONG_NANOS);
                yield network.clock().nanoTime() - begun < LONG_NANOS ? "woken" : "not woken";
            }
            default -> end == null || (!end.byRing && end.closed) ? Answer.NOTHING
                    : end.byRing ? byRing(step, end) : byCalls(step, end);
        };
    }

    // Beginning.

    private String connect(int number, int how) throws IOException {
        RingEnd before = ends[number];
        RingEnd other = ends[number + 1];
        if ((before != null && !before.isOver()) || (other != null && !other.isOver())) {
            return Answer.NOTHING;
        }
        boolean toRing = (how & RingStep.TO_RING) != 0;
        boolean toNobody = (how & RingStep.TO_NOBODY) != 0;
        InetSocketAddress address = toNobody ? nobody : toRing ? ringListener.localAddress() : plainListener.localAddress();
        RingEnd end = new RingEnd(number, (how & RingStep.BY_RING) != 0, toRing && !toNobody);
        end.connecting = true;
        ends[number] = end;
        ends[number + 1] = null;
        int port;
        if (end.byRing) {
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

    /** A plain connect is done, or has failed. */
    void finishConnect(RingEnd end) throws IOException {
        TcpStream stream = end.stream;
        if (stream != null && end.connecting && !end.closed) {
            try {
                if (stream.finishConnect()) {
                    end.connecting = false;
                    stream.setOption(StandardSocketOptions.TCP_NODELAY, true);
                    end.fd = settling.descriptor(stream);
                }
            } catch (NetworkException e) {
                end.connecting = false;
                fails(end, e);
            }
        }
    }

    private String acceptPlain() throws IOException {
        String all = "";
        for (TcpStream stream = plainListener.accept(); stream != null; stream = plainListener.accept()) {
            all += accepted(stream, false);
        }
        return all.isEmpty() ? "no one" : all;
    }

    private String accepted(TcpStream stream, boolean byRing) throws IOException {
        RingEnd initiator = initiators.get(stream.remoteAddress().getPort());
        if (initiator == null || ends[initiator.number] != initiator) {
            stream.close();
            return " one from before";
        }
        stream.setOption(StandardSocketOptions.TCP_NODELAY, true);
        RingEnd end = new RingEnd(initiator.number + 1, byRing, true);
        end.fd = settling.descriptor(stream);
        end.peer = initiator;
        initiator.peer = end;
        ends[end.number] = end;
        if (byRing) {
            end.handle = proactor.adopt(stream);
            byHandle.put(end.handle, end);
        } else {
            end.stream = stream;
        }
        return " c" + initiator.number / 2;
    }

    /**
     * Nobody says when an urgent byte that is not watched for is read over, where much came at a time: a ring's receive does it at once, a read when
     * there is something to read; nor behind how many bytes it is told where receiving was stopped before.
     */
    private static boolean isUrgentSafe(RingEnd end) {
        RingEnd peer = end.peer;
        return peer != null
                && (!peer.byRing || (!peer.stopped && (peer.watchesUrgent || peer.received + end.sent < SMALL_BYTES)));
    }

    // By calls.

    private String byCalls(RingStep step, RingEnd end) throws IOException {
        TcpStream stream = Objects.requireNonNull(end.stream);
        finishConnect(end);
        if (end.connecting) {
            return "connecting";
        }
        return switch (step.op()) {
            case SEND, GATHER, SEND_FROM_HEAP -> {
                if (!fits(end, step.value())) {
                    yield Answer.NOTHING;
                }
                int taken = stream.write(bytes(end, step.value()));
                end.sent += taken;
                end.filled |= taken < step.value();
                end.full |= taken < step.value();
                yield end.filled ? "took some" : "took " + taken;
            }
            case URGENT -> {
                if (!isUrgentSafe(end)) {
                    yield RingAnswer.LEFT_OUT;
                }
                boolean sent = stream.sendUrgent(bytes(end, 1).get());
                end.sent += sent ? 1 : 0;
                end.urgentSent += sent ? 1 : 0;
                yield end.filled && !sent ? "urgent" : "urgent " + sent;
            }
            case FINISH -> {
                if (meetsAStop(end)) {
                    yield RingAnswer.LEFT_OUT;
                }
                end.finished = true;
                stream.shutdownOutput();
                yield "ok";
            }
            case CLOSE, RESET -> {
                if (meetsAStop(end) || meetsASend(end)) {
                    yield RingAnswer.LEFT_OUT;
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
                    yield RingAnswer.LEFT_OUT; // who makes a little room does not know for how much
                }
                yield read(end, stream, step.value());
            }
            case DRAIN -> {
                yield drain(end, stream);
            }
            default -> {
                yield Answer.NOTHING;
            }
        };
    }

    private String read(RingEnd end, TcpStream stream, int most) throws IOException {
        int count = stream.read(reading.clear().limit(Math.min(most, reading.capacity())));
        if (count > 0) {
            take(end, reading, 0, count);
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
                settling.settle(this);
                result = read(end, stream, reading.capacity());
            }
        }
        return result;
    }

    // By the ring.

    private String byRing(RingStep step, RingEnd end) throws IOException {
        long handle = end.handle;
        switch (step.op()) {
            case SEND, GATHER, SEND_FROM_HEAP -> {
                boolean may = !end.isBusy() && !end.closed && !end.failed && !end.finished && fits(end, step.value());
                return may ? send(step, end) : Answer.NOTHING;
            }
            case URGENT -> {
                if (end.isBusy() || !isUrgentSafe(end)) {
                    return RingAnswer.LEFT_OUT; // whether it comes before or after what is pending is not said
                }
                byte b = bytes(end, 1).get();
                boolean sent = proactor.sendUrgent(handle, b);
                end.sent += sent ? 1 : 0;
                end.urgentSent += sent ? 1 : 0;
                return end.filled && !sent ? "urgent" : "urgent " + sent;
            }
            case FINISH -> {
                if (end.connecting || end.failed) {
                    return Answer.NOTHING;
                }
                if (meetsAStop(end)) {
                    return RingAnswer.LEFT_OUT;
                }
                end.finished |= !end.closed;
                proactor.shutdownOutput(handle);
            }
            case CLOSE, RESET -> {
                RingEnd peer = end.peer;
                // An urgent byte that came with the acknowledgement of an end does not always seem readable to a poll.
                boolean races = peer != null && ((peer.byRing && peer.pending > 0) || (end.finished && peer.urgentSent > 0));
                if (!end.closed && (end.stopped || races || meetsAStop(end))) {
                    return RingAnswer.LEFT_OUT; // whether something is unread, which makes it a reset, is not said
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
                cancels |= end.receiving && !end.watchesUrgent;
                end.watchesUrgent = true;
                proactor.watchUrgent(handle);
            }
            case ECHO -> {
                RingEnd peer = end.peer; // if both echoed, they would never end
                end.echoes = peer != null && !peer.echoes && !end.finished && !end.stopsAtNext && !end.stopped
                        && !end.closesAtNext && !peer.closesAtNext;
                end.echoed |= end.echoes;
                return leftOutIf(end.stopped || (peer != null && peer.closesAtNext));
            }
            case STOP_AT_NEXT -> {
                RingEnd peer = end.peer;
                boolean isLast = peer != null && peer.closesAtNext;
                end.stopsAtNext = peer != null && !end.echoes && !peer.finished && !peer.closed && !end.closesAtNext
                        && !end.stopped && !isLast;
                return leftOutIf(end.stopped || isLast);
            }
            // What is echoed before the last of it, and which is the last of an echo, depends on how many completions it is.
            case CLOSE_AT_NEXT -> {
                RingEnd peer = end.peer;
                boolean isEcho = peer != null && peer.echoes;
                end.closesAtNext = !end.stopsAtNext && !end.stopped && !end.echoes && !isEcho && !meetsAStop(end);
                return leftOutIf(end.stopped || end.echoes || isEcho || meetsAStop(end));
            }
            case FILL -> {
                return fill(end);
            }
            default -> {
                return Answer.NOTHING;
            }
        }
        return "ok";
    }

    /** The other end is to stop with the next bytes: whether it is told of what comes behind them depends on how many completions they are. */
    private static boolean meetsAStop(RingEnd end) {
        return end.peer != null && end.peer.stopsAtNext;
    }

    /**
     * The other end has a send that waits for room, and this close, since nobody will make any, resets it: whether it is told before of all that came,
     * with which it is to close, and of the end behind that, depends on how many completions these are.
     */
    private static boolean meetsASend(RingEnd end) {
        RingEnd peer = end.peer;
        return peer != null && peer.byRing && peer.full && end.unread > 0 && (peer.closesAtNext || end.finished);
    }

    private static String leftOutIf(boolean open) {
        return open ? RingAnswer.LEFT_OUT : "ok";
    }

    private void close(RingEnd end) {
        end.filled |= end.isBusy(); // what was pending goes, or does not
        end.closed = true;
        end.receiving = false;
        end.queue.clear();
        end.pending = 0;
        end.awaitsRoom = false;
        proactor.close(end.handle);
    }

    private void stop(RingEnd end) throws IOException {
        end.stopped |= end.receiving;
        cancels |= end.receiving;
        end.receiving = false;
        proactor.stopReceiving(end.handle);
    }

    private String send(RingStep step, RingEnd end) throws IOException {
        ByteBuffer all = bytes(end, step.value());
        return switch (step.op()) {
            case GATHER -> {
                int third = all.remaining() / 3;
                yield send(end, new ByteBuffer[]{all.slice(all.position(), third), all.slice(all.position() + third, third),
                    all.slice(all.position() + 2 * third, all.remaining() - 2 * third)});
            }
            case SEND_FROM_HEAP -> send(end, new ByteBuffer[]{ByteBuffer.allocate(all.remaining()).put(all).flip()});
            default -> send(end, new ByteBuffer[]{all});
        };
    }

    private String send(RingEnd end, ByteBuffer[] parts) throws IOException {
        long length = 0;
        for (ByteBuffer part : parts) {
            length += part.remaining();
        }
        long taken = proactor.send(end.handle, parts, 0, parts.length);
        if (taken == Proactor.PENDING) {
            isPending(end, parts, (int) length);
        } else {
            end.sent += taken;
            end.awaitsRoom = taken < length;
            end.filled |= taken < length && !end.connecting;
        }
        return taken == Proactor.PENDING ? "pending" : "at once";
    }

    private static void isPending(RingEnd end, ByteBuffer[] parts, int length) {
        end.pending = length;
        end.pendingBytes = ByteBuffer.allocate(length);
        for (ByteBuffer part : parts) {
            end.pendingBytes.put(part.duplicate());
        }
        end.pendingBytes.flip();
    }

    private String fill(RingEnd end) throws IOException {
        RingEnd peer = end.peer;
        if (peer == null || peer.byRing || peer.closed || end.closed || end.failed || end.finished || end.connecting
                || end.isBusy()) {
            return Answer.NOTHING;
        }
        end.filled = true;
        for (int i = 0; i < FILL_CHUNKS_MAX && !end.isBusy() && !end.failed && !end.closed; i++) {
            send(end, new ByteBuffer[]{bytes(end, CHUNK_BYTES)});
            end.full = true;
            settling.settle(this);
        }
        end.full = end.isBusy();
        return end.full ? "full" : "not full";
    }

    /** Whether it fits on any system, even when nobody reads; notes that it was sent. */
    private static boolean fits(RingEnd end, int count) {
        RingEnd peer = end.peer;
        boolean isRead = peer != null && peer.receiving;
        boolean comesBack = peer != null && peer.echoes && !end.receiving;
        if (end.unread + count > (isRead ? FITS_ONE_WHO_READS : FITS_ANY)
                || (comesBack && peer != null && peer.unread + count > FITS_ANY)) {
            return false;
        }
        end.unread += count;
        if (comesBack && peer != null) {
            peer.unread += count;
        }
        return true;
    }

    private static ByteBuffer bytes(RingEnd end, int count) {
        return PATTERN.slice((int) (end.sent % PERIOD), count);
    }

    private void take(RingEnd end, ByteBuffer memory, int from, int count) {
        RingEnd peer = end.peer;
        if (peer != null && peer.urgentSent == 0 && !peer.echoed) {
            if (memory.slice(from, count).mismatch(PATTERN.slice((int) (end.received % PERIOD), count)) >= 0) {
                end.events.add("wrong bytes");
            }
        }
        end.received += count;
        for (int i = from; i < from + count; i++) {
            end.hash = 31 * end.hash + memory.get(i);
        }
    }

    // What is told.

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
        RingEnd end = of(handle);
        end.connecting = false;
        end.events.add("connected");
    }

    @Override
    public void received(long handle, ByteBuffer memory, int from, int to) {
        RingEnd end = of(handle);
        take(end, memory, from, to - from);
        RingEnd peer = end.peer;
        if (end.closesAtNext && peer != null && end.received == peer.sent + peer.pending) {
            close(end); // with the last of it: closing with more unread would be a reset
            return;
        }
        try {
            if (end.stopsAtNext) {
                end.stopsAtNext = false;
                stop(end);
            }
            if (end.echoes && !end.finished && !end.failed && peer != null && !peer.closed) {
                if (end.isBusy()) {
                    ByteBuffer copy = ByteBuffer.allocate(to - from);
                    end.queue.add(copy.put(memory.slice(from, to - from)).flip());
                } else {
                    echo(end, memory.slice(from, to - from));
                }
            }
        } catch (IOException e) {
            fails(end, e);
        }
    }

    /** What is not taken at once is kept, as a copy. */
    private void echo(RingEnd end, ByteBuffer part) throws IOException {
        long taken = proactor.send(end.handle, new ByteBuffer[]{part}, 0, 1);
        if (taken == Proactor.PENDING) {
            isPending(end, new ByteBuffer[]{part}, part.remaining());
        } else {
            end.sent += taken;
            if (part.hasRemaining()) {
                end.awaitsRoom = true;
                end.filled |= taken > 0; // nothing is taken, too, while a send from a ring's buffer is under way
                end.queue.addFirst(ByteBuffer.allocate(part.remaining()).put(part).flip());
            }
        }
    }

    @Override
    public void urgent(long handle, byte b) {
        RingEnd end = of(handle);
        end.events.add("urgent " + (char) b + " at " + end.received);
    }

    @Override
    public void inputEnded(long handle) {
        RingEnd end = of(handle);
        end.inputEnded = true;
        if (!end.failed) { // else it is left open whether the other operation that was under way tells of an end
            end.events.add("input ended");
        }
    }

    @Override
    public void sent(long handle, long bytes) {
        RingEnd end = of(handle);
        end.sent += bytes;
        if (bytes > end.pending) {
            end.events.add("sent " + bytes + " of " + end.pending);
        }
        end.awaitsRoom = bytes < end.pending;
        if (end.awaitsRoom) {
            end.filled = true;
            if (!end.finished) { // else the output has ended behind what was taken
                end.queue.addFirst(end.pendingBytes.position((int) bytes));
            }
        }
        end.pending = 0;
        try {
            while (!end.queue.isEmpty() && end.pending == 0 && !end.awaitsRoom) {
                echo(end, end.queue.removeFirst());
            }
        } catch (IOException e) {
            end.awaitsRoom = true; // what waited for room was under way
            fails(end, e);
        }
    }

    @Override
    public void failed(long handle, IOException failure) {
        fails(of(handle), failure);
    }

    /** The first time: a ring tells of a send's failure later where another tells at once. */
    private static void fails(RingEnd end, IOException failure) {
        if (!end.failed) {
            end.failed = true;
            String code = failure instanceof NetworkException known ? known.code() + "" : failure.toString();
            // Of two operations that are under way, one is told of the reset, and the other that there is no connection.
            boolean either = end.isBusy() && (code.equals("EPIPE") || code.equals("ECONNRESET"));
            end.events.add("failed " + (either ? "ECONNRESET or EPIPE" : code));
        }
        end.filled |= end.isBusy();
        end.receiving = false;
        end.pending = 0;
        end.awaitsRoom = false;
        end.queue.clear();
    }

    @Override
    public void spinning(long handle, String description) {
        of(handle).events.add("spinning");
    }

    @Override
    public void closed(long handle) {
        RingEnd end = of(handle);
        end.gone = true;
        end.events.add("closed");
        byHandle.remove(handle);
    }

    private RingEnd of(long handle) {
        RingEnd end = byHandle.get(handle);
        if (end == null) {
            throw new IllegalStateException("told of a handle that is gone, or never was: " + handle);
        }
        return end;
    }

    /** Closes what is open, streams by a reset. */
    @Override
    public void close() throws IOException {
        try (proactor; ringListener; plainListener) {
            for (RingEnd end : ends) {
                TcpStream stream = end == null ? null : end.stream;
                if (end != null && stream != null && !end.closed) {
                    try {
                        stream.setOption(StandardSocketOptions.SO_LINGER, 0);
                    } catch (IOException e) {
                        // Its connection is over: then there is nothing to be cut short.
                    }
                    stream.close();
                }
            }
        }
    }
}
