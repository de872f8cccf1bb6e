package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.ErrorCode;
import io.trivet.net.Loop;
import io.trivet.net.NetworkException;
import io.trivet.observe.CloseReason;
import io.trivet.observe.LoopEvent;
import io.trivet.observe.LoopObserver;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The turn of a loop: its order and its bounds, on a proactor without sockets. */
final class EventLoopTest {
    private final SteppedClock time = new SteppedClock();
    private final RecordingProactor proactor = new RecordingProactor();
    private final LoopParts.RecordingSource source = new LoopParts.RecordingSource();
    private final Budget budget = new Budget(1 << 20);
    private final List<TestRecord> records = new ArrayList<>();
    private final EventLoop loop = loop(0, proactor, time, source, budget, records);

    /** Creates a loop whose connections record their callbacks among the calls of the proactor. */
    static EventLoop loop(int index, RecordingProactor proactor, SteppedClock time, ConnectionSource source, Budget budget,
            List<TestRecord> records) {
        return new EventLoop(index,
                new EventLoop.Setup(proactor, time, budget, new SharedBuffers(0), 1, new Log(time), source, false,
                        HostLookup.refusing("recording"), () -> {},
                        calls -> listener -> {
                            TestRecord connection = new TestRecord(true);
                            connection.reaction = () -> proactor.calls.add(connection.handle + ": " + connection.calls.getLast());
                            records.add(connection);
                            return connection;
                        }));
    }

    private TestRecord open() {
        LateNetwork network = new LateNetwork(new Random(0), false);
        loop.adopt(0, network.new Stream(network.peer()), RecordingProactor.REMOTE, false);
        return records.getLast();
    }

    private void receiveOnPoll(TestRecord connection, String text) {
        ByteBuffer memory = LoopParts.direct(text);
        proactor.onPoll(completions -> completions.received(connection.handle, memory, 0, memory.limit()));
    }

    @Test
    void turnHandlesCompletionsDeliveriesTimersTasksFlushesAndClosesInThisOrder() throws IOException {
        loop.mailbox().claim();
        TestRecord resumed = open();
        TestRecord other = open();
        loop.calls().pauseReading(resumed);
        receiveOnPoll(resumed, "continued\n"); // had completed before
        loop.turn(0);
        loop.calls().resumeReading(resumed);
        proactor.newCalls();
        loop.after(0, () -> proactor.calls.add("timer"));
        LoopParts.onOtherThread(() -> loop.mailbox().execute(() -> {
            proactor.calls.add("task");
            loop.calls().send(resumed, "reply");
            loop.calls().close(other, CloseReason.CLOSED);
        }));
        receiveOnPoll(other, "first\n");
        proactor.onPoll(completions -> completions.urgent(other.handle, (byte) '!'));
        int done = loop.turn(-1);
        assertThat(proactor.newCalls()).containsExactly("poll 0", "1: message first", "1: urgent !", "0: message continued",
                "receive 0", "timer", "task", "send 0 reply\n", "close 1", "1: close CLOSED");
        assertThat(done).as("2 completions, and one of each of the others").isEqualTo(7);
        assertThat(loop.stats().turns()).isEqualTo(2);
        assertThat(loop.load()).isEqualTo(1);
    }

    @Test
    void loopWaitsUntilItsNextDeadlineAndNotAtAllIfThereIsWork() throws IOException {
        loop.turn(-1);
        loop.turn(500);
        loop.after(Duration.ofMillis(3).toNanos(), () -> {});
        loop.turn(-1);
        loop.turn(500);
        LoopParts.onOtherThread(() -> loop.mailbox().execute(() -> {}));
        assertThat(loop.nextDeadline()).as("now").isEqualTo(time.nanoTime());
        loop.turn(-1);
        assertThat(proactor.newCalls()).containsExactly("poll -1", "poll 500", "poll 3000000", "poll 500", "poll 0");
        assertThat(loop.nextDeadline()).isEqualTo(time.nanoTime() + Duration.ofMillis(3).toNanos());
        time.step(Duration.ofMillis(3));
        loop.turn(-1);
        assertThat(proactor.newCalls()).containsExactly("poll 0");
        assertThat(loop.nextDeadline()).isEqualTo(Loop.NO_DEADLINE);
    }

