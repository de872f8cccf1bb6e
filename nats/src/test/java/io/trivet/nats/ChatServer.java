package io.trivet.nats;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.SendResult;
import io.trivet.server.Server;
import io.trivet.sim.SimHost;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A server with a relay, and an application whose clients say what to do, in lines: {@code J topic}, {@code L topic}, {@code I id}, {@code P
 * topic filler}, {@code S id filler}. Members receive {@code M topic publisher number} for a message and {@code G topic publisher missed} for
 * a gap; the client of an id receives {@code D publisher id number}.
 */
final class ChatServer implements Handler, RelayListener {
    final Server server;
    final Relay relay;
    final Map<Connection, String> ids = new ConcurrentSkipListMap<>(Comparator.comparingLong(Connection::id));
    /** How many messages were accepted, by topic. Each is numbered, whatever becomes of it. */
    final Map<String, Long> accepted = new ConcurrentSkipListMap<>();
    final Map<String, Long> acceptedDirect = new ConcurrentSkipListMap<>();
    final Map<String, Long> gapsDirect = new ConcurrentSkipListMap<>();
    final AtomicLong undeliverable = new AtomicLong();
    final AtomicLong dropped = new AtomicLong();
    final List<String> historyProblems = new CopyOnWriteArrayList<>();

    /** A server on the simulated network. */
    ChatServer(SimHost host, InetSocketAddress address, Bus bus, RelayOptions options, long seed) throws IOException {
        server = Server.builder().network(host).listen(address).framing(Framing.lines()).handler(this).open();
        relay = Relay.connect(server, bus, options, this, new Random(seed));
    }

    /** A server on this machine, over NATS. */
    ChatServer(RelayOptions options) throws IOException {
        server = Server.builder().listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)).framing(Framing.lines())
                .handler(this).start();
        relay = Relay.connect(server, options, this);
    }

    @Override
    public void onMessage(Connection connection, ByteBuffer message) {
        String[] words = UTF_8.decode(message).toString().split(" ", 3);
        switch (words[0]) {
            case "J" -> {
                relay.join(connection, words[1]);
                acknowledge(connection, "joined " + words[1]);
            }
            case "L" -> {
                relay.leave(connection, words[1]);
                acknowledge(connection, "left " + words[1]);
            }
            case "I" -> {
                ids.put(connection, words[1]);
                relay.register(connection, words[1]);
            }
            case "P" -> {
                long number = accepted.getOrDefault(words[1], 0L) + 1;
                if (relay.publish(words[1],
                        bytes("M " + words[1] + " " + relay.id() + " " + number + " " + words[2])) == SendResult.QUEUED) {
                    accepted.put(words[1], number);
                }
            }
            case "S" -> {
                long number = acceptedDirect.getOrDefault(words[1], 0L) + 1;
                if (relay.send(words[1],
                        bytes("D " + relay.id() + " " + words[1] + " " + number + " " + words[2])) == SendResult.QUEUED) {
                    acceptedDirect.put(words[1], number);
                }
            }
            default -> throw new IllegalArgumentException(words[0]);
        }
    }

    /** Confirms to a client what the relay does on the loop, after it was done. */
    private void acknowledge(Connection connection, String text) {
        server.execute(() -> server.execute(() -> connection.send("A " + text)));
    }

    private static ByteBuffer bytes(String text) {
        return UTF_8.encode(text);
    }

    @Override
    public void onClose(Connection connection, CloseReason reason) {
        ids.remove(connection);
        if (connection.id() % 2 == 0) { // the others are noticed at a heartbeat
            relay.forget(connection);
        }
    }

    @Override
    public void onGap(String topic, String from, long missed) {
        if (topic.equals(DIRECT)) {
            gapsDirect.merge(from, missed, Long::sum);
        } else {
            relay.publishHere(topic, bytes("G " + topic + " " + from + " " + missed));
        }
    }

    @Override
    public void onHistory(String problem) {
        historyProblems.add(problem);
    }

    @Override
    public void onDropped(long messages, long bytes) {
        dropped.addAndGet(messages);
    }

    @Override
    public void onUndeliverable(String client) {
        undeliverable.incrementAndGet();
    }
}
