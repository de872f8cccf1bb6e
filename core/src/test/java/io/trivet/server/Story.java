package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.observe.CloseReason;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;

/**
 * A handler that records its callbacks and passes them to another handler. It also checks the promised order: onOpen first,
 * onClose last and once, one callback at a time on a loop, and on the loop's thread. The records can be read from any thread.
 */
final class Story implements Handler {
    private final Handler inner;
    private final IdentityHashMap<Connection, List<String>> callbacks = new IdentityHashMap<>();
    private final List<Connection> connections = new ArrayList<>();
    private final IdentityHashMap<EventLoop, String> running = new IdentityHashMap<>();
    private final List<String> violations = new ArrayList<>();

    Story(Handler inner) {
        this.inner = inner;
    }

    /** A callback of the inner handler. */
    private interface Call {
        void run() throws Exception;
    }

    private static EventLoop loop(Connection connection) {
        return connection.server().loops().get(connection.loop());
    }

    private void record(Connection connection, String what, Call call) throws Exception {
        synchronized (this) {
            List<String> before = callbacks.get(connection);
            if (before == null) {
                before = new ArrayList<>();
                callbacks.put(connection, before);
                connections.add(connection);
                if (!what.equals("open") && !what.startsWith("close HANDSHAKE")
                        && !(what.startsWith("close")
                                && (!connection.is(ConnectionRecord.ACCEPTED) || connection.proxyHeader() != null
                                        || connection.profile().tls() != null))) {
                    violations.add(what + " before open");
                }
            } else {
                if (what.equals("open")) {
                    violations.add("open twice");
                }
                if (before.getLast().startsWith("close")) {
                    violations.add(what + " after " + before.getLast());
                }
            }
            before.add(what);
            String outer = running.put(loop(connection), what);
            if (outer != null) {
                violations.add(what + " within " + outer);
            }
            if (!loop(connection).mailbox().isOwnThread()) {
                violations.add(what + " on " + Thread.currentThread());
            }
        }
        try {
            call.run();
        } finally {
            synchronized (this) {
                running.remove(loop(connection));
            }
        }
    }

    @Override
    public void onOpen(Connection connection) throws Exception {
        record(connection, "open", () -> inner.onOpen(connection));
    }

    @Override
    public void onMessage(Connection connection, ByteBuffer message) throws Exception {
        record(connection, "message " + text(message), () -> inner.onMessage(connection, message));
    }

    @Override
    public void onPart(Connection connection, ByteBuffer part, boolean last) throws Exception {
        record(connection, (last ? "last part " : "part ") + text(part), () -> inner.onPart(connection, part, last));
    }

    @Override
    public void onUrgent(Connection connection, byte b) throws Exception {
        record(connection, "urgent " + (char) b, () -> inner.onUrgent(connection, b));
    }

    @Override
    public void onEndOfInput(Connection connection) throws Exception {
        record(connection, "end", () -> inner.onEndOfInput(connection));
    }

    @Override
    public void onDrained(Connection connection) throws Exception {
        record(connection, "drained", () -> inner.onDrained(connection));
    }

    @Override
    public void onDropped(Connection connection, int messages, long bytes) throws Exception {
        record(connection, "dropped " + messages + " " + bytes, () -> inner.onDropped(connection, messages, bytes));
    }

    @Override
    public void onClose(Connection connection, CloseReason reason) throws Exception {
        record(connection, "close " + reason, () -> inner.onClose(connection, reason));
    }

    /** Returns a message as text, or only its length if it is long. */
    static String text(ByteBuffer message) {
        ByteBuffer view = message.duplicate();
        if (view.remaining() > 40) {
            return "of " + view.remaining();
        }
        return StandardCharsets.ISO_8859_1.decode(view).toString();
    }

    /** Returns the callbacks of all connections: those of the first connection, then those of the second, and so on. */
    synchronized List<String> callbacks() {
        List<String> all = new ArrayList<>();
        for (Connection connection : connections) {
            all.addAll(callbacks.get(connection));
        }
        return all;
    }

    /** Returns the callbacks of a connection. */
    synchronized List<String> callbacks(Connection connection) {
        return List.copyOf(callbacks.getOrDefault(connection, List.of()));
    }

    /** Returns the number of callbacks that start with a text. */
    synchronized int count(String what) {
        return (int) callbacks().stream().filter(line -> line.startsWith(what)).count();
    }

    /** Returns the number of connections. */
    synchronized int size() {
        return connections.size();
    }

    /** Returns a connection by the order of their first callbacks, from 0. */
    synchronized Connection connection(int index) {
        return connections.get(index);
    }

    /** Returns the close reasons of all closed connections. */
    synchronized List<CloseReason> reasons() {
        return callbacks().stream().filter(line -> line.startsWith("close ")).map(line -> CloseReason.valueOf(line.substring(6)))
                .toList();
    }

    synchronized void assertInOrder() {
        assertThat(violations).as("violations of the promised order of callbacks").isEmpty();
    }

    synchronized void assertAllClosed() {
        for (Connection connection : connections) {
            assertThat(callbacks.get(connection).getLast()).as("last callback").startsWith("close ");
        }
    }
}
