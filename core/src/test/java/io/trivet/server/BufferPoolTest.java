package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The buffers of a loop, and what counts as held. */
final class BufferPoolTest {
    private final Budget budget = new Budget(1 << 20);
    private final Counters counters = new Counters(0, () -> 0);
    private final BufferPool pool = new BufferPool(budget, 1, new TurnClock(new SteppedClock()), counters);

    private long count(int counter) {
        return counters.value(counter);
    }

    @Test
    void bufferCountsWithItsCapacityWhileItIsHeld() {
        ByteBuffer input = pool.acquire(1, BufferPool.Use.INPUT);
        ByteBuffer send = pool.acquire(1025, BufferPool.Use.SEND);
        assertThat(budget.bytes()).isEqualTo(256 + 2048);
        assertThat(count(Counters.INPUT_MEMORY)).isEqualTo(256);
        assertThat(count(Counters.SEND_MEMORY)).isEqualTo(2048);
        pool.release(send, BufferPool.Use.SEND);
        pool.release(input, BufferPool.Use.INPUT);
        assertThat(budget.bytes()).isZero();
        assertThat(count(Counters.INPUT_MEMORY)).isZero();
        assertThat(count(Counters.SEND_MEMORY)).isZero();
        assertThat(count(Counters.SPARE_MEMORY)).isEqualTo(256 + 2048);
    }

    @Test
    void releasedBufferIsReusedAsIfItWereNew() {
        ByteBuffer first = pool.acquire(300, BufferPool.Use.SEND);
        first.order(ByteOrder.LITTLE_ENDIAN).position(5).limit(7);
        pool.release(first, BufferPool.Use.SEND);
        ByteBuffer again = pool.acquire(512, BufferPool.Use.INPUT);
        assertThat(again).isSameAs(first);
        assertThat(again.position()).isZero();
        assertThat(again.limit()).isEqualTo(512);
        assertThat(again.order()).isEqualTo(ByteOrder.BIG_ENDIAN);
        assertThat(count(Counters.SPARE_MEMORY)).isZero();
    }

    @Test
    void noMoreThanThreeSixteenthsOfTheBudgetAreKeptForReuse() {
        ByteBuffer[] buffers = new ByteBuffer[5];
        for (int i = 0; i < buffers.length; i++) {
            buffers[i] = pool.acquire(64 << 10, BufferPool.Use.SEND);
        }
        for (ByteBuffer buffer : buffers) {
            pool.release(buffer, BufferPool.Use.SEND);
        }
        assertThat(count(Counters.SPARE_MEMORY)).isEqualTo(3 * (64 << 10));
    }

    @Test
    void bufferOfTheHeapReplacesOneThatTheJvmRefuses() {
        SteppedClock time = new SteppedClock();
        int[] asked = new int[1];
        BufferPool poor = new BufferPool(budget, 1, new TurnClock(time), counters, bytes -> {
            asked[0]++;
            throw new OutOfMemoryError("Cannot reserve direct buffer memory");
        });
        assertThat(poor.takeRefusal()).isFalse();
        ByteBuffer refused = poor.acquire(1000, BufferPool.Use.SEND);
        assertThat(refused.isDirect()).isFalse();
        assertThat(refused.capacity()).isEqualTo(1024);
        assertThat(poor.takeRefusal()).isTrue();
        assertThat(poor.takeRefusal()).as("reported once").isFalse();
        assertThat(budget.bytes()).isEqualTo(1024);
        assertThat(count(Counters.SEND_MEMORY)).as("native memory").isZero();
        poor.acquire(1000, BufferPool.Use.SEND);
        assertThat(asked[0]).as("a refusal takes long, so the JVM is not asked again at once").isEqualTo(1);
        assertThat(poor.takeRefusal()).isTrue();
        time.step(Duration.ofSeconds(1));
        poor.acquire(1000, BufferPool.Use.SEND);
        assertThat(asked[0]).isEqualTo(2);
        poor.release(refused, BufferPool.Use.SEND);
        assertThat(poor.acquire(1000, BufferPool.Use.SEND)).as("only direct buffers are reused").isNotSameAs(refused);
    }
}
