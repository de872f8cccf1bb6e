package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Handler;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Records the callbacks of all connections of a {@link Trial}, and finishes a connection at the end of its input. */
class TrialHandler implements Handler {
    /** The record of one connection; the attachment of the connection. */
    static final class Seen {
        final int number;
        final Connection connection;
        final List<String> messages = new ArrayList<>();
        int opens;
        int drained;
        long droppedMessages;
        long droppedBytes;
        int urgents;
        boolean inputEnded;
        @Nullable CloseReason reason;
        int closes;

        Seen(int number, Connection connection) {
            this.number = number;
            this.connection = connection;
        }

        boolean isOpen() {
            return reason == null;
        }

        /** Returns the reason for the end, or "open". */
        String end() {
            CloseReason why = reason;
            return why == null ? "open" : why.name();
        }
    }

    final List<Seen> all = new ArrayList<>();
    /** The connections whose end was reported, in that order. */
    final List<Seen> closed;

    TrialHandler() {
        this(new ArrayList<>());
    }

    /** Creates one of several handlers of a server. */
    TrialHandler(List<Seen> closed) {
        this.closed = closed;
    }

    final Seen seen(Connection connection) {
        if (connection.attachment() instanceof Seen known) {
            return known;
        }
        Seen fresh = new Seen(all.size(), connection);
        all.add(fresh);
        connection.attachment(fresh);
        return fresh;
    }

    @Override
    public void onOpen(Connection connection) throws Exception {
        seen(connection).opens++;
    }

    @Override
    public void onMessage(Connection connection, ByteBuffer message) throws Exception {
        seen(connection).messages.add(StandardCharsets.ISO_8859_1.decode(message.duplicate()).toString());
    }

    @Override
    public void onUrgent(Connection connection, byte b) throws Exception {
        seen(connection).urgents++;
    }

    @Override
    public void onEndOfInput(Connection connection) throws Exception {
        seen(connection).inputEnded = true;
        connection.finish();
    }

    @Override
    public void onDrained(Connection connection) throws Exception {
        seen(connection).drained++;
    }

    @Override
    public void onDropped(Connection connection, int messages, long bytes) throws Exception {
        Seen of = seen(connection);
        of.droppedMessages += messages;
        of.droppedBytes += bytes;
    }

    @Override
    public void onClose(Connection connection, CloseReason reason) throws Exception {
        Seen of = seen(connection);
        of.reason = reason;
        of.closes++;
        closed.add(of);
    }
}
