package io.trivet.nats;

import io.trivet.nats.Frame.Sender;
import io.trivet.nats.RelayListener.ServerChange;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The receiving side of a relay: finds gaps and repetitions in what other servers publish, and keeps their clients. Loop thread only.
 *
 * <p>From when on are the messages of a publisher counted? If it has started after this server subscribed to the topic, from its first. Otherwise
 * from the first message or heartbeat of it that arrives after the subscription: what it published before was not for this server. The bus does
 * not confirm when a subscription takes effect. So a heartbeat that passed the bus just before the subscription also counts, and what its
 * sender published in between counts as missed, although it was published too early to arrive. Counting later would leave losses unreported.
 */
final class Peers implements Fills.Owner {
    /** The most servers that are remembered. Beyond it, the one that has been silent the longest is forgotten. */
    static final int PEERS_MAX = 1000;

    /** What the relay does with what was found. */
    interface Owner {
        /** Delivers a message to local members, or to a client of this server. */
        void deliver(Frame.Message message);

        /** Messages are lost. */
        void gap(String stream, long from, long missed);

        /** Clients of another server have come or left. */
        void presence(long from, List<Frame.Change> changes);

        /** Another server has come or left. */
        void server(long id, ServerChange change);

        /** The clients of another server are to be requested. */
        void requestSnapshot(long from);

        /** Another server wants a heartbeat. */
        void heartbeatSoon();

        /** Another server wants to know the clients of this one. */
        void snapshotSoon();

        /** Requests the history of a stream from the bus. Returns false if there is none. */
        boolean fetch(String stream, Duration back);
    }

    private final long own;
    private final long expiryNanos;
    private final long heartbeatNanos;
    private final Owner owner;
    private final Fills fills;
    private final SortedMap<Long, Peer> peers = new TreeMap<>();
    /** The streams that this server receives. */
    private final NavigableMap<String, Subscription> subscribed = new TreeMap<>();
    /** The servers that were present when the bus went away, and from which nothing has arrived since it is back. */
    private final Set<Long> awaited = new HashSet<>();
    /** True after the first call of {@link #expire}, whose last call was at expiringNanos. */
    private boolean isExpiring;
    private long expiringNanos;
    private long duplicates;
    private long missed;
    private long delivered;

    Peers(long own, RelayOptions options, Owner owner) {
        this.own = own;
        expiryNanos = options.expiry().toNanos();
        heartbeatNanos = options.heartbeat().toNanos();
        this.owner = owner;
        fills = new Fills(options.history() == null ? Duration.ZERO : options.history().patience(), options.inboundBytesMax(),
                this);
    }

    /** A subscription was sent to the bus; its streams are counted from now on, unless they already were. */
    void subscribed(String stream, long nowNanos) {
        subscribed.computeIfAbsent(stream, _ -> new Subscription(nowNanos));
    }

    /** A subscription has ended. */
    void unsubscribed(String stream) {
        subscribed.remove(stream);
        fills.forget(stream);
        peers.values().forEach(peer -> peer.positions.remove(stream));
    }

    /** Handles a frame of another server. */
    void receive(Frame frame, long nowNanos) {
        Sender sender = frame.sender();
        if (sender.id() == own) {
            return; // an echo
        }
        Peer peer = peers.get(sender.id());
        if (peer == null) {
            peer = add(sender.id(), nowNanos);
        }
        if (peer.hasLeft) {
            duplicates += frame instanceof Frame.Message ? 1 : 0; // its last heartbeat has counted everything
            return;
        }
        peer.heardNanos = nowNanos;
        awaited.remove(peer.id);
        if (!peer.isPresent) {
            peer.isPresent = true;
            owner.server(peer.id, ServerChange.APPEARED);
        }
        switch (frame) {
            case Frame.Message message -> message(peer, message, nowNanos);
            case Frame.Heartbeat heartbeat -> heartbeat(peer, heartbeat, nowNanos);
            case Frame.Changes changes -> presence(peer, peer.apply(changes), nowNanos);
            case Frame.Snapshot snapshot -> presence(peer, peer.apply(snapshot), nowNanos);
            case Frame.SnapshotRequest request -> {
                if (request.to() == own) {
                    owner.snapshotSoon();
                }
            }
        }
    }

