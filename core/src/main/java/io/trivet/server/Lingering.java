package io.trivet.server;

import io.trivet.net.Loop;
import io.trivet.net.Proactor;
import io.trivet.observe.ConnectionState;
import java.io.IOException;

/**
 * The last steps of a graceful close: sends our FIN, then reads and drops what the peer still sends, bounded in bytes and time.
 * Closing with unread input would make the kernel reset the connection, which can destroy the last reply on its way. One thread.
 */
final class Lingering {
    private final Proactor proactor;
    private final ReadGate gate;
    private final ConnectionDeadlines deadlines;
    private final CloseRequests closeRequests;

    Lingering(Proactor proactor, ReadGate gate, ConnectionDeadlines deadlines, CloseRequests closeRequests) {
        this.proactor = proactor;
        this.gate = gate;
        this.deadlines = deadlines;
        this.closeRequests = closeRequests;
    }

    /** Sends our FIN: everything for the peer has been sent. If the connection is draining, starts to linger. */
    void endOutput(ConnectionRecord connection) {
        if (!connection.is(ConnectionRecord.OUTPUT_ENDED)) {
            connection.set(ConnectionRecord.OUTPUT_ENDED);
            try {
                proactor.shutdownOutput(connection.handle);
            } catch (IOException e) {
                closeRequests.fail(connection, e);
                return;
            }
        }
        if (connection.state() != ConnectionState.DRAINING || connection.inputSink() != null) {
            return; // a half-close: the peer may continue to send, for a relay even when everything else has ended
        }
        if (proactor.unsentBytes(connection.handle) > 0) { // of TLS's close_notify: called again when it was sent
            startDeadline(connection);
            return;
        }
        if (connection.is(ConnectionRecord.INPUT_ENDED)) {
            closeRequests.close(connection, connection.finishReason());
            return;
        }
        connection.state(ConnectionState.LINGERING);
        startDeadline(connection);
        gate.update(connection);
    }

    /** Starts the time within which the connection must have ended, unless it is running. */
    void startDeadline(ConnectionRecord connection) {
        if (connection.stateDeadlineNanos() == Loop.NO_DEADLINE) {
            deadlines.stateEndsIn(connection, connection.profile().limits().lingerTimeout());
        }
    }

    /** Drops bytes that arrived while lingering. Beyond the limit, closes the connection. */
    void received(ConnectionRecord connection, int bytes) {
        if (connection.addLingerBytes(bytes) > connection.profile().limits().lingerBytesMax()) {
            closeRequests.close(connection, connection.finishReason());
        }
    }

    /** The peer's FIN has arrived while lingering: closes the connection. */
    void inputEnded(ConnectionRecord connection) {
        closeRequests.close(connection, connection.finishReason());
    }
}
