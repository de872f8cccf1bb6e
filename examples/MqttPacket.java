import static java.nio.charset.StandardCharsets.UTF_8;

import io.trivet.server.Frame;
import io.trivet.server.Messages;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;

/**
 * A packet of MQTT 3.1.1 that has arrived: a type and flags, the remaining length, and then fields that depend on the type. A field
 * that is not there throws a BufferUnderflowException.
 */
final class MqttPacket {
    static final int CONNECT = 1;
    static final int CONNACK = 2;
    static final int PUBLISH = 3;
    static final int PUBACK = 4;
    static final int SUBSCRIBE = 8;
    static final int SUBACK = 9;
    static final int UNSUBSCRIBE = 10;
    static final int UNSUBACK = 11;
    static final int PINGREQ = 12;
    static final int PINGRESP = 13;
    static final int DISCONNECT = 14;

    final int type;
    final int flags;
    private final ByteBuffer fields;

    MqttPacket(ByteBuffer in) throws ProtocolException {
        int first = in.get() & 0xff;
        type = first >> 4;
        flags = first & 15;
        while (in.get() < 0) { // the remaining length, which decode() has read
            continue;
        }
        fields = in;
        if (type != PUBLISH && flags != (type == SUBSCRIBE || type == UNSUBSCRIBE ? 2 : 0)) {
            throw new ProtocolException("a packet of type " + type + " has wrong flags: " + flags);
        }
    }

    /** Finds the end of a packet. The remaining length has 7 bits in each byte, the lowest first, and at most 4 bytes. */
    static void decode(ByteBuffer in, int from, int to, Frame frame) throws ProtocolException {
        int length = 0;
        for (int at = from + 1; at < to; at++) {
            byte digit = in.get(at);
            length |= (digit & 127) << 7 * (at - from - 1);
            if (digit >= 0) {
                int head = at + 1 - from;
                frame.payloadAtLeast(head + length); // one that is too long is refused before it arrives
                if (length <= to - from - head) {
                    frame.message(from, from + head + length, from + head + length);
                }
                return;
            }
            if (at - from == 4) {
                throw new ProtocolException("a remaining length has more than 4 bytes");
            }
        }
    }

    // ---- fields

    int number8() {
        return fields.get() & 0xff;
    }

    int number16() {
        return fields.getShort() & 0xffff;
    }

    int id() throws ProtocolException {
        int id = number16();
        if (id == 0) {
            throw new ProtocolException("a packet identifier must not be 0");
        }
        return id;
    }

    byte[] bytes() {
        byte[] bytes = new byte[number16()];
        fields.get(bytes);
        return bytes;
    }

    String text() throws ProtocolException {
        try {
            String text = UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes())).toString();
            if (text.chars().noneMatch(Character::isISOControl)) { // U+0000 is forbidden, the others are never needed
                return text;
            }
            throw new ProtocolException("a text contains a control character");
        } catch (CharacterCodingException e) {
            throw new ProtocolException("a text is not UTF-8");
        }
    }

    /** Reads the topic that a message is published to. */
    String topic() throws ProtocolException {
        String topic = text();
        if (!MqttMessage.isTopic(topic)) {
            throw new ProtocolException("a topic must not be empty, nor contain + or #: \"" + topic + '"');
        }
        return topic;
    }

    /** Returns what follows the fields that were read: the last field. */
    byte[] rest() {
        return Messages.bytes(fields);
    }

    boolean hasMore() {
        return fields.hasRemaining();
    }

    // ---- packets to send

    /** Returns a packet with only a few bytes of fields. */
    static byte[] small(int type, int... fields) {
        ByteBuffer packet = ByteBuffer.allocate(2 + fields.length).put((byte) (type << 4)).put((byte) fields.length);
        for (int field : fields) {
            packet.put((byte) field);
        }
        return packet.array();
    }

    /** Returns a packet that is about the packet with an identifier. */
    static byte[] acknowledgement(int type, int id, byte... results) {
        byte[] head = head(type << 4, 2 + results.length);
        return ByteBuffer.allocate(head.length + 2 + results.length).put(head).putShort((short) id).put(results).array();
    }

    /** Returns the first bytes of a packet: its type and flags, and the remaining length. */
    static byte[] head(int first, int length) {
        int digits = length < 1 << 7 ? 1 : length < 1 << 14 ? 2 : length < 1 << 21 ? 3 : 4;
        byte[] head = new byte[1 + digits];
        head[0] = (byte) first;
        for (int i = 0; i < digits; i++) {
            head[1 + i] = (byte) (length >> 7 * i & 127 | (i < digits - 1 ? 128 : 0));
        }
        return head;
    }
}
