package io.trivet.nats;

import io.trivet.server.Connection;
import io.trivet.server.SendResult;
import io.trivet.server.Server;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.SortedMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Connects a server with others on other machines, over NATS: what is published to a topic reaches its members on every server, and a
 * message to a client reaches it wherever it is connected. Not to be confused with {@link Connection#relayTo}, which passes on
 * the bytes of one connection within a server.
 *
 * {@snippet :
 * Server server = Server.builder().listen(address).framing(Framing.lines()).handler(handler).open();
 * Relay relay = Relay.connect(server, RelayOptions.of("nats://10.0.0.5:4222"), listener);
 * handler.relay = relay;                          // an opened server calls its handler only within turn
 * while (!server.isClosed()) {
 *     server.turn(null);
 * }
 *
 * relay.join(connection, "news");                 // in onOpen
 * relay.publish("news", message);                 // in onMessage
 * relay.forget(connection);                       // in onClose
 * }
 *
 * <p><b>The start.</b> A {@linkplain io.trivet.server.ServerBuilder#start started} server accepts clients before {@code connect} is called. A
 * callback may then find no relay. Open the server and turn its loop, as above. If the server has several loops, let the
 * first callback that needs the relay connect it, in a synchronized method that {@code main} calls, too: {@code connect} does not wait for NATS.
 *
 * <p><b>Guarantees.</b> Core NATS delivers at most once. A relay numbers what it publishes to each topic. Each server delivers the messages of each publisher in
 * order, none twice, and reports each that is lost: {@link RelayListener#onGap}. What a killed server had accepted and not sent is
 * lost without a number: {@link RelayListener#onServer}. A publisher does not receive its own messages from the bus: its server delivers them
 * to local members itself, whether the bus is there or not.
 *
 * <p><b>Bounds.</b> Messages wait for the bus in a queue with a limit of bytes, messages and age, see {@link RelayOptions}. The bus never
 * blocks the loop.
 *
 * <p><b>Threads.</b> Every method may be called from any thread. The calls of one thread take effect in order, soon, on the server's
 * first loop.
 *
 * <p><b>The end.</b> Close a relay before its server: {@link #drain}, {@link #awaitClosed(Duration)}, then {@link Server#drain}. If the server ends
 * first, the relay ends with it: the link to the bus is closed, {@link #awaitClosed(Duration)} returns true, and {@link #publish} returns CLOSED. What
 * waits to be sent is dropped, the other servers report this one as lost, and the listener is not called any more, because its callbacks
 * run on the server's loop. If the application turns the server's loop itself, or the bus is not NATS, the relay ends at the next call of
 * {@link #publish} or another method that changes something, or when the bus delivers something.
 */
public final class Relay implements AutoCloseable {
    private final Server server;
    private final RelayOptions options;
    private final Inbox inbox;
    private final Inbox.Share outgoing;
    private final RelayNode node;
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile boolean isDraining;
    /** Waits for the end of the server. Null unless {@link #endWithServer} was called. */
    private volatile @Nullable Thread watcher;

    private Relay(Server server, Bus bus, RelayOptions options, RelayListener listener, RandomGenerator random) {
        this.server = server;
        this.options = options;
        outgoing = new Inbox.Share(options.queueBytesMax());
        inbox = new Inbox(server::execute, this::afterRuns, this::abandon);
        node = new RelayNode(server, bus, options, listener, random, inbox, this::ended);
    }

    /**
     * Connects a server with others, without a listener.
     *
     * @param server the server
     * @param options the settings
     * @return the relay, which connects on its own, and again when the bus was away
     * @throws IllegalArgumentException the options name no server, or change the client of NATS in a way that it refuses
     */
    public static Relay connect(Server server, RelayOptions options) {
        return connect(server, options, new RelayListener() {});
    }

    /**
     * Connects a server with others.
     *
     * @param server the server
     * @param options the settings
     * @param listener notified of gaps, presence, and the state of the bus
     * @return the relay, which connects on its own, and again when the bus was away
     * @throws IllegalArgumentException the options name no server, or change the client of NATS in a way that it refuses
     */
    public static Relay connect(Server server, RelayOptions options, RelayListener listener) {
        Relay relay = connect(server, new NatsBus(options), options, listener, new SecureRandom());
        relay.endWithServer();
        return relay;
    }

    /**
     * Connects a server with others over any bus, such as a simulated one.
     *
     * @param server the server
     * @param bus the bus
     * @param options the settings; those of NATS have no effect
     * @param listener notified of gaps, presence, and the state of the bus
     * @param random the source of the server's id and of all random waits
     * @return the relay
     */
    public static Relay connect(Server server, Bus bus, RelayOptions options, RelayListener listener, RandomGenerator random) {
        Relay relay = new Relay(server, bus, options, listener, random);
        relay.inbox.put(relay.node::start);
        return relay;
    }

    /**
     * Returns the id of this server among the others. It is new each time that a relay is connected.
     *
     * @return 16 hexadecimal digits
     */
    public String id() {
        return Streams.text(node.id());
    }

    /**
     * Adds a connection to the members of a topic. A connection may join many.
     *
     * @param connection a connection of the server
     * @param topic the topic
     * @throws IllegalArgumentException the name is empty or longer than 254 bytes in UTF-8
     */
    public void join(Connection connection, String topic) {
        checkName("topic", topic);
        inbox.put(() -> node.join(connection, topic));
    }

    /**
     * Removes a connection from the members of a topic.
     *
     * @param connection a connection of the server
     * @param topic the topic
     */
    public void leave(Connection connection, String topic) {
        inbox.put(() -> node.leave(connection, topic));
    }

    /**
     * Gives a connection a client id, which replaces the one it has. All servers learn of it. Several connections may have the same id; a message
     * to the id is sent to each.
     *
     * @param connection a connection of the server
     * @param client the client id
     * @throws IllegalArgumentException the id is empty or longer than 254 bytes in UTF-8
     */
    public void register(Connection connection, String client) {
        checkName("client id", client);
        inbox.put(() -> node.register(connection, client));
    }

    /**
     * Removes a connection from all topics, and removes its client id. Call it in onClose. Otherwise the relay does so at the next
     * heartbeat after the connection was closed.
     *
     * @param connection a connection of the server
     */
    public void forget(Connection connection) {
        inbox.put(() -> node.forget(connection));
    }

    private static void checkName(String what, String name) {
        int length = Wire.name(name).length;
        if (length == 0 || length >= Wire.NAME_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "a " + what + " must have from 1 to " + (Wire.NAME_BYTES_MAX - 1) + " bytes in UTF-8, not " + length);
        }
    }

    /**
     * Sends a message to all members of a topic, on this server and on the others. On each server, the message is held once for all members
     * of one framing. A publisher need not be a member.
     *
     * @param topic the topic
     * @param message the message, without a frame; copied at once, its position moves to its limit
     * @return QUEUED: local members receive it, and each other server receives it or reports a gap. FULL: nothing was done, because
     *     threads publish faster than the loop runs, or with {@link BusOverflow#PAUSE} because the queue is full. CLOSED: nothing was
     *     done, because the relay is closed or draining. If the server has published to {@link RelayOptions#topicsMax} other topics, the message
     *     is sent nowhere, and {@link RelayListener#onRefused} is called
     * @throws IllegalArgumentException the message or the topic's name is too long
     */
    public SendResult publish(String topic, ByteBuffer message) {
        checkName("topic", topic);
        checkLength(message);
        if (isDraining) {
            return SendResult.CLOSED;
        }
        byte[] frame = Wire.message(node.id(), Streams.ofTopic(topic), "", message);
        if (isPaused(frame.length)) {
            return SendResult.FULL;
        }
        return inbox.put(() -> node.publish(topic, frame), outgoing, frame.length);
    }

    /**
     * Sends a message to a client, wherever it is connected. If no server has a client of that id, {@link
     * RelayListener#onUndeliverable} is called.
     *
     * @param client the client id
     * @param message the message, without a frame; copied at once, its position moves to its limit
     * @return as {@link #publish}
     * @throws IllegalArgumentException the message or the id is too long
     */
    public SendResult send(String client, ByteBuffer message) {
        checkName("client id", client);
        checkLength(message);
        if (isDraining) {
            return SendResult.CLOSED;
        }
        if (isPaused(message.remaining() + RelayOptions.OVERHEAD_BYTES)) {
            return SendResult.FULL;
        }
        byte[] copy = new byte[message.remaining()];
        message.get(copy);
        return inbox.put(() -> node.send(client, copy), outgoing, copy.length);
    }

    /**
     * Sends a message to the members of a topic on this server alone, such as news about a gap.
     *
     * @param topic the topic
     * @param message the message, without a frame; copied at once, its position moves to its limit
     * @return QUEUED. FULL: nothing was done, because threads publish faster than the loop runs. CLOSED: the relay has ended. In a
     *     callback of the listener, the message is sent before the call returns
     */
    public SendResult publishHere(String topic, ByteBuffer message) {
        if (node.isCalling()) {
            node.publishHere(topic, message);
            return SendResult.QUEUED;
        }
        checkLength(message);
        ByteBuffer copy = ByteBuffer.allocate(message.remaining()).put(message).flip();
        return inbox.put(() -> node.publishHere(topic, copy), outgoing, copy.remaining());
    }

    private void checkLength(ByteBuffer message) {
        if (message.remaining() > options.messageBytesMax()) {
            throw new IllegalArgumentException("the message has " + message.remaining() + " bytes; messageBytesMax is "
                    + options.messageBytesMax());
        }
    }

    private boolean isPaused(int bytes) {
        if (options.overflow() != BusOverflow.PAUSE || node.outbox().hasRoom(outgoing.bytes() + bytes)) {
            return false;
        }
        inbox.put(node::full);
        return true;
    }

    /**
     * Returns which clients are on which servers. A server from which nothing has arrived for {@link RelayOptions#expiry} is left out.
     *
     * @return for each client id the {@linkplain #id ids} of its servers; a copy
     */
    public SortedMap<String, List<String>> presence() {
        return node.directory().snapshot();
    }

    /**
     * Returns the counters and gauges, as of the last heartbeat or change of the link.
     *
     * @return the stats
     */
    public RelayStats stats() {
        return node.latestStats();
    }

    /**
     * Starts an orderly shutdown, and returns: nothing more is accepted, the clients of this server leave the presence of the others, what was
     * accepted is sent to the bus, and the relay is closed. If that takes longer than the timeout, the rest is dropped and
     * counted. While the bus is away, the relay waits for it at most {@link RelayOptions#backoffMax}, and not at all if nothing waits to be
     * sent. If it has not come back, the other servers see this one as lost.
     *
     * @param timeout the maximum time; zero or less: only what can be done at once
     */
    public void drain(Duration timeout) {
        isDraining = true;
        inbox.put(() -> node.drain(timeout));
    }

    /**
     * Waits until the relay is closed. Not to be called on the loop of the server.
     *
     * @param timeout the longest wait
     * @return false if it is not closed yet
     * @throws InterruptedException the thread was interrupted
     */
    public boolean awaitClosed(Duration timeout) throws InterruptedException {
        endIfServerIsClosed();
        if (ended.await(timeout.toNanos(), TimeUnit.NANOSECONDS)) {
            return true;
        }
        endIfServerIsClosed(); // meanwhile
        return isClosed();
    }

    /** Ends the relay when a started server has ended, also if the bus delivers nothing. */
    void endWithServer() {
        Thread thread = Thread.ofVirtual().name("trivet-relay-end").unstarted(this::awaitServer);
        watcher = thread;
        thread.start();
        if (isClosed()) {
            thread.interrupt();
        }
    }

    private void awaitServer() {
        try {
            server.join(); // returns at once for an opened server
            endIfServerIsClosed();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the relay has ended first
        }
    }

    private void endIfServerIsClosed() {
        if (!isClosed() && server.isClosed()) {
            abandon();
        }
    }

    /**
     * Returns true if the relay has ended.
     *
     * @return true when nothing more happens
     */
    public boolean isClosed() {
        return ended.getCount() == 0;
    }

    /** Closes the relay soon, without sending what waits. Others see this server as lost. */
    @Override
    public void close() {
        isDraining = true;
        inbox.put(node::close);
    }

    /** For tests: returns the part that runs on the loop. */
    RelayNode node() {
        return node;
    }

    private void afterRuns() {
        node.flush();
    }

    private void abandon() {
        node.abandon();
    }

    private void ended() {
        isDraining = true;
        inbox.close();
        ended.countDown();
        Thread waiting = watcher;
        if (waiting != null) {
            waiting.interrupt();
        }
    }
}
