package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.observe.CloseReason;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Which connections are closed when all together exceed the budget. */
final class BudgetGuardTest {
    private static final int BUDGET = 10_000;

    private final LoopParts parts = new LoopParts(Limits.defaults().withQueueBudgetBytes(BUDGET));
    private final BudgetGuard guard = parts.budgetGuard;
    private final TestRecord modest = parts.open();
    private final TestRecord greedy = parts.open();
    private final TestRecord last = parts.open();

    private void hold(TestRecord connection, int bytes) {
        connection.partialInput(new PartialInput(parts.pool, bytes, 0)); // without the bound of a single input
    }

    /** Opens a connection whose session holds bytes until its thread has read them, even after it is closed. */
    private TestRecord session(int bytes) {
        TestRecord connection = new TestRecord(true, parts.profile) {
            @Override
            long sessionBytes() {
                return bytes;
            }
        };
        connection.handle = parts.proactor.open();
        parts.table.expect();
        parts.table.put(connection);
        parts.counters.addFromAnyThread(Counters.SESSION_MEMORY, bytes);
        parts.budget.add(bytes);
        return connection;
    }

    @Test
    void noConnectionIsClosedWithinTheBudget() {
        hold(greedy, 4096);
        parts.enqueue(greedy, "x".repeat(4096));
        guard.enforce(greedy);
        assertThat(greedy.isClosed()).isFalse();
    }

    @Test
    void loopHoldsItsQueuesAndItsInput() {
        hold(greedy, 4096);
        assertThat(guard.heldBytes()).isEqualTo(4096);
        parts.enqueue(greedy, "x".repeat(4096));
        assertThat(guard.heldBytes()).isEqualTo(parts.budget.bytes()).isGreaterThanOrEqualTo(2 * 4096);
    }

    @Test
    void connectionThatHoldsTheMostIsClosedWhicheverExceedsTheBudget() {
        hold(modest, 256);
        hold(greedy, 4096);
        parts.enqueue(greedy, "x".repeat(4096));
        parts.enqueue(last, "x".repeat(4096));
        guard.enforce(last);
        assertThat(greedy.closeReason()).isEqualTo(CloseReason.BUDGET_EXCEEDED);
        assertThat(greedy.partialInput()).as("released at once").isNull();
        assertThat(greedy.sendQueue()).isNull();
        assertThat(modest.isClosed()).isFalse();
        assertThat(last.isClosed()).isFalse();
        assertThat(parts.budget.bytes()).isEqualTo(256 + 4096);
    }

    @Test
    void ofConnectionsThatHoldEquallyMuchTheLastIsClosedAndNoMoreThanNeeded() {
        hold(modest, 4096);
        hold(greedy, 4096);
        hold(last, 4096);
        guard.enforce(null);
        assertThat(last.isClosed()).isTrue();
        assertThat(greedy.isClosed()).isFalse();
        assertThat(modest.isClosed()).isFalse();
    }

    @Test
    void connectionThatHoldsNothingIsNeverClosed() {
        parts.budget.add(BUDGET + 1);
        guard.enforce(null);
        guard.enforce(greedy);
        assertThat(List.of(modest, greedy, last)).noneMatch(TestRecord::isClosed);
        hold(modest, 256);
        guard.enforce(null);
        assertThat(modest.isClosed()).isTrue();
        assertThat(List.of(greedy, last)).as("although the budget is still exceeded").noneMatch(TestRecord::isClosed);
    }

    @Test
    void peerWhoseMessagesAreDroppedIsReset() {
        parts.enqueue(greedy, "x".repeat(BUDGET));
        guard.enforce(null);
        assertThat(greedy.sendQueue()).isNull();
        assertThat(greedy.queuedMessages()).isZero();
        assertThat(greedy.is(ConnectionRecord.RESET_ON_CLOSE)).as("a partial stream must not look complete").isTrue();
        hold(modest, 4096);
        parts.budget.add(BUDGET);
        guard.enforce(null);
        assertThat(modest.isClosed()).isTrue();
        assertThat(modest.is(ConnectionRecord.RESET_ON_CLOSE)).as("nothing was dropped that was to be sent").isFalse();
    }

    @Test
    void sharedMessageCountsOnceAndIsReleasedByItsLastHolder() {
        SharedMessage message = new SharedMessage(parts.budget, new SharedBuffers(0), LoopParts.direct("s".repeat(6000)));
        parts.queues.of(modest).ordinary().putShared(Chunk.ofShared(message, 0), 0);
        parts.queues.of(greedy).ordinary().putShared(Chunk.ofShared(message, 0), 0);
        parts.queues.of(last).ordinary().putShared(Chunk.ofShared(message, 0), 0);
        message.release();
        assertThat(parts.budget.bytes()).isEqualTo(6000);
        assertThat(parts.budget.sharedBytes()).isEqualTo(6000);
        parts.queues.dropWaiting(modest);
        parts.queues.dropWaiting(last);
        assertThat(parts.budget.bytes()).isEqualTo(6000);
        parts.queues.dropWaiting(greedy);
        assertThat(parts.budget.bytes()).isZero();
        assertThat(parts.budget.sharedBytes()).isZero();
    }

