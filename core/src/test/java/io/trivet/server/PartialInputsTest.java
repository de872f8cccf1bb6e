package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.observe.CloseReason;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Input that cannot be delivered yet: its memory, and its place in the budget. */
final class PartialInputsTest {
    private static final int BUDGET = 2000;

    private final SteppedClock time = new SteppedClock();
    private final BufferPool pool = new BufferPool();
    private final Budget budget = new Budget(BUDGET);
    private final CloseRequests closeRequests = new CloseRequests(new Log(time));
    private final PartialInputs inputs = new PartialInputs(pool, budget, new TurnClock(time), closeRequests);
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
    void budgetCountsWhatIsHeldAndNoMore() {
        add(connection, "0123456789");
        PartialInput input = connection.partialInput();
        assertThat(budget.bytes()).isEqualTo(10);
        assertThat(input.beganNanos).isEqualTo(time.nanoTime());
        time.step(Duration.ofSeconds(1));
        add(connection, "abc");
        assertThat(connection.partialInput()).isSameAs(input);
        assertThat(input.beganNanos).as("of its first byte").isEqualTo(time.nanoTime() - Duration.ofSeconds(1).toNanos());
        assertThat(budget.bytes()).isEqualTo(13);
        input.deliveredTo(11, time.nanoTime());
        inputs.account(connection, input);
        assertThat(budget.bytes()).isEqualTo(2);
        inputs.drop(connection);
        assertThat(budget.bytes()).isZero();
        assertThat(connection.partialInput()).isNull();
        inputs.drop(connection);
        assertThat(budget.bytes()).as("dropped only once").isZero();
    }

    @Test
    void connectionThatExceedsTheBudgetIsClosedAndMakesRoomAtOnce() {
        TestRecord other = new TestRecord(true);
        add(connection, "x".repeat(BUDGET - 10));
        assertThat(connection.isClosed()).as("up to the budget").isFalse();
        add(other, "x".repeat(11));
        assertThat(other.isClosed()).isTrue();
        assertThat(other.closeReason()).isEqualTo(CloseReason.BUDGET_EXCEEDED);
        assertThat(other.partialInput()).isNull();
        assertThat(budget.bytes()).isEqualTo(BUDGET - 10);
        assertThat(connection.isClosed()).isFalse();
    }

    @Test
    void inputThatShrinksIsNotClosedThoughTheBudgetIsExceededByOthers() {
        add(connection, "0123456789");
        budget.reserve(BUDGET);
        PartialInput input = connection.partialInput();
        input.deliveredTo(5, 0);
        inputs.account(connection, input);
        assertThat(connection.isClosed()).isFalse();
        assertThat(budget.bytes()).isEqualTo(BUDGET + 5);
    }

    @Test
    void memoryOfAnInputInDeliveryIsReleasedOnlyWhenTheHandlerHasReturned() {
        add(connection, "0123456789");
        PartialInput input = connection.partialInput();
        ByteBuffer memory = input.buffer();
        inputs.beginDelivery(input);
        inputs.drop(connection); // the handler closes the connection
        assertThat(budget.bytes()).isZero();
        assertThat(pool.acquire(10)).as("not in the pool yet").isNotSameAs(memory);
        assertThat(inputs.endDelivery(connection, input)).isFalse();
        assertThat(pool.acquire(10)).isSameAs(memory);
        assertThat(pool.acquire(10)).as("released once").isNotSameAs(memory);
    }

    @Test
    void inputThatIsStillHeldAfterADeliveryKeepsItsMemory() {
        add(connection, "0123456789");
        PartialInput input = connection.partialInput();
        inputs.beginDelivery(input);
        assertThat(inputs.endDelivery(connection, input)).isTrue();
        assertThat(pool.acquire(10)).isNotSameAs(input.buffer());
        inputs.drop(connection);
        assertThat(pool.acquire(10)).as("no longer in delivery").isSameAs(input.buffer());
    }
}
