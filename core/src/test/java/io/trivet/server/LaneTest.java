package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
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
        SharedMessage message = new SharedMessage(budget, shared);
        lane.putShared(Chunk.ofShared(message, 0), 0);
        lane.putShared(Chunk.ofShared(message, 0), 0);
        ByteBuffer small = LoopParts.direct("t".repeat(511));
        lane.putShared(Chunk.ofShared(new SharedMessage(budget, small), 0), 0);
        shared.put(0, (byte) 'S');
        small.put(0, (byte) 'T');
        String changed = "S" + "s".repeat(511);
        assertThat(text(lane)).isEqualTo(changed + changed + "t".repeat(511));
        assertThat(lane.messages()).isEqualTo(3);
        lane.clear();
        assertThat(pool.acquire(512, BufferPool.Use.SEND)).as("shared memory is not the pool's").isNotSameAs(shared);
    }

    @Test
    void shareOfASharedMessageIsHeldUntilItWasSent() {
        for (int length : new int[]{512, 600}) {
            SharedMessage message = new SharedMessage(budget, LoopParts.direct("s".repeat(length)));
            lane.putShared(Chunk.ofShared(message, 0), 0);
            message.release(); // the lane is its last holder
        }
        assertThat(lane.heldBytes()).isEqualTo(512 + 600);
        lane.sent(512);
        assertThat(lane.heldBytes()).isEqualTo(600);
    }

    @Test
    void ownBytesAreNeverWrittenBehindASharedMessageInItsMemory() {
        ByteBuffer shared = ByteBuffer.allocateDirect(1024).put(LoopParts.bytes("shared ")).flip();
        SharedMessage message = new SharedMessage(budget, shared);
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
            lane.putShared(Chunk.ofShared(new SharedMessage(budget, LoopParts.direct(Integer.toString(i).repeat(512))), 0), 0);
        }
        ByteBuffer[] parts = new ByteBuffer[4];
        assertThat(lane.parts(parts, 1)).isEqualTo(4);
        assertThat(parts[0]).isNull();
        assertThat(LoopParts.text(parts[1])).startsWith("0");
        assertThat(LoopParts.text(parts[3])).startsWith("2");
    }
}
