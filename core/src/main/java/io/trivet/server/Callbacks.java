package io.trivet.server;

import io.trivet.observe.CloseReason;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;

/**
 * Calls of handlers: the one place where an application's exception is caught. It costs the connection; an {@link Error} goes through and
 * stops the loop. One a loop; one thread, but for {@link #mark}.
 */
final class Callbacks {
    private static final VarHandle MARK;

    static {
        try {
            MARK = MethodHandles.lookup().findVarHandle(Callbacks.class, "mark", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final EventLoop loop;
    private final Log log;
    /** Moves at the beginning and at the end of every callback, so without a fence, and without asking the clock. */
    private long mark;
    /** How many are under way: within a task of the server's own, others are called. */
    private int depth;

    Callbacks(EventLoop loop, Log log) {
        this.loop = loop;
        this.log = log;
    }

    /** A handler's method. */
    private interface Call {
        void run() throws Exception;
    }

    /** Odd while a callback is under way, and another number for each. Any thread: the watchdog sees by it whether one goes on and on. */
    long mark() {
        return (long) MARK.getOpaque(this);
    }

    void message(Connection connection, ByteBuffer view) {
        begin();
        try {
            connection.handler().onMessage(connection, view);
        } catch (Exception e) {
            failed(connection, e);
        } finally {
            end();
        }
    }

    void open(Connection connection) {
        call(connection, () -> connection.handler().onOpen(connection));
    }

    void urgent(Connection connection, byte b) {
        call(connection, () -> connection.handler().onUrgent(connection, b));
    }

    void endOfInput(Connection connection) {
        call(connection, () -> connection.handler().onEndOfInput(connection));
    }

    void drained(Connection connection) {
        begin();
        try {
            connection.handler().onDrained(connection);
        } catch (Exception e) {
            failed(connection, e);
        } finally {
            end();
        }
    }

    void dropped(Connection connection, int messages, long bytes) {
        call(connection, () -> connection.handler().onDropped(connection, messages, bytes));
    }

    void closed(Connection connection, CloseReason reason) {
        call(connection, () -> connection.handler().onClose(connection, reason));
    }

    void timer(Connection connection, Runnable task) {
        call(connection, task::run);
    }

    /** A task that belongs to no connection: its exception is logged. */
    void task(Runnable task) {
        begin();
        try {
            task.run();
        } catch (Exception e) { // also one that was thrown without being declared
            log.taskFailed(e);
        } finally {
            end();
        }
    }

    private void call(Connection connection, Call call) {
        begin();
        try {
            call.run();
        } catch (Exception e) {
            failed(connection, e);
        } finally {
            end();
        }
    }

    private void failed(Connection connection, Exception failure) {
        log.handlerFailed(connection, failure);
        loop.endings().close(connection, CloseReason.HANDLER_FAILED);
    }

    // One within another is a new number too, and an odd one: many short ones in one task are not taken for a slow one.

    private void begin() {
        loop.leaveWait();
        MARK.setOpaque(this, mark + (depth++ == 0 ? 1 : 2));
    }

    private void end() {
        MARK.setOpaque(this, mark + (--depth == 0 ? 1 : 2));
    }
}
