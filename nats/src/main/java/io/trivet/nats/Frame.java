package io.trivet.nats;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.SortedMap;

/** What one relay sends to others. {@link Wire} documents the bytes. */
sealed interface Frame {
    /** Returns the sender, and how long it has been running. */
    Sender sender();

    /**
     * A relay, which has a new id each time it starts.
     *
     * @param uptimeNanos how long it had been running when it handed the frame to the bus
     */
    record Sender(long id, long uptimeNanos) {}

    /**
     * A message to a topic, or to a client.
     *
     * @param stream the stream that it is numbered in
     * @param client the receiver of a message to a client; empty for a topic
     * @param content the message, from position to limit
     */
    record Message(Sender sender, String stream, long number, String client, ByteBuffer content) implements Frame {}

    /**
     * A heartbeat, with the number of the last message of each stream whose name is after one and up to another.
     *
     * @param isHello asks for a heartbeat of each receiver
     * @param isBye the sender ends
     * @param presence the number of the last change of presence
     * @param after the names covered are greater than this
     * @param isLast the names covered have no upper end; otherwise it is the last one in the map
     */
    record Heartbeat(Sender sender, boolean isHello, boolean isBye, long presence, String after, boolean isLast,
            SortedMap<String, Long> last) implements Frame {}

    /** Changes of presence, numbered from the first on. */
    record Changes(Sender sender, long first, List<Change> changes) implements Frame {}

    /** A client that has come or left. */
    record Change(boolean isPresent, String client) {}

    /**
     * All clients after a change of presence, in several parts.
     *
     * @param number the number of the last change
     */
    record Snapshot(Sender sender, long number, int part, int parts, List<String> clients) implements Frame {}

    /** Asks a relay for a snapshot. */
    record SnapshotRequest(Sender sender, long to) implements Frame {}
}
