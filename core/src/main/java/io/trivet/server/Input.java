package io.trivet.server;

import io.trivet.net.Proactor;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The way in, of one loop: received bytes are cut into messages and given to handlers; what cannot be given yet is held. One thread.
 */
@SuppressWarnings("ReferenceEquality") // buffers are compared by identity: equals would compare their bytes
final class Input {
    /** The messages given from one connection in a turn; the rest is given in the next, after the others had theirs. */
    static final int MESSAGES_PER_TURN_MAX = 1024;

    private final EventLoop loop;
    private final Proactor proactor;
    private final Output output;
    private final Callbacks callbacks;
    private final Budget budget;
    private final BufferPool pool;
    private final Framing framing;
    private final Limits limits;
    private final Framing.Frame frame = new Framing.Frame();
    /** Connections that have whole messages left to give, and no reason not to. */
    private final ArrayDeque<Connection> runnable = new ArrayDeque<>();
    /** The proactor's memory, and a view of it for handlers. */
    private @Nullable ByteBuffer memory;

    private @Nullable ByteBuffer memoryView;
    /** What messages are being given from: its memory stays until the handler has returned, whatever that does. */
    private @Nullable Held giving;

    Input(EventLoop loop, Proactor proactor, Output output, Callbacks callbacks, Budget budget, BufferPool pool,
            Server.Settings settings) {
        this.loop = loop;
        this.proactor = proactor;
        this.output = output;
        this.callbacks = callbacks;
        this.budget = budget;
        this.pool = pool;
        framing = settings.framing();
        limits = settings.limits();
    }

    boolean hasWork() {
        return !runnable.isEmpty();
    }

    /** Bytes have come for an open connection. */
    void received(Connection connection, ByteBuffer bytes, int from, int to) {
        Held held = connection.held();
        if (held == null && !isPaused(connection)) {
            giveReceived(connection, bytes, from, to);
            return;
        }
        hold(connection, bytes, from, to); // behind what is held already, or had completed before the receiving stopped
        if (!isPaused(connection) && !connection.is(Connection.RUNNABLE)) {
            giveHeld(connection);
        }
    }

    /** Gives what was left over by earlier turns; how many connections had something. */
    int giveLeft() {
        int count = runnable.size();
        for (int i = 0; i < count; i++) {
            Connection connection = runnable.removeFirst();
            connection.clear(Connection.RUNNABLE);
            giveHeld(connection);
        }
        return count;
    }

    private void giveReceived(Connection connection, ByteBuffer bytes, int from, int to) {
        output.beginDelivery(connection, bytes, to);
        int given;
        try {
            given = give(connection, bytes, viewOf(bytes), from, to, 0, true);
        } finally {
            output.endDelivery(connection);
        }
        if (given < to && connection.state() == ConnectionState.OPEN) {
            hold(connection, bytes, given, to);
            afterGiving(connection);
        }
        output.flush(connection);
    }

    private ByteBuffer viewOf(ByteBuffer bytes) {
        ByteBuffer view = memoryView;
        if (view == null || memory != bytes) {
            memory = bytes;
            view = bytes.asReadOnlyBuffer();
            memoryView = view;
        }
        return view;
    }

    private void giveHeld(Connection connection) {
        Held held = connection.held();
        if (held != null && connection.takesInput()) {
            output.beginDelivery(connection, null, 0);
            giving = held;
            int given;
            try {
                given = give(connection, held.buffer(), held.view(), held.from(), held.to(), held.scanned, false);
            } finally {
                giving = null;
                output.endDelivery(connection);
            }
            if (connection.held() == held) {
                held.givenTo(given, loop.now());
                afterGiving(connection);
            } else {
                held.release();
            }
        }
        if (connection.is(Connection.END_HELD) && connection.state() == ConnectionState.OPEN && mayGive(connection)) {
            connection.clear(Connection.END_HELD);
            tellEnd(connection);
        }
        updateReceiving(connection); // the handler may have paused and resumed, and all was given meanwhile
        output.flush(connection);
    }

    /** Gives whole messages until there is none, or the handler pauses or closes; the index behind the last one given. */
    private int give(Connection connection, ByteBuffer in, ByteBuffer view, int begin, int to, int scannedBefore,
            boolean inMemory) {
        int from = begin;
        int scanned = scannedBefore;
        int given = 0;
        while (from < to && connection.takesInput()) {
            if (given == MESSAGES_PER_TURN_MAX) {
                makeRunnable(connection);
                break;
            }
            // What is raw has no end that could come too late: it is cut where the longest message ends.
            int end = framing.isRaw() && to - from > limits.messageBytesMax() ? from + limits.messageBytesMax() : to;
            int next = framing.next(in, from, end, scanned, frame);
            boolean tooLong = next == Framing.INCOMPLETE
                    ? framing.lengthAtLeast(in, from, to) > limits.messageBytesMax()
                    : frame.to - frame.from > limits.messageBytesMax();
            if (tooLong) {
                loop.endings().close(connection, CloseReason.MESSAGE_TOO_LONG);
            }
            if (tooLong || next == Framing.INCOMPLETE) {
                break;
            }
            scanned = 0;
            from = next;
            given++;
            view.limit(frame.to).position(frame.from).order(ByteOrder.BIG_ENDIAN);
            output.delivering(inMemory ? view : null);
            callbacks.message(connection, view);
            output.afterMessage(connection);
        }
        if (given > 0) {
            connection.set(Connection.SPOKEN);
            loop.counters.add(Counters.MESSAGES_IN, given);
        }
        return from;
    }

