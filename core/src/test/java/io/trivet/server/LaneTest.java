package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A sequence of messages in a few buffers. */
final class LaneTest {
    private final Budget budget = new Budget(1 << 20);
    private final BufferPool pool = LoopParts.pool(budget);
    private final Lane lane = new Lane(pool);

    private static void put(Lane lane, String message) {
        lane.begin(message.length());
        lane.put(LoopParts.bytes(message), 0);
    }

    private static String text(Lane lane) {
        ByteBuffer[] parts = new ByteBuffer[64];
        int count = lane.parts(parts, 0);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append(LoopParts.text(parts[i]));
        }
        return text.toString();
    }

    @Test
    void manyMessagesOfAllLengthsAreSentInAnyPieces() throws Exception {
        Seeded.run(10, random -> {
            Lane sequence = new Lane(pool);
            StringBuilder put = new StringBuilder();
            StringBuilder sent = new StringBuilder();
            List<Integer> lengths = new ArrayList<>();
            int completed = 0;
            for (int i = 0; i < 300; i++) {
                String message = Integer.toString(i).repeat(1 + random.nextInt(1 << random.nextInt(12)));
                put(sequence, message);
                put.append(message);
                lengths.add(message.length());
                int bytes = random.nextInt(2) * random.nextInt((int) sequence.bytes() + 1);
                sent.append(text(sequence), 0, bytes);
                completed += sequence.sent(bytes);
                int whole = 0;
                int sum = 0;
                while (whole < lengths.size() && sum + lengths.get(whole) <= sent.length()) {
                    sum += lengths.get(whole++);
                }
                assertThat(completed).isEqualTo(whole);
                assertThat(sequence.messages()).isEqualTo(lengths.size() - whole);
                assertThat(sequence.bytes()).isEqualTo(put.length() - sent.length());
                assertThat(sequence.isBegun()).isEqualTo(sum < sent.length());
            }
            sent.append(text(sequence));
            assertThat(sent.toString()).isEqualTo(put.toString());
        });
    }

    @Test
    void buffersReturnToThePoolWhenTheirBytesWereSent() {
        put(lane, "x".repeat(1000));
        ByteBuffer[] parts = new ByteBuffer[1];
        assertThat(lane.parts(parts, 0)).isEqualTo(1);
        lane.sent(999);
        assertThat(pool.acquire(1000, BufferPool.Use.SEND)).as("one byte is left").isNotSameAs(parts[0]);
        lane.sent(1);
        assertThat(pool.acquire(1000, BufferPool.Use.SEND)).isSameAs(parts[0]);
    }

    @Test
    void longSharedMessageIsSentFromItsMemoryAndAShortOneBehindOthersIsCopied() {
        ByteBuffer shared = LoopParts.direct("s".repeat(512));
        SharedMessage message = new SharedMessage(budget, new SharedBuffers(0), shared);
        lane.putShared(Chunk.ofShared(message, 0), 0);
        lane.putShared(Chunk.ofShared(message, 0), 0);
        ByteBuffer small = LoopParts.direct("t".repeat(511));
        lane.putShared(Chunk.ofShared(new SharedMessage(budget, new SharedBuffers(0), small), 0), 0);
        shared.put(0, (byte) 'S');
        small.put(0, (byte) 'T');
        String changed = "S" + "s".repeat(511);
        assertThat(text(lane)).isEqualTo(changed + changed + "t".repeat(511));
        assertThat(lane.messages()).isEqualTo(3);
        lane.clear();
        assertThat(pool.acquire(512, BufferPool.Use.SEND)).as("shared memory is not the pool's").isNotSameAs(shared);
    }

    @Test
    void messageThatALaneGetsSeveralTimesIsSentFromSeparateBuffers() {
        String text = "0123456789".repeat(60);
        SharedMessage message = new SharedMessage(budget, new SharedBuffers(0), LoopParts.direct(text));
        Chunk common = Chunk.ofShared(message, 0);
        for (int i = 0; i < 3; i++) {
            lane.putShared(common, 0);
        }
        message.release();
        assertThat(send(lane, 1_500)).as("a partial send").isEqualTo((text + text + text).substring(0, 1_500));
        assertThat(text(lane)).isEqualTo(text.substring(300));
        lane.clear();
        assertThat(budget.sharedBytes()).isZero();
    }

    /** Returns what a send reads of the lane's first chunks, and marks it as sent. */
    private static String send(Lane lane, int bytes) {
        ByteBuffer[] parts = new ByteBuffer[4];
        lane.parts(parts, 0);
        StringBuilder sent = new StringBuilder();
        for (int i = 0; sent.length() < bytes; i++) {
            byte[] some = new byte[Math.min(bytes - sent.length(), parts[i].remaining())];
            parts[i].get(some); // moves the position, as a send does
            sent.append(new String(some, StandardCharsets.ISO_8859_1));
        }
        lane.sent(bytes);
        return sent.toString();
    }

    @Test
    void lanesThatShareAChunkSendItIndependently() throws Exception {
        Seeded.run(20, random -> {
            String text = IntStream.range(0, 200).mapToObj(i -> i + " ").collect(Collectors.joining());
            SharedMessage message = new SharedMessage(budget, new SharedBuffers(0), LoopParts.direct(text));
            Chunk common = Chunk.ofShared(message, 0);
            List<Lane> lanes = List.of(new Lane(pool), new Lane(pool), new Lane(pool));
            lanes.forEach(each -> each.putShared(common, 0));
            message.release();
            List<StringBuilder> sent = Stream.generate(StringBuilder::new).limit(3).toList();
            while (lanes.stream().anyMatch(each -> !each.isEmpty())) {
                int i = random.nextInt(3);
                sent.get(i).append(send(lanes.get(i), (int) Math.min(lanes.get(i).bytes(), random.nextInt(100))));
                for (int j = 0; j < 3; j++) {
                    assertThat(sent.get(j) + text(lanes.get(j))).as("lane %d", j).isEqualTo(text);
                }
            }
            assertThat(budget.sharedBytes()).isZero();
        });
    }

    @Test
    void laneThatDropsOrMovesItsSharedMessageLeavesTheOthersAlone() {
        String text = "0123456789".repeat(60);
        SharedMessage message = new SharedMessage(budget, new SharedBuffers(0), LoopParts.direct(text));
        Chunk common = Chunk.ofShared(message, 0);
        SendQueue dropping = new SendQueue(pool, new Lane(pool), 0);
        SendQueue overtaken = new SendQueue(pool, new Lane(pool), 0);
        dropping.ordinary().putShared(common, 0);
        overtaken.ordinary().putShared(common, 0);
        lane.putShared(common, 0);
        message.release();
        assertThat(send(overtaken.ordinary(), 5)).isEqualTo("01234");
        put(overtaken.urgent(), "urgent"); // moves the message that is partly sent
        assertThat(LoopParts.text(overtaken)).isEqualTo(text.substring(5) + "urgent");
        assertThat(send(lane, 3)).isEqualTo("012");
        assertThat(LoopParts.text(dropping)).isEqualTo(text);
        assertThat(dropping.dropOldest(0, false)).isEqualTo(text.length());
        assertThat(dropping.isEmpty()).isTrue();
        assertThat(budget.sharedBytes()).as("one lane still has it").isEqualTo(text.length());
        assertThat(text(lane)).isEqualTo(text.substring(3));
        lane.clear();
        overtaken.clear();
        assertThat(budget.bytes()).isZero();
    }

    @Test
    void shareOfASharedMessageIsHeldUntilItWasSent() {
        for (int length : new int[]{512, 600}) {
            SharedMessage message = new SharedMessage(budget, new SharedBuffers(0), LoopParts.direct("s".repeat(length)));
            lane.putShared(Chunk.ofShared(message, 0), 0);
            message.release(); // the lane is its last holder
        }
        assertThat(lane.heldBytes()).isEqualTo(512 + 600);
        lane.sent(512);
        assertThat(lane.heldBytes()).isEqualTo(600);
    }

    @Test
    void placesOfMoreThan64SharedMessagesAreHeld() {
        for (int i = 0; i < 65; i++) {
            assertThat(lane.heldBytes()).as("%d messages", i).isEqualTo(i * 512L);
            SharedMessage message = new SharedMessage(budget, new SharedBuffers(0), LoopParts.direct("s".repeat(512)));
            lane.putShared(Chunk.ofShared(message, 0), 0);
            message.release(); // the lane is its last holder
        }
        assertThat(lane.heldBytes()).as("with 65 places of 8 bytes, and 128 lengths of 4").isEqualTo(65 * 512 + 65 * 8 + 128 * 4)
                .isEqualTo(budget.bytes());
        lane.sent(512);
        assertThat(lane.heldBytes()).as("the lengths stay").isEqualTo(64 * 512 + 128 * 4).isEqualTo(budget.bytes());
    }

    @Test
    void ownBytesAreNeverWrittenBehindASharedMessageInItsMemory() {
        ByteBuffer shared = ByteBuffer.allocateDirect(1024).put(LoopParts.bytes("shared ")).flip();
        SharedMessage message = new SharedMessage(budget, new SharedBuffers(0), shared);
        lane.putShared(Chunk.ofShared(message, 0), 0);
        put(lane, "own");
        assertThat(text(lane)).isEqualTo("shared own");
        assertThat(shared.clear().get(7)).isZero();
    }

    @Test
    void firstMessageMovesToAnotherLaneWithItsRestAndItsMark() {
        put(lane, "first");
        put(lane, "second");
        lane.sent(2);
        Lane other = new Lane(pool);
        assertThat(lane.removeFirst(other)).isEqualTo(3);
        assertThat(text(other)).isEqualTo("rst");
        assertThat(other.isBegun()).isTrue();
        assertThat(text(lane)).isEqualTo("second");
        assertThat(lane.isBegun()).isFalse();
        assertThat(lane.messages()).isEqualTo(1);
        assertThat(lane.removeFirst(null)).isEqualTo(6);
        assertThat(lane.isEmpty()).isTrue();
        assertThat(lane.bytes()).isZero();
    }

    @Test
    void partsFillTheRestOfAnArrayAndNoMore() {
        for (int i = 0; i < 5; i++) {
            lane.putShared(Chunk.ofShared(
                    new SharedMessage(budget, new SharedBuffers(0), LoopParts.direct(Integer.toString(i).repeat(512))), 0), 0);
        }
        ByteBuffer[] parts = new ByteBuffer[4];
        assertThat(lane.parts(parts, 1)).isEqualTo(4);
        assertThat(parts[0]).isNull();
        assertThat(LoopParts.text(parts[1])).startsWith("0");
        assertThat(LoopParts.text(parts[3])).startsWith("2");
    }
}
