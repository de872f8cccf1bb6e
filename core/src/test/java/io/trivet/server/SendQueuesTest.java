package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The messages that wait for a peer, and the queues of a loop. */
final class SendQueuesTest {
    private final SteppedClock time = new SteppedClock();
    private final Budget budget = new Budget(1 << 20);
    private final BufferPool pool = LoopParts.pool(budget);
    private final SendQueues queues = new SendQueues(pool, new TurnClock(time));
    private final TestRecord connection = new TestRecord(true);

    private void put(Lane lane, String message) {
        lane.begin(message.length());
        lane.put(LoopParts.bytes(message), time.nanoTime());
    }

    private int send(SendQueue queue, int bytes) {
        return queue.sent(bytes, time.nanoTime());
    }

    @Test
    void begunMessageIsCompletedBeforeTheUrgentLaneWhichGoesBeforeTheOrdinaryOne() {
        SendQueue queue = new SendQueue(pool, new Lane(pool), time.nanoTime());
        put(queue.ordinary(), "begun ");
        put(queue.ordinary(), "ordinary ");
        assertThat(send(queue, 2)).isZero();
        put(queue.urgent(), "urgent ");
        put(queue.urgent(), "second ");
        assertThat(LoopParts.text(queue)).isEqualTo("gun urgent second ordinary ");
        assertThat(queue.messages()).isEqualTo(4);
        assertThat(send(queue, 4 + 7 + 1)).as("messages sent whole").isEqualTo(2);
        put(queue.urgent(), "third ");
        assertThat(LoopParts.text(queue)).as("a begun urgent message stays first").isEqualTo("econd third ordinary ");
        assertThat(queue.bytes()).isEqualTo("econd third ordinary ".length());
        assertThat(send(queue, (int) queue.bytes())).isEqualTo(3);
        assertThat(queue.isEmpty()).isTrue();
    }

    @Test
    void oldestOrdinaryMessageOfWhichNothingHasLeftIsDropped() {
        SendQueue queue = new SendQueue(pool, new Lane(pool), time.nanoTime());
        put(queue.ordinary(), "begun ");
        put(queue.ordinary(), "second ");
        put(queue.ordinary(), "third ");
        send(queue, 1);
        put(queue.urgent(), "urgent ");
        assertThat(queue.dropOldest(time.nanoTime(), false)).isEqualTo("second ".length());
        assertThat(LoopParts.text(queue)).isEqualTo("egun urgent third ");
        assertThat(queue.dropOldest(time.nanoTime(), false)).isEqualTo("third ".length());
        assertThat(queue.dropOldest(time.nanoTime(), false)).isEqualTo(-1);
        assertThat(LoopParts.text(queue)).isEqualTo("egun urgent ");
        assertThat(queue.messages()).isEqualTo(2);
    }

    @Test
    void ageIsThatOfTheOldestMessageAndProgressThatOfTheLastByteTaken() {
        long start = time.nanoTime();
        SendQueue queue = new SendQueue(pool, new Lane(pool), start);
        put(queue.ordinary(), "o".repeat(1024)); // fills its buffer, so that the next message has one of its own
        time.step(Duration.ofSeconds(1));
        put(queue.ordinary(), "later");
        assertThat(queue.sinceNanos()).isEqualTo(start);
        assertThat(send(queue, 0)).isZero();
        assertThat(queue.progressNanos).as("an attempt is no progress").isEqualTo(start);
        time.step(Duration.ofSeconds(1));
        send(queue, 1024);
        assertThat(queue.progressNanos).isEqualTo(time.nanoTime());
        assertThat(queue.sinceNanos()).isEqualTo(start + Duration.ofSeconds(1).toNanos());
    }

    @Test
    void ageIsNoLongerThatOfAMessageThatWasDropped() {
        SendQueue queue = new SendQueue(pool, new Lane(pool), time.nanoTime());
        put(queue.ordinary(), "o".repeat(1024)); // fills its buffer
        time.step(Duration.ofSeconds(1));
        put(queue.ordinary(), "later");
        assertThat(queue.dropOldest(time.nanoTime(), false)).isEqualTo(1024);
        assertThat(queue.sinceNanos()).isEqualTo(time.nanoTime());
    }

