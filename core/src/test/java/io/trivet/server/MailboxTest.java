package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;

/** How other threads reach a loop, and whom it belongs to. */
final class MailboxTest {
    private final RecordingProactor proactor = new RecordingProactor();
    private final Mailbox mailbox = new Mailbox(proactor, false);
    private final List<String> done = new ArrayList<>();

    private void runTasks() {
        for (Runnable task = mailbox.take(); task != null; task = mailbox.take()) {
            task.run();
        }
    }

    @Test
    void serversTaskRunsAtOnceOnTheLoopThreadAndIsQueuedByOtherThreads() {
        mailbox.claim();
        mailbox.run(() -> done.add("own"));
        assertThat(done).containsExactly("own");
        assertThat(proactor.wakeups()).isZero();
        LoopParts.onOtherThread(() -> mailbox.run(() -> done.add("other")));
        assertThat(done).containsExactly("own");
        assertThat(proactor.wakeups()).isEqualTo(1);
        assertThat(mailbox.hasTasks()).isTrue();
        runTasks();
        assertThat(done).containsExactly("own", "other");
        assertThat(mailbox.hasTasks()).isFalse();
    }

    @Test
    void tasksThatMayCallHandlersWaitAlsoOnTheLoopThreadAndKeepTheirOrder() {
        mailbox.claim();
        mailbox.runLater(() -> done.add("later"));
        mailbox.runInTurn(() -> done.add("in turn"));
        mailbox.execute(() -> done.add("application's"));
        assertThat(done).isEmpty();
        assertThat(proactor.wakeups()).as("the loop thread need not be woken").isZero();
        runTasks();
        assertThat(done).containsExactly("later", "in turn", "application's");
        LoopParts.onOtherThread(() -> mailbox.runInTurn(() -> {}));
        LoopParts.onOtherThread(() -> mailbox.execute(() -> {}));
        assertThat(proactor.wakeups()).isEqualTo(2);
    }

    @Test
    void closedMailboxRejectsTheApplicationsTasksDropsTheServersAndStillHandsOutEarlierOnes() {
        mailbox.execute(() -> done.add("before"));
        mailbox.close();
        int wakeups = proactor.wakeups();
        assertThatThrownBy(() -> mailbox.execute(() -> done.add("after"))).isInstanceOf(RejectedExecutionException.class)
                .hasMessageContaining("closed");
        mailbox.run(() -> done.add("after"));
        mailbox.runLater(() -> done.add("after"));
        assertThat(proactor.wakeups()).isEqualTo(wakeups);
        runTasks();
        assertThat(done).containsExactly("before");
    }

    @Test
    void tasksThatWereTakenMakeRoomForOthers() {
        TaskQueue tasks = new TaskQueue();
        for (int i = 0; i <= TaskQueue.WAITING_MAX; i++) {
            tasks.add(() -> {});
            assertThat(tasks.take() == null).as("task %s", i).isFalse();
        }
    }

    @Test
    void loopBelongsToOneLiveThread() {
        LoopParts.onOtherThread(mailbox::claim);
        assertThat(mailbox.isOwnThread()).isFalse();
        mailbox.claim(); // that thread has died
        assertThat(mailbox.isOwnThread()).isTrue();
        LoopParts.onOtherThread(() -> {
            assertThatThrownBy(mailbox::claim).isInstanceOf(IllegalStateException.class).hasMessageContaining("by one thread");
            mailbox.endTurn();
            mailbox.seize();
            assertThat(mailbox.isOwnThread()).isTrue();
        });
        assertThat(mailbox.isOwnThread()).isFalse();
    }

    @Test
    void loopThatSharesItsThreadIsOwnedOnlyDuringItsTurns() {
        Mailbox shared = new Mailbox(proactor, true);
        shared.claim();
        shared.endTurn();
        shared.run(() -> done.add("between turns"));
        assertThat(done).isEmpty();
        assertThat(shared.hasTasks()).isTrue();
        assertThat(proactor.wakeups()).isEqualTo(1);
        LoopParts.onOtherThread(shared::claim);
    }

    @Test
    void stopWakesTheLoopUnlessTheLoopItselfStops() {
        mailbox.stopAfterTurn();
        assertThat(mailbox.isStopped()).isTrue();
        assertThat(proactor.wakeups()).isZero();
        mailbox.stop();
        assertThat(proactor.wakeups()).isEqualTo(1);
    }

    @Test
    void taskOfASessionWakesTheLoopUnlessSessionsAreBeingWoken() {
        assertThat(mailbox.runOfSession(() -> done.add("alone"))).isTrue();
        assertThat(proactor.wakeups()).isEqualTo(1);
        mailbox.beginWaking();
        assertThat(mailbox.runOfSession(() -> done.add("first"))).isTrue();
        assertThat(mailbox.runOfSession(() -> done.add("second"))).isTrue();
        assertThat(proactor.wakeups()).isEqualTo(1);
        mailbox.endWaking();
        assertThat(proactor.wakeups()).as("once for both").isEqualTo(2);
        runTasks();
        assertThat(done).containsExactly("alone", "first", "second");
        mailbox.close();
        assertThat(mailbox.runOfSession(() -> done.add("after"))).isFalse();
        assertThat(proactor.wakeups()).isEqualTo(2);
    }
}