    @Test
    void tasksOfOneTurnAreBounded() throws IOException {
        int[] done = new int[1];
        for (int i = 0; i < EventLoop.TASKS_PER_TURN_MAX + 5; i++) {
            loop.mailbox().execute(() -> done[0]++);
        }
        loop.turn(0);
        assertThat(done[0]).isEqualTo(EventLoop.TASKS_PER_TURN_MAX);
        loop.turn(-1);
        assertThat(done[0]).isEqualTo(EventLoop.TASKS_PER_TURN_MAX + 5);
        assertThat(proactor.newCalls()).as("the rest is not waited for").containsExactly("poll 0", "poll 0");
    }

    @Test
    void timeStandsStillWithinATurnAndIsReadAfterTheWait() throws IOException {
        List<Long> times = new ArrayList<>();
        loop.after(Duration.ofSeconds(1).toNanos(), () -> {
            times.add(loop.clock().now());
            time.step(Duration.ofSeconds(1)); // a slow callback
        });
        loop.after(Duration.ofSeconds(1).toNanos(), () -> times.add(loop.clock().now()));
        proactor.onPoll(completions -> time.step(Duration.ofSeconds(1))); // the wait
        loop.turn(-1);
        assertThat(times).hasSize(2).containsOnly(time.nanoTime() - Duration.ofSeconds(1).toNanos());
    }

    @Test
    void loopCannotBeTurnedFromItsOwnCallbacksNorByASecondThread() throws IOException {
        List<Throwable> thrown = new ArrayList<>();
        loop.mailbox().execute(() -> {
            assertThatThrownBy(() -> loop.turn(0)).isInstanceOf(IllegalStateException.class);
            assertThat(loop.isTurnedByThisThread()).isTrue();
            thrown.add(new IllegalStateException());
        });
        loop.turn(0);
        assertThat(thrown).as("the task has run").hasSize(1);
        LoopParts.onOtherThread(
                () -> assertThatThrownBy(() -> loop.turn(0)).isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("one thread"));
        assertThat(loop.clock().now()).isEqualTo(time.nanoTime());
        time.step(Duration.ofMillis(1));
        assertThat(loop.clock().now()).as("a refused turn does not stop the time").isEqualTo(time.nanoTime());
    }

    @Test
    void endNotifiesEveryHandlerAndReleasesEverything() throws IOException {
        loop.mailbox().claim();
        TestRecord first = open();
        TestRecord second = open();
        loop.turn(0);
        proactor.nextSends(RecordingProactor.PENDING);
        loop.calls().send(first, "pending");
        loop.turn(0);
        loop.calls().send(second, "waiting");
        Runnable recording = first.reaction;
        first.reaction = () -> {
            recording.run();
            throw new AssertionError("broken onClose");
        };
        proactor.newCalls();
        try (LogLines log = new LogLines()) {
            loop.shutDown();
            assertThat(log.lines("broken onClose")).hasSize(1);
        }
        assertThat(proactor.newCalls()).containsExactly("reset 0", "0: close SERVER_CLOSED", "reset 1", "1: close SERVER_CLOSED",
                "close the proactor");
        assertThat(source.ended).isTrue();
        assertThat(loop.hasEnded()).isTrue();
        assertThat(loop.load()).isZero();
        assertThat(first.queuedBytes()).as("a pending send is released last").isZero();
        assertThat(budget.bytes()).isZero();
        assertThat(loop.memory().spare()).as("a closed server may be referenced for long").isZero();
        assertThat(loop.nextDeadline()).isEqualTo(Loop.NO_DEADLINE);
        assertThat(loop.turn(-1)).as("nothing happens any more").isZero();
        assertThat(proactor.newCalls()).isEmpty();
    }