    /** Handles a message from the history. Ignores it unless a gap of its server and stream is being filled. */
    void receiveKept(Frame.Message message) {
        Peer peer = peers.get(message.sender().id());
        Fill fill = peer == null ? null : fills.of(peer, message.stream());
        if (fill != null) {
            fills.receive(fill, message);
        }
    }

    /** Called when nothing more is received: reports the gaps that are being filled, and delivers what has waited behind them. */
    void end() {
        fills.giveUpAll();
    }

    private Peer add(long id, long nowNanos) {
        if (peers.size() >= PEERS_MAX) {
            peers.values().stream().max(Comparator.comparingLong(each -> nowNanos - each.heardNanos)).ifPresent(oldest -> {
                fills.forget(oldest);
                if (oldest.isPresent) {
                    lose(oldest, ServerChange.LOST);
                }
                peers.remove(oldest.id);
            });
        }
        Peer peer = new Peer(id);
        peers.put(id, peer);
        return peer;
    }

    private void message(Peer peer, Frame.Message message, long nowNanos) {
        Subscription subscription = subscribed.get(message.stream());
        if (subscription == null) {
            return; // the subscription has ended meanwhile
        }
        Fill fill = fills.of(peer, message.stream());
        if (fill != null) {
            duplicates += fills.receive(fill, message) ? 0 : 1;
            return;
        }
        Position position = peer.positions.get(message.stream());
        if (position == null) {
            long since = subscription.sinceNanos;
            boolean fromStart = isCountedFromStart(message.stream(), message.sender(), since, nowNanos);
            position = new Position(fromStart ? 0 : message.number() - 1, first(message.sender(), since, nowNanos));
            peer.positions.put(message.stream(), position);
        }
        if (message.number() <= position.number) {
            duplicates++;
            return;
        }
        if (message.number() > position.number + 1) {
            fill = fills.begin(peer, message.stream(), position, message.number() - 1, nowNanos);
            if (fill != null) {
                fills.receive(fill, message);
                return;
            }
            missed(peer, message.stream(), message.number() - 1 - position.number);
        }
        position.number = message.number();
        position.atNanos = nowNanos;
        delivered++;
        subscription.delivered++;
        owner.deliver(message);
    }

    /** Returns the earliest time at which a server can have published a message that this one receives. */
    private static long first(Sender sender, long subscribedNanos, long nowNanos) {
        long started = nowNanos - sender.uptimeNanos();
        return started - subscribedNanos > 0 ? started : subscribedNanos;
    }

    @Override
    public boolean fetch(String stream, Duration back) {
        return owner.fetch(stream, back);
    }

    @Override
    public void next(Peer peer, Frame.Message message) {
        delivered++;
        Subscription subscription = subscribed.get(message.stream());
        if (subscription != null) {
            subscription.delivered++;
        }
        owner.deliver(message);
    }

    private static boolean isCountedFromStart(String stream, Sender sender, long sinceNanos, long nowNanos) {
        return !Streams.isTopic(stream) || sender.uptimeNanos() < nowNanos - sinceNanos;
    }

    @Override
    public void missed(Peer peer, String stream, long count) {
        if (count > 0) {
            missed += count;
            peer.missed += count;
            Subscription subscription = subscribed.get(stream);
            if (subscription != null) {
                subscription.missed += count;
            }
            owner.gap(stream, peer.id, count);
        }
    }

    private void heartbeat(Peer peer, Frame.Heartbeat heartbeat, long nowNanos) {
        peer.lag.heartbeat(heartbeat.sender().uptimeNanos(), nowNanos);
        NavigableMap<String, Subscription> covered = heartbeat.isLast() || heartbeat.last().isEmpty()
                ? subscribed.tailMap(heartbeat.after(), false)
                : subscribed.subMap(heartbeat.after(), false, heartbeat.last().lastKey(), true);
        for (String stream : List.copyOf(covered.keySet())) { // the application may join or leave meanwhile
            Subscription subscription = subscribed.get(stream);
            if (subscription != null) {
                count(peer, stream, heartbeat, subscription.sinceNanos, nowNanos);
            }
        }
        if (heartbeat.isHello()) {
            owner.heartbeatSoon();
        }
        if (heartbeat.isBye()) {
            peer.hasLeft = true;
            lose(peer, ServerChange.LEFT);
        } else {
            checkPresence(peer, heartbeat.presence(), nowNanos);
        }
    }