    /** What is left is held: the beginning of a message, whose deadline runs; or whole messages, whose handler pauses. */
    private void afterGiving(Connection connection) {
        Held held = connection.held();
        if (held == null) {
            return;
        }
        if (held.bytes() == 0) {
            dropHeld(connection);
        } else {
            account(connection, held);
            if (mayGive(connection)) {
                held.scanned = held.bytes();
                if (!limits.messageTimeout().isZero()) {
                    loop.deadlineAtLatest(connection, held.begunNanos + Limits.nanos(limits.messageTimeout()));
                }
            }
        }
        updateReceiving(connection);
    }

    private void hold(Connection connection, ByteBuffer bytes, int from, int to) {
        Held held = connection.held();
        if (held == null) {
            held = new Held(pool, to - from, loop.now());
            connection.held(held);
        }
        held.add(bytes, from, to);
        account(connection, held);
    }

    /** What is held counts against the server's budget, so that many who send slowly have a bound together. */
    private void account(Connection connection, Held held) {
        int more = held.bytes() - held.budgetBytes;
        held.budgetBytes += more;
        if (!budget.take(more) && more > 0) {
            loop.endings().close(connection, CloseReason.BUDGET_EXCEEDED);
            dropHeld(connection); // at once, or the next ones of this turn would have to go for it as well
        }
    }

    /** Forgets what is held. */
    void dropHeld(Connection connection) {
        Held held = connection.held();
        if (held != null) {
            connection.held(null);
            budget.release(held.budgetBytes);
            if (held != giving) {
                held.release();
            }
        }
    }

    private void makeRunnable(Connection connection) {
        if (!connection.is(Connection.RUNNABLE)) {
            connection.set(Connection.RUNNABLE);
            runnable.addLast(connection);
            updateReceiving(connection);
        }
    }

    /** The peer's FIN has come; messages that are held come first. */
    void ended(Connection connection) {
        if (!mayGive(connection)) {
            connection.set(Connection.END_HELD);
        } else {
            tellEnd(connection);
        }
    }

    private void tellEnd(Connection connection) {
        dropHeld(connection); // a message that will never be whole
        connection.state(ConnectionState.INPUT_ENDED);
        callbacks.endOfInput(connection);
        if (connection.is(Connection.OUTPUT_FINISHED)) {
            loop.endings().finish(connection, CloseReason.FINISHED); // both have finished
        }
        output.flush(connection);
    }

    /** Whether a message's deadline runs: its rest is waited for, and not our own handler. */
    boolean awaitsRest(Connection connection) {
        return connection.held() != null && mayGive(connection);
    }

    private static boolean mayGive(Connection connection) {
        return !isPaused(connection) && !connection.is(Connection.RUNNABLE);
    }

    /** Whether nothing is read, whoever wants it so. */
    static boolean isPaused(Connection connection) {
        return connection.is(Connection.PAUSED_BY_APPLICATION | Connection.PAUSED_BY_QUEUE);
    }

    void pause(Connection connection, int why) {
        connection.set(why);
        updateReceiving(connection);
    }

    void resume(Connection connection, int why) {
        if (!connection.is(why)) {
            return;
        }
        connection.clear(why);
        if (!isPaused(connection) && connection.state() == ConnectionState.OPEN) {
            loop.firstMessageIsDue(connection); // it was we who let it wait
            Held held = connection.held();
            if (held != null) {
                held.begunNanos = loop.now();
            }
            if (held != null || connection.is(Connection.END_HELD)) {
                makeRunnable(connection); // not at once: this may be deep in a callback
            }
            updateReceiving(connection);
        }
    }

    /** Receives exactly while there is someone to give it to, or while it is dropped after our end. */
    void updateReceiving(Connection connection) {
        boolean wanted = switch (connection.state()) {
            case OPEN -> mayGive(connection) && !connection.is(Connection.INPUT_ENDED);
            case LINGERING -> !connection.is(Connection.INPUT_ENDED);
            case CONNECTING, INPUT_ENDED, DRAINING, CLOSED -> false;
        };
        if (wanted == connection.is(Connection.RECEIVING) || connection.handle < 0 || connection.isClosed()) {
            return;
        }
        try {
            if (wanted) {
                connection.set(Connection.RECEIVING);
                proactor.receive(connection.handle);
            } else {
                connection.clear(Connection.RECEIVING);
                proactor.stopReceiving(connection.handle);
            }
        } catch (IOException e) {
            loop.endings().failed(connection, e);
        }
    }
}
