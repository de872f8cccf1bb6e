package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Input that cannot be delivered yet: its memory, and its place in the budget. */
final class PartialInputsTest {
    private final SteppedClock time = new SteppedClock();
    private final Budget budget = new Budget(1 << 20);
    private final BufferPool pool = LoopParts.pool(budget);
    private final PartialInputs inputs = new PartialInputs(pool, new TurnClock(time));
    private final TestRecord connection = new TestRecord(true);

    private void add(TestRecord to, String text) {
        ByteBuffer bytes = LoopParts.direct(text);
        inputs.add(to, bytes, 0, bytes.limit());
    }

    private static String text(PartialInput input) {
        return LoopParts.text(input.buffer().duplicate().limit(input.to()).position(input.from()));
    }

    @Test
    void inputGrowsContiguouslyWithWhatArrives() {
        PartialInput input = new PartialInput(pool, 3, 0);
        StringBuilder expected = new StringBuilder();
        for (int i = 0; i < 300; i++) {
            String piece = "piece " + i + ";";
            input.add(LoopParts.direct("<" + piece + ">"), 1, 1 + piece.length());
            expected.append(piece);
        }
        assertThat(text(input)).isEqualTo(expected.toString());
        assertThat(input.bytes()).isEqualTo(expected.length());
        assertThat(input.view().isReadOnly()).isTrue();
        assertThat(LoopParts.text(input.view().duplicate().limit(input.to()).position(input.from())))
                .as("the handler's view is of the grown buffer").isEqualTo(expected.toString());
    }

    @Test
    void deliveredBytesMakeRoomInTheSameBuffer() {
        PartialInput input = new PartialInput(pool, 1024, 0);
        ByteBuffer memory = input.buffer();
        input.add(LoopParts.direct("x".repeat(1020)), 0, 1020);
        input.deliveredTo(1015, 0);
        input.add(LoopParts.direct("0123456789"), 0, 10);
        assertThat(input.buffer()).isSameAs(memory);
        assertThat(text(input)).isEqualTo("xxxxx0123456789");
    }

    @Test
    void searchAndDeadlineStartAgainOnlyWhenAMessageWasDelivered() {
        PartialInput input = new PartialInput(pool, 16, 1);
        input.add(LoopParts.direct("one, two"), 0, 8);
        input.scanned = 8;
        input.deliveredTo(0, 5);
        assertThat(input.scanned).isEqualTo(8);
        assertThat(input.beganNanos).isEqualTo(1);
        input.deliveredTo(4, 5);
        assertThat(input.scanned).isZero();
        assertThat(input.beganNanos).isEqualTo(5);
    }

    @Test
    void budgetCountsTheWholeBufferAndNotOnlyTheBytesInUse() {
        add(connection, "0123456789");
        PartialInput input = connection.partialInput();
        assertThat(budget.bytes()).isEqualTo(256);
        assertThat(input.heldBytes()).isEqualTo(256);
        assertThat(input.beganNanos).isEqualTo(time.nanoTime());
        time.step(Duration.ofSeconds(1));
        add(connection, "x".repeat(5000));
        assertThat(connection.partialInput()).isSameAs(input);
        assertThat(input.beganNanos).as("of its first byte").isEqualTo(time.nanoTime() - Duration.ofSeconds(1).toNanos());
        assertThat(budget.bytes()).isEqualTo(8192);
        inputs.drop(connection);
        assertThat(budget.bytes()).isZero();
        assertThat(connection.partialInput()).isNull();
        inputs.drop(connection);
        assertThat(budget.bytes()).as("dropped only once").isZero();
    }

    @Test
    void inputThatWouldTakeMoreThanHalfOfTheBudgetIsRefused() {
        Budget small = new Budget(4096);
        PartialInputs few = new PartialInputs(LoopParts.pool(small), new TurnClock(time));
        ByteBuffer bytes = LoopParts.direct("x".repeat(1100));
        assertThat(few.add(connection, bytes, 0, 1000)).isTrue();
        assertThat(few.add(connection, bytes, 0, 1024)).as("2,024 bytes need 2,048").isTrue();
        assertThat(few.add(connection, bytes, 0, 100)).as("4,096 bytes beside the 2,048").isFalse();
        assertThat(connection.partialInput().bytes()).isEqualTo(2024);
        assertThat(small.bytes()).isEqualTo(2048);
        TestRecord other = new TestRecord(true);
        assertThat(few.add(other, LoopParts.direct("x".repeat(2049)), 0, 2049)).isFalse();
        assertThat(other.partialInput()).isNull();
    }

