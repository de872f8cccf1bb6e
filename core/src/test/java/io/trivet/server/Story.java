package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.observe.CloseReason;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;

/**
 * A handler that remembers what it was told, hands it on to another, and holds the server to the order that is promised: onOpen first,
 * onClose last and once, one callback at a time on a loop. Any thread.
 */
final class Story implements Handler {
    private final Handler inner;
    private final IdentityHashMap<Connection, List<String>> told = new IdentityHashMap<>();
    private final List<Connection> connections = new ArrayList<>();
    private final IdentityHashMap<EventLoop, String> inside = new IdentityHashMap<>();
    private final List<String> violations = new ArrayList<>();

    Story(Handler inner) {
        this.inner = inner;
    }

    /** A call of the inner handler. */
    private interface Call {
        void run() throws Exception;
    }

    private void tell(Connection connection, String what, Call call) throws Exception {
        synchronized (this) {
            List<String> before = told.get(connection);
            if (before == null) {
                before = new ArrayList<>();
                told.put(connection, before);
                connections.add(connection);
                if (!what.equals("open") && !(what.startsWith("close") && !connection.is(Connection.ACCEPTED))) {
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
            String outer = inside.put(connection.loop, what);
            if (outer != null) {
                violations.add(what + " within " + outer);
            }
            if (!connection.loop.isOwnThread()) {
                violations.add(what + " on " + Thread.currentThread());
            }
        }
        try {
            call.run();
        } finally {
            synchronized (this) {
                inside.remove(connection.loop);
            }
        }
    }

    @Override
    public void onOpen(Connection connection) throws Exception {
        tell(connection, "open", () -> inner.onOpen(connection));
    }

    @Override
    public void onMessage(Connection connection, ByteBuffer message) throws Exception {
        tell(connection, "message " + text(message), () -> inner.onMessage(connection, message));
    }

    @Override
    public void onUrgent(Connection connection, byte b) throws Exception {
        tell(connection, "urgent " + (char) b, () -> inner.onUrgent(connection, b));
    }

    @Override
    public void onEndOfInput(Connection connection) throws Exception {
        tell(connection, "end", () -> inner.onEndOfInput(connection));
    }

    @Override
    public void onDrained(Connection connection) throws Exception {
        tell(connection, "drained", () -> inner.onDrained(connection));
    }

    @Override
    public void onDropped(Connection connection, int messages, long bytes) throws Exception {
        tell(connection, "dropped " + messages + " " + bytes, () -> inner.onDropped(connection, messages, bytes));
    }

    @Override
    public void onClose(Connection connection, CloseReason reason) throws Exception {
        tell(connection, "close " + reason, () -> inner.onClose(connection, reason));
    }

    static String text(ByteBuffer message) {
        ByteBuffer view = message.duplicate();
        if (view.remaining() > 40) {
            return "of " + view.remaining();
        }
        return StandardCharsets.ISO_8859_1.decode(view).toString();
    }

    /** What was told of all connections, those of the first connection first. */
    synchronized List<String> told() {
        List<String> all = new ArrayList<>();
        for (Connection connection : connections) {
            all.addAll(told.get(connection));
        }
        return all;
    }

    synchronized List<String> told(Connection connection) {
        return List.copyOf(told.getOrDefault(connection, List.of()));
    }

    synchronized int count(String what) {
        return (int) told().stream().filter(line -> line.startsWith(what)).count();
    }

    synchronized int size() {
        return connections.size();
    }

    /** The connection that came as that, from 0. */
    synchronized Connection connection(int index) {
        return connections.get(index);
    }

    /** How all that have ended did. */
    synchronized List<CloseReason> reasons() {
        return told().stream().filter(line -> line.startsWith("close ")).map(line -> CloseReason.valueOf(line.substring(6)))
                .toList();
    }

    synchronized void assertInOrder() {
        assertThat(violations).as("told in the promised order").isEmpty();
    }

    synchronized void assertAllClosed() {
        for (Connection connection : connections) {
            assertThat(told.get(connection).getLast()).as("the last that is told").startsWith("close ");
        }
    }
}
