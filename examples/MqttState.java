import io.trivet.server.Connection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** What all clients of a broker share: the sessions, and the retained message of each topic. One thread. */
final class MqttState {
    private static final int SESSIONS_MAX = 10_000;
    /** All of them fit into the queue of one subscriber. */
    private static final int RETAINED_BYTES_MAX = 1 << 20;
    private static final int OVERHEAD_BYTES = 100;

    private final Map<String, MqttSession> sessions = new LinkedHashMap<>();
    private final Map<String, MqttMessage> retained = new HashMap<>();
    private int retainedBytes;

    boolean hasRoomFor(String clientId) {
        return sessions.size() < SESSIONS_MAX || sessions.containsKey(clientId);
    }

    /** Returns the client's session, or null. */
    MqttSession session(String clientId) {
        return sessions.get(clientId);
    }

    /** Connects a client. Its older connection, if there is one, is closed. */
    MqttSession connect(String clientId, Connection connection, boolean clean) {
        MqttSession session = sessions.get(clientId);
        if (session != null && session.connection != null) {
            session.connection.close(); // its onClose follows
        }
        if (session == null || clean || session.clean) {
            session = new MqttSession(clean);
            sessions.put(clientId, session);
        }
        session.connection = connection;
        return session;
    }

    /** Notes that a connection is closed, unless the client has connected again. */
    void disconnect(String clientId, MqttSession session, Connection connection) {
        if (session.connection == connection) {
            session.connection = null;
            if (session.clean) {
                sessions.remove(clientId, session);
            }
        }
    }

    /** Delivers a message to each client that has subscribed to its topic. */
    void publish(MqttMessage message) {
        if (message.retain) {
            retain(message);
        }
        for (MqttSession session : sessions.values()) {
            session.publish(message); // a connection that this overflows is closed later, not within the loop
        }
    }

    private void retain(MqttMessage message) {
        MqttMessage previous = retained.remove(message.topic);
        retainedBytes -= previous == null ? 0 : previous.bytes() + OVERHEAD_BYTES;
        if (message.isEmpty) {
            return; // that is how a retained message is removed
        }
        int bytes = message.bytes() + OVERHEAD_BYTES;
        if (retainedBytes + bytes > RETAINED_BYTES_MAX) {
            System.err.println("too many retained messages; not retained: " + message.topic);
            return;
        }
        retained.put(message.topic, message);
        retainedBytes += bytes;
    }

    /** Delivers the retained messages that match new subscriptions, each once. */
    void deliverRetained(Map<String, Integer> filters, MqttSession session) {
        for (MqttMessage message : retained.values()) {
            int qos = MqttSession.qos(filters, message.topic);
            if (qos >= 0) {
                session.deliver(message, qos, true);
            }
        }
    }
}
