package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.Loop;
import io.trivet.observe.ConnectionState;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;

/** Tasks that run at a later time. */
final class TimerQueueTest {
    private static final long START = Long.MAX_VALUE - 100; // the deadlines are beyond the overflow

    private final Log log = new Log(new SteppedClock());
    private final CloseRequests closeRequests = new CloseRequests(log);
    private final TimerQueue timers = new TimerQueue(new Callbacks(new LoopActivity(() -> {}), closeRequests, log));
    private final TestRecord connection = new TestRecord(true);
    private final List<String> done = new ArrayList<>();

    private static long after(long nanos) {
        return START + nanos;
    }

    private void add(long deadline, String name) {
        timers.add(deadline, () -> done.add(name));
    }

    @Test
    void dueTasksRunInTheOrderOfTheirTimesAndThenOfTheirAddition() {
        add(after(300), "third");
        add(after(200), "first");
        add(after(200), "second");
        assertThat(timers.next()).isEqualTo(after(200));
        assertThat(timers.runDue(after(199))).isZero();
        assertThat(timers.runDue(after(200))).isEqualTo(2);
        assertThat(done).containsExactly("first", "second");
        assertThat(timers.runDue(after(400))).isEqualTo(1);
        assertThat(done).endsWith("third");
        assertThat(timers.next()).isEqualTo(Loop.NO_DEADLINE);
    }

    @Test
    void taskThatIsAddedByADueTaskRunsInTheNextTurn() {
        timers.add(0, () -> add(0, "again"));
        assertThat(timers.runDue(0)).isEqualTo(1);
        assertThat(done).isEmpty();
        assertThat(timers.runDue(0)).isEqualTo(1);
        assertThat(done).containsExactly("again");
    }

    @Test
    void taskOfAClosedConnectionIsDroppedAndItsPlaceIsFreeAgain() {
        for (int i = 0; i < TaskQueue.WAITING_MAX; i++) {
            timers.reserve();
        }
        assertThatThrownBy(timers::reserve).isInstanceOf(RejectedExecutionException.class);
        timers.add(5, connection, () -> done.add("of a closed connection"));
        timers.add(6, connection, () -> done.add("of a closed connection"));
        connection.state(ConnectionState.CLOSED);
        assertThat(timers.runDue(5)).isEqualTo(1);
        assertThat(done).isEmpty();
        assertThatCode(timers::reserve).doesNotThrowAnyException();
        assertThatThrownBy(timers::reserve).as("the rejected reservation was not counted")
                .isInstanceOf(RejectedExecutionException.class);
    }

    @Test
    void tasksOfClosedConnectionsAreSweptWhenThereAreManyAndOthersStay() {
        for (int i = 0; i < TaskQueue.WAITING_MAX; i++) {
            timers.reserve();
        }
        TestRecord open = new TestRecord(true);
        timers.add(50, open, () -> done.add("open"));
        for (int i = 0; i < 1023; i++) {
            timers.add(10, connection, () -> done.add("closed"));
        }
        connection.state(ConnectionState.CLOSED);
        assertThat(timers.next()).isEqualTo(10);
        timers.add(60, open, () -> done.add("added"));
        assertThat(timers.next()).as("those of the closed connection are gone").isEqualTo(50);
        for (int i = 0; i < 1023; i++) {
            timers.reserve(); // their places are free again
        }
        assertThatThrownBy(timers::reserve).isInstanceOf(RejectedExecutionException.class);
        timers.runDue(60);
        assertThat(done).containsExactly("open", "added");
    }
}
