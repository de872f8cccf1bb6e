package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Protocol;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/** Handles the connections of a {@link RelayServer}'s clients: the first message of a connection starts its relay. */
final class RelayFront implements Handler {
    static final String FIRST = "go";
    static final int PINGS = 3;

    private final RelayServer server;

    RelayFront(RelayServer server) {
        this.server = server;
    }

    static String ping(int number) {
        return "ping " + number;
    }

    @Override
    public void onOpen(Connection connection) throws Exception {
        connection.attachment(server.runOf(connection));
        server.reduceBuffers(connection);
    }

    @Override
    public void onMessage(Connection connection, ByteBuffer message) {
        RelayRun run = runOf(connection);
        if (run == null) {
            return;
        }
        String text = StandardCharsets.ISO_8859_1.decode(message).toString();
        if (text.equals(FIRST)) {
            start(run, connection);
        } else if (run.plan.mode() == RelayMode.COUNTED && text.startsWith("ping ")) {
            connection.send(text);
        } else if (!run.refused) { // without a relay, the handler gets what was to be relayed
            run.fail(Rule.BYTES, "the handler gets bytes that were relayed already or never sent: " + text.length() + " bytes");
        }
    }

    private void start(RelayRun run, Connection connection) {
        boolean started = switch (run.plan.mode()) {
            case UPSTREAM -> {
                Connection upstream = connect(run, connection);
                boolean relays = upstream != null && run.relay(connection, upstream, -1, run::upSent)
                        && run.relay(upstream, connection, -1, run::downSent);
                if (relays && run.plan.number() % 3 == 1) {
                    connection.finish(); // lets the relays go on to their end
                }
                yield relays;
            }
            case COUNTED -> {
                Connection upstream = connect(run, connection);
                yield upstream != null && run.relay(connection, upstream, run.plan.upBytes(), run.plan::upBytes);
            }
            case PAIR -> pair(run, connection);
        };
        if (!started) {
            run.refused = true;
            connection.close();
        }
    }

    private @Nullable Connection connect(RelayRun run, Connection connection) {
        run.connects = true;
        try {
            return connection.connect(server.originAddress(), Protocol.of(Framing.raw(), new Upstream(server)), run);
        } catch (RejectedExecutionException e) { // the server drains
            return null;
        }
    }

    private boolean pair(RelayRun run, Connection connection) {
        Connection first = run.waiting;
        if (first == null) {
            run.waiting = connection;
            connection.pauseReading(); // what follows belongs to the relay
            return !server.isRecovering();
        }
        first.resumeReading();
        boolean isClient = connection.remoteAddress().equals(run.client.address());
        Connection client = isClient ? connection : first;
        Connection partner = isClient ? first : connection;
        return run.relay(client, partner, -1, run::upSent) && run.relay(partner, client, -1, run::downSent);
    }

    @Override
    public void onEndOfInput(Connection connection) {
        RelayRun run = runOf(connection);
        if (run == null || run.plan.number() % 2 == 0 || run.relays.isEmpty() || run.plan.mode() == RelayMode.COUNTED) {
            connection.finish(); // lets a relay to this connection go on
        }
    }

    @Override
    public void onClose(Connection connection, CloseReason reason) {
        RelayRun run = runOf(connection);
        if (run != null) {
            run.closed(connection, reason);
            run.partnerGone |= connection.equals(run.waiting) && run.relays.isEmpty();
        }
    }

    private static @Nullable RelayRun runOf(Connection connection) {
        return (RelayRun) connection.attachment();
    }

    /** The handler of the connections to the other server. */
    private record Upstream(RelayServer server) implements Handler {
        @Override
        public void onOpen(Connection connection) throws Exception {
            RelayRun run = runOf(connection);
            if (run != null) {
                run.link = connection.localAddress();
            }
            server.reduceBuffers(connection);
        }

        @Override
        public void onMessage(Connection connection, ByteBuffer message) {
            RelayRun run = runOf(connection);
            if (run != null && run.plan.mode() != RelayMode.COUNTED) {
                run.fail(Rule.CALLBACKS, "onMessage of a connection is called, although its input is relayed");
            }
        }

        @Override
        public void onClose(Connection connection, CloseReason reason) {
            RelayRun run = runOf(connection);
            if (run != null) {
                run.closed(connection, reason);
            }
        }
    }
}
