package io.trivet.server;

import io.trivet.net.TcpStream;
import io.trivet.observe.CloseReason;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The parts of a loop, for tests that construct one part alone and need those of the layers below it. All are real, except the
 * proactor, the clock, and the source of connections. The thread that creates the parts is the loop thread. A test of a part
 * makes its own, and leaves the one in here unused.
 */
final class LoopParts {
    final SteppedClock time = new SteppedClock();
    final RecordingProactor proactor = new RecordingProactor();
    final RecordingSource source = new RecordingSource();
    final Profile profile;
    final Limits limits;
    final Budget budget;
    final BufferPool pool;
    final BudgetGuard budgetGuard;
    final Counters counters = new Counters(0, () -> 0);
    final Log log = new Log(time);
    final TurnClock clock = new TurnClock(time);
    final ConnectionTable table = new ConnectionTable();
    final Mailbox mailbox = new Mailbox(proactor, false);
    final CloseRequests closeRequests = new CloseRequests(log);
    final LoopActivity activity = new LoopActivity(() -> {});
    final Callbacks callbacks = new Callbacks(activity, closeRequests, log);
    final TimerQueue timers = new TimerQueue(callbacks, mailbox);
    final ReplyBatch batch = new ReplyBatch();
    final PendingSends pendingSends = new PendingSends();
    final ConnectionDeadlines deadlines;
    final SendQueues queues;
    final PartialInputs partialInputs;
    final ReadGate gate;
    final Lingering lingering;
    final DropOldest dropOldest;
    final Transfers transfers;
    final Sender sender;
    final TransferAdmission transferAdmission;
    final Relays relays;
    final Admission admission;
    final Handshakes handshakes;
    final Lifecycle lifecycle;
    /** Lookups of host names, whose outcomes the test sets. */
    final NamesOfTest names = new NamesOfTest();
    final ConnectAttempts connectAttempts;
    final Delivery delivery;

    /** Creates the parts of a loop with lines, the default limits, and queues that pause reading. */
    LoopParts() {
        this(Framing.lines(), Limits.defaults(), Overflow.PAUSE_READING);
    }

    LoopParts(Limits limits) {
        this(Framing.lines(), limits, Overflow.PAUSE_READING);
    }

    LoopParts(Framing framing, Limits limits, Overflow overflow) {
        this(new Profile(framing, limits, overflow, false));
    }

    LoopParts(Profile profile) {
        this.profile = profile;
        limits = profile.limits();
        budget = new Budget(limits.queueBudgetBytes());
        deadlines = new ConnectionDeadlines(clock);
        pool = new BufferPool(budget, 1, clock, counters);
        queues = new SendQueues(pool, clock);
        partialInputs = new PartialInputs(pool, clock);
        budgetGuard = new BudgetGuard(budget, pool, proactor, mailbox, counters, table, queues, partialInputs, closeRequests,
                log);
        budget.add(budgetGuard);
        gate = new ReadGate(proactor, clock, deadlines, closeRequests);
        lingering = new Lingering(proactor, gate, deadlines, closeRequests);
        dropOldest = new DropOldest(clock, counters, mailbox, callbacks);
        transfers = new Transfers(proactor, clock, counters, budgetGuard, queues, closeRequests, callbacks);
        sender = new Sender(proactor, clock, counters, budgetGuard, queues, pendingSends, batch, gate, lingering, dropOldest,
                deadlines,
                closeRequests, callbacks, transfers);
        transferAdmission = new TransferAdmission(mailbox, counters, budget, batch, sender, closeRequests);
        relays = new Relays(proactor, clock, counters, partialInputs, gate, transfers, sender, transferAdmission, closeRequests);
        admission = new Admission(mailbox, clock, counters, budget, queues, pendingSends, batch, sender, dropOldest,
                closeRequests);
        handshakes = new Handshakes(null, deadlines, closeRequests);
        lifecycle = new Lifecycle(proactor, clock, mailbox, counters, table, source, deadlines, closeRequests, handshakes,
                partialInputs, gate, lingering,
                sender, dropOldest, callbacks, timers, log);
        connectAttempts = new ConnectAttempts(proactor, clock, mailbox, table, closeRequests, lifecycle, names.lookup());
        delivery = new Delivery(clock, counters, partialInputs, budgetGuard, gate, batch, sender, lifecycle, deadlines,
                closeRequests,
                callbacks);
        mailbox.claim();
    }

