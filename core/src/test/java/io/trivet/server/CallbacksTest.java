package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Calls of handlers and tasks: what the watchdog sees of them, and where their exceptions end. */
final class CallbacksTest {
    private final List<String> waits = new ArrayList<>();
    private final LoopActivity activity = new LoopActivity(() -> waits.add("over"));
    private final Log log = new Log(new SteppedClock());
    private final CloseRequests closeRequests = new CloseRequests(log);
    private final Callbacks callbacks = new Callbacks(activity, closeRequests, log);
    private final TestRecord connection = new TestRecord(true);

    private boolean isRunning() {
        return (activity.mark() & 1) != 0;
    }

    @Test
    void markIsOddWithinEachCallbackAndNeverTheSameTwice() {
        Set<Long> marks = new HashSet<>();
        connection.reaction = () -> {
            assertThat(isRunning()).isTrue();
            assertThat(marks.add(activity.mark())).isTrue();
        };
        callbacks.open(connection);
        callbacks.message(connection, LoopParts.bytes("hello"));
        callbacks.urgent(connection, (byte) '!');
        callbacks.endOfInput(connection);
        callbacks.drained(connection);
        callbacks.dropped(connection, new DroppedMessages(2, 30));
        callbacks.closed(connection, CloseReason.DRAINED);
        callbacks.timer(connection, () -> connection.reaction.run());
        callbacks.task(connection.reaction);
        assertThat(connection.calls).containsExactly("open", "message hello", "urgent !", "end of input", "drained",
                "dropped 2, 30 bytes", "close DRAINED");
        assertThat(marks).hasSize(9);
        assertThat(isRunning()).isFalse();
    }

    @Test
    void taskThatCallsHandlersIsNotMistakenForOneSlowCallback() {
        List<Long> marks = new ArrayList<>();
        callbacks.task(() -> {
            marks.add(activity.mark());
            callbacks.open(connection);
            marks.add(activity.mark());
            callbacks.drained(connection);
            marks.add(activity.mark());
        });
        assertThat(marks).doesNotHaveDuplicates().allMatch(mark -> mark % 2 == 1);
        assertThat(isRunning()).isFalse();
    }

    @Test
    void firstCallbackEndsTheWaitOnce() {
        activity.beginWait();
        assertThat(activity.isWaiting()).isTrue();
        callbacks.open(connection);
        assertThat(activity.isWaiting()).isFalse();
        callbacks.drained(connection);
        activity.endWait();
        assertThat(waits).containsExactly("over");
    }

    @Test
    void handlersExceptionClosesItsConnectionAndIsLogged() {
        try (LogLines lines = new LogLines()) {
            connection.reaction = () -> {
                throw new IllegalStateException("bad\nhandler");
            };
            callbacks.message(connection, LoopParts.bytes("x"));
            assertThat(connection.closeReason()).isEqualTo(CloseReason.HANDLER_FAILED);
            assertThat(connection.state()).as("what was accepted before is sent").isEqualTo(ConnectionState.DRAINING);
            assertThat(closeRequests.takeEnd()).isSameAs(connection);
            assertThat(isRunning()).isFalse();
            assertThat(lines.lines("bad\\x0Ahandler")).as("on one line").hasSize(1);
            TestRecord other = new TestRecord(true);
            other.reaction = connection.reaction;
            callbacks.drained(other);
            assertThat(other.closeReason()).isEqualTo(CloseReason.HANDLER_FAILED);
            TestRecord third = new TestRecord(true);
            callbacks.timer(third, connection.reaction);
            assertThat(third.closeReason()).isEqualTo(CloseReason.HANDLER_FAILED);
        }
    }

    @Test
    void tasksExceptionIsLoggedAndNothingMore() {
        try (LogLines lines = new LogLines()) {
            callbacks.task(() -> {
                throw new IllegalStateException("bad task");
            });
            assertThat(lines.lines("a task threw")).hasSize(1);
            assertThat(closeRequests.isEmpty()).isTrue();
            assertThat(isRunning()).isFalse();
        }
    }

    @Test
    void errorPassesThrough() {
        connection.reaction = () -> {
            throw new AssertionError("broken");
        };
        assertThatThrownBy(() -> callbacks.message(connection, LoopParts.bytes("x"))).hasMessage("broken");
        assertThatThrownBy(() -> callbacks.open(connection)).hasMessage("broken");
        assertThatThrownBy(() -> callbacks.task(connection.reaction)).hasMessage("broken");
        assertThat(connection.isClosed()).isFalse();
        assertThat(isRunning()).isFalse();
    }
}
