package io.trivet.nats;

import java.util.List;

/**
 * The gauges and counters of a {@link Relay}, of one moment.
 *
 * @param state the link to the bus
 * @param connects how often the bus was reached
 * @param failures how many attempts to reach it failed, or links were lost
 * @param topics the topics that connections of this server have joined
 * @param members the connections that have joined a topic or have an id
 * @param queuedMessages the messages that wait for the bus
 * @param queuedBytes their bytes
 * @param published the messages accepted from this server's applications
 * @param sent the messages that the bus has accepted
 * @param dropped the messages that the queue has dropped
 * @param delivered the messages of other servers that were delivered here
 * @param filled those of them that filled a gap: they arrived late, or came from the history
 * @param gaps the messages of other servers that are known to be lost
 * @param duplicates the messages that arrived a second time, or after they were counted as lost, and were suppressed
 * @param overruns the received messages that were dropped because the loop was behind
 * @param slow how often the bus has reported that this server receives too slowly
 * @param malformed the received messages that are not of a relay, or of another version
 * @param peers the other servers
 */
public record RelayStats(BusState state, long connects, long failures, int topics, int members, int queuedMessages,
        long queuedBytes,
        long published, long sent, long dropped, long delivered, long filled, long gaps, long duplicates, long overruns,
        long slow,
        long malformed,
        List<PeerStats> peers) {
    /**
     * Copies the list.
     */
    public RelayStats {
        peers = List.copyOf(peers);
    }

    /**
     * Another server.
     *
     * @param id its id
     * @param isPresent true if it was heard within the expiry
     * @param silentMillis since when it was not heard
     * @param clients the clients there that have an id
     */
    public record PeerStats(String id, boolean isPresent, long silentMillis, int clients) {}
}