    @Test
    void loopThatHoldsLittleLeavesTheReleaseToTheLoopThatHoldsTheMost() {
        Budget budget = new Budget(BUDGET);
        boolean[] asked = new boolean[1];
        Budget.Holder other = new Budget.Holder() {
            @Override
            public long heldBytes() {
                return BUDGET;
            }

            @Override
            public void askToRelease() {
                asked[0] = true;
            }
        };
        budget.add(other);
        BufferPool pool = LoopParts.pool(budget);
        BudgetGuard small = new BudgetGuard(budget, pool, parts.proactor, parts.mailbox, parts.counters, parts.table,
                new SendQueues(pool, parts.clock), new PartialInputs(pool, parts.clock), parts.closeRequests, parts.log);
        budget.add(small);
        hold(modest, 256);
        budget.add(BUDGET);
        budget.add(1);
        small.enforce(null);
        assertThat(asked[0]).isTrue();
        assertThat(modest.isClosed()).isFalse();
        budget.add(BUDGET / 8);
        small.enforce(null);
        assertThat(modest.isClosed()).as("far beyond the budget, every loop releases").isTrue();
    }

    @Test
    void loopThatWasAskedInVainCanBeAskedAgain() {
        LoopParts.onOtherThread(guard::askToRelease);
        parts.runTasks(); // another loop has released enough meanwhile
        parts.enqueue(greedy, "x".repeat(2 * BUDGET));
        LoopParts.onOtherThread(guard::askToRelease);
        parts.runTasks();
        assertThat(greedy.isClosed()).isTrue();
    }

    @Test
    void loopThatIsAskedByAnotherThreadReleasesInItsTurn() {
        parts.enqueue(greedy, "x".repeat(2 * BUDGET));
        LoopParts.onOtherThread(() -> {
            guard.askToRelease();
            guard.askToRelease();
        });
        assertThat(greedy.isClosed()).isFalse();
        parts.runTasks();
        assertThat(greedy.isClosed()).isTrue();
    }

    @Test
    void bytesThatTheProactorKeepsCountAsThoseOfTheirConnection() {
        parts.proactor.keep(greedy.handle, 6000);
        hold(modest, 2048);
        guard.countUnsent();
        assertThat(parts.budget.bytes()).isEqualTo(6000 + 2048);
        assertThat(guard.heldBytes()).as("compared with other loops").isEqualTo(6000 + 2048);
        parts.proactor.keep(greedy.handle, 9000);
        guard.countUnsent();
        assertThat(greedy.closeReason()).isEqualTo(CloseReason.BUDGET_EXCEEDED);
        assertThat(modest.isClosed()).as("the close releases enough").isFalse();
        parts.proactor.keep(greedy.handle, 0);
        guard.countUnsent();
        assertThat(parts.budget.bytes()).isEqualTo(2048);
    }

    @Test
    void sharedMessagesCloseNobodyInPlaceOfThoseThatHoldMoreAlone() {
        List<TestRecord> hoarders = Stream.generate(parts::open).limit(4).toList();
        hoarders.forEach(hoarder -> hold(hoarder, 2048));
        for (int i = 0; i < 2; i++) { // two broadcasts in one turn
            SharedMessage message = new SharedMessage(parts.budget, new SharedBuffers(0), LoopParts.direct("s".repeat(1200)));
            for (TestRecord healthy : List.of(modest, greedy, last)) {
                parts.queues.of(healthy).ordinary().putShared(Chunk.ofShared(message, 0), 0);
                guard.enforce(healthy);
            }
            message.release();
        }
        assertThat(List.of(modest, greedy, last)).as("each holds a third of 2,400 bytes").noneMatch(TestRecord::isClosed);
        assertThat(hoarders.stream().filter(TestRecord::isClosed)).hasSize(1);
    }

    @Test
    void sharedMessagesThatOnePeerAloneHasNotReadAreItsOwn() {
        hold(modest, 4096);
        for (int i = 0; i < 5; i++) {
            SharedMessage message = new SharedMessage(parts.budget, new SharedBuffers(0), LoopParts.direct("s".repeat(1200)));
            parts.queues.of(greedy).ordinary().putShared(Chunk.ofShared(message, 0), 0);
            message.release();
        }
        guard.enforce(modest);
        assertThat(greedy.isClosed()).isTrue();
        assertThat(modest.isClosed()).isFalse();
        assertThat(parts.budget.bytes()).isEqualTo(4096);
    }

