package io.trivet.nats;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of frames, big-endian. Every frame starts with the version, its kind, the sender's id and uptime, and a number; a string has
 * a length of two bytes. The uptime and the number are at fixed places, because they are known only when the frame is sent.
 */
final class Wire {
    /** The longest name of a topic or a client, in bytes of UTF-8. */
    static final int NAME_BYTES_MAX = 255;
    /** Maximum number of streams in a heartbeat, and of clients in one part of a snapshot. */
    static final int ENTRIES_MAX = 256;

    /** Maximum length of a heartbeat without its entries. No other frame with a list has a longer head. */
    private static final int LIST_HEAD_BYTES_MAX = 26 + 1 + 2 + NAME_BYTES_MAX + 2;

    /** Maximum length of one entry of a heartbeat. */
    private static final int ENTRY_BYTES_MAX = 2 + NAME_BYTES_MAX + 8;

    private static final byte VERSION = 1;
    private static final int UPTIME_AT = 10;
    private static final int NUMBER_AT = 18;
    private static final int HEAD_BYTES = 26;

    private static final byte MESSAGE = 1;
    private static final byte HEARTBEAT = 2;
    private static final byte CHANGES = 3;
    private static final byte SNAPSHOT = 4;
    private static final byte SNAPSHOT_REQUEST = 5;

    private static final int HELLO = 1;
    private static final int BYE = 2;
    private static final int LAST = 4;

    private Wire() {}

    /** Returns the maximum number of entries in a frame, if the bus carries messages of up to messageBytesMax bytes. */
    static int entriesMax(long messageBytesMax) {
        return Math.clamp((messageBytesMax - LIST_HEAD_BYTES_MAX) / ENTRY_BYTES_MAX, 1, ENTRIES_MAX);
    }

    /** Encodes a name. */
    static byte[] name(String name) {
        return name.getBytes(UTF_8);
    }

    /** Encodes a message whose number is set later. Copies the content. Its position moves to its limit. */
    static byte[] message(long from, String stream, String client, ByteBuffer content) {
        byte[] streamBytes = name(stream);
        byte[] clientBytes = name(client);
        ByteBuffer out = head(MESSAGE, from, 0, 0, 4 + streamBytes.length + clientBytes.length + content.remaining());
        put(out, streamBytes);
        put(out, clientBytes);
        return bytes(out.put(content));
    }

    /** Returns where the content of a message starts. */
    static int contentStart(byte[] message) {
        ByteBuffer in = ByteBuffer.wrap(message).position(HEAD_BYTES);
        skip(in);
        skip(in);
        return in.position();
    }

    static void setNumber(byte[] frame, long number) {
        ByteBuffer.wrap(frame).putLong(NUMBER_AT, number);
    }

    static void setUptime(byte[] frame, long nanos) {
        ByteBuffer.wrap(frame).putLong(UPTIME_AT, nanos);
    }

    static byte[] heartbeat(Frame.Heartbeat heartbeat) {
        List<byte[]> names = heartbeat.last().keySet().stream().map(Wire::name).toList();
        byte[] after = name(heartbeat.after());
        ByteBuffer out = head(HEARTBEAT, heartbeat.sender().id(), heartbeat.sender().uptimeNanos(), heartbeat.presence(),
                1 + 2 + after.length + 2 + names.stream().mapToInt(name -> 2 + name.length + 8).sum());
        out.put((byte) ((heartbeat.isHello() ? HELLO : 0) | (heartbeat.isBye() ? BYE : 0) | (heartbeat.isLast() ? LAST : 0)));
        put(out, after);
        out.putShort((short) names.size());
        int i = 0;
        for (long last : heartbeat.last().values()) {
            put(out, names.get(i++));
            out.putLong(last);
        }
        return bytes(out);
    }

    static byte[] changes(Frame.Changes frame) {
        List<byte[]> names = frame.changes().stream().map(change -> name(change.client())).toList();
        ByteBuffer out = head(CHANGES, frame.sender().id(), frame.sender().uptimeNanos(), frame.first(),
                2 + names.stream().mapToInt(name -> 3 + name.length).sum());
        out.putShort((short) names.size());
        for (int i = 0; i < names.size(); i++) {
            out.put((byte) (frame.changes().get(i).isPresent() ? 1 : 0));
            put(out, names.get(i));
        }
        return bytes(out);
    }

