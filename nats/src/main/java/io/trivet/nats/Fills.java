package io.trivet.nats;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The gaps that the history of the bus may fill. While a gap is being filled, later messages of the same server and topic wait, so that the order
 * is kept. A gap that cannot be filled in time, or for lack of memory, is reported. Loop thread only.
 */
final class Fills {
    /** How far clocks and delays of servers may differ: the history is requested from this much earlier on. */
    private static final Duration SLACK = Duration.ofSeconds(10);
    /** Maximum time for one gap, in patiences: each time the bus is back, the wait for the history starts again. */
    private static final int PATIENCES_MAX = 3;

    /** The relay that owns the gaps. */
    interface Owner {
        /** Requests the history of a stream. Returns false if there is none. */
        boolean fetch(String stream, Duration back);

        /** Delivers a message, which is the next one. */
        void next(Peer peer, Frame.Message message);

        /** Called when messages before the next one are lost. */
        void missed(Peer peer, String stream, long count);
    }

    private final Owner owner;
    private final long patienceNanos;
    private final long bytesMax;
    /** By stream, and by server. */
    private final SortedMap<String, SortedMap<Long, Fill>> fills = new TreeMap<>();
    /** The streams whose history was requested, and has not arrived. */
    private final Set<String> requested = new HashSet<>();
    private boolean isUp;
    private long bytes;
    private long filled;

    /**
     * Creates a set without gaps.
     *
     * @param patience how long a gap may be filled while the bus is up; zero: gaps are not filled
     * @param bytesMax the most bytes of messages that wait
     */
    Fills(Duration patience, long bytesMax, Owner owner) {
        this.owner = owner;
        patienceNanos = patience.toNanos();
        this.bytesMax = bytesMax;
    }

    /** Returns the gap of a stream that is being filled, or null. */
    @Nullable
    Fill of(Peer peer, String stream) {
        SortedMap<Long, Fill> ofStream = fills.get(stream);
        return ofStream == null ? null : ofStream.get(peer.id);
    }

    /**
     * Begins to fill a gap.
     *
     * @param position the position before the gap
     * @param last the number of the last message that is known to exist
     * @return null if there is no history
     */
    @Nullable
    Fill begin(Peer peer, String stream, Position position, long last, long nowNanos) {
        Fill fill = new Fill(peer, stream, position, last);
        boolean isRequested = requested.contains(stream);
        if (patienceNanos == 0 || !isUp || (!isRequested && !fetch(stream, fill.sinceNanos, nowNanos))) {
            return null;
        }
        fill.hasGrown = isRequested; // that request may have been too early
        fill.begunNanos = nowNanos;
        fill.untilNanos = nowNanos + patienceNanos;
        fills.computeIfAbsent(stream, _ -> new TreeMap<>()).put(peer.id, fill);
        return fill;
    }

    private boolean fetch(String stream, long sinceNanos, long nowNanos) {
        return owner.fetch(stream, Duration.ofNanos(nowNanos - sinceNanos).plus(SLACK)) && requested.add(stream);
    }

    /** Handles a message of a stream with a gap, live or from the history. Returns false if it is a duplicate. */
    boolean receive(Fill fill, Frame.Message message) {
        if (message.number() <= fill.position.number) {
            return false;
        }
        if (message.number() == fill.position.number + 1) {
            filled++;
            deliver(fill, message);
            deliverHeld(fill, false);
        } else {
            bytes -= fill.heldBytes();
            boolean isNew = fill.hold(message);
            bytes += fill.heldBytes();
            if (bytes > bytesMax) {
                giveUp(fill);
            }
            return isNew;
        }
        if (fill.isComplete()) {
            remove(fill);
        }
        return true;
    }

    private void deliver(Fill fill, Frame.Message message) {
        fill.position.number = message.number();
        owner.next(fill.peer, message);
    }

    private void deliverHeld(Fill fill, boolean skipsMissing) {
        bytes -= fill.heldBytes();
        for (Frame.Message next = fill.take(skipsMissing); next != null; next = fill.take(skipsMissing)) {
            miss(fill, next.number() - 1);
            deliver(fill, next);
        }
        bytes += fill.heldBytes();
    }

    private void miss(Fill fill, long last) {
        long count = last - fill.position.number;
        if (count > 0) {
            fill.position.number = last;
            owner.missed(fill.peer, fill.stream, count);
        }
    }

    /** Reports what is missing as lost, and delivers what has waited. */
    private void giveUp(Fill fill) {
        remove(fill);
        deliverHeld(fill, true);
        miss(fill, fill.last);
    }

    private void remove(Fill fill) {
        SortedMap<Long, Fill> ofStream = fills.get(fill.stream);
        if (ofStream != null && ofStream.remove(fill.peer.id, fill) && ofStream.isEmpty()) {
            fills.remove(fill.stream);
        }
    }

    /** Called when the history of a stream has arrived. What was missing before it was requested, and is still missing, is lost. */
    void fetched(String stream, long nowNanos) {
        requested.remove(stream);
        long sinceNanos = 0;
        boolean isIncomplete = false;
        for (Fill fill : of(stream)) {
            if (!fill.hasGrown) {
                giveUp(fill);
            } else {
                fill.hasGrown = false;
                sinceNanos = isIncomplete && sinceNanos - fill.sinceNanos < 0 ? sinceNanos : fill.sinceNanos;
                isIncomplete = true;
            }
        }
        if (isIncomplete && !fetch(stream, sinceNanos, nowNanos)) {
            of(stream).forEach(this::giveUp);
        }
    }

    private List<Fill> of(String stream) {
        SortedMap<Long, Fill> ofStream = fills.get(stream);
        return ofStream == null ? List.of() : List.copyOf(ofStream.values());
    }

    private List<Fill> all() {
        List<Fill> all = new ArrayList<>();
        for (Map.Entry<String, SortedMap<Long, Fill>> each : fills.entrySet()) {
            all.addAll(each.getValue().values());
        }
        return all;
    }

    /** Gives up the gaps that were not filled in time. */
    void expire(long nowNanos) {
        all().stream().filter(fill -> nowNanos - fill.untilNanos >= 0).forEach(this::giveUp);
    }

    /** Gives up all gaps. */
    void giveUpAll() {
        all().forEach(this::giveUp);
    }

    /** Called when the bus is up: requests the history of all streams with gaps again. */
    void up(long nowNanos) {
        isUp = true;
        requested.clear();
        for (String stream : List.copyOf(fills.keySet())) {
            for (Fill fill : of(stream)) {
                fill.hasGrown = true;
                fill.untilNanos = Math.min(nowNanos + patienceNanos - fill.begunNanos, PATIENCES_MAX * patienceNanos)
                        + fill.begunNanos;
            }
            fetched(stream, nowNanos);
        }
    }

    /** Called when the bus is away. Gaps wait until it is back, or until their time is over. */
    void away() {
        isUp = false;
    }

    /** Called when a stream is no longer received: drops its gaps without a report. */
    void forget(String stream) {
        of(stream).forEach(fill -> {
            bytes -= fill.heldBytes();
            remove(fill);
        });
    }

    /** Called when a server is forgotten: reports its gaps. */
    void forget(Peer peer) {
        all().stream().filter(fill -> fill.peer == peer).forEach(this::giveUp);
    }

    /** Returns how many messages have filled gaps. */
    long filled() {
        return filled;
    }
}