    @Test
    void largeBufferIsReplacedByASmallOneIfFewBytesAreLeft() {
        add(connection, "x".repeat(61_000) + "\nX");
        PartialInput input = connection.partialInput();
        assertThat(budget.bytes()).isEqualTo(1 << 16);
        input.shrink();
        assertThat(budget.bytes()).as("all of it is wanted").isEqualTo(1 << 16);
        input.deliveredTo(61_001, time.nanoTime());
        input.shrink();
        assertThat(budget.bytes()).isEqualTo(256);
        assertThat(text(input)).isEqualTo("X");
        assertThat(input.view().get(input.from())).as("the handler's view is of the small buffer").isEqualTo((byte) 'X');
    }

    @Test
    void memoryOfAnInputInDeliveryIsReleasedOnlyWhenTheHandlerHasReturned() {
        add(connection, "0123456789");
        PartialInput input = connection.partialInput();
        ByteBuffer memory = input.buffer();
        inputs.beginDelivery(input);
        inputs.drop(connection); // the handler closes the connection
        assertThat(budget.bytes()).as("still in use").isEqualTo(256);
        assertThat(pool.acquire(10, BufferPool.Use.INPUT)).as("not in the pool yet").isNotSameAs(memory);
        assertThat(inputs.endDelivery(connection, input)).isFalse();
        assertThat(pool.acquire(10, BufferPool.Use.INPUT)).isSameAs(memory);
        assertThat(pool.acquire(10, BufferPool.Use.INPUT)).as("released once").isNotSameAs(memory);
    }

    @Test
    void inputThatIsStillHeldAfterADeliveryKeepsItsMemory() {
        add(connection, "0123456789");
        PartialInput input = connection.partialInput();
        inputs.beginDelivery(input);
        assertThat(inputs.endDelivery(connection, input)).isTrue();
        assertThat(pool.acquire(10, BufferPool.Use.INPUT)).isNotSameAs(input.buffer());
        inputs.drop(connection);
        assertThat(pool.acquire(10, BufferPool.Use.INPUT)).as("no longer in delivery").isSameAs(input.buffer());
    }

    @Test
    void noBufferIsLongerThanABufferCanBe(@TempDir Path directory) throws IOException {
        try (FileChannel sparse = FileChannel.open(directory.resolve("sparse"), StandardOpenOption.CREATE_NEW,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE)) {
            BufferPool rich = new BufferPool(new Budget(1L << 40), 1, new TurnClock(time), new Counters(0, () -> 0),
                    bytes -> map(sparse, bytes));
            PartialInput input = new PartialInput(rich, 1 << 30, 0);
            assertThat(input.capacityFor((1 << 30) + 1)).as("not twice as long").isEqualTo(Integer.MAX_VALUE - 8);
            input.add(LoopParts.direct("x"), 0, 1);
            assertThat(input.capacityFor(Integer.MAX_VALUE - 9)).isLessThanOrEqualTo(rich.bufferBytesMax());
            assertThat(input.capacityFor(Integer.MAX_VALUE)).isGreaterThan(rich.bufferBytesMax());
        }
    }

    private static ByteBuffer map(FileChannel file, int bytes) {
        try {
            return file.map(FileChannel.MapMode.READ_WRITE, 0, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void inputOfUpToHalfTheBudgetIsHeldAlthoughADoubledBufferWouldBeMore() {
        ByteBuffer piece = ByteBuffer.allocateDirect(100_000);
        int half = (int) (budget.bytesMax() / 2);
        for (int held = 0; held < half; held += piece.capacity()) {
            assertThat(inputs.add(connection, piece, 0, Math.min(piece.capacity(), half - held))).isTrue();
        }
        assertThat(connection.partialInput().bytes()).isEqualTo(half);
        assertThat(inputs.add(connection, piece, 0, 1)).isFalse();
        assertThat(connection.partialInput().bytes()).isEqualTo(half);
    }
}