    /** Returns the record of an accepted connection, open and in the table. */
    TestRecord open() {
        TestRecord connection = new TestRecord(true, profile);
        connection.handle = proactor.open();
        table.expect();
        table.put(connection);
        return connection;
    }

    /** Returns a pool that is the only one of its budget. */
    static BufferPool pool(Budget budget) {
        return new BufferPool(budget, 1, new TurnClock(new SteppedClock()), new Counters(0, () -> 0));
    }

    /** Puts a message, as it is, into the ordinary lane of a connection's queue. The sender is not notified. */
    void enqueue(ConnectionRecord connection, String message) {
        ByteBuffer bytes = bytes(message);
        if (!connection.reserve(bytes.remaining(), limits.queueBytesMax(), limits.queueHighBytes())) {
            throw new IllegalArgumentException("the queue is full");
        }
        Lane lane = queues.of(connection).ordinary();
        lane.begin(bytes.remaining());
        lane.put(bytes, clock.now());
    }

    /** Starts to collect replies to a connection that has received these bytes, and returns the received memory. */
    ByteBuffer collectReplies(ConnectionRecord connection, String received) {
        ByteBuffer memory = direct(received);
        batch.begin(connection, memory, memory.limit());
        return memory;
    }

    /** Adds a reply, as it is, to the batch. */
    void stageReply(ConnectionRecord connection, String reply) {
        connection.reserve(reply.length(), limits.queueBytesMax(), limits.queueHighBytes());
        if (!batch.hasRoom(reply.length())) {
            throw new IllegalArgumentException("the batch is full");
        }
        int start = batch.staging().position();
        batch.staging().put(bytes(reply));
        batch.addStaged(start);
    }

    /** Runs the tasks of the mailbox. */
    void runTasks() {
        for (Runnable task = mailbox.take(); task != null; task = mailbox.take()) {
            task.run();
        }
    }

    static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    static ByteBuffer direct(String text) {
        ByteBuffer bytes = bytes(text);
        return ByteBuffer.allocateDirect(bytes.remaining()).put(bytes).flip();
    }

    /** Returns the remaining bytes as a text. The position does not move. */
    static String text(ByteBuffer bytes) {
        return StandardCharsets.ISO_8859_1.decode(bytes.duplicate()).toString();
    }

    /** Returns the bytes that a queue would send next, in order. */
    static String text(SendQueue queue) {
        ByteBuffer[] parts = new ByteBuffer[64];
        int count = queue.parts(parts);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append(text(parts[i]));
        }
        return text.toString();
    }

    /** Runs an action on another thread, and waits until it has finished. */
    static void onOtherThread(Runnable action) {
        List<Throwable> thrown = new ArrayList<>();
        Thread thread = Thread.ofPlatform().unstarted(action);
        thread.setUncaughtExceptionHandler((of, failure) -> thrown.add(failure));
        thread.start();
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        if (!thrown.isEmpty()) {
            throw new AssertionError("the other thread failed", thrown.getFirst());
        }
    }

    /** A source that records what the loop reports to it. */
    static final class RecordingSource implements ConnectionSource {
        final List<TcpStream> accepted = new ArrayList<>();
        final List<String> failures = new ArrayList<>();
        final List<InetSocketAddress> gone = new ArrayList<>();
        boolean ended;

        @Override
        public boolean accepted(int listener, TcpStream stream) {
            return accepted.add(stream);
        }

        @Override
        public void acceptFailed(IOException failure) {
            failures.add(failure.getMessage());
        }

        @Override
        public @Nullable CloseReason identified(InetSocketAddress client, boolean isProxy) {
            return null;
        }

        @Override
        public void gone(@Nullable InetSocketAddress remote) {
            gone.add(remote);
        }

        @Override
        public boolean hasEnded() {
            return ended;
        }

        @Override
        public void end() {
            ended = true;
        }
    }
}
