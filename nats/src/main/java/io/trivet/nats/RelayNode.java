package io.trivet.nats;

import io.trivet.nats.Frame.Sender;
import io.trivet.nats.RelayListener.ServerChange;
import io.trivet.server.Connection;
import io.trivet.server.ScheduledTask;
import io.trivet.server.Server;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The relay of one server. Everything runs on the server's first loop, and depends only on the calls, the clock, the random numbers, and
 * what the bus delivers.
 */
final class RelayNode implements Connector.Owner, Peers.Owner {
    /** How soon the bus is asked again after it has accepted nothing. */
    private static final Duration RETRY = Duration.ofMillis(5);
    /** The largest part of an interval that an answer waits, so that all who ask meanwhile get one answer. */
    private static final double SOON = 0.2;
    /** How far an interval may differ from the set one. */
    private static final double JITTER = 0.1;

    private final Server server;
    private final Timers timers;
    private final RelayOptions options;
    private final Notices notices;
    private final RandomGenerator random;
    private final Runnable onEnded;
    private final long id;
    private final long startNanos;
    private final Streams streams;
    private final Members members = new Members();
    private final Outbox outbox;
    private final Peers peers;
    private final Directory directory = new Directory();
    private final Presence presence = new Presence();
    private final Heartbeats heartbeats;
    private final Connector connector;
    private final DrainTimer drainTimer;
    private final OutageHold hold;

    private @Nullable ScheduledTask heartbeatTimer;
    private @Nullable ScheduledTask soonTimer;
    private @Nullable ScheduledTask retryTimer;
    private volatile RelayStats latest;
    private boolean isSnapshotSoon;
    private boolean isHeartbeatSoon;
    private boolean isDraining;
    private boolean isByeSent;
    private volatile boolean isEnded;
    private boolean wasFull;
    private boolean isHistoryReported;
    private long published;
    private long slow;
    private long malformed;
    private long droppedReportedCount;
    private long droppedReportedBytes;

    /**
     * Creates a relay, which does nothing before {@link #start}.
     *
     * @param onEnded called once, when it has ended
     */
    RelayNode(Server server, Bus bus, RelayOptions options, RelayListener listener, RandomGenerator random, Inbox inbox,
            Runnable onEnded) {
        this.server = server;
        this.options = options;
        this.random = random;
        this.onEnded = onEnded;
        notices = new Notices(listener);
        id = random.nextLong();
        startNanos = now();
        streams = new Streams(options.prefix());
        outbox = new Outbox(options, streams);
        peers = new Peers(id, options, this);
        heartbeats = new Heartbeats(outbox);
        timers = new Timers(server, this::abandon);
        connector = new Connector(bus, server, timers, options, random, inbox, this);
        drainTimer = new DrainTimer(server, timers, options.backoffMax(), this::close);
        hold = new OutageHold(peers, timers, options, this::flush);
        latest = stats();
    }

    void start() {
        heartbeat();
        if (!isEnded) {
            notices.bus(BusState.CONNECTING, "");
            connector.connect();
        }
    }

    long id() {
        return id;
    }

    Outbox outbox() {
        return outbox;
    }

    /** Returns true if this thread is in a callback of the listener. */
    boolean isCalling() {
        return notices.isCalling();
    }

    Directory directory() {
        return directory;
    }

    /** Any thread: returns the counters, as of the last heartbeat or change of the link. */
    RelayStats latestStats() {
        return latest;
    }

    private long now() {
        return server.network().clock().nanoTime();
    }

    private Sender sender() {
        return new Sender(id, now() - startNanos);
    }

    // ---- calls of the application

    void join(Connection connection, String topic) {
        if (isDraining || (members.of(topic).isEmpty() && members.topics().size() >= options.topicsMax())) {
            notices.refused(topic);
            return;
        }
        if (members.join(connection, topic)) {
            Bus.Link link = connector.link();
            if (link != null) {
                subscribe(link, Streams.ofTopic(topic));
            }
        }
    }

    void leave(Connection connection, String topic) {
        if (members.leave(connection, topic)) {
            peers.unsubscribed(Streams.ofTopic(topic));
            Bus.Link link = connector.link();
            if (link != null) {
                link.unsubscribe(streams.subject(Streams.ofTopic(topic)));
            }
        }
    }

    void register(Connection connection, String client) {
        unregister(connection);
        if (members.register(connection, client) && !isDraining) {
            presence.change(true, client);
            directory.change(client, Streams.text(id), true);
        }
    }

    private void unregister(Connection connection) {
        String client = members.unregister(connection);
        if (client != null && !isDraining) {
            presence.change(false, client);
            directory.change(client, Streams.text(id), false);
        }
    }

    void forget(Connection connection) {
        members.topicsOf(connection).forEach(topic -> leave(connection, topic));
        unregister(connection);
    }

    /**
     * Delivers a message to local members, and sends it to the other servers.
     *
     * @param frame as {@link Wire#message} has encoded it
     */
    void publish(String topic, byte[] frame) {
        String stream = Streams.ofTopic(topic);
        if (!outbox.knows(stream)) {
            notices.refused(topic); // it could not be numbered, so the other servers could lose it unnoticed
            return;
        }
        published++;
        publishHere(topic, content(frame));
        outbox.add(stream, frame, now());
    }

