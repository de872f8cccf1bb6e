import io.trivet.server.Connection;
import io.trivet.server.SendResult;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What belongs to a client identifier: subscriptions, and messages of QoS 1 that the client has not acknowledged. It outlives the
 * client's connection, unless it is clean. One thread.
 *
 * <p><b>A slow subscriber</b> delays no other. While its queue is full, messages of QoS 0 are dropped for it. A message of QoS 1 that
 * finds the queue full, or too many bytes unacknowledged, disconnects it: when it connects again, it is sent what it has not
 * acknowledged. Only what is beyond {@link #UNACKNOWLEDGED_BYTES_MAX} is lost, the oldest first.
 */
final class MqttSession {
    /** The cap of a connection's queue. What is retained, or sent again, fits into an empty queue. */
    static final int QUEUE_BYTES_MAX = 4 << 20;
    private static final int UNACKNOWLEDGED_BYTES_MAX = 2 << 20;
    /** What a message takes beside its bytes. It also keeps their number below that of identifiers. */
    private static final int OVERHEAD_BYTES = 100;
    private static final int FILTERS_MAX = 1_000;

    final boolean clean;
    /** Null while the client is not connected. */
    Connection connection;
    private final Map<String, Integer> filters = new HashMap<>();
    private final LinkedHashMap<Integer, Delivery> unacknowledged = new LinkedHashMap<>();
    private int unacknowledgedBytes;
    private int lastId;
    private long dropped;

    /** A message of QoS 1 on its way to the client. */
    private record Delivery(MqttMessage message, boolean retained) {
        int bytes() {
            return message.bytes() + OVERHEAD_BYTES;
        }
    }

    MqttSession(boolean clean) {
        this.clean = clean;
    }

    /** Returns false if the filter is refused. */
    boolean subscribe(String filter, int qos) {
        boolean accepted = MqttMessage.isFilter(filter) && (filters.size() < FILTERS_MAX || filters.containsKey(filter));
        if (accepted) {
            filters.put(filter, qos);
        }
        return accepted;
    }

    void unsubscribe(String filter) {
        filters.remove(filter);
    }

    /** Returns the highest QoS of the filters that match; -1 if none does. */
    static int qos(Map<String, Integer> filters, String topic) {
        int qos = -1;
        for (Map.Entry<String, Integer> filter : filters.entrySet()) {
            if (filter.getValue() > qos && MqttMessage.matches(filter.getKey(), topic)) {
                qos = filter.getValue();
            }
        }
        return qos;
    }

    /** Delivers a message once if any filter matches. */
    void publish(MqttMessage message) {
        int qos = qos(filters, message.topic);
        if (qos >= 0) {
            deliver(message, qos, false);
        }
    }

    void deliver(MqttMessage message, int subscribedQos, boolean retained) {
        if (Math.min(subscribedQos, message.qos) == 1) {
            deliverAtLeastOnce(message, retained);
        } else if (connection != null && connection.offer(message.packet(retained)) != SendResult.QUEUED) {
            dropped++;
        }
    }

    private void deliverAtLeastOnce(MqttMessage message, boolean retained) {
        do {
            lastId = lastId % 0xffff + 1;
        } while (unacknowledged.containsKey(lastId));
        Delivery delivery = new Delivery(message, retained);
        unacknowledged.put(lastId, delivery);
        unacknowledgedBytes += delivery.bytes();
        if (connection != null) {
            connection.send(message.packet(lastId, false, retained)); // if the queue is full, this closes the connection
        }
        while (unacknowledgedBytes > UNACKNOWLEDGED_BYTES_MAX) {
            acknowledge(unacknowledged.firstEntry().getKey());
            dropped++;
            if (connection != null) {
                connection.close();
            }
        }
    }

    void acknowledge(int id) {
        Delivery delivery = unacknowledged.remove(id);
        unacknowledgedBytes -= delivery == null ? 0 : delivery.bytes();
    }

    /** Sends again what was not acknowledged on an earlier connection. */
    void sendAgain() {
        unacknowledged.forEach((id, delivery) -> connection.send(delivery.message.packet(id, true, delivery.retained)));
    }

    /** Returns the number of messages that were dropped since the last call. */
    long takeDropped() {
        long count = dropped;
        dropped = 0;
        return count;
    }
}
