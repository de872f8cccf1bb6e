package io.trivet.server;

import io.trivet.net.Proactor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * How other threads reach a loop: tasks, a wake-up, and a request to stop. Also knows which thread the loop belongs to. Any
 * thread, except where noted.
 */
final class Mailbox {
    private final Proactor proactor;
    private final boolean ownedOnlyDuringTurns;
    private final TaskQueue tasks = new TaskQueue();
    /** The number of threads that are waking sessions. */
    private final AtomicInteger waking = new AtomicInteger();
    private volatile @Nullable Thread owner;
    private volatile boolean stopped;

    /**
     * Creates the mailbox of a loop.
     *
     * @param proactor what the loop waits in
     * @param ownedOnlyDuringTurns true if one thread turns several loops: it owns each loop only while it turns that loop.
     *     Otherwise each loop treats it like any other thread, and its requests become tasks
     */
    Mailbox(Proactor proactor, boolean ownedOnlyDuringTurns) {
        this.proactor = proactor;
        this.ownedOnlyDuringTurns = ownedOnlyDuringTurns;
    }

    // ---- ownership: the thread that turns, under the loop's lock

    /**
     * Makes the current thread the owner, unless another live thread is the owner.
     *
     * @throws IllegalStateException another live thread is the owner
     */
    void claim() {
        if (isOwnThread()) {
            return;
        }
        Thread before = owner;
        if (before != null && before.isAlive()) {
            throw new IllegalStateException("a loop is turned by one thread, this one by " + before.getName());
        }
        owner = Thread.currentThread();
    }

    /** Makes the current thread the owner, even if another thread was. For ending the loop. */
    void seize() {
        owner = Thread.currentThread();
    }

    /** Ends a turn: gives up the ownership if this loop is owned only during turns. */
    void endTurn() {
        if (ownedOnlyDuringTurns) {
            owner = null;
        }
    }

    @SuppressWarnings("ReferenceEquality") // this very thread
    boolean isOwnThread() {
        return Thread.currentThread() == owner;
    }

    @Nullable
    Thread owner() {
        return owner;
    }

    // ---- tasks

    /**
     * Runs a task of the server: at once on the loop thread, otherwise soon. If the loop has ended, the task is dropped: nothing
     * is left that it could act on.
     *
     * @return false if the task was dropped
     * @throws RejectedExecutionException from another thread: twice {@link TaskQueue#WAITING_MAX} tasks are waiting
     */
    boolean run(Runnable task) {
        if (isOwnThread()) {
            task.run();
            return true;
        }
        boolean added = tasks.addInternal(task);
        if (added) {
            proactor.wakeup();
        }
        return added;
    }

    /**
     * Runs a task of the server, soon, that releases what an earlier task has reserved, or of which a connection has only one.
     * Never rejects it.
     *
     * @return false if the loop has ended, and the task was dropped
     */
    boolean runAlways(Runnable task) {
        boolean added = tasks.addAlways(task);
        if (added) {
            proactor.wakeup();
        }
        return added;
    }

    /**
     * Runs a task of a session, soon, of which each session has only one. If a thread {@linkplain #beginWaking is waking} sessions,
     * the loop is woken when that thread is done, once for all of them.
     *
     * @return false if the loop has ended, and the task was dropped
     */
    boolean runOfSession(Runnable task) {
        boolean added = tasks.addAlways(task);
        if (added && waking.get() == 0) { // read after the task was added: see endWaking
            proactor.wakeup();
        }
        return added;
    }

    /**
     * From now on, until {@link #endWaking}, the tasks of sessions do not wake the loop. Meanwhile it must not wait for long: sessions
     * that keep all carriers busy also delay the thread that calls {@code endWaking}. Loop thread.
     */
    void beginWaking() {
        waking.incrementAndGet();
    }

    /** Returns true if tasks of sessions may not wake the loop. */
    boolean isWaking() {
        return waking.get() > 0;
    }

    /** Wakes the loop if there are tasks. */
    void endWaking() {
        waking.decrementAndGet();
        if (hasTasks()) {
            proactor.wakeup();
        }
    }

    /**
     * Runs a task later in this turn, or in the next one. The loop has only one of its kind. Loop thread.
     *
     * @return false if the loop ends, and the task was dropped
     */
    boolean runAfterDeliveries(Runnable task) {
        return tasks.addAlways(task);
    }

    /** Runs a task soon, never within the current callback. Loop thread. */
    void runLater(Runnable task) {
        tasks.addInternal(task);
    }

    /** Runs a task that may call handlers: within a turn, never within a callback. */
    void runInTurn(Runnable task) {
        if (tasks.addInternal(task) && !isOwnThread()) {
            proactor.wakeup();
        }
    }

    /**
     * Runs a task of the application, soon.
     *
     * @throws RejectedExecutionException too many tasks are waiting, or the loop has ended
     */
    void execute(Runnable task) {
        tasks.add(task);
        if (!isOwnThread()) {
            proactor.wakeup();
        }
    }

    boolean hasTasks() {
        return !tasks.isEmpty();
    }

    /** Removes and returns the oldest task, or null. Loop thread. */
    @Nullable
    Runnable take() {
        return tasks.take();
    }

    // ---- the end

    /** Makes the loop turn once, whatever it waits for. */
    void wakeup() {
        proactor.wakeup();
    }

    /** Makes the loop end when the current turn is over. */
    void stop() {
        stopped = true;
        proactor.wakeup();
    }

    /** Makes the loop end with this turn. Loop thread. */
    void stopAfterTurn() {
        stopped = true;
    }

    boolean isStopped() {
        return stopped;
    }

    /** Accepts no further tasks. Loop thread. */
    void close() {
        tasks.close();
    }

    boolean isClosed() {
        return tasks.isClosed();
    }
}
