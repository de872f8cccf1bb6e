package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.Loop;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Tasks that run at a later time, and their end before it. */
final class TimerQueueTest {
    private static final long START = Long.MAX_VALUE - 100; // the deadlines are beyond the overflow

    private final LoopParts parts = new LoopParts();
    private final TimerQueue timers = parts.timers;
    private final TestRecord connection = new TestRecord(true);
    private final List<String> done = new ArrayList<>();

    private static long after(long nanos) {
        return START + nanos;
    }

    private ScheduledTask schedule(long deadline, String name) {
        return timers.schedule(deadline, connection, () -> done.add(name));
    }

    private void assertEmpty() {
        assertThat(timers.next()).isEqualTo(Loop.NO_DEADLINE);
        assertThat(timers.count()).isZero();
        assertThat(connection.timers()).isZero();
        assertThat(connection.firstTimer()).isNull();
    }

    // Running.

    @Test
    void dueTasksRunInTheOrderOfTheirTimesAndThenOfTheirAddition() {
        schedule(after(300), "third");
        schedule(after(200), "first");
        timers.schedule(after(200), null, () -> done.add("second, of no connection"));
        assertThat(timers.next()).isEqualTo(after(200));
        assertThat(timers.runDue(after(199))).isZero();
        assertThat(timers.runDue(after(200))).isEqualTo(2);
        assertThat(done).containsExactly("first", "second, of no connection");
        assertThat(timers.runDue(after(400))).isEqualTo(1);
        assertThat(done).endsWith("third");
        assertEmpty();
    }

    @Test
    void taskThatIsAddedByADueTaskRunsInTheNextTurn() {
        timers.schedule(0, connection, () -> schedule(0, "again"));
        assertThat(timers.runDue(0)).isEqualTo(1);
        assertThat(done).isEmpty();
        assertThat(timers.runDue(0)).isEqualTo(1);
        assertThat(done).containsExactly("again");
    }

    @Test
    void tasksOfOneTurnAreBounded() {
        for (int i = 0; i < TimerQueue.PER_TURN_MAX + 5; i++) {
            schedule(after(7), "task " + i);
        }
        assertThat(timers.runDue(after(7))).isEqualTo(TimerQueue.PER_TURN_MAX);
        assertThat(timers.runDue(after(7))).isEqualTo(5);
        assertThat(done).startsWith("task 0", "task 1").endsWith("task " + (TimerQueue.PER_TURN_MAX + 4));
        assertEmpty();
    }

    @Test
    void failingTaskEndsItsConnectionAndOneOfNoConnectionIsLogged() {
        try (LogLines log = new LogLines()) {
            timers.schedule(0, null, () -> {
                throw new IllegalStateException("of no connection");
            });
            timers.schedule(0, connection, () -> {
                throw new IllegalStateException("of the connection");
            });
            assertThat(timers.runDue(0)).isEqualTo(2);
            assertThat(log.lines("of no connection")).hasSize(1);
        }
        assertThat(connection.closeReason()).isEqualTo(CloseReason.HANDLER_FAILED);
    }

    // Cancelling.

    @Test
    void cancelledTaskNeverRunsAndHoldsNothing() {
        ScheduledTask first = schedule(after(1), "first");
        ScheduledTask second = schedule(after(2), "second");
        ScheduledTask third = schedule(after(3), "third");
        assertThat(second.cancel()).isTrue();
        assertThat(second.cancel()).as("cancelled already").isFalse();
        assertThat(connection.timers()).isEqualTo(2);
        assertThat(first.cancel()).isTrue();
        assertThat(timers.next()).isEqualTo(after(3));
        assertThat(timers.runDue(after(5))).isEqualTo(1);
        assertThat(done).containsExactly("third");
        assertThat(third.cancel()).as("it has run").isFalse();
        assertEmpty();
    }

    @Test
    void taskCanCancelTheOthersButNotItself() {
        List<Boolean> results = new ArrayList<>();
        ScheduledTask[] all = new ScheduledTask[3];
        for (int i = 0; i < all.length; i++) {
            all[i] = timers.schedule(5, connection, () -> {
                for (ScheduledTask each : all) {
                    results.add(each.cancel());
                }
            });
        }
        assertThat(timers.runDue(5)).as("due, but cancelled by the first").isEqualTo(1);
        assertThat(results).containsExactly(false, true, true);
        assertEmpty();
    }

