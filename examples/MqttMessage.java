import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;

/** A message that was published, as the packets that carry it to subscribers; and the rules of topics. One thread. */
final class MqttMessage {
    final String topic;
    /** 0 or 1. */
    final int qos;
    /** The topic's later subscribers are to get it too. */
    final boolean retain;
    final boolean isEmpty;
    private final byte[] atMostOnce;
    /** As {@code atMostOnce}, with an identifier; the same if the message was published with QoS 0. */
    private final byte[] atLeastOnce;
    private final int idAt;

    MqttMessage(String topic, byte[] payload, int qos, boolean retain) {
        this.topic = topic;
        this.qos = qos;
        this.retain = retain;
        isEmpty = payload.length == 0;
        atMostOnce = packet(topic, payload, 0);
        atLeastOnce = qos == 0 ? atMostOnce : packet(topic, payload, 2);
        idAt = atLeastOnce.length - payload.length - 2;
    }

    private static byte[] packet(String topic, byte[] payload, int idBytes) {
        byte[] name = topic.getBytes(UTF_8);
        int length = 2 + name.length + idBytes + payload.length;
        byte[] head = MqttPacket.head(MqttPacket.PUBLISH << 4, length);
        return ByteBuffer.allocate(head.length + length).put(head).putShort((short) name.length).put(name)
                .position(head.length + 2 + name.length + idBytes).put(payload).array();
    }

    int bytes() {
        return atLeastOnce.length;
    }

    /** Returns the packet for a subscriber with QoS 0. Valid until the next call: receivers differ in a few bits only. */
    byte[] packet(boolean retained) {
        atMostOnce[0] = (byte) (MqttPacket.PUBLISH << 4 | (retained ? 1 : 0));
        return atMostOnce;
    }

    /** Returns the packet for a subscriber with QoS 1. Valid until the next call. */
    byte[] packet(int id, boolean duplicate, boolean retained) {
        atLeastOnce[0] = (byte) (MqttPacket.PUBLISH << 4 | (duplicate ? 8 : 0) | 2 | (retained ? 1 : 0));
        atLeastOnce[idAt] = (byte) (id >> 8);
        atLeastOnce[idAt + 1] = (byte) id;
        return atLeastOnce;
    }

    // ---- topics: levels between slashes

    /** Returns true if a message can be published there. */
    static boolean isTopic(String topic) {
        return !topic.isEmpty() && topic.indexOf('+') < 0 && topic.indexOf('#') < 0;
    }

    /** Returns true if every + is a level of its own, and a # is the last level. */
    static boolean isFilter(String filter) {
        String[] levels = filter.split("/", -1);
        for (int i = 0; i < levels.length; i++) {
            boolean isWildcard = levels[i].equals("+") || levels[i].equals("#") && i == levels.length - 1;
            if (!isWildcard && (levels[i].indexOf('+') >= 0 || levels[i].indexOf('#') >= 0)) {
                return false;
            }
        }
        return !filter.isEmpty();
    }

    /** Returns true if a filter selects a topic: a + stands for one level, a # for its parent and all levels below. */
    static boolean matches(String filter, String topic) {
        int at = 0;
        for (int i = 0; i < filter.length(); i++) {
            char c = filter.charAt(i);
            if ((c == '+' || c == '#') && i == 0 && topic.charAt(0) == '$') {
                return false; // those of the server's own, such as $SYS, are selected by their names only
            } else if (c == '#') {
                return true;
            } else if (c == '+') {
                int slash = topic.indexOf('/', at);
                at = slash < 0 ? topic.length() : slash;
            } else if (at < topic.length() && topic.charAt(at) == c) {
                at++;
            } else {
                return at == topic.length() && filter.startsWith("/#", i);
            }
        }
        return at == topic.length();
    }
}
