package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import org.junit.jupiter.api.Test;

/** The policy that drops the oldest messages of a full queue. */
final class DropOldestTest {
    private static final int CAP = 30;

    private final LoopParts parts = new LoopParts(Framing.lines(), Limits.defaults().withQueueBytesMax(CAP),
            Overflow.DROP_OLDEST);
    private final DropOldest dropOldest = new DropOldest(parts.clock, parts.counters, parts.mailbox, parts.callbacks);
    private final TestRecord connection = parts.open();

    private void fill() {
        parts.enqueue(connection, "first     ");
        parts.enqueue(connection, "second    ");
        parts.enqueue(connection, "third     ");
    }

    private void fillAndDrop(int length) {
        parts.enqueue(connection, "x".repeat(CAP - connection.queuedBytes()));
        assertThat(dropOldest.makeRoom(connection, length)).isTrue();
    }

    @Test
    void asManyOldMessagesAreDroppedAsTheNewOneNeedsAndTheirRoomIsReleased() {
        fill();
        assertThat(dropOldest.makeRoom(connection, 11)).isTrue();
        assertThat(LoopParts.text(connection.sendQueue())).isEqualTo("third     ");
        assertThat(connection.queuedBytes()).isEqualTo(10);
        assertThat(connection.queuedMessages()).isEqualTo(1);
        assertThat(parts.budget.bytes()).as("the buffer of the third message").isEqualTo(1024);
        assertThat(parts.counters.stats(0).dropped()).isEqualTo(2);
    }

    @Test
    void handlerIsNotifiedWhenItsSendHasReturned() {
        fill();
        dropOldest.makeRoom(connection, 20);
        assertThat(connection.calls).isEmpty();
        parts.runTasks();
        assertThat(connection.calls).containsExactly("dropped 2, 20 bytes");
    }

    @Test
    void nothingIsDroppedForAMessageThatCouldNeverFit() {
        assertThat(dropOldest.makeRoom(connection, 1)).as("there is no queue").isFalse();
        fill();
        assertThat(dropOldest.makeRoom(connection, CAP + 1)).isFalse();
        assertThat(connection.queuedMessages()).isEqualTo(3);
        assertThat(dropOldest.makeRoom(connection, CAP)).as("the whole queue").isTrue();
        assertThat(connection.queuedMessages()).isZero();
        assertThat(parts.budget.bytes()).isZero();
    }

    @Test
    void messageOfWhichAPartHasLeftIsKept() {
        fill();
        SendQueue queue = connection.sendQueue();
        connection.release(queue.sent(1, 0), 1);
        parts.budget.release(1);
        assertThat(dropOldest.makeRoom(connection, 22)).as("what could be dropped").isTrue();
        assertThat(LoopParts.text(queue)).isEqualTo("irst     ");
        assertThat(connection.queuedBytes()).isEqualTo(9);
        parts.runTasks();
        connection.calls.clear();
        assertThat(dropOldest.makeRoom(connection, 22)).isFalse();
        assertThat(parts.mailbox.hasTasks()).as("nothing to notify").isFalse();
    }

    @Test
    void handlerThatDropsByItsOwnRepliesIsNotCalledForever() {
        fill();
        connection.reaction = () -> fillAndDrop(10);
        dropOldest.makeRoom(connection, 10);
        parts.runTasks();
        assertThat(connection.calls).containsExactly("dropped 1, 10 bytes");
        assertThat(parts.mailbox.hasTasks()).isFalse();
        assertThat(connection.pendingDrops()).isEqualTo(new DroppedMessages(1, 10));
        connection.reaction = () -> {};
        fillAndDrop(10);
        parts.runTasks();
        assertThat(connection.calls).as("together with the next drop").containsExactly("dropped 1, 10 bytes",
                "dropped 2, " + (10 + 10) + " bytes");
        assertThat(connection.pendingDrops()).isNull();
    }

    @Test
    void dropsBeforeTheConnectionIsOpenAreNotifiedTogetherWhenItIs() {
        connection.state(ConnectionState.CONNECTING);
        fill();
        dropOldest.makeRoom(connection, 10);
        fillAndDrop(20);
        parts.runTasks();
        assertThat(connection.calls).isEmpty();
        connection.state(ConnectionState.OPEN);
        dropOldest.notifyPending(connection);
        assertThat(connection.calls).containsExactly("dropped 3, 30 bytes");
        dropOldest.notifyPending(connection);
        assertThat(connection.calls).as("once").hasSize(1);
    }

    /** So many tasks may be waiting that the one which notifies the handler runs in a later turn. */
    @Test
    void dropsAreNotifiedBeforeAnOrderlyEndEvenIfTheirTaskHasToWait() {
        fill();
        dropOldest.makeRoom(connection, 10);
        parts.closeRequests.close(connection, CloseReason.FINISHED);
        dropOldest.notifyPending(connection); // as when the connection is released
        assertThat(connection.calls).containsExactly("dropped 1, 10 bytes");
        parts.runTasks();
        assertThat(connection.calls).as("once").hasSize(1);
    }

    @Test
    void closedConnectionIsNotifiedOnlyOfDropsBeforeAnOrderlyEnd() {
        fill();
        dropOldest.makeRoom(connection, 10);
        parts.closeRequests.close(connection, CloseReason.RESET);
        parts.runTasks();
        assertThat(connection.calls).isEmpty();

        TestRecord finished = parts.open();
        parts.enqueue(finished, "x".repeat(CAP));
        dropOldest.makeRoom(finished, 10);
        parts.closeRequests.close(finished, CloseReason.FINISHED);
        parts.runTasks();
        assertThat(finished.calls).containsExactly("dropped 1, 30 bytes");
    }
}