    void send(String client, byte[] message) {
        published++;
        List<Long> servers = peers.serversOf(client);
        boolean isHere = !members.ofClient(client).isEmpty();
        broadcast(ByteBuffer.wrap(message), members.ofClient(client));
        for (long to : servers) {
            String stream = Streams.ofServer(to);
            outbox.add(stream, Wire.message(id, stream, client, ByteBuffer.wrap(message)), now());
        }
        if (!isHere && servers.isEmpty()) {
            notices.undeliverable(client);
        }
    }

    /** Sends a message to local members alone. */
    void publishHere(String topic, ByteBuffer message) {
        broadcast(message, members.of(topic));
    }

    private void broadcast(ByteBuffer message, Collection<Connection> connections) {
        if (!connections.isEmpty()) {
            server.broadcast(message, connections);
        }
    }

    private static ByteBuffer content(byte[] frame) {
        int start = Wire.contentStart(frame);
        return ByteBuffer.wrap(frame, start, frame.length - start);
    }

    // ---- the bus

    @Override
    public void up() {
        latest = stats();
        notices.bus(BusState.UP, "");
        Bus.Link link = connector.link();
        if (link == null) {
            return;
        }
        link.subscribe(streams.presence());
        subscribe(link, Streams.ofServer(id));
        members.topics().forEach(topic -> subscribe(link, Streams.ofTopic(topic)));
        peers.up(now());
        presence.requestSnapshot();
        heartbeats.requestAll(true, false);
        drainTimer.away(false);
        hold.up();
    }

    private void subscribe(Bus.Link link, String stream) {
        link.subscribe(streams.subject(stream));
        peers.subscribed(stream, now());
    }

    @Override
    public void away(String reason) {
        peers.away();
        isHistoryReported = false;
        latest = stats();
        notices.bus(BusState.AWAY, reason);
        drainTimer.away(true);
    }

    @Override
    public void ended() {
        if (!isEnded) {
            peers.end();
            isEnded = true;
            cancel(heartbeatTimer);
            cancel(soonTimer);
            cancel(retryTimer);
            hold.cancel();
            drainTimer.cancel();
            latest = stats();
            notices.bus(BusState.CLOSED, "");
            onEnded.run();
        }
    }

    private static void cancel(@Nullable ScheduledTask task) {
        if (task != null) {
            task.cancel();
        }
    }

    @Override
    public void slow() {
        slow++;
    }

    @Override
    public void fetched(String subject) {
        peers.fetched(streams.ofSubject(subject), now());
    }

    @Override
    public void historyProblem(String problem) {
        if (!isHistoryReported) { // once for each connect
            isHistoryReported = true;
            notices.history(problem);
        }
    }

    @Override
    public void received(byte[] message) {
        Frame frame = Wire.decode(message);
        if (frame == null) {
            malformed++;
        } else {
            peers.receive(frame, now());
        }
    }

    @Override
    public void receivedKept(byte[] message) {
        if (Wire.decode(message) instanceof Frame.Message kept) {
            peers.receiveKept(kept);
        } else {
            malformed++;
        }
    }

    // ---- what other servers have sent

    @Override
    public void deliver(Frame.Message message) {
        if (Streams.isTopic(message.stream())) {
            broadcast(message.content(), members.of(Streams.topic(message.stream())));
        } else if (members.ofClient(message.client()).isEmpty()) {
            notices.undeliverable(message.client());
        } else {
            broadcast(message.content(), members.ofClient(message.client()));
        }
    }

    @Override
    public void gap(String stream, long from, long missed) {
        notices.gap(Streams.topic(stream), Streams.text(from), missed);
    }

    @Override
    public void presence(long peer, List<Frame.Change> changes) {
        String from = Streams.text(peer);
        changes.forEach(change -> {
            directory.change(change.client(), from, change.isPresent());
            notices.presence(change.client(), from, change.isPresent());
        });
    }

    @Override
    public void server(long peer, ServerChange change) {
        notices.server(Streams.text(peer), change);
        if (change == ServerChange.LEFT) {
            outbox.forget(Streams.ofServer(peer));
        }
    }

    @Override
    public void requestSnapshot(long from) {
        Bus.Link link = connector.link();
        if (link != null) { // if it is refused, the next heartbeat is the occasion to ask again
            link.publish(streams.presence(), Wire.snapshotRequest(new Frame.SnapshotRequest(sender(), from)));
        }
    }

    @Override
    public boolean fetch(String stream, Duration back) {
        Bus.Link link = connector.link();
        return link != null && link.fetch(streams.subject(stream), back);
    }

    @Override
    public void heartbeatSoon() {
        isHeartbeatSoon = true;
        soon();
    }

    @Override
    public void snapshotSoon() {
        isSnapshotSoon = true;
        soon();
    }