    @Test
    void ageStartsAgainAfterTheOnlyMessageWasDropped() {
        SendQueue queue = new SendQueue(pool, new Lane(pool), time.nanoTime());
        put(queue.ordinary(), "dropped");
        time.step(Duration.ofSeconds(1));
        assertThat(queue.dropOldest(time.nanoTime(), false)).isEqualTo("dropped".length());
        put(queue.ordinary(), "next");
        assertThat(queue.sinceNanos()).isEqualTo(time.nanoTime());
    }

    @Test
    void ageIsStillThatOfATransferBeforeAMessageThatWasDropped() {
        long start = time.nanoTime();
        SendQueue queue = new SendQueue(pool, new Lane(pool), start);
        time.step(Duration.ofSeconds(1));
        put(queue.ordinary(), "dropped");
        assertThat(queue.dropOldest(time.nanoTime(), true)).isEqualTo("dropped".length());
        assertThat(queue.sinceNanos()).isEqualTo(start);
    }

    @Test
    void pendingQueueIsPutBackBeforeWhatWasQueuedMeanwhileExceptUrgentMessages() {
        SendQueue older = queues.of(connection);
        put(older.ordinary(), "pending ");
        connection.sendQueue(null);
        SendQueue newer = queues.of(connection);
        assertThat(newer).isNotSameAs(older);
        put(newer.ordinary(), "newer ");
        put(newer.urgent(), "urgent ");
        send(older, 3);
        queues.putBack(connection, older);
        assertThat(connection.sendQueue()).isSameAs(older);
        assertThat(LoopParts.text(older)).isEqualTo("ding urgent newer ");
        assertThat(queues.create(0)).as("the other one is reused").isSameAs(newer);
        assertThat(newer.isEmpty()).isTrue();
    }

    @Test
    void droppedQueueReleasesItsRoomInTheConnectionAndInTheBudget() {
        connection.reserve(7, 100, 100);
        connection.reserve(5, 100, 100);
        put(queues.of(connection).ordinary(), "ordinal");
        put(queues.of(connection).urgent(), "first");
        assertThat(budget.bytes()).as("two buffers").isEqualTo(2 * 1024);
        assertThat(connection.sendQueue().heldBytes()).isEqualTo(2 * 1024);
        ByteBuffer[] parts = new ByteBuffer[2];
        assertThat(connection.sendQueue().parts(parts)).isEqualTo(2);
        queues.dropWaiting(connection);
        assertThat(connection.sendQueue()).isNull();
        assertThat(connection.queuedBytes()).isZero();
        assertThat(connection.queuedMessages()).isZero();
        assertThat(budget.bytes()).isZero();
        assertThat(pool.acquire(1000, BufferPool.Use.SEND)).as("the memory is released").isIn((Object) parts[0], parts[1]);
        queues.dropWaiting(connection);
        assertThat(budget.bytes()).as("nothing is left to drop, but what this test has acquired").isEqualTo(1024);
    }

    @Test
    void queueIsReusedAsIfItWereNewAndReleasesTheLengthsOfManyMessages() {
        SendQueue small = queues.of(connection);
        put(small.ordinary(), "left over");
        small.isBehindUnsent = true;
        time.step(Duration.ofSeconds(1));
        connection.sendQueue(null);
        queues.recycle(small);
        SendQueue reused = queues.of(connection);
        assertThat(reused).isSameAs(small);
        assertThat(reused.isEmpty()).isTrue();
        assertThat(reused.isBehindUnsent).isFalse();
        assertThat(reused.sinceNanos()).isEqualTo(time.nanoTime());
        assertThat(reused.progressNanos).isEqualTo(time.nanoTime());
        for (int i = 0; i < 64; i++) {
            put(reused.ordinary(), "x");
        }
        assertThat(budget.bytes()).as("one buffer").isEqualTo(1024);
        put(reused.ordinary(), "x");
        assertThat(budget.bytes()).as("and 128 lengths, for 65 messages").isEqualTo(1024 + 128 * Integer.BYTES);
        assertThat(reused.heldBytes()).isEqualTo(budget.bytes());
        Lane urgent = reused.urgent();
        put(urgent, "urgent");
        assertThat(reused.ordinary().lengthsMax()).isEqualTo(128);
        queues.recycle(reused);
        assertThat(budget.bytes()).isZero();
        assertThat(reused.ordinary().lengthsMax()).as("as in a new lane").isEqualTo(new Lane(pool).lengthsMax());
        assertThat(reused.urgent()).as("the urgent lane is not kept").isNotSameAs(urgent);
        assertThat(queues.create(0)).isSameAs(small);
    }
}
