package io.trivet.server;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.tls.TlsException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/**
 * Changes connections from plaintext to TLS at a message boundary. What was accepted before is sent in plaintext first; what is
 * accepted afterwards waits for the handshake. Input that has arrived as plaintext behind the boundary ends the connection: it must
 * not be taken for something that was sent under TLS (CVE-2021-33515). Loop thread.
 */
final class StartTls {
    private final Handshakes handshakes;
    private final ReadGate gate;
    private final Sender sender;
    private final CloseRequests closeRequests;
    /** Connections whose plaintext was sent. Their handshakes start at the end of the turn, after all deliveries. */
    private final ArrayDeque<ConnectionRecord> ready = new ArrayDeque<>();

    StartTls(Handshakes handshakes, ReadGate gate, Sender sender, CloseRequests closeRequests) {
        this.handshakes = handshakes;
        this.gate = gate;
        this.sender = sender;
        this.closeRequests = closeRequests;
    }

    /**
     * Checks that a connection can change to TLS now.
     *
     * @throws IllegalStateException it cannot
     */
    void check(ConnectionRecord connection) {
        if (!handshakes.isPossible()) {
            throw new IllegalStateException("the server was built without TLS: call enableTls() on its builder");
        }
        if (connection.profile().tls() != null) {
            throw new IllegalStateException("the connection uses TLS already");
        }
        if (connection.partBytesLeft() != ColdState.NO_PARTS) {
            throw new IllegalStateException("parts of a message are being received");
        }
        if (connection.inputSink() != null) {
            throw new IllegalStateException("the input is being relayed");
        }
        if (connection.state() != ConnectionState.OPEN && !connection.isClosed()) {
            throw new IllegalStateException("the connection is " + connection.state() + ", and must be OPEN");
        }
    }

    /** Closes a connection whose peer has ended its output before the handshake. */
    void failEnded(ConnectionRecord connection) {
        connection.failure(new TlsException("the peer has ended its output before the handshake", null));
        closeRequests.close(connection, CloseReason.HANDSHAKE_FAILED);
    }

    /** Starts the change of an open connection whose profile has TLS now. */
    void begin(ConnectionRecord connection) {
        gate.pause(connection, ConnectionRecord.STARTING_TLS);
        // An empty message behind everything that was accepted: when it has left, the plaintext was sent.
        Transfer boundary = new Transfer(ByteBuffer.allocate(0), (bytes, failure) -> {
            if (failure == null) {
                connection.set(ConnectionRecord.PLAINTEXT_SENT);
                ready.addLast(connection);
            }
        });
        connection.reserve(0, Integer.MAX_VALUE, Integer.MAX_VALUE);
        sender.queueTransfer(connection, boundary);
    }

    /** Starts the handshakes of the connections whose plaintext was sent, and returns how many there were. */
    int startReady() {
        int done = 0;
        for (ConnectionRecord connection = ready.pollFirst(); connection != null; connection = ready.pollFirst()) {
            start(connection);
            done++;
        }
        return done;
    }

    private void start(ConnectionRecord connection) {
        if (connection.isClosed()) {
            return;
        }
        PartialInput input = connection.partialInput();
        int early = (input == null ? 0 : input.bytes()) + connection.unreadBySession();
        if (connection.hasBrokenOff()) { // what it was about to send was accepted for TLS, and is dropped
            closeRequests.close(connection, connection.finishReason());
        } else if (early > 0) {
            connection.failure(new ProtocolException(early + " bytes in plaintext have arrived before the TLS handshake"));
            closeRequests.close(connection, CloseReason.PROTOCOL_ERROR);
        } else if (connection.is(ConnectionRecord.INPUT_ENDED)) {
            failEnded(connection);
        } else if (connection.state() == ConnectionState.DRAINING && connection.queuedMessages() == 0) {
            connection.clear(ConnectionRecord.STARTING_TLS);
            connection.clear(ConnectionRecord.PLAINTEXT_SENT);
            sender.flushLater(connection);
        } else {
            if (connection.state() == ConnectionState.DRAINING) { // finished meanwhile: it drains after the handshake
                connection.refuseMessages();
            }
            handshakes.start(connection);
        }
    }
}
