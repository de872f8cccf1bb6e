package io.trivet.nats;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;

/**
 * The names of streams. A stream is what one server sends to one topic, or to the clients of one other server; its messages are
 * numbered from 1. A topic's stream has the topic's name with a letter before it.
 */
final class Streams {
    private static final char TOPIC = 't';
    private static final char DIRECT = 'd';
    private static final HexFormat HEX = HexFormat.of();

    private final String prefix;

    /**
     * Creates the names.
     *
     * @param prefix the first part of every subject
     */
    Streams(String prefix) {
        this.prefix = prefix;
    }

    static String ofTopic(String topic) {
        return TOPIC + topic;
    }

    static String ofServer(long server) {
        return DIRECT + text(server);
    }

    static boolean isTopic(String stream) {
        return !stream.isEmpty() && stream.charAt(0) == TOPIC;
    }

    /** Returns the name of a topic, or {@link RelayListener#DIRECT}. */
    static String topic(String stream) {
        return isTopic(stream) ? stream.substring(1) : RelayListener.DIRECT;
    }

    /** Returns the id of a server as text. */
    static String text(long server) {
        return HEX.toHexDigits(server);
    }

    /** Returns the subject of heartbeats and presence. */
    String presence() {
        return prefix + ".p";
    }

    /** Returns the subjects of all streams: two, each with a wildcard. */
    List<String> subjects() {
        return List.of(prefix + "." + TOPIC + ".>", prefix + "." + DIRECT + ".>");
    }

    /** Returns the stream of a {@link #subject}. */
    String ofSubject(String subject) {
        String name = subject.substring(prefix.length() + 3);
        byte[] bytes = new byte[name.length()];
        int count = 0;
        for (int i = 0; i < name.length(); i++) {
            boolean isEscape = name.charAt(i) == '=';
            bytes[count++] = isEscape ? (byte) HexFormat.fromHexDigits(name, i + 1, i + 3) : (byte) name.charAt(i);
            i += isEscape ? 2 : 0;
        }
        return subject.charAt(prefix.length() + 1) + new String(bytes, 0, count, StandardCharsets.UTF_8);
    }

    /** Returns the subject of a stream. What a subject must not contain is written as = and two hexadecimal digits. */
    String subject(String stream) {
        StringBuilder text = new StringBuilder(prefix).append('.').append(stream.charAt(0)).append('.');
        for (byte b : Wire.name(stream.substring(1))) {
            boolean isPlain = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') || b == '-'
                    || b == '_';
            if (isPlain) {
                text.append((char) b);
            } else {
                text.append('=').append(HEX.toHexDigits(b));
            }
        }
        return text.toString();
    }
}
