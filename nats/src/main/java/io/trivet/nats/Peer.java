package io.trivet.nats;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Another server, as this one knows it: the numbers of the last messages that came from it, and its clients. Its streams are
 * remembered while it is silent, so that what was lost meanwhile is known when it is heard again.
 */
final class Peer {
    /** {@link #presence} while the clients are not known. */
    private static final long UNKNOWN = -1;

    final long id;
    /** True while it is heard. */
    boolean isPresent;
    /** True after its last heartbeat. */
    boolean hasLeft;
    long heardNanos;
    final Lag lag = new Lag();
    /** Messages of it that were reported as missed. */
    long missed;
    /** How far its streams were received. */
    final Map<String, Position> positions = new TreeMap<>();
    /** When a snapshot was last requested. */
    long requestedNanos;
    boolean hasRequested;

    private final TreeSet<String> clients = new TreeSet<>();
    /** The number of the last change of presence. */
    private long presence = UNKNOWN;
    private long snapshotNumber = UNKNOWN;
    private int partsReceived;
    private final List<String> snapshotClients = new ArrayList<>();

    Peer(long id) {
        this.id = id;
    }

    SortedSet<String> clients() {
        return clients;
    }

    /** Returns true if the clients after a change are known. */
    boolean knowsPresence(long number) {
        return presence == number || (number == 0 && presence == UNKNOWN && clients.isEmpty());
    }

    /**
     * Applies changes.
     *
     * @return what has changed, or null if changes before these are missing
     */
    @Nullable
    List<Frame.Change> apply(Frame.Changes frame) {
        long last = frame.first() + frame.changes().size() - 1;
        if (presence != UNKNOWN && last <= presence) {
            return List.of(); // a repetition
        }
        if (frame.first() != (presence == UNKNOWN ? 1 : presence + 1)) {
            return null;
        }
        presence = last;
        List<Frame.Change> changed = new ArrayList<>();
        for (Frame.Change change : frame.changes()) {
            if (change.isPresent() ? clients.add(change.client()) : clients.remove(change.client())) {
                changed.add(change);
            }
        }
        return changed;
    }

    /** Applies a part of a snapshot. Returns what has changed, which is nothing before the last part. */
    List<Frame.Change> apply(Frame.Snapshot frame) {
        if (frame.part() == 0) {
            snapshotNumber = frame.number();
            partsReceived = 0;
            snapshotClients.clear();
        }
        if (frame.number() != snapshotNumber || frame.part() != partsReceived || frame.number() < presence) {
            return List.of(); // a part is missing, or it is older than what is known
        }
        partsReceived++;
        snapshotClients.addAll(frame.clients());
        if (partsReceived < frame.parts()) {
            return List.of();
        }
        presence = frame.number();
        TreeSet<String> now = new TreeSet<>(snapshotClients);
        snapshotClients.clear();
        snapshotNumber = UNKNOWN;
        List<Frame.Change> changed = new ArrayList<>();
        clients.stream().filter(client -> !now.contains(client)).forEach(client -> changed.add(new Frame.Change(false, client)));
        now.stream().filter(client -> !clients.contains(client)).forEach(client -> changed.add(new Frame.Change(true, client)));
        clients.clear();
        clients.addAll(now);
        return changed;
    }

    /** Forgets the clients, since they cannot be reached. Returns them. */
    List<Frame.Change> loseClients() {
        List<Frame.Change> lost = clients.stream().map(client -> new Frame.Change(false, client)).toList();
        clients.clear();
        presence = UNKNOWN;
        snapshotNumber = UNKNOWN;
        snapshotClients.clear();
        return lost;
    }
}
