package io.trivet.nats;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.nats.Frame.Sender;
import io.trivet.nats.RelayListener.ServerChange;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The bytes of frames, and what becomes of bytes that are none. */
final class WireTest {
    private static final Sender SENDER = new Sender(-5, 1000);
    private static final int DAMAGED = 50_000;

    /** Does nothing with what was found. */
    private static final Peers.Owner NOBODY = new Peers.Owner() {
        @Override
        public boolean fetch(String stream, java.time.Duration back) {
            return false;
        }

        @Override
        public void deliver(Frame.Message message) {}

        @Override
        public void gap(String stream, long from, long missed) {
            assertThat(missed).isPositive();
        }

        @Override
        public void presence(long from, List<Frame.Change> changes) {}

        @Override
        public void server(long id, ServerChange change) {}

        @Override
        public void requestSnapshot(long from) {}

        @Override
        public void heartbeatSoon() {}

        @Override
        public void snapshotSoon() {}
    };

    private static byte[] message(String stream, String client, String content, long number) {
        byte[] frame = Wire.message(SENDER.id(), stream, client, ByteBuffer.wrap(content.getBytes(StandardCharsets.UTF_8)));
        Wire.setNumber(frame, number);
        Wire.setUptime(frame, SENDER.uptimeNanos());
        return frame;
    }

    private static Frame.Heartbeat heartbeat() {
        TreeMap<String, Long> last = new TreeMap<>();
        last.put("tnews", 7L);
        last.put("tü", Long.MAX_VALUE);
        return new Frame.Heartbeat(SENDER, true, false, 3, "t", true, last);
    }

    @Test
    void framesAreReadAsTheyWereWritten() {
        Frame.Message message = (Frame.Message) Wire.decode(message("tü", "", "hällo", 1L << 40));
        assertThat(message.stream()).isEqualTo("tü");
        assertThat(message.number()).isEqualTo(1L << 40);
        assertThat(message.sender()).isEqualTo(SENDER);
        assertThat(StandardCharsets.UTF_8.decode(message.content()).toString()).isEqualTo("hällo");
        assertThat(Wire.decode(Wire.heartbeat(heartbeat()))).isEqualTo(heartbeat());
        Frame.Changes changes = new Frame.Changes(SENDER, 4, List.of(new Frame.Change(true, "ann"), new Frame.Change(false, "")));
        assertThat(Wire.decode(Wire.changes(changes))).isEqualTo(changes);
        Frame.Snapshot snapshot = new Frame.Snapshot(SENDER, 0, 1, 2, List.of("ann", "bob"));
        assertThat(Wire.decode(Wire.snapshot(snapshot))).isEqualTo(snapshot);
        Frame.SnapshotRequest request = new Frame.SnapshotRequest(SENDER, -77);
        assertThat(Wire.decode(Wire.snapshotRequest(request))).as("an id may be negative").isEqualTo(request);
    }

    @Test
    void damagedFramesAreRefusedOrHarmless() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        List<byte[]> frames = List.of(message("tnews", "", "x", 3), message(Streams.ofServer(1), "ann", "x", 1),
                Wire.heartbeat(heartbeat()),
                Wire.changes(new Frame.Changes(SENDER, 1, List.of(new Frame.Change(true, "ann")))),
                Wire.snapshot(new Frame.Snapshot(SENDER, 2, 0, 1, List.of("bob"))));
        Peers peers = new Peers(1, RelayOptions.of(), NOBODY);
        peers.subscribed("tnews", 0);
        peers.subscribed(Streams.ofServer(1), 0);
        int read = 0;
        for (int i = 0; i < DAMAGED; i++) {
            byte[] whole = frames.get(random.nextInt(frames.size()));
            byte[] damaged = Arrays.copyOf(whole, random.nextInt(4) == 0 ? random.nextInt(whole.length + 1) : whole.length);
            for (int change = random.nextInt(4); change > 0 && damaged.length > 0; change--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            }
            try {
                Frame frame = Wire.decode(damaged);
                if (frame != null) {
                    read++;
                    peers.receive(frame, i);
                }
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
        assertThat(read).isPositive();
    }

    @ParameterizedTest
    @ValueSource(ints = {600, 2048, 50_000, 1 << 20})
    void listsAreNoLongerThanAMessageOfTheBus(int messageBytesMax) {
        int entriesMax = Wire.entriesMax(messageBytesMax);
        NavigableMap<String, Long> last = new TreeMap<>();
        List<String> names = new ArrayList<>();
        List<Frame.Change> changes = new ArrayList<>();
        for (int i = 0; i < entriesMax; i++) {
            String name = "x".repeat(Wire.NAME_BYTES_MAX - 5) + (10_000 + i);
            names.add(name);
            last.put(name, Long.MAX_VALUE);
            changes.add(new Frame.Change(true, name));
        }
        String after = "x".repeat(Wire.NAME_BYTES_MAX);
        assertThat(Wire.heartbeat(new Frame.Heartbeat(SENDER, true, true, 1, after, true, last)))
                .hasSizeLessThanOrEqualTo(messageBytesMax);
        assertThat(Wire.snapshot(new Frame.Snapshot(SENDER, 1, 0, 1, names))).hasSizeLessThanOrEqualTo(messageBytesMax);
        assertThat(Wire.changes(new Frame.Changes(SENDER, 1, changes))).hasSizeLessThanOrEqualTo(messageBytesMax);
    }

    @Test
    void aSnapshotOfManyClientsIsSentInParts() {
        Presence presence = new Presence();
        for (int i = 0; i < 1000; i++) {
            presence.change(true, "c" + i);
        }
        presence.requestSnapshot();
        Peer peer = new Peer(SENDER.id());
        List<Frame.Change> changes = new ArrayList<>();
        int parts = 0;
        for (byte[] frame = presence.next(SENDER, Wire.ENTRIES_MAX); frame != null; frame = presence.next(SENDER,
                Wire.ENTRIES_MAX)) {
            changes.addAll(peer.apply((Frame.Snapshot) Wire.decode(frame)));
            presence.sent();
            parts++;
        }
        assertThat(parts).isEqualTo(4);
        assertThat(changes).hasSize(1000);
        assertThat(peer.clients()).hasSize(1000);
        assertThat(peer.knowsPresence(presence.sentNumber())).isTrue();
        presence.clear();
        assertThat(peer.apply((Frame.Snapshot) Wire.decode(presence.next(SENDER, Wire.ENTRIES_MAX)))).hasSize(1000);
        assertThat(peer.clients()).isEmpty();
    }
}
