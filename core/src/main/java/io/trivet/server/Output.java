package io.trivet.server;

import io.trivet.net.Loop;
import io.trivet.net.Proactor;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * The way out, of one loop: messages are taken, collected, sent, and kept when the socket refuses them. The loop's thread, but for
 * {@link #put}, which any thread may call.
 *
 * <p>Room in a connection's queue is reserved when a message is taken, and given back when it has left. The budget of the server counts
 * what is kept in a {@link Backlog}, and what other threads have sent and is on its way to the loop.
 */
@SuppressWarnings("ReferenceEquality") // buffers are compared by identity: equals would compare their bytes
final class Output {
    /** The bytes sent to one connection in a turn from its backlog. */
    static final int WRITE_BYTES_PER_TURN_MAX = 1 << 20;
    private static final int PARTS_MAX = 64;
    private static final int SPARE_BACKLOGS_MAX = 1024;
    /** Longer texts are encoded by the library, into an array of their own. */
    private static final int PLAIN_TEXT_MAX = 8192;

    private final EventLoop loop;
    private final Proactor proactor;
    private final Callbacks callbacks;
    private final Budget budget;
    private final BufferPool pool;
    private final Framing framing;
    private final byte[] tail;
    private final int headLength;
    private final long payloadMax;
    private final Limits limits;
    private final int queueBytesMax;
    private final int queueHighBytes;
    /** Always below the high one: who is told that there is room must find it. */
    private final int queueLowBytes;
    private final boolean pausesWhenHigh;
    private final boolean dropsOldest;
    private final Batch batch;
    private final ByteBuffer[] parts = new ByteBuffer[PARTS_MAX];
    private final ArrayDeque<InFlight> spareInFlight = new ArrayDeque<>();
    /** So that a broadcast, of which everybody's share waits until the end of the turn, makes no garbage. */
    private final ArrayDeque<Backlog> spareBacklogs = new ArrayDeque<>();
    /**
     * By slot: output that is on its way. It is not in {@link Extra}, since on a ring every message is on its way for a moment; nor in
     * {@link Connection}, where each idle one would pay for it. Empty where no send is ever pending. Others look on.
     */
    private @Nullable InFlight[] inFlight = new @Nullable InFlight[0];
    /** To be flushed at the end of the turn. */
    private final ArrayDeque<Connection> touched = new ArrayDeque<>();

    /** The connection whose input is being given to its handler: what is sent to it is collected. */
    private @Nullable Connection delivering;
    /** The view of the received memory that the handler was given; null: its message does not lie there. */
    private @Nullable ByteBuffer message;
    /**
     * A handler is being told of drops. What is dropped by what it sends is not told by itself, or a handler that answers each drop would be
     * told for ever: it is added up, until something else is dropped or the queue is empty.
     */
    private boolean tellingDrops;

    Output(EventLoop loop, Proactor proactor, Callbacks callbacks, Budget budget, BufferPool pool, Server.Settings settings) {
        this.loop = loop;
        this.proactor = proactor;
        this.callbacks = callbacks;
        this.budget = budget;
        this.pool = pool;
        batch = new Batch();
        framing = settings.framing();
        tail = framing.tail();
        headLength = framing.headLength();
        payloadMax = framing.messageBytesMax();
        limits = settings.limits();
        queueBytesMax = limits.queueBytesMax();
        queueHighBytes = limits.queueHighBytes();
        queueLowBytes = Math.min(limits.queueLowBytes(), queueHighBytes - 1);
        pausesWhenHigh = settings.overflow() == Overflow.PAUSE_READING;
        dropsOldest = settings.overflow() == Overflow.DROP_OLDEST;
    }

    // ---- taking

    /** Takes a message: see {@link Connection#send(ByteBuffer)}. Any thread. */
    SendResult put(Connection connection, ByteBuffer content, boolean ahead) {
        int length = frameLength(content.remaining());
        if (!connection.takesMessages()) {
            return SendResult.CLOSED;
        }
        if (length == 0) { // without a frame, an empty message is nothing that could wait, or leave
            return SendResult.QUEUED;
        }
        if (!loop.isOwnThread()) {
            return putFromOutside(connection, content, length, ahead);
        }
        if (!makeRoom(connection, length)) {
            return SendResult.FULL;
        }
        loop.counters.add(Counters.MESSAGES_OUT, 1);
        if (ahead || !joinsBatch(connection, length)) {
            append(connection, content, length, ahead);
        } else if (content == message && headLength == 0) {
            batch.addReceived(content.position(), content.limit(), tail);
            content.position(content.limit());
        } else {
            ByteBuffer staging = batch.staging();
            int start = staging.position();
            framing.putHead(staging, content.remaining());
            staging.put(content).put(tail);
            batch.addStaged(start);
        }
        return SendResult.QUEUED;
    }

    /** Takes a text; a plain one is encoded right where it is sent from. Any thread. */
    SendResult put(Connection connection, String text) {
        int chars = text.length();
        int length = chars <= PLAIN_TEXT_MAX ? frameLength(chars) : 0;
        boolean collected = length > 0 && loop.isOwnThread() && connection.takesMessages() && joinsBatch(connection, length);
        if (!collected || !isPlain(text)) {
            return put(connection, ByteBuffer.wrap(Connection.utf8(text)), false);
        }
        if (!makeRoom(connection, length)) {
            return SendResult.FULL;
        }
        loop.counters.add(Counters.MESSAGES_OUT, 1);
        if (!joinsBatch(connection, length)) { // making room has filled the socket
            append(connection, ByteBuffer.wrap(Connection.utf8(text)), length, false);
            return SendResult.QUEUED;
        }
        ByteBuffer staging = batch.staging();
        int start = staging.position();
        framing.putHead(staging, chars);
        int at = staging.position();
        for (int i = 0; i < chars; i++) {
            staging.put(at + i, (byte) text.charAt(i));
        }
        staging.position(at + chars).put(tail);
        batch.addStaged(start);
        return SendResult.QUEUED;
    }

    private static boolean isPlain(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) >= 0x80) {
                return false;
            }
        }
        return true;
    }

    private int frameLength(int payload) {
        return payload <= payloadMax ? headLength + payload + tail.length : frameLength(framing, payload);
    }

    private static int frameLength(Framing framing, int payload) {
        if (payload > framing.messageBytesMax()) {
            throw new IllegalArgumentException(
                    "a message of " + payload + " bytes does not fit into its frame, which holds " + framing.messageBytesMax());
        }
        return framing.headLength() + payload + framing.tail().length;
    }

    private SendResult putFromOutside(Connection connection, ByteBuffer content, int length, boolean ahead) {
        // Dropping is the loop's business: until it comes to it, as much again may be on its way.
        long bytesMax = dropsOldest ? Math.min(Integer.MAX_VALUE, 2L * queueBytesMax) : queueBytesMax;
        if (!connection.reserve(length, (int) bytesMax, queueHighBytes)) {
            return SendResult.FULL;
        }
        if (!connection.takesMessages()) { // looked at again: from the reservation on, the loop waits for what was reserved
            giveUp(connection, length);
            return SendResult.CLOSED;
        }
        if (!budget.take(length)) {
            budget.release(length);
            giveUp(connection, length);
            loop.run(() -> loop.endings().close(connection, CloseReason.BUDGET_EXCEEDED));
            return SendResult.CLOSED;
        }
        ByteBuffer copy = ByteBuffer.allocate(content.remaining()).put(content.duplicate()).flip();
        try {
            loop.execute(() -> arrive(connection, copy, length, ahead));
        } catch (RejectedExecutionException e) {
            budget.release(length);
            giveUp(connection, length);
            return loop.isStopped() ? SendResult.CLOSED : SendResult.FULL;
        }
        content.position(content.limit());
        return SendResult.QUEUED;
    }

    /** What was reserved from outside does not come: the loop may have seen the reservation, and wait for it. */
    private void giveUp(Connection connection, int length) {
        connection.release(1, length);
        loop.run(() -> touch(connection));
    }

    /** A message from another thread, which was reserved there, arrives on the loop. */
    private void arrive(Connection connection, ByteBuffer content, int length, boolean ahead) {
        budget.release(length); // on its way it was counted; what is kept of it is counted anew
        if (connection.isClosed()) {
            connection.release(1, length);
            return;
        }
        loop.counters.add(Counters.MESSAGES_OUT, 1);
        append(connection, content, length, ahead);
        if (dropsOldest && connection.queuedBytes() > queueBytesMax) {
            dropOldest(connection, 0);
        }
    }

    /** Takes a broadcast's message, which stands in its frame and is shared by all who are sent it. */
    void putShared(Connection connection, ByteBuffer framed) {
        int length = framed.remaining();
        if (length == 0 || !connection.takesMessages()) {
            return;
        }
        if (!makeRoom(connection, length)) {
            loop.endings().close(connection, CloseReason.QUEUE_FULL);
            return;
        }
        loop.counters.add(Counters.MESSAGES_OUT, 1);
        keepBatch(connection);
        backlogOf(connection).ordinary().putShared(framed.duplicate(), loop.now());
        kept(connection, length);
    }

    /** A message in its frame, in memory of its own. */
    static ByteBuffer frame(Framing framing, ByteBuffer content) {
        byte[] tail = framing.tail();
        ByteBuffer framed = ByteBuffer.allocateDirect(frameLength(framing, content.remaining()));
        framing.putHead(framed, content.remaining());
        return framed.put(content).put(tail).flip();
    }

    private boolean makeRoom(Connection connection, int length) {
        if (connection.reserve(length, queueBytesMax, queueHighBytes)) {
            return true;
        }
        if (connection == delivering && !batch.isEmpty()) {
            sendBatch(connection); // what was only collected may still leave
            if (connection.reserve(length, queueBytesMax, queueHighBytes)) {
                return true;
            }
        }
        return dropsOldest && dropOldest(connection, length) && connection.reserve(length, queueBytesMax, queueHighBytes);
    }

    /** Drops the oldest messages until one of that length fits; whether any was dropped. */
    private boolean dropOldest(Connection connection, int length) {
        Backlog backlog = connection.backlog();
        if (backlog == null || length > queueBytesMax) {
            return false;
        }
        int messages = 0;
        long bytes = 0;
        while (connection.queuedBytes() + (long) length > queueBytesMax) {
            int dropped = backlog.dropOldest();
            if (dropped < 0) {
                break;
            }
            connection.release(1, dropped);
            budget.release(dropped);
            messages++;
            bytes += dropped;
        }
        if (messages > 0) {
            loop.counters.add(Counters.DROPPED, messages);
            if (tellingDrops || connection.state() == ConnectionState.CONNECTING) {
                connection.untold(new Dropped(messages, bytes).and(connection.untold()));
            } else {
                Dropped dropped = new Dropped(messages, bytes);
                loop.runLater(() -> tellDropped(connection, dropped)); // its handler stands in a send
            }
        }
        return messages > 0;
    }

    /** Drops are told, and those with them that were not told yet. */
    private void tellDropped(Connection connection, Dropped dropped) {
        if (connection.mayBeToldOfDrops()) {
            Dropped all = dropped.and(connection.untold());
            connection.untold(null);
            tellingDrops = true;
            try {
                callbacks.dropped(connection, all.messages(), all.bytes());
            } finally {
                tellingDrops = false;
            }
        }
    }

    /** Drops that could not be told when they happened are told now, if there are any. */
    void tellUntold(Connection connection) {
        Dropped untold = connection.untold();
        if (untold != null) {
            connection.untold(null);
            tellDropped(connection, untold);
        }
    }

    // ---- collecting what a handler answers to its input

    /** Messages are given from received memory, whose bytes end at that index; null: from memory of our own. */
    void beginDelivery(Connection connection, @Nullable ByteBuffer memory, int to) {
        delivering = connection;
        if (memory != null) {
            batch.receiveFrom(memory, to);
        }
    }

    /** The message that is given next; null: it does not lie in the received memory. */
    void delivering(@Nullable ByteBuffer view) {
        message = view;
    }

    /** So that a handler that answers much with much is stopped by the marks in between. */
    void afterMessage(Connection connection) {
        message = null;
        if (connection.hasReachedHigh()) {
            sendBatch(connection);
            flush(connection);
        }
    }

    void endDelivery(Connection connection) {
        message = null;
        sendBatch(connection);
        delivering = null;
    }

    /** Whether a message is collected: it is an answer, and nothing is before it that must leave first. */
    private boolean joinsBatch(Connection connection, int length) {
        if (connection != delivering) {
            return false;
        }
        if (!batch.hasRoom(length)) {
            sendBatch(connection);
        }
        return connection.backlog() == null && inFlight(connection) == null && batch.hasRoom(length) && !connection.isClosed();
    }

    private void sendBatch(Connection connection) {
        if (batch.isEmpty()) {
            return;
        }
        int bytes = batch.bytes();
        long taken = 0;
        ByteBuffer[] from = batch.parts();
        if (!connection.isClosed() && inFlight(connection) == null && !connection.is(Connection.BLOCKED)) {
            try {
                taken = send(connection, from, batch.partCount(), bytes);
            } catch (IOException e) {
                loop.endings().failed(connection, e);
            }
        }
        if (connection.isClosed()) {
            connection.release(batch.messages(), bytes);
        } else if (taken == Proactor.PENDING) {
            inFlight(connection, newInFlight().batch(batch, loop.now()));
            connection.set(Connection.BLOCKED);
            guardWriting(connection);
        } else if (taken == bytes) {
            left(connection, batch.messages(), taken);
        } else {
            connection.set(Connection.BLOCKED);
            Backlog rest = backlogOf(connection);
            int gone = batch.spill(taken, rest.ordinary(), loop.now());
            rest.isBehindUnsent = taken == 0 && proactor.unsentBytes(connection.handle) > 0;
            left(connection, gone, taken);
            kept(connection, bytes - taken);
        }
        batch.clear();
    }

    // ---- keeping what is not sent at once

    private void append(Connection connection, ByteBuffer content, int length, boolean ahead) {
        keepBatch(connection);
        Backlog backlog = backlogOf(connection);
        Lane lane = ahead ? backlog.first() : backlog.ordinary();
        lane.begin(length);
        if (headLength > 0) {
            ByteBuffer head = ByteBuffer.allocate(headLength);
            framing.putHead(head, content.remaining());
            lane.put(head.flip(), loop.now());
        }
        lane.put(content, loop.now());
        if (tail.length > 0) {
            lane.put(ByteBuffer.wrap(tail), loop.now());
        }
        kept(connection, length);
    }

    /** Whoever puts something into the backlog does this first: what was collected is before it. */
    private void keepBatch(Connection connection) {
        if (connection == delivering && !batch.isEmpty()) {
            int bytes = batch.bytes();
            batch.parts();
            batch.spill(0, backlogOf(connection).ordinary(), loop.now());
            batch.clear();
            kept(connection, bytes);
        }
    }

    private Backlog backlogOf(Connection connection) {
        Backlog backlog = connection.backlog();
        if (backlog == null) {
            backlog = newBacklog(loop.now());
            connection.backlog(backlog);
        }
        return backlog;
    }

    private Backlog newBacklog(long sinceNanos) {
        Backlog spare = spareBacklogs.pollLast();
        return spare == null ? new Backlog(pool, sinceNanos) : spare.beginAgain(sinceNanos);
    }

    /** So much was put into the backlog. */
    private void kept(Connection connection, long bytes) {
        if (!budget.take(bytes)) {
            loop.endings().close(connection, CloseReason.BUDGET_EXCEEDED);
            releaseBacklog(connection); // at once, or the next ones of this turn would have to go for it as well
            return;
        }
        guardWriting(connection);
        touch(connection);
    }

    void touch(Connection connection) {
        if (!connection.is(Connection.TOUCHED)) {
            connection.set(Connection.TOUCHED);
            touched.addLast(connection);
        }
    }

    boolean hasWork() {
        return !touched.isEmpty();
    }

    // ---- sending

    int flushTouched() {
        int count = touched.size();
        for (int i = 0; i < count; i++) {
            Connection connection = touched.removeFirst();
            connection.clear(Connection.TOUCHED);
            flush(connection);
        }
        return count;
    }

    /** The socket has room again; or a pending send is over: it has left whole, or the socket is full and the rest waits for room. */
    void sent(Connection connection, long bytes) {
        InFlight pending = inFlight(connection);
        boolean isFull = pending != null && bytes < pending.bytes();
        if (pending != null) {
            inFlight(connection, null);
            if (pending.backlog() != null) {
                leftOfBacklog(connection, pending.backlog(), bytes);
            } else if (isFull) {
                leftOfBatch(connection, pending, bytes);
            } else {
                left(connection, pending.messages(), bytes);
            }
            giveBack(pending);
        }
        Backlog waiting = connection.backlog();
        boolean wasBehindUnsent = waiting != null && waiting.isBehindUnsent;
        if (bytes > 0 || wasBehindUnsent || (pending != null && !isFull)) {
            connection.active(loop.now());
            if (waiting != null) {
                waiting.progressNanos = loop.now(); // the peer has taken what was before it
                waiting.isBehindUnsent = false;
            }
        }
        if (isFull) {
            guardWriting(connection);
        } else {
            connection.clear(Connection.BLOCKED);
        }
        flush(connection);
    }

    private void leftOfBacklog(Connection connection, Backlog backlog, long bytes) {
        backlog.advance(bytes);
        leftBacklog(connection, backlog, bytes);
        if (backlog.isEmpty()) {
            giveBack(backlog);
        } else {
            putBefore(connection, backlog);
        }
    }

    /** The socket has not taken all of a batch: the rest of it waits like everything else. */
    private void leftOfBatch(Connection connection, InFlight pending, long bytes) {
        Backlog rest = newBacklog(pending.sinceNanos());
        int gone = pending.spill(bytes, rest.ordinary());
        left(connection, gone, bytes);
        putBefore(connection, rest);
        kept(connection, pending.bytes() - bytes);
    }

    /** What is before everything that came while it was pending. */
    private void putBefore(Connection connection, Backlog backlog) {
        Backlog newer = connection.backlog();
        if (newer != null) {
            backlog.add(newer);
            giveBack(newer);
        }
        connection.backlog(backlog);
    }

    /**
     * Sends. What is pending cannot be dropped, so a queue that drops the oldest never has more than half of it pending: whatever is no
     * longer than the other half finds room.
     */
    private long send(Connection connection, ByteBuffer[] from, int count, long bytes) throws IOException {
        return dropsOldest && bytes > queueBytesMax / 2
                ? proactor.sendNow(connection.handle, from, 0, count)
                : proactor.send(connection.handle, from, 0, count);
    }

    /** Sends what waits, as far as the socket takes it, and does what follows from the queue's new level. */
    void flush(Connection connection) {
        if (connection.isClosed() || connection.state() == ConnectionState.CONNECTING) {
            return;
        }
        Backlog backlog = connection.backlog();
        if (backlog != null && inFlight(connection) == null && !connection.is(Connection.BLOCKED)) {
            connection.backlog(null); // newer messages do not join what is pending
            sendBacklog(connection, backlog);
        }
        if (!connection.isClosed()) {
            checkMarks(connection);
        }
        if (dropsOldest && connection.queuedMessages() == 0) {
            tellUntold(connection);
        }
        // Not before those came that other threads have been promised to send.
        if (connection.awaitsEndOfOutput() && connection.queuedMessages() == 0 && connection != delivering
                && inFlight(connection) == null && !awaitsUnsent(connection)) {
            loop.endings().endOutput(connection);
        }
    }

    /** What the proactor has called taken leaves before an end, within the time for writing: the end is not orderly otherwise. */
    private boolean awaitsUnsent(Connection connection) {
        if (connection.is(Connection.OUTPUT_ENDED) || proactor.unsentBytes(connection.handle) == 0) {
            return false;
        }
        inFlight(connection, newInFlight().nothing(loop.now()));
        connection.set(Connection.BLOCKED);
        guardWriting(connection);
        return true;
    }

    private void sendBacklog(Connection connection, Backlog backlog) {
        long sent = 0;
        while (!backlog.isEmpty() && sent < WRITE_BYTES_PER_TURN_MAX && !connection.is(Connection.BLOCKED)) {
            int count = backlog.parts(parts);
            long offered = 0;
            for (int i = 0; i < count; i++) {
                offered += parts[i].remaining();
            }
            long taken;
            try {
                // Without a frame, an empty message has no bytes that a buffer could hold: there may be none.
                taken = offered == 0 ? 0 : send(connection, parts, count, offered);
            } catch (IOException e) {
                connection.backlog(backlog);
                loop.endings().failed(connection, e);
                return;
            }
            if (taken == Proactor.PENDING) {
                inFlight(connection, newInFlight().backlog(backlog, offered, loop.now()));
                connection.set(Connection.BLOCKED);
                guardWriting(connection);
                return;
            }
            leftBacklog(connection, backlog, taken);
            sent += taken;
            if (taken < offered) {
                connection.set(Connection.BLOCKED);
                backlog.isBehindUnsent = taken == 0 && proactor.unsentBytes(connection.handle) > 0;
            }
        }
        if (backlog.isEmpty()) {
            giveBack(backlog);
        } else {
            connection.backlog(backlog);
            guardWriting(connection);
            if (!connection.is(Connection.BLOCKED)) {
                touch(connection); // the others first
            }
        }
    }

    private void leftBacklog(Connection connection, Backlog backlog, long bytes) {
        int gone = backlog.sent(bytes, loop.now());
        budget.release(bytes);
        left(connection, gone, bytes);
    }

    /** Messages and bytes have been handed to the kernel. */
    private void left(Connection connection, int messages, long bytes) {
        connection.release(messages, bytes);
        connection.bytesOut += bytes;
        if (bytes > 0) { // an attempt is no sign of life
            connection.active(loop.now());
        }
        loop.counters.add(Counters.BYTES_OUT, bytes);
    }

    private void guardWriting(Connection connection) {
        long progressNanos = connection.writingSinceNanos();
        if (progressNanos != Loop.NO_DEADLINE && !limits.writeTimeout().isZero()) {
            loop.deadlineAtLatest(connection, progressNanos + Limits.nanos(limits.writeTimeout()));
        }
    }

    private void checkMarks(Connection connection) {
        if (!connection.hasReachedHigh()) {
            return;
        }
        if (connection.forgetHighAt(queueLowBytes)) {
            loop.resume(connection, Connection.PAUSED_BY_QUEUE);
            if (connection.takesMessages()) {
                callbacks.drained(connection);
            }
        } else if (pausesWhenHigh && !connection.is(Connection.PAUSED_BY_QUEUE)) {
            loop.pause(connection, Connection.PAUSED_BY_QUEUE);
        }
    }

    void sendUrgent(Connection connection, byte b) {
        boolean canSend = switch (connection.state()) {
            case OPEN, INPUT_ENDED, DRAINING -> !connection.is(Connection.OUTPUT_ENDED);
            case CONNECTING, LINGERING, CLOSED -> false;
        };
        if (!canSend) {
            return;
        }
        try {
            proactor.sendUrgent(connection.handle, b);
        } catch (IOException e) {
            loop.endings().failed(connection, e);
        }
    }

    /** Gives back all memory and the budget of a connection that is gone. */
    void release(Connection connection) {
        releaseBacklog(connection);
        InFlight pending = inFlight(connection);
        if (pending != null) {
            inFlight(connection, null);
            if (pending.backlog() != null) {
                release(connection, pending.backlog());
            } else {
                connection.release(pending.messages(), pending.bytes());
            }
            giveBack(pending);
        }
    }

    private void releaseBacklog(Connection connection) {
        Backlog backlog = connection.backlog();
        if (backlog != null) {
            connection.backlog(null);
            release(connection, backlog);
        }
    }

    /** What is on its way to a connection; null: nothing. Any thread, as it happens to be. */
    @Nullable
    InFlight inFlight(Connection connection) {
        int slot = Proactor.slot(connection.handle);
        @Nullable InFlight[] all = inFlight;
        return slot >= 0 && slot < all.length ? all[slot] : null;
    }

    private void inFlight(Connection connection, @Nullable InFlight pending) {
        int slot = Proactor.slot(connection.handle);
        if (slot >= inFlight.length) {
            inFlight = Arrays.copyOf(inFlight, Math.max(slot + 1, inFlight.length * 2));
        }
        inFlight[slot] = pending;
    }

    private InFlight newInFlight() {
        InFlight spare = spareInFlight.pollLast();
        return spare == null ? new InFlight() : spare;
    }

    /** A pending send is over. */
    private void giveBack(InFlight over) {
        Batch.Staging staging = over.staging();
        if (staging != null) {
            batch.giveBack(staging);
        }
        spareInFlight.addLast(over);
    }

    private void release(Connection connection, Backlog backlog) {
        budget.release(backlog.bytes());
        connection.release(backlog.messages(), backlog.bytes());
        giveBack(backlog);
    }

    /** No connection has it any more: the next that must wait takes it. */
    private void giveBack(Backlog over) {
        over.clear();
        if (spareBacklogs.size() < SPARE_BACKLOGS_MAX && over.isSmall()) {
            spareBacklogs.addLast(over);
        }
    }
}