    @Test
    void cancelOfAnotherThreadFreesTaskAndPlaceAtOnceAndTheLoopRemovesTheRest() {
        ScheduledTask task = schedule(after(5), "cancelled");
        LoopParts.onOtherThread(() -> assertThat(task.cancel()).isTrue());
        assertThat(timers.count()).isZero();
        assertThat(connection.timers()).isZero();
        assertThat(task.cancel()).isFalse();
        assertThat(parts.proactor.wakeups()).isEqualTo(1);
        parts.runTasks();
        assertEmpty();
    }

    @Test
    void taskThatAnotherThreadCancelsDoesNotRunAlthoughTheLoopHasNotRemovedIt() {
        ScheduledTask task = schedule(5, "cancelled");
        LoopParts.onOtherThread(task::cancel);
        assertThat(timers.runDue(5)).isEqualTo(1);
        parts.runTasks();
        assertThat(done).isEmpty();
        assertEmpty();
    }

    @Test
    void taskThatIsCancelledOnItsWayToTheLoopNeverEntersIt() {
        for (boolean byTheLoop : new boolean[]{true, false}) {
            ScheduledTask[] task = new ScheduledTask[1];
            LoopParts.onOtherThread(() -> {
                task[0] = schedule(5, "cancelled");
                if (!byTheLoop) {
                    assertThat(task[0].cancel()).isTrue();
                }
            });
            if (byTheLoop) {
                assertThat(connection.timers()).isEqualTo(1);
                assertThat(task[0].cancel()).isTrue();
            }
            parts.runTasks();
            assertEmpty();
        }
        assertThat(done).isEmpty();
    }

    @Test
    void cancelIsNotRejectedWhenTheLoopHasTooManyTasks() {
        ScheduledTask task = schedule(5, "cancelled");
        LoopParts.onOtherThread(() -> {
            assertThatThrownBy(() -> {
                while (true) {
                    parts.mailbox.run(() -> {});
                }
            }).isInstanceOf(RejectedExecutionException.class);
            assertThatThrownBy(() -> schedule(5, "rejected")).isInstanceOf(RejectedExecutionException.class);
            assertThat(task.cancel()).isTrue();
        });
        parts.runTasks();
        assertEmpty();
    }

    @Test
    void cancelledHandleKeepsNoTask() {
        ScheduledTask[] handles = new ScheduledTask[2];
        List<WeakReference<Runnable>> tasks = new ArrayList<>();
        for (int i = 0; i < handles.length; i++) {
            Runnable task = new Runnable() { // of its own: a lambda without captures would live forever
                @Override
                public void run() {
                    done.add("never");
                }
            };
            tasks.add(new WeakReference<>(task));
            handles[i] = timers.schedule(after(5), connection, task);
        }
        assertThat(handles[0].cancel()).isTrue();
        parts.closeRequests.close(connection, CloseReason.CLOSED);
        timers.dropAll(connection);
        for (WeakReference<Runnable> task : tasks) {
            System.gc();
            assertThat(task.get()).isNull();
        }
        assertThat(handles[1].cancel()).as("dropped with its connection").isFalse();
    }

    /** A deadline for each request, which the next request cancels. */
    @Test
    void millionsOfCancelledTasksNeedNoRoom() {
        ScheduledTask last = schedule(after(0), "never");
        for (int i = 0; i < 1_100_000; i++) {
            assertThat(last.cancel()).isTrue();
            last = schedule(after(i), "never");
            assertThat(timers.count()).isEqualTo(1);
        }
        last.cancel();
        assertEmpty();
    }

    // The end of the connection.

    @Test
    void tasksOfAConnectionThatEndsLeaveAtOnceAndOthersStay() {
        TestRecord open = new TestRecord(true);
        timers.schedule(after(50), open, () -> done.add("open"));
        for (int i = 0; i < 1000; i++) {
            schedule(after(i), "closed");
        }
        connection.state(ConnectionState.CLOSED);
        timers.dropAll(connection);
        assertThat(timers.next()).isEqualTo(after(50));
        assertThat(timers.count()).isEqualTo(1);
        assertThat(connection.timers()).isZero();
        assertThat(timers.runDue(after(1000))).isEqualTo(1);
        assertThat(done).containsExactly("open");
    }

