package io.trivet.nats;

import io.trivet.observe.ConnectionState;
import io.trivet.server.Connection;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The connections of this server: which have joined which topic, and which client id they have. Loop thread only. */
final class Members {
    private static final class Member {
        final Set<String> topics = new TreeSet<>();
        @Nullable String client;
    }

    private final Map<Connection, Member> members = new LinkedHashMap<>();
    private final TreeMap<String, Set<Connection>> topics = new TreeMap<>();
    private final TreeMap<String, Set<Connection>> clients = new TreeMap<>();

    int size() {
        return members.size();
    }

    SortedSet<String> topics() {
        return topics.navigableKeySet();
    }

    SortedSet<String> clients() {
        return clients.navigableKeySet();
    }

    /** Returns the members of a topic. */
    Collection<Connection> of(String topic) {
        return topics.getOrDefault(topic, Set.of());
    }

    /** Returns the connections of a client. */
    Collection<Connection> ofClient(String client) {
        return clients.getOrDefault(client, Set.of());
    }

    /** Returns true if this is the first member of the topic. */
    boolean join(Connection connection, String topic) {
        members.computeIfAbsent(connection, _ -> new Member()).topics.add(topic);
        Set<Connection> joined = topics.computeIfAbsent(topic, _ -> new LinkedHashSet<>());
        return joined.add(connection) && joined.size() == 1;
    }

    /** Returns true if it was the last member of the topic. */
    boolean leave(Connection connection, String topic) {
        Member member = members.get(connection);
        if (member == null || !member.topics.remove(topic)) {
            return false;
        }
        removeIfUnused(connection, member);
        return remove(topics, topic, connection);
    }

    /** Returns true if this is the first connection of the client. The connection must have no client id. */
    boolean register(Connection connection, String client) {
        members.computeIfAbsent(connection, _ -> new Member()).client = client;
        Set<Connection> connections = clients.computeIfAbsent(client, _ -> new LinkedHashSet<>());
        return connections.add(connection) && connections.size() == 1;
    }

    /** Takes the client id from a connection. Returns the id if this was its last connection. */
    @Nullable
    String unregister(Connection connection) {
        Member member = members.get(connection);
        if (member == null || member.client == null) {
            return null;
        }
        String client = member.client;
        member.client = null;
        removeIfUnused(connection, member);
        return remove(clients, client, connection) ? client : null;
    }

    private void removeIfUnused(Connection connection, Member member) {
        if (member.topics.isEmpty() && member.client == null) {
            members.remove(connection);
        }
    }

    private static boolean remove(Map<String, Set<Connection>> map, String name, Connection connection) {
        Set<Connection> connections = map.get(name);
        if (connections == null || !connections.remove(connection) || !connections.isEmpty()) {
            return false;
        }
        map.remove(name);
        return true;
    }

    /** Returns the topics that a connection has joined. */
    List<String> topicsOf(Connection connection) {
        Member member = members.get(connection);
        return member == null ? List.of() : List.copyOf(member.topics);
    }

    /** Returns the connections that are closed. */
    List<Connection> closed() {
        List<Connection> closed = new ArrayList<>();
        for (Connection connection : members.keySet()) {
            if (connection.state() == ConnectionState.CLOSED) {
                closed.add(connection);
            }
        }
        return closed;
    }
}
