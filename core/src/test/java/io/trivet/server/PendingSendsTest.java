package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Sends that the proactor has not completed. */
final class PendingSendsTest {
    private final SteppedClock time = new SteppedClock();
    private final BufferPool pool = LoopParts.pool(new Budget(1 << 20));
    private final PendingSends sends = new PendingSends();
    private final TestRecord connection = new TestRecord(true);

    PendingSendsTest() {
        connection.handle = 200;
    }

    @Test
    void sendIsFoundByTheSlotOfItsConnection() {
        TestRecord unconnected = new TestRecord(false);
        assertThat(sends.get(unconnected)).isNull();
        assertThat(sends.get(connection)).isNull();
        PendingSend send = sends.create().ofUnsentBytes(0);
        sends.put(connection, send);
        assertThat(sends.get(connection)).isSameAs(send);
        TestRecord neighbour = new TestRecord(true);
        neighbour.handle = 199;
        assertThat(sends.get(neighbour)).isNull();
        sends.remove(connection);
        assertThat(sends.get(connection)).isNull();
        sends.recycle(send);
        assertThat(sends.create()).as("reused").isSameAs(send);
        assertThat(sends.create()).isNotSameAs(send);
    }

    @Test
    void pendingSendDeterminesProgressAndAgeBeforeTheQueueBehindIt() {
        TurnClock clock = new TurnClock(time);
        assertThat(sends.isWaiting(connection)).isFalse();
        assertThat(sends.oldestAgeNanos(connection, clock)).isZero();
        long start = time.nanoTime();
        sends.put(connection, sends.create().ofUnsentBytes(start));
        assertThat(sends.isWaiting(connection)).isTrue();
        time.step(Duration.ofSeconds(1));
        SendQueue queue = new SendQueue(pool, new Lane(pool), time.nanoTime());
        connection.sendQueue(queue);
        time.step(Duration.ofSeconds(1));
        assertThat(sends.progressNanos(connection)).isEqualTo(start);
        assertThat(sends.oldestAgeNanos(connection, clock)).isEqualTo(Duration.ofSeconds(2).toNanos());
        sends.remove(connection);
        assertThat(sends.isWaiting(connection)).as("the queue").isTrue();
        assertThat(sends.progressNanos(connection)).isEqualTo(queue.progressNanos);
        assertThat(sends.oldestAgeNanos(connection, clock)).isEqualTo(Duration.ofSeconds(1).toNanos());
        sends.put(connection, sends.create().ofQueue(queue, 3, time.nanoTime()));
        assertThat(sends.oldestAgeNanos(connection, clock)).as("of the pending queue").isEqualTo(Duration.ofSeconds(1).toNanos());
    }

    @Test
    void restOfABatchIsCopiedFromReceivedAndStagedMemoryInOrder() {
        ReplyBatch batch = new ReplyBatch();
        ByteBuffer received = LoopParts.direct("a".repeat(600) + "|" + "b".repeat(600));
        batch.begin(connection, received, received.limit());
        assertThat(batch.hasRoom(0)).isTrue();
        batch.addReceived(0, 600, new byte[0]);
        int start = batch.staging().position();
        batch.staging().put(LoopParts.bytes("staged"));
        batch.addStaged(start);
        batch.addReceived(601, 1201, new byte[]{'\n'});
        PendingSend send = sends.create().ofBatch(batch, 7);
        batch.clear();
        assertThat(send.messages()).isEqualTo(3);
        assertThat(send.bytes()).isEqualTo(600 + 6 + 601);
        assertThat(send.staging()).isNotNull();
        assertThat(send.staging().isPending()).isTrue();

        SendQueue rest = new SendQueue(pool, new Lane(pool), 0);
        assertThat(send.spill(602, rest.ordinary())).as("messages sent whole").isEqualTo(1);
        assertThat(LoopParts.text(rest)).isEqualTo("aged" + "b".repeat(600) + "\n");
        assertThat(rest.messages()).isEqualTo(2);
        assertThat(rest.ordinary().isBegun()).isTrue();
        assertThat(rest.ordinary().oldestNanos()).as("since the send has started").isEqualTo(7);
    }
}
