package io.trivet.bench;

import io.trivet.nats.BusOverflow;
import io.trivet.nats.Relay;
import io.trivet.nats.RelayListener;
import io.trivet.nats.RelayOptions;
import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Limits;
import io.trivet.server.SendResult;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A chat of lines on Trivet with one loop, as {@code chat-load.c} expects it: with a URL of NATS, one of several servers that a relay connects;
 * without, a server of its own, which sends every message to all its connections.
 */
public final class RelayPeer implements Handler, RelayListener {
    private static final String TOPIC = "chat";
    /** More than {@link NumberedMessages} has on the way, so that a member that falls behind for a moment is not cut off. */
    private static final int QUEUE_BYTES_MAX = 8 << 20;

    private final NumberedMessages messages = new NumberedMessages();
    @SuppressWarnings("NullAway.Init") // before the first message
    private volatile Server server;
    private volatile @Nullable Relay relay;
    private volatile long missed;
    private volatile long lostServers;

    private RelayPeer() {}

    /** Arguments: the port, and the URL of NATS if there is a relay. */
    static void main(String[] args) throws IOException {
        RelayPeer peer = new RelayPeer();
        try (Server server = Server.builder()
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[0])))
                .framing(Framing.lines())
                .limits(Limits.defaults().withQueueBytesMax(QUEUE_BYTES_MAX))
                .handler(peer)
                .open()) { // calls the handler only within turn, so no message arrives before the relay is set
            peer.server = server;
            if (args.length > 1) {
                peer.relay = Relay.connect(server, RelayOptions.of(args[1])
                        .withQueue(4 << 20, 1 << 16, Duration.ZERO, BusOverflow.PAUSE), peer);
            }
            Probe.start(peer::answer);
            while (!server.isClosed()) {
                server.turn(null);
            }
        }
    }

    @Override
    public void onMessage(Connection connection, ByteBuffer line) {
        Relay shared = relay;
        switch (line.get(line.position())) {
            case 'e' -> connection.send(line);
            case 'a' -> {
                byte[] bytes = new byte[line.remaining()];
                line.get(bytes);
                messages.confirm(bytes, 1);
            }
            case 'j' -> {
                if (shared != null) {
                    shared.join(connection, TOPIC);
                }
            }
            default -> {
                if (shared == null) {
                    server.broadcast(line);
                } else if (shared.publish(TOPIC, line) != SendResult.QUEUED) {
                    throw new IllegalStateException("the relay has not accepted a message");
                }
            }
        }
    }

    @Override
    public void onClose(Connection connection, CloseReason reason) {
        Relay shared = relay;
        if (shared != null) {
            shared.forget(connection);
        }
    }

    @Override
    @SuppressWarnings("NonAtomicVolatileUpdate") // only the loop writes
    public void onGap(String topic, String from, long count) {
        missed += count;
    }

    @Override
    @SuppressWarnings("NonAtomicVolatileUpdate") // only the loop writes
    public void onServer(String id, ServerChange change) {
        if (change == ServerChange.LOST) {
            lostServers++;
        }
    }

    /** {@code publish BYTES SECONDS} publishes by a thread of its own. {@code reported} returns the missed messages and the lost servers. */
    private String answer(String[] words) {
        Relay shared = relay;
        if (words[0].equals("publish") && shared != null) {
            return Double.toString(messages.publish(Integer.parseInt(words[1]), Double.parseDouble(words[2]),
                    message -> shared.publish(TOPIC, ByteBuffer.wrap(message)) == SendResult.QUEUED));
        }
        return switch (words[0]) {
            case "reported" -> missed + " " + lostServers;
            case "engine" -> server.network().name();
            default -> throw new IllegalArgumentException(String.join(" ", words));
        };
    }
}