    /** Compares what has arrived of a stream with the number that a heartbeat names. */
    private void count(Peer peer, String stream, Frame.Heartbeat heartbeat, long sinceNanos, long nowNanos) {
        long last = heartbeat.last().getOrDefault(stream, 0L);
        Fill fill = fills.of(peer, stream);
        if (fill != null) {
            fill.exists(last);
            return;
        }
        Position position = peer.positions.get(stream);
        if (position == null) {
            position = new Position(isCountedFromStart(stream, heartbeat.sender(), sinceNanos, nowNanos) ? 0 : last,
                    first(heartbeat.sender(), sinceNanos, nowNanos));
            peer.positions.put(stream, position);
        }
        if (last > position.number && fills.begin(peer, stream, position, last, nowNanos) == null) {
            long missed = last - position.number;
            position.number = last;
            missed(peer, stream, missed);
        }
        position.atNanos = last >= position.number ? nowNanos : position.atNanos;
    }

    private void checkPresence(Peer peer, long number, long nowNanos) {
        if (peer.knowsPresence(number)) {
            peer.hasRequested = false;
        } else {
            request(peer, nowNanos);
        }
    }

    private void request(Peer peer, long nowNanos) {
        if (!peer.hasRequested || nowNanos - peer.requestedNanos >= heartbeatNanos) {
            peer.hasRequested = true;
            peer.requestedNanos = nowNanos;
            owner.requestSnapshot(peer.id);
        }
    }

    private void presence(Peer peer, @Nullable List<Frame.Change> changed, long nowNanos) {
        if (changed == null) {
            request(peer, nowNanos);
        } else if (!changed.isEmpty()) {
            owner.presence(peer.id, changed);
        }
    }

    /** Called when the bus is up. */
    void up(long nowNanos) {
        fills.up(nowNanos);
    }

    /** Called when the bus is away, and after each failed attempt to reach it. */
    void away() {
        fills.away();
        peers.values().stream().filter(peer -> peer.isPresent).forEach(peer -> awaited.add(peer.id));
    }

    /** Returns true if nothing has arrived since from a server that was present when the bus went away: it may not have subscribed yet. */
    boolean awaitsOthers() {
        return !awaited.isEmpty();
    }

    /** Stops waiting for these servers. */
    void awaitNoOthers() {
        awaited.clear();
    }

    /** Called when the history of a stream was read, as far as possible. */
    void fetched(String stream, long nowNanos) {
        fills.fetched(stream, nowNanos);
    }

    /**
     * Reports servers as lost that were silent for too long, and gives up gaps that were not filled in time. Called with each heartbeat. If
     * the last call was too long ago, this process was stopped: what has arrived meanwhile is still to be read, so the next call decides.
     */
    void expire(long nowNanos) {
        boolean wasStopped = isExpiring && nowNanos - expiringNanos > 2 * heartbeatNanos;
        isExpiring = true;
        expiringNanos = nowNanos;
        if (wasStopped) {
            return;
        }
        fills.expire(nowNanos);
        for (Peer peer : List.copyOf(peers.values())) {
            if (peer.isPresent && nowNanos - peer.heardNanos >= expiryNanos) {
                lose(peer, ServerChange.LOST);
            }
        }
    }

    private void lose(Peer peer, ServerChange change) {
        peer.isPresent = false;
        peer.hasRequested = false;
        List<Frame.Change> lost = peer.loseClients();
        if (!lost.isEmpty()) {
            owner.presence(peer.id, lost);
        }
        owner.server(peer.id, change);
    }

    /** Returns the servers that have a client. */
    List<Long> serversOf(String client) {
        List<Long> servers = new ArrayList<>();
        peers.values().forEach(peer -> {
            if (peer.clients().contains(client)) {
                servers.add(peer.id);
            }
        });
        return servers;
    }

    List<RelayStats.PeerStats> stats(long nowNanos) {
        return peers.values().stream().filter(peer -> !peer.hasLeft)
                .map(peer -> new RelayStats.PeerStats(Streams.text(peer.id), peer.isPresent,
                        Duration.ofNanos(nowNanos - peer.heardNanos).toMillis(), peer.lag.nanos(), peer.clients().size(),
                        peer.missed))
                .toList();
    }

    /** Returns the subscription to a stream, or null. */
    @Nullable
    Subscription subscription(String stream) {
        return subscribed.get(stream);
    }

    long duplicates() {
        return duplicates;
    }

    long missed() {
        return missed;
    }

    long delivered() {
        return delivered;
    }

    long filled() {
        return fills.filled();
    }
}
