package io.trivet.nats;

import java.util.List;

/**
 * The gauges and counters of a {@link Relay}, of one moment.
 *
 * @param state the link to the bus
 * @param reason why the bus is away: the problem of the last attempt, in one line; empty if there was none
 * @param stateMillis for how long the bus has been reached if it is UP, and otherwise for how long it has not been reached
 * @param connects how often the bus was reached: the first time and all reconnects
 * @param failures how many attempts to reach it failed, or links were lost
 * @param topics the topics that connections of this server have joined
 * @param members the connections that have joined a topic or have an id
 * @param queuedMessages the messages that wait for the bus
 * @param queuedBytes their bytes
 * @param published the messages that this server has accepted, to topics and to client ids
 * @param sent the messages that the bus has accepted: those to topics, and those to client ids that other servers have, once for each such server
 * @param dropped the messages that the queue has dropped
 * @param delivered the messages of other servers that were delivered here
 * @param filled those of them that filled a gap: they arrived late, or came from the history
 * @param missed the messages of other servers that are known to be lost
 * @param duplicates the messages that arrived a second time, or after they were counted as lost, and were suppressed
 * @param overruns the received messages that were dropped because the loop could not keep up
 * @param slow how often the bus has reported that this server receives too slowly
 * @param malformed the received messages that are not of a relay, or of another version
 * @param peers the other servers, except those that have left
 * @param topicsUsed the topics that connections of this server have joined, or that it has published to
 * @param busiest those of them with the most messages, at most 100, the busiest first
 */
public record RelayStats(BusState state, String reason, long stateMillis, long connects, long failures, int topics, int members,
        int queuedMessages, long queuedBytes,
        long published, long sent, long dropped, long delivered, long filled, long missed, long duplicates, long overruns,
        long slow,
        long malformed,
        List<PeerStats> peers, int topicsUsed, List<TopicStats> busiest) {
    /**
     * Copies the lists.
     */
    public RelayStats {
        peers = List.copyOf(peers);
        busiest = List.copyOf(busiest);
    }

    /** Returns the same values with a link that is closed for good. */
    RelayStats ended() {
        return new RelayStats(BusState.CLOSED, reason, stateMillis, connects, failures, topics, members, queuedMessages,
                queuedBytes,
                published, sent, dropped, delivered, filled, missed, duplicates, overruns, slow, malformed, peers, topicsUsed,
                busiest);
    }

    /**
     * Another server.
     *
     * @param id its id
     * @param isPresent true if something from it arrived within the expiry
     * @param silentMillis the time since the last frame of it arrived
     * @param lagNanos how much longer its last heartbeat took, from its loop to this one, than its fastest heartbeat: the delay that a busy
     *     bus, network or loop adds. A delay that lasts is understated by 0.36 s for each hour, since clocks differ in speed
     * @param clients the clients there that have an id
     * @param missed its messages that are known to be lost
     */
    public record PeerStats(String id, boolean isPresent, long silentMillis, long lagNanos, int clients, long missed) {}

    /**
     * A topic.
     *
     * @param topic its name
     * @param members the connections of this server that have joined it
     * @param published the messages that this server has accepted for it
     * @param delivered the messages of other servers that were delivered here, since its first current member joined; 0 without members
     * @param missed the messages of other servers that are known to be lost, since its first current member joined; 0 without members
     */
    public record TopicStats(String topic, int members, long published, long delivered, long missed) {
        /** Returns how busy it is. */
        long messages() {
            return published + delivered + missed;
        }
    }
}
