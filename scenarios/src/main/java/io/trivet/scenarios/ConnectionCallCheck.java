package io.trivet.scenarios;

import io.trivet.observe.ConnectionState;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.MessageQueue;
import io.trivet.server.Overflow;
import io.trivet.server.TransferListener;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Path;
import java.time.Duration;

/** Calls that a connection has to refuse, and what it says about itself: in a callback, in any state. */
final class ConnectionCallCheck {
    private static final TransferListener NO_LISTENER = (of, bytes, failure) -> {};

    private final TrialRun run;
    private final Connection connection;
    private final boolean isClosed;

    ConnectionCallCheck(TrialRun run, Connection connection) {
        this.run = run;
        this.connection = connection;
        isClosed = connection.state() == ConnectionState.CLOSED;
    }

    /** A call that may throw any exception. */
    private interface Call {
        void make() throws Exception;
    }

    /**
     * Makes all calls.
     *
     * @param isMessage true if the caller is onMessage, where parts can be received
     * @param isReported true if the caller is onClose
     */
    void perform(Overflow overflow, boolean isMessage, boolean isReported) {
        refuses("count -2 of a stream", IllegalArgumentException.class, () -> stream(-2));
        refuses("count -2 of a file", IllegalArgumentException.class,
                () -> connection.sendFile(Path.of("/"), 0, -2, NO_LISTENER));
        refuses("position -1 of a file", IllegalArgumentException.class,
                () -> connection.sendFile(Path.of("/"), -1, 0, NO_LISTENER));
        refuses("a directory as a file", IOException.class, () -> connection.sendFile(Path.of("/"), 0, -1, NO_LISTENER));
        refuses("a relay to itself", IllegalArgumentException.class, () -> connection.relayTo(connection));
        refuses("-1 bytes in parts", IllegalArgumentException.class, () -> connection.receiveParts(-1));
        if (!isMessage) {
            refuses("parts outside of onMessage", IllegalStateException.class, () -> connection.receiveParts(1));
        }
        if (overflow == Overflow.DROP_OLDEST) {
            refuses("raw framing with DROP_OLDEST", IllegalStateException.class,
                    () -> connection.upgrade(Framing.raw(), (of, message) -> {}));
        }
        refuses("SO_LINGER", IllegalArgumentException.class,
                () -> connection.setOption(StandardSocketOptions.SO_LINGER, 1));
        if (isClosed) {
            refuses("an option of a closed socket", IOException.class,
                    () -> connection.getOption(StandardSocketOptions.TCP_NODELAY));
            refuses("to change an option of a closed socket", IOException.class,
                    () -> connection.setOption(StandardSocketOptions.TCP_NODELAY, true));
            if (isReported) { // until then the socket is open
                refuses("the local address of a closed connection", IllegalStateException.class, connection::localAddress);
            }
        } else {
            changeOptions();
        }
        describe();
    }

    private void stream(long count) throws IOException {
        ReadableByteChannel source = Channels.newChannel(new ByteArrayInputStream(new byte[10]));
        try {
            connection.sendFrom(source, count, NO_LISTENER);
        } finally {
            run.expect(Rule.CALLBACKS, source.isOpen(), "the source of a stream that was refused is closed");
        }
    }

    private void refuses(String what, Class<? extends Exception> right, Call call) {
        try {
            call.make();
            run.fail(Rule.CALLBACKS, what + ": it is accepted");
        } catch (Exception e) {
            run.expect(Rule.CALLBACKS, right.isInstance(e), what + ": it is refused by " + e);
        }
    }

    private void changeOptions() {
        try {
            boolean was = connection.getOption(StandardSocketOptions.TCP_NODELAY);
            connection.setOption(StandardSocketOptions.TCP_NODELAY, !was);
            boolean changed = connection.getOption(StandardSocketOptions.TCP_NODELAY);
            run.same(Rule.CALLBACKS, "TCP_NODELAY after it was set to " + !was, changed, !was);
        } catch (IOException e) {
            run.fail(Rule.CALLBACKS, "the options of a socket: " + e);
        }
    }

    private void describe() {
        MessageQueue queue = connection.queue();
        Limits limits = connection.limits();
        run.same(Rule.GAUGES, "the cap of its queue", queue.bytesMax(), limits.queueBytesMax());
        run.same(Rule.GAUGES, "the high mark of its queue", queue.highBytes(), limits.queueHighBytes());
        run.same(Rule.GAUGES, "the low mark of its queue", queue.lowBytes(), limits.queueLowBytes());
        run.same(Rule.GAUGES, "the age of messages that were not refused yet", queue.oldestAge(), Duration.ZERO);
        run.same(Rule.CALLBACKS, "its text", connection.toString(),
                "connection " + Long.toHexString(connection.id()) + " " + connection.state());
        run.same(Rule.CALLBACKS, "its TLS", String.valueOf(connection.tls()), "null");
        Object before = connection.attachment();
        connection.attachment(this);
        run.expect(Rule.CALLBACKS, connection.attachment() == this, "another object is attached");
        connection.attachment(before);
    }
}
