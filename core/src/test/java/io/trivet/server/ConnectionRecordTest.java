package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.trivet.net.Loop;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The packed record of a connection: its size, and that its packed values do not disturb each other. */
final class ConnectionRecordTest {
    private static final int HIGH = 100;
    private static final int MAX = 1000;

    @Test
    void connectionTakes64Bytes() {
        // The least of several: what a thread leaves unused at the end of a buffer for allocations is counted now and then.
        assertThat(IntStream.range(0, 5).mapToLong(_ -> bytesOfAConnection()).min()).hasValue(64);
    }

    private static long bytesOfAConnection() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        Connection[] connections = new Connection[10_000];
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < connections.length; i++) {
            connections[i] = new Connection(null);
        }
        return (threads.getCurrentThreadAllocatedBytes() - before) / connections.length;
    }

    @Test
    void stateReasonAndFlagsAreIndependent() {
        ConnectionRecord connection = new TestRecord(true);
        assertThat(connection.state()).isEqualTo(ConnectionState.OPEN);
        assertThat(connection.is(ConnectionRecord.ACCEPTED)).isTrue();
        assertThat(connection.closeReason()).isNull();
        for (CloseReason reason : CloseReason.values()) {
            for (ConnectionState state : ConnectionState.values()) {
                connection.closeReason(reason);
                connection.state(state);
                connection.set(ConnectionRecord.CLOSE_NOTIFIED);
                connection.clear(ConnectionRecord.RECEIVING);
                assertThat(connection.closeReason()).isEqualTo(reason);
                assertThat(connection.state()).isEqualTo(state);
                assertThat(connection.is(ConnectionRecord.CLOSE_NOTIFIED)).isTrue();
                assertThat(connection.is(ConnectionRecord.ACCEPTED)).isTrue();
                assertThat(connection.isClosed()).isEqualTo(state == ConnectionState.CLOSED);
                connection.clear(ConnectionRecord.CLOSE_NOTIFIED);
            }
        }
    }

    @Test
    void reservationsAreCountedUpToTheCap() {
        ConnectionRecord connection = new TestRecord(true);
        assertThat(connection.reserve(MAX - 1, MAX, HIGH)).isTrue();
        assertThat(connection.reserve(2, MAX, HIGH)).isFalse();
        assertThat(connection.reserve(1, MAX, HIGH)).isTrue();
        assertThat(connection.queuedBytes()).isEqualTo(MAX);
        assertThat(connection.queuedMessages()).isEqualTo(2);
        connection.release(2, MAX);
        assertThat(connection.queuedBytes()).isZero();
        assertThat(connection.queuedMessages()).isZero();
    }

    @Test
    void highMarkIsRememberedUntilTheQueueIsSeenAtTheLowMark() {
        ConnectionRecord connection = new TestRecord(true);
        connection.reserve(HIGH - 1, MAX, HIGH);
        assertThat(connection.hasReachedHigh()).isFalse();
        connection.reserve(1, MAX, HIGH);
        assertThat(connection.hasReachedHigh()).isTrue();
        connection.release(1, 1);
        assertThat(connection.clearHighAt(HIGH / 2)).isFalse();
        assertThat(connection.hasReachedHigh()).isTrue();
        connection.release(0, HIGH / 2);
        assertThat(connection.clearHighAt(HIGH / 2)).isTrue();
        assertThat(connection.hasReachedHigh()).isFalse();
        assertThat(connection.queuedMessages()).as("not disturbed by the mark").isEqualTo(1);
    }

    @Test
    void activityIsNeverRecordedTooEarlyAndByLessThanTwoTicksTooLate() {
        ConnectionRecord connection = new TestRecord(true);
        IntStream.range(0, 2000).forEach(i -> {
            long then = Long.MAX_VALUE - 1000L * (1 << 20) + i * 1_000_003L; // it wraps around
            connection.active(then);
            assertThat(connection.activityNanos(then + 5_000_000_000L) - then).isBetween(0L, 2L << 20);
        });
    }

    @Test
    void coldStateIsReleasedWhenItIsEmpty() {
        ConnectionRecord connection = new TestRecord(true);
        connection.stateDeadlineNanos(7);
        connection.pendingDrops(new DroppedMessages(1, 2));
        connection.stateDeadlineNanos(Loop.NO_DEADLINE);
        assertThat(connection.pendingDrops()).isEqualTo(new DroppedMessages(1, 2));
        connection.pendingDrops(null);
        assertThat(connection).extracting("cold").isNull();
    }

    @Test
    void coldStateLivesAsLongAsATimerIsCountedOrInTheList() {
        ConnectionRecord connection = new TestRecord(true);
        assertThat(connection.timers()).isZero();
        assertThat(connection.reserveTimer(2)).isTrue();
        assertThat(connection.reserveTimer(2)).isTrue();
        assertThat(connection.reserveTimer(2)).isFalse();
        connection.pendingDrops(null);
        assertThat(connection.timers()).isEqualTo(2);
        Timer[] timers = new Timer[2];
        for (int i = 0; i < timers.length; i++) {
            timers[i] = new TimerHeapTest.PlainTimer(0);
            connection.link(timers[i]);
        }
        connection.unlink(timers[0]);
        connection.unlink(timers[0]); // no longer in the list
        assertThat(connection.firstTimer()).isSameAs(timers[1]);
        connection.releaseTimer();
        connection.releaseTimer();
        connection.pendingDrops(null);
        assertThat(connection.firstTimer()).as("cancelled by another thread, and not removed yet").isSameAs(timers[1]);
        connection.unlink(timers[1]);
        assertThat(connection).extracting("cold").isNull();
        connection.reserveTimer(2);
        connection.releaseTimer();
        connection.unlink(timers[1]);
        assertThat(connection).extracting("cold").as("a timer that never was in the list").isNull();
    }

    @Test
    void queueThatPassesFromConnectionToConnectionAllocatesNothing() {
        LoopParts parts = new LoopParts();
        ConnectionRecord[] connections = {new TestRecord(true), new TestRecord(true), new TestRecord(true)};
        passQueue(parts.queues, connections, 1);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        passQueue(parts.queues, connections, 100_000);
        assertThat((threads.getCurrentThreadAllocatedBytes() - before) / 100_000).isZero();
        assertThat(connections).extracting("cold").containsOnlyNulls();
    }

    private static void passQueue(SendQueues queues, ConnectionRecord[] connections, int times) {
        for (int i = 0; i < times; i++) {
            ConnectionRecord connection = connections[i % connections.length];
            queues.of(connection);
            queues.recycleIfEmpty(connection);
        }
    }

    @Test
    void timersAreCountedForTheirOwnConnectionWhileQueuesPassFromOneToAnother() throws Exception {
        LoopParts parts = new LoopParts();
        ConnectionRecord[] connections = {new TestRecord(true), new TestRecord(true)};
        AtomicBoolean isOver = new AtomicBoolean();
        Thread timers = Thread.ofPlatform().start(() -> {
            for (int i = 0; i < 300_000; i++) {
                ConnectionRecord connection = connections[i & 1];
                if (connection.reserveTimer(2)) { // the other one's count may make it fail for a moment
                    assertThat(connection.timers()).isPositive();
                    connection.releaseTimer();
                }
            }
            isOver.set(true);
        });
        AtomicReference<Throwable> failure = new AtomicReference<>();
        timers.setUncaughtExceptionHandler((_, e) -> {
            failure.set(e);
            isOver.set(true);
        });
        while (!isOver.get()) {
            for (ConnectionRecord connection : connections) {
                SendQueue queue = parts.queues.of(connection);
                assertThat(connection.sendQueue()).isSameAs(queue);
                Thread.onSpinWait();
                assertThat(connection.sendQueue()).as("no other thread takes it away").isSameAs(queue);
                parts.queues.recycleIfEmpty(connection);
            }
        }
        timers.join();
        assertThat(failure.get()).isNull();
        assertThat(connections).extracting(ConnectionRecord::timers).containsOnly(0);
    }
}