    @Test
    void taskForAClosedConnectionIsDropped() {
        connection.state(ConnectionState.CLOSED);
        assertThat(schedule(5, "dropped").cancel()).isFalse();
        assertEmpty();
        TestRecord closing = new TestRecord(true);
        LoopParts.onOtherThread(() -> timers.schedule(5, closing, () -> done.add("on its way")));
        closing.state(ConnectionState.CLOSED);
        parts.runTasks();
        assertEmpty();
        assertThat(closing.timers()).isZero();
    }

    @Test
    void dueTaskDoesNotRunIfItsConnectionWasClosedInThisTurn() {
        timers.schedule(5, connection, () -> connection.state(ConnectionState.CLOSED));
        schedule(5, "of a closed connection");
        timers.runDue(5);
        assertThat(done).isEmpty();
        assertEmpty();
    }

    @Test
    void endOfTheLoopDropsTheRestAndRejectsMore() {
        ScheduledTask task = timers.schedule(5, null, () -> done.add("never"));
        timers.add(6, () -> done.add("never"));
        parts.mailbox.close();
        timers.dropAll();
        assertEmpty();
        assertThat(task.cancel()).isFalse();
        assertThatThrownBy(() -> schedule(5, "rejected")).isInstanceOf(RejectedExecutionException.class)
                .hasMessageContaining("closed");
        LoopParts.onOtherThread(() -> assertThatThrownBy(() -> schedule(5, "rejected"))
                .isInstanceOf(RejectedExecutionException.class).hasMessageContaining("closed"));
        assertEmpty();
    }

    // Bounds.

    @Test
    void timersOfAConnectionAreBounded() {
        ScheduledTask last = schedule(after(0), "0");
        LoopParts.onOtherThread(() -> {
            for (int i = 1; i < TimerQueue.PER_CONNECTION_MAX; i++) {
                schedule(after(i), "later");
            }
            assertThatThrownBy(() -> schedule(after(0), "too many")).isInstanceOf(RejectedExecutionException.class)
                    .hasMessage("the connection has 65536 scheduled tasks waiting: cancel those that are no longer needed");
        });
        assertThatThrownBy(() -> schedule(after(0), "too many")).isInstanceOf(RejectedExecutionException.class);
        TestRecord other = new TestRecord(true);
        assertThat(timers.schedule(after(0), other, () -> {}).cancel()).as("another connection has its own").isTrue();
        assertThat(last.cancel()).isTrue();
        schedule(after(0), "room again");
        timers.runDue(after(0));
        schedule(after(0), "room again");
        assertThat(timers.count()).isEqualTo(TimerQueue.PER_CONNECTION_MAX);
        connection.state(ConnectionState.CLOSED);
        parts.runTasks();
        timers.dropAll(connection);
        assertEmpty();
    }

    @Test
    void timersOfALoopAreBounded() {
        for (int i = 0; i < TaskQueue.WAITING_MAX; i++) {
            timers.schedule(after(1 + i), null, () -> {});
        }
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> schedule(after(0), "too many")).isInstanceOf(RejectedExecutionException.class)
                    .hasMessage("the loop has 1048576 scheduled tasks waiting");
        }
        assertThat(connection.timers()).as("not counted").isZero();
        timers.add(after(0), () -> done.add("of the server"));
        timers.runDue(after(0));
        assertThat(done).as("those of the server are not rejected").containsExactly("of the server");
        timers.dropAll();
        assertEmpty();
    }

    // Threads.

    @Test
    void eachTaskEitherRunsOrIsCancelledWhicheverThreadIsFirst() throws InterruptedException {
        AtomicInteger ran = new AtomicInteger();
        AtomicInteger cancelled = new AtomicInteger();
        int count = 20_000;
        Thread[] others = new Thread[2];
        for (int i = 0; i < others.length; i++) {
            others[i] = Thread.ofPlatform().start(() -> {
                for (int n = 0; n < count; n++) {
                    ScheduledTask task = timers.schedule(after(n % 50), connection, ran::incrementAndGet);
                    if (task.cancel()) {
                        cancelled.incrementAndGet();
                    }
                }
            });
        }
        while (others[0].isAlive() || others[1].isAlive()) {
            parts.runTasks();
            timers.runDue(after(50));
            connection.partialInput(null); // drops the rarely used state, if it is empty just now
        }
        for (Thread other : others) {
            other.join();
        }
        parts.runTasks();
        timers.runDue(after(50));
        assertThat(ran.get() + cancelled.get()).isEqualTo(2 * count);
        assertEmpty();
    }
}