    @Test
    void placesOfSharedMessagesCountForEachThatHoldsManyOfThem() {
        for (int i = 0; i < 100; i++) {
            SharedMessage message = new SharedMessage(parts.budget, new SharedBuffers(0), LoopParts.direct("s".repeat(512)));
            for (TestRecord holder : List.of(modest, greedy, last)) {
                parts.queues.of(holder).ordinary().putShared(Chunk.ofShared(message, 0), 0);
            }
            message.release();
        }
        assertThat(parts.budget.bytes() - parts.budget.sharedBytes()).as("a place of 8 bytes, and a length of 4 to 8")
                .isBetween(3 * 100 * 12L, 3 * 100 * 16L);
        for (TestRecord holder : List.of(modest, greedy, last)) {
            parts.queues.dropWaiting(holder);
        }
        assertThat(parts.budget.bytes()).isZero();
    }

    @Test
    void whatIsReleasedOnlyAfterTheDeliveryClosesNobodyElse() {
        hold(modest, 4096);
        hold(greedy, 4096);
        PartialInput delivered = greedy.partialInput();
        parts.partialInputs.beginDelivery(delivered);
        parts.enqueue(greedy, "x".repeat(2048));
        guard.enforce(greedy);
        assertThat(greedy.isClosed()).isTrue();
        hold(last, 2048);
        guard.enforce(last);
        assertThat(modest.isClosed()).as("enough is about to be released").isFalse();
        assertThat(last.isClosed()).isFalse();
        assertThat(parts.partialInputs.endDelivery(greedy, delivered)).isFalse();
        assertThat(parts.budget.bytes()).isEqualTo(4096 + 2048);
    }

    @Test
    void whatTheProactorReleasesAtTheEndOfTheTurnClosesNobodyElseUntilThen() {
        hold(modest, 4096);
        parts.proactor.keep(greedy.handle, 6000);
        guard.countUnsent();
        assertThat(greedy.isClosed()).isTrue();
        parts.enqueue(last, "x".repeat(1024));
        guard.enforce(last);
        assertThat(modest.isClosed()).as("enough is about to be released").isFalse();
        assertThat(last.isClosed()).isFalse();
        parts.proactor.keep(greedy.handle, 0);
        guard.countUnsent();
        assertThat(parts.budget.bytes()).isEqualTo(4096 + 1024);
    }

    @Test
    void closedSessionThatStillReadsClosesNobodyElse() {
        List<TestRecord> sessions = Stream.of(4000, 4500, 4000).map(this::session).toList();
        guard.enforce(null);
        assertThat(sessions).as("4,500 bytes are about to be released").extracting(TestRecord::isClosed)
                .containsExactly(false, true, false);
        guard.enforce(sessions.getFirst());
        assertThat(sessions).as("in a later turn, too").extracting(TestRecord::isClosed).containsExactly(false, true, false);
    }

    @Test
    void connectionThatConnectsByNameCanHoldMostToo() {
        TestRecord connecting = new TestRecord(false);
        parts.table.expect();
        parts.table.putWithoutHandle(connecting);
        parts.enqueue(connecting, "x".repeat(8192));
        hold(modest, 2048);
        guard.enforce(modest);
        assertThat(connecting.closeReason()).isEqualTo(CloseReason.BUDGET_EXCEEDED);
        assertThat(modest.isClosed()).isFalse();
    }

    @Test
    void loopWhoseMailboxIsFullCanStillBeAsked() {
        parts.enqueue(greedy, "x".repeat(2 * BUDGET));
        LoopParts.onOtherThread(() -> {
            for (int i = 0; i < 2 * TaskQueue.WAITING_MAX; i++) {
                parts.mailbox.run(() -> {});
            }
            guard.askToRelease();
        });
        parts.runTasks();
        assertThat(greedy.isClosed()).isTrue();
    }

    @Test
    void attemptThatDoesNotFitNeverMakesTheBudgetLookExceeded() throws InterruptedException {
        Budget budget = new Budget(BUDGET);
        budget.add(BUDGET);
        Thread other = Thread.ofPlatform().start(() -> {
            for (int i = 0; i < 2_000_000; i++) {
                budget.reserve(BUDGET);
            }
        });
        long exceeded = 0;
        while (other.isAlive()) {
            exceeded += budget.isExceeded() ? 1 : 0;
        }
        other.join();
        assertThat(exceeded).as("a loop would close connections").isZero();
        assertThat(budget.bytes()).isEqualTo(BUDGET);
    }
}