    static byte[] snapshot(Frame.Snapshot frame) {
        List<byte[]> names = frame.clients().stream().map(Wire::name).toList();
        ByteBuffer out = head(SNAPSHOT, frame.sender().id(), frame.sender().uptimeNanos(), frame.number(),
                4 + 4 + 2 + names.stream().mapToInt(name -> 2 + name.length).sum());
        out.putInt(frame.part()).putInt(frame.parts()).putShort((short) names.size());
        names.forEach(name -> put(out, name));
        return bytes(out);
    }

    static byte[] snapshotRequest(Frame.SnapshotRequest frame) {
        return bytes(head(SNAPSHOT_REQUEST, frame.sender().id(), frame.sender().uptimeNanos(), frame.to(), 0));
    }

    private static ByteBuffer head(byte kind, long from, long uptimeNanos, long number, int more) {
        return ByteBuffer.allocate(HEAD_BYTES + more).put(VERSION).put(kind).putLong(from).putLong(uptimeNanos).putLong(number);
    }

    @SuppressWarnings("ByteBufferBackingArray") // made by head, which allocates it
    private static byte[] bytes(ByteBuffer complete) {
        return complete.array();
    }

    private static void put(ByteBuffer out, byte[] name) {
        out.putShort((short) name.length).put(name);
    }

    private static void skip(ByteBuffer in) {
        int length = Short.toUnsignedInt(in.getShort());
        in.position(in.position() + length);
    }

    /** Returns true if a frame belongs in the inbox of messages: it is a message, or too short to have a kind. */
    static boolean isMessage(byte[] bytes) {
        return bytes.length < HEAD_BYTES || bytes[1] == MESSAGE;
    }

    /** Decodes a frame. Returns null if it is none of this version. */
    static @Nullable Frame decode(byte[] bytes) {
        if (bytes.length < HEAD_BYTES || bytes[0] != VERSION) {
            return null;
        }
        ByteBuffer in = ByteBuffer.wrap(bytes).position(2);
        Frame.Sender sender = new Frame.Sender(in.getLong(), in.getLong());
        long number = in.getLong();
        if (sender.uptimeNanos() < 0 || (number < 0 && bytes[1] != SNAPSHOT_REQUEST)) { // that one holds an id
            return null;
        }
        try {
            return switch (bytes[1]) {
                case MESSAGE ->
                    number == 0 ? null : new Frame.Message(sender, string(in), number, string(in), in);
                case HEARTBEAT -> heartbeat(sender, number, in);
                case CHANGES -> number == 0 ? null : changes(sender, number, in);
                case SNAPSHOT -> snapshot(sender, number, in);
                case SNAPSHOT_REQUEST -> new Frame.SnapshotRequest(sender, number);
                default -> null;
            };
        } catch (BufferUnderflowException e) { // shorter than its lengths say
            return null;
        }
    }

    private static @Nullable Frame heartbeat(Frame.Sender sender, long presence, ByteBuffer in) {
        int flags = in.get();
        String after = string(in);
        int count = Short.toUnsignedInt(in.getShort());
        SortedMap<String, Long> last = new TreeMap<>();
        for (int i = 0; i < count; i++) {
            String name = string(in);
            last.put(name, in.getLong());
        }
        if (!last.isEmpty() && (after.compareTo(last.firstKey()) >= 0 || Collections.min(last.values()) < 0)) {
            return null;
        }
        return new Frame.Heartbeat(sender, (flags & HELLO) != 0, (flags & BYE) != 0, presence, after, (flags & LAST) != 0, last);
    }

    private static Frame changes(Frame.Sender sender, long first, ByteBuffer in) {
        int count = Short.toUnsignedInt(in.getShort());
        List<Frame.Change> changes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            boolean isPresent = in.get() != 0;
            changes.add(new Frame.Change(isPresent, string(in)));
        }
        return new Frame.Changes(sender, first, changes);
    }

    private static @Nullable Frame snapshot(Frame.Sender sender, long number, ByteBuffer in) {
        int part = in.getInt();
        int parts = in.getInt();
        int count = Short.toUnsignedInt(in.getShort());
        List<String> clients = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            clients.add(string(in));
        }
        return part < 0 || part >= parts ? null : new Frame.Snapshot(sender, number, part, parts, clients);
    }

    @SuppressWarnings("ByteBufferBackingArray") // decode wraps an array
    private static String string(ByteBuffer in) {
        int length = Short.toUnsignedInt(in.getShort());
        if (length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        String text = new String(in.array(), in.arrayOffset() + in.position(), length, UTF_8);
        in.position(in.position() + length);
        return text;
    }
}