    private void soon() {
        if (soonTimer == null) {
            soonTimer = timers.schedule(Duration.ofNanos((long) (random.nextDouble() * SOON * options.heartbeat().toNanos())),
                    () -> {
                        soonTimer = null;
                        if (isSnapshotSoon) {
                            presence.requestSnapshot();
                        }
                        if (isHeartbeatSoon) {
                            heartbeats.requestAll(false, false);
                        }
                        isSnapshotSoon = false;
                        isHeartbeatSoon = false;
                        flush();
                    });
        }
    }

    // ---- sending

    private void heartbeat() {
        double factor = 1 - JITTER + random.nextDouble() * 2 * JITTER;
        heartbeatTimer = timers.schedule(Duration.ofNanos((long) (factor * options.heartbeat().toNanos())), this::heartbeat);
        if (heartbeatTimer == null) {
            return;
        }
        members.closed().forEach(this::forget);
        peers.expire(now());
        heartbeats.requestNext();
        flush();
        latest = stats();
    }

    /** Sends what the bus accepts: presence, heartbeats, messages. Called after everything that could add to them. */
    void flush() {
        if (isEnded) {
            return;
        }
        long now = now();
        Outbox.Queued next = outbox.next(now); // also drops what is too old
        Bus.Link link = connector.link();
        if (link != null && !isByeSent && !sendAll(link, next, now) && retryTimer == null) {
            retryTimer = timers.schedule(RETRY, () -> {
                retryTimer = null;
                flush();
            });
        }
        reportDropped();
        reportDrained();
        if (!isEnded && isDraining && !isByeSent && outbox.messages() == 0) {
            endDrained(link);
        }
    }

    /** Called in a drain when everything was sent or dropped: announces the departure, or closes at once if the bus is away. */
    private void endDrained(Bus.@Nullable Link link) {
        if (link == null) {
            close();
        } else if (presence.isSent()) {
            heartbeats.requestAll(false, true);
            isByeSent = heartbeats.send(link, streams.presence(), sender(), presence.sentNumber());
            if (isByeSent) {
                connector.end(true);
            }
        }
    }

    /**
     * Returns true if the link has accepted everything that may be sent now. After an outage, messages wait until the others are back, because
     * what is sent before they have subscribed again is lost; but not if that could fill the queue, or delay a drain.
     */
    private boolean sendAll(Bus.Link link, Outbox.@Nullable Queued first, long now) {
        int entriesMax = Wire.entriesMax(link.messageBytesMax());
        for (byte[] frame = presence.next(sender(), entriesMax); frame != null; frame = presence.next(sender(), entriesMax)) {
            if (!link.publish(streams.presence(), frame)) {
                return false;
            }
            presence.sent();
        }
        if (!heartbeats.send(link, streams.presence(), sender(), presence.sentNumber())) {
            return false;
        }
        if (hold.isInForce() && !isDraining && outbox.isHalfEmpty()) {
            return true;
        }
        for (Outbox.Queued next = first; next != null; next = outbox.next(now)) {
            Wire.setUptime(next.frame, now - startNanos);
            try {
                if (!link.publish(next.subject, next.frame)) {
                    return false;
                }
                outbox.sent();
            } catch (IllegalArgumentException e) { // the bus has a lower limit
                notices.tooLong(e);
                outbox.drop();
            }
        }
        return true;
    }

    private void reportDropped() {
        long messages = outbox.droppedCount() - droppedReportedCount;
        if (messages > 0) {
            long bytes = outbox.droppedBytes() - droppedReportedBytes;
            droppedReportedCount += messages;
            droppedReportedBytes += bytes;
            notices.dropped(messages, bytes);
        }
    }

    /** A message was refused because the queue is full. */
    void full() {
        wasFull = true;
    }

    private void reportDrained() {
        if (wasFull && outbox.isHalfEmpty()) {
            wasFull = false;
            notices.drained();
        }
    }

    // ---- the end

    void drain(Duration timeout) {
        if (isEnded) {
            return;
        }
        if (!isDraining) {
            isDraining = true;
            presence.clear();
        }
        drainTimer.start(timeout, connector.link() == null);
        flush();
    }

    void close() {
        if (isEnded) {
            return;
        }
        isDraining = true;
        isByeSent = true;
        while (outbox.messages() > 0) {
            outbox.drop();
        }
        reportDropped();
        connector.end(false);
    }

    /** The loop accepts no work any more, because the server was closed before its relay. Any thread, also repeatedly. */
    void abandon() {
        isEnded = true;
        latest = latest.ended();
        connector.abandon();
        onEnded.run();
    }

    RelayStats stats() {
        long now = now();
        Busiest busiest = Busiest.of(members, outbox, peers);
        return new RelayStats(connector.state(), connector.reason(),
                Duration.ofNanos(now - connector.sinceNanos()).toMillis(), connector.connects(), connector.failures(),
                members.topics().size(), members.size(), outbox.messages(), outbox.bytes(), published, outbox.sentCount(),
                outbox.droppedCount(),
                peers.delivered(), peers.filled(), peers.missed(), peers.duplicates(), connector.overruns(), slow, malformed,
                peers.stats(now), busiest.count(), busiest.topics());
    }
}
