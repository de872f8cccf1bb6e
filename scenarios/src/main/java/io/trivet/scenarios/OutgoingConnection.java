package io.trivet.scenarios;

import io.trivet.net.TcpStream;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.server.Connection;
import io.trivet.server.Handler;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** A connection of an {@link OutgoingTrial}: its handler, and what must become of it. */
final class OutgoingConnection implements Handler {
    static final long NEVER = Long.MAX_VALUE;

    /** What its peer does. */
    enum Target {
        ANSWERS, REFUSES, SILENT
    }

    final int number;
    final Target target;
    final Object attachment = new Object();
    boolean hasAttachment;
    boolean byName;
    int loop;
    long deadlineNanos = NEVER;
    /** What the peer receives first: a header, and then what waited for the connect. */
    byte[] header = new byte[0];
    String expected = "";
    int localPort;
    int waiting;
    int queueBytesMax;
    boolean refusesMessages;
    /** Reading was paused before it was connected. */
    boolean paused;
    /** Set if it has been finished: its reason when it is closed in order. */
    @Nullable CloseReason finished;
    ConnectionState state = ConnectionState.CONNECTING;
    @Nullable CloseReason end;
    @Nullable Connection connection;
    @Nullable TcpStream peer;

    // What the handler has seen.
    int opens;
    int closes;
    String received = "";
    @Nullable CloseReason reason;
    @Nullable Object attachmentSeen;

    OutgoingConnection(int number, Target target) {
        this.number = number;
        this.target = target;
    }

    @Override
    public void onOpen(Connection opened) {
        opens++;
        attachmentSeen = opened.attachment();
    }

    @Override
    public void onMessage(Connection of, ByteBuffer message) {
        received += StandardCharsets.ISO_8859_1.decode(message);
    }

    @Override
    public void onClose(Connection of, CloseReason why) {
        closes++;
        reason = why;
    }

    Connection connection() {
        Connection known = connection;
        if (known == null) {
            throw new IllegalStateException("not connected yet");
        }
        return known;
    }

    void ends(CloseReason why) {
        end = why;
        state = ConnectionState.CLOSED;
    }
}
