package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** The memory of shared messages is used again, within a limit. */
final class SharedBuffersTest {
    private static final long BUDGET = 1 << 21;

    private final Budget budget = new Budget(BUDGET);
    private final SharedBuffers buffers = new SharedBuffers(BUDGET);

    @Test
    void bufferOfAMessageIsUsedAgainOnlyWhenItsLastHolderHasReleasedIt() {
        ByteBuffer memory = buffers.acquire(100);
        SharedMessage message = new SharedMessage(budget, buffers, memory.limit(100));
        message.retain();
        message.release();
        assertThat(buffers.acquire(100)).as("one holder is left").isNotSameAs(memory);
        assertThat(buffers.spareBytes()).isZero();
        message.release();
        assertThat(buffers.spareBytes()).isEqualTo(128);
        assertThat(buffers.acquire(65)).isSameAs(memory).extracting(ByteBuffer::remaining).isEqualTo(128);
        assertThat(buffers.spareBytes()).isZero();
    }

    @Test
    void sizesAreServedFromTheirOwnBuffers() {
        ByteBuffer small = buffers.acquire(0);
        ByteBuffer large = buffers.acquire(1 << 13);
        assertThat(small.capacity()).isEqualTo(64);
        assertThat(large.capacity()).isEqualTo(1 << 13);
        buffers.release(small);
        buffers.release(large);
        assertThat(buffers.acquire(65)).isNotSameAs(small).extracting(ByteBuffer::capacity).isEqualTo(128);
        assertThat(buffers.acquire((1 << 12) + 1)).isSameAs(large);
        assertThat(buffers.acquire(64)).isSameAs(small);
    }

    @Test
    void bufferBeyondTheLargestSizeIsAsLongAsItsMessageAndIsNotKept() {
        ByteBuffer buffer = buffers.acquire((1 << 13) + 1);
        assertThat(buffer.capacity()).isEqualTo((1 << 13) + 1);
        buffers.release(buffer);
        assertThat(buffers.spareBytes()).isZero();
    }

    @Test
    void eachSizeHasItsPartOfASixteenthOfTheBudget() {
        ByteBuffer first = buffers.acquire(1 << 13);
        ByteBuffer second = buffers.acquire(1 << 13);
        ByteBuffer third = buffers.acquire(1 << 13);
        buffers.release(first);
        buffers.release(second);
        buffers.release(third);
        assertThat(buffers.spareBytes()).as("an eighth of a sixteenth of the budget").isEqualTo(BUDGET / 16 / 8);
        assertThat(buffers.acquire(1 << 13)).isSameAs(second);
        assertThat(buffers.acquire(1 << 13)).isSameAs(first);
        assertThat(buffers.acquire(1 << 13)).isNotSameAs(third);
        buffers.release(first);
        buffers.release(second);
        ByteBuffer small = buffers.acquire(64);
        buffers.release(small);
        assertThat(buffers.acquire(64)).as("another size has room").isSameAs(small);
    }

    @Test
    void nothingIsKeptAfterTheEnd() {
        ByteBuffer kept = buffers.acquire(64);
        ByteBuffer used = buffers.acquire(64);
        buffers.release(kept);
        buffers.end();
        assertThat(buffers.spareBytes()).isZero();
        buffers.release(used);
        assertThat(buffers.spareBytes()).isZero();
        assertThat(buffers.acquire(64)).isNotSameAs(kept).isNotSameAs(used);
    }

    @Test
    void bufferOfTheHeapIsNotKept() {
        buffers.release(ByteBuffer.allocate(64));
        assertThat(buffers.spareBytes()).isZero();
    }
}
