package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The replies of one delivery: which memory they are sent from, and where their rest goes. */
final class ReplyBatchTest {
    private static final byte[] LF = {'\n'};
    private static final byte[] CRLF = {'\r', '\n'};
    private static final byte[] NO_TAIL = {};

    private final ReplyBatch batch = new ReplyBatch();
    private final TestRecord connection = new TestRecord(true);

    private ByteBuffer begin(String received) {
        ByteBuffer memory = LoopParts.direct(received);
        batch.begin(connection, memory, memory.limit());
        return memory;
    }

    private void stage(String reply) {
        assertThat(batch.hasRoom(reply.length())).isTrue();
        int start = batch.staging().position();
        batch.staging().put(reply.getBytes(StandardCharsets.ISO_8859_1));
        batch.addStaged(start);
    }

    private List<String> parts() {
        ByteBuffer[] parts = batch.parts();
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < batch.partCount(); i++) {
            texts.add(LoopParts.text(parts[i]));
        }
        return texts;
    }

    @Test
    void echoOfLinesIsOnePartOfTheReceivedMemoryWithoutACopy() {
        ByteBuffer memory = begin("one\ntwo\nthree\n");
        batch.addReceived(0, 3, LF);
        batch.addReceived(4, 7, LF);
        batch.addReceived(8, 13, LF);
        assertThat(batch.messages()).isEqualTo(3);
        assertThat(batch.bytes()).isEqualTo(14);
        assertThat(parts()).containsExactly("one\ntwo\nthree\n");
        memory.put(0, (byte) 'O');
        assertThat(parts()).as("sent from the received memory").containsExactly("One\ntwo\nthree\n");
        assertThat(batch.retain()).as("nothing is staged").isNull();
    }

    @Test
    void tailThatHasNotArrivedIsStagedAlsoIfTheKernelsMemoryContainsIt() {
        ByteBuffer memory = LoopParts.direct("x".repeat(600) + "\n");
        batch.begin(connection, memory, 600); // the line feed is behind what was received
        batch.addReceived(0, 600, LF);
        memory.put(600, (byte) '!');
        assertThat(parts()).containsExactly("x".repeat(600), "\n");
        assertThat(batch.bytes()).isEqualTo(601);
    }

    @Test
    void otherTailThanTheReceivedOneIsSent() {
        begin("x".repeat(600) + "\nrest");
        batch.addReceived(0, 600, CRLF);
        assertThat(parts()).containsExactly("x".repeat(600), "\r\n");
    }

    @Test
    void shortReplyThatIsNotAdjacentIsCopiedAndALongOneIsNot() {
        ByteBuffer memory = begin("short" + "-".repeat(600) + "+".repeat(600));
        stage("staged ");
        batch.addReceived(0, 5, NO_TAIL);
        batch.addReceived(605, 1205, NO_TAIL);
        memory.put(0, (byte) 'S').put(605, (byte) '*');
        assertThat(parts()).containsExactly("staged short", "*" + "+".repeat(599));
    }

    @Test
    void repliesAreCollectedOnlyForTheConnectionWhoseInputIsDelivered() {
        assertThat(batch.collectsFor(connection)).isFalse();
        ByteBuffer view = begin("message").asReadOnlyBuffer();
        assertThat(batch.collectsFor(connection)).isTrue();
        assertThat(batch.collectsFor(new TestRecord(true))).isFalse();
        batch.message(view);
        assertThat(batch.isReceivedMessage(view)).isTrue();
        assertThat(batch.isReceivedMessage(view.duplicate())).as("equal bytes elsewhere").isFalse();
        batch.end();
        assertThat(batch.collectsFor(connection)).isFalse();
        assertThat(batch.isReceivedMessage(view)).isFalse();
    }

    @Test
    void roomIsBoundedByTheNumberOfPartsAndByTheStagingBuffer() {
        begin("x".repeat(600 * 40));
        int added = 0;
        for (int i = 0; i < 20 && batch.hasRoom(600); i++) {
            batch.addReceived(1200 * i, 1200 * i + 600, NO_TAIL);
            added++;
        }
        assertThat(added).isBetween(8, 16);
        assertThat(batch.partCount()).isEqualTo(added);
        batch.clear();
        assertThat(batch.isEmpty()).isTrue();
        assertThat(batch.hasRoom(64 * 1024)).isTrue();
        stage("x");
        assertThat(batch.hasRoom(64 * 1024)).isFalse();
        assertThat(batch.hasRoom(64 * 1024 - 1)).isTrue();
    }

    @Test
    void stagedBytesOfAPendingSendStayAndTheirBufferIsReusedAfterwards() {
        begin("");
        stage("a".repeat(60_000));
        StagingBuffer pending = batch.retain();
        ByteBuffer sending = batch.parts()[0].duplicate();
        batch.clear();
        stage("behind");
        assertThat(parts()).containsExactly("behind");
        batch.clear();
        stage("c".repeat(60_000)); // does not fit behind them
        assertThat(LoopParts.text(sending).equals("a".repeat(60_000))).as("the pending bytes are unchanged").isTrue();
        assertThat(parts()).containsExactly("c".repeat(60_000));
        StagingBuffer second = batch.retain();
        assertThat(second).isNotSameAs(pending);
        batch.clear();
        batch.release(pending);
        stage("d".repeat(60_000));
        assertThat(batch.retain()).as("the first buffer is free again").isSameAs(pending);
        assertThat(batch.stagingBytes()).as("both are counted").isEqualTo(2 * StagingBuffer.BYTES);
    }

    @Test
    void stagingBufferIsPendingUntilItsLastSendHasCompleted() {
        begin("");
        stage("one");
        StagingBuffer buffer = batch.retain();
        batch.clear();
        stage("two");
        assertThat(batch.retain()).isSameAs(buffer);
        batch.clear();
        batch.release(buffer);
        assertThat(buffer.isPending()).isTrue();
        assertThat(buffer.memory.position()).as("both are still there").isEqualTo(6);
        batch.release(buffer);
        assertThat(buffer.isPending()).isFalse();
        assertThat(buffer.memory.position()).as("empty again").isZero();
    }

    @Test
    void restThatTheSocketRefusesIsCopiedMessageByMessage() {
        ByteBuffer memory = begin("one\ntwo\nthree\n");
        batch.addReceived(0, 3, LF);
        batch.addReceived(4, 7, LF);
        batch.addReceived(8, 13, LF);
        batch.parts()[0].position(5); // the socket took five bytes
        Lane lane = new Lane(LoopParts.pool(new Budget(1 << 20)));
        assertThat(batch.spill(5, lane, 0)).as("messages sent whole").isEqualTo(1);
        memory.put(6, (byte) '?');
        assertThat(lane.messages()).isEqualTo(2);
        assertThat(lane.bytes()).isEqualTo(9);
        assertThat(lane.isBegun()).isTrue();
        assertThat(lane.sent(3)).as("the rest of the second message").isEqualTo(1);
        ByteBuffer[] parts = new ByteBuffer[1];
        lane.parts(parts, 0);
        assertThat(LoopParts.text(parts[0])).as("a copy").isEqualTo("three\n");
    }
}