    @Test
    void broadcastIsReleasedOnceIfAnEncoderThrowsAnError() throws Exception {
        loop.mailbox().claim();
        TestRecord connection = open();
        loop.turn(0);
        FrameEncoder broken = new FrameEncoder() {
            @Override
            public int headLength(int messageBytes) {
                throw new AssertionError("broken encoder");
            }

            @Override
            public void putHead(ByteBuffer out, int messageBytes) {}
        };
        connection.profile = new Profile(Framing.lines().withEncoder(broken), Limits.defaults(), Overflow.PAUSE_READING, false);
        Broadcast ofTask = new Broadcast(budget, new SharedBuffers(0), Framing.lines().writer(), LoopParts.bytes("hello"));
        LoopParts.onOtherThread(() -> loop.broadcast(ofTask));
        ofTask.release();
        assertThatThrownBy(() -> loop.turn(0)).hasMessage("broken encoder");
        assertThat(budget.sharedBytes()).as("the loop was its last holder").isZero();
        Broadcast ofHandler = new Broadcast(budget, new SharedBuffers(0), Framing.lines().writer(), LoopParts.bytes("hello"));
        assertThatThrownBy(() -> loop.broadcast(ofHandler)).hasMessage("broken encoder");
        assertThat(budget.sharedBytes()).as("the caller still holds it").isPositive();
        ofHandler.release();
        assertThat(budget.sharedBytes()).isZero();
    }

    @Test
    void drainEndsTheLoopWhenItsLastConnectionIsGone() throws IOException {
        loop.mailbox().claim();
        TestRecord connection = open();
        source.ended = true;
        loop.drain(() -> time.nanoTime() + 1000);
        loop.turn(0);
        assertThat(loop.hasEnded()).isFalse();
        proactor.onPoll(completions -> completions.inputEnded(connection.handle));
        loop.turn(0);
        assertThat(connection.calls).containsExactly("open", "close DRAINED");
        assertThat(loop.hasEnded()).isTrue();
    }

    @Test
    void drainThatIsOverClosesWhatIsLeftAndCountsAsDone() throws IOException {
        loop.mailbox().claim();
        TestRecord connection = open();
        source.ended = true;
        loop.drain(() -> time.nanoTime() + 1000);
        loop.turn(0);
        assertThat(connection.calls).containsExactly("open");
        time.step(Duration.ofMillis(1));
        assertThat(loop.turn(0)).as("the drain, and one close").isEqualTo(2);
        assertThat(connection.calls).containsExactly("open", "close SERVER_CLOSED");
        assertThat(loop.hasEnded()).isTrue();
    }

    @Test
    void connectionForWhichAPollKeepsTooMuchIsClosedInTheSameTurn() throws IOException {
        loop.mailbox().claim();
        TestRecord connection = open();
        loop.turn(0);
        proactor.onPoll(completions -> proactor.keep(connection.handle, 2 << 20));
        loop.turn(0);
        assertThat(connection.calls).containsExactly("open", "close BUDGET_EXCEEDED");
    }

    @Test
    void observerThatIsAttachedDuringATurnIsCalledAtItsEnd() throws IOException {
        List<String> turns = new ArrayList<>();
        LoopObserver observer = new LoopObserver() {
            @Override
            public void event(int index, LoopEvent event, long connection, long amount) {
                turns.add(event.toString());
            }

            @Override
            public void turned(int index, long waitNanos, long workNanos, int done) {
                turns.add("waited " + waitNanos + ", worked " + workNanos + ", done " + done);
            }
        };
        loop.mailbox().execute(() -> {
            time.step(Duration.ofMillis(1));
            loop.observer(observer);
        });
        loop.turn(0);
        assertThat(turns).as("it has not seen the beginning").containsExactly("waited 0, worked 0, done 1");
    }

    @Test
    void failureOfTheProactorIsPassedOn() {
        proactor.failNext("poll", ErrorCode.EBADF);
        assertThatThrownBy(() -> loop.turn(0)).isInstanceOf(NetworkException.class);
        assertThat(loop.isTurnedByThisThread()).isFalse();
        assertThat(loop.hasEnded()).as("its group decides").isFalse();
    }
}
