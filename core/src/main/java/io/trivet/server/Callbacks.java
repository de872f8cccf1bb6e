package io.trivet.server;

import io.trivet.observe.CloseReason;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Calls handlers and tasks, and is the one place that catches their exceptions. A handler's exception ends its connection; a
 * task's is logged; an {@link Error} passes through and stops the loop. One thread.
 */
final class Callbacks {
    private final LoopActivity activity;
    private final CloseRequests closeRequests;
    private final Log log;

    Callbacks(LoopActivity activity, CloseRequests closeRequests, Log log) {
        this.activity = activity;
        this.closeRequests = closeRequests;
        this.log = log;
    }

    private interface Call {
        void run() throws Exception;
    }

    void message(ConnectionRecord connection, ByteBuffer view) {
        activity.beginCallback();
        try { // without a Call object, which would be garbage for each message
            connection.callMessage(view);
        } catch (Exception e) {
            failed(connection, e);
        } finally {
            activity.endCallback();
        }
    }

    void part(ConnectionRecord connection, ByteBuffer view, boolean last) {
        activity.beginCallback();
        try {
            connection.callPart(view, last);
        } catch (Exception e) {
            failed(connection, e);
        } finally {
            activity.endCallback();
        }
    }

    void delivered(ConnectionRecord connection) {
        activity.beginCallback();
        try {
            connection.callDelivered();
        } catch (RuntimeException e) {
            failed(connection, e);
        } finally {
            activity.endCallback();
        }
    }

    void secured(ConnectionRecord connection) {
        call(connection, connection::callSecured);
    }

    void drained(ConnectionRecord connection) {
        activity.beginCallback();
        try {
            connection.callDrained();
        } catch (Exception e) {
            failed(connection, e);
        } finally {
            activity.endCallback();
        }
    }

    void open(ConnectionRecord connection) {
        call(connection, connection::callOpen);
    }

    /** Asks a session to end. Returns false if the connection has none. */
    boolean drain(ConnectionRecord connection) {
        if (!connection.hasSession()) {
            return false;
        }
        activity.beginCallback();
        try {
            return connection.callDrain();
        } catch (RuntimeException e) {
            failed(connection, e);
            return true;
        } finally {
            activity.endCallback();
        }
    }

    void urgent(ConnectionRecord connection, byte b) {
        call(connection, () -> connection.callUrgent(b));
    }

    void endOfInput(ConnectionRecord connection) {
        call(connection, connection::callEndOfInput);
    }

    void dropped(ConnectionRecord connection, DroppedMessages dropped) {
        call(connection, () -> connection.callDropped(dropped));
    }

    void closed(ConnectionRecord connection, CloseReason reason) {
        call(connection, () -> connection.callClose(reason));
    }

    void timer(ConnectionRecord connection, Runnable task) {
        call(connection, task::run);
    }

    /**
     * Reads the next bytes of a transfer from its source, which is the application's code.
     *
     * @throws IOException the source has failed, with whatever exception
     */
    int read(Transfer transfer, ByteBuffer piece) throws IOException {
        activity.beginCallback();
        try {
            return transfer.source.read(piece, transfer.sent());
        } catch (RuntimeException e) {
            throw new IOException("the source of a transfer threw " + e, e);
        } finally {
            activity.endCallback();
        }
    }

    /** Closes the source of a transfer that has ended, and notifies its listener. */
    void transferred(ConnectionRecord connection, Transfer transfer, @Nullable IOException failure) {
        call(connection, () -> {
            try {
                transfer.source.close();
            } catch (IOException | RuntimeException e) {
                log.sourceNotClosed(connection, e);
            }
            transfer.completion.done(transfer.sent(), failure);
        });
    }

    /** Runs a task that belongs to no connection. */
    void task(Runnable task) {
        activity.beginCallback();
        try {
            task.run();
        } catch (Exception e) { // this includes checked exceptions that were thrown without being declared
            log.taskFailed(e);
        } finally {
            activity.endCallback();
        }
    }

    private void call(ConnectionRecord connection, Call call) {
        activity.beginCallback();
        try {
            call.run();
        } catch (Exception e) {
            failed(connection, e);
        } finally {
            activity.endCallback();
        }
    }

    /** A handler, or a session, has thrown: ends its connection. */
    void failed(ConnectionRecord connection, Throwable failure) {
        log.handlerFailed(connection, failure);
        closeRequests.endAfterSending(connection, CloseReason.HANDLER_FAILED);
    }
}
