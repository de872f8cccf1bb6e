package io.trivet.server;

import io.trivet.net.Network;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The threads on which sessions run. On a real network they are virtual threads that run independently. On a network that
 * turns its loops by itself, one thread runs at a time: the loop starts or wakes a session, and continues when that session waits
 * again or has ended. So a run depends on nothing but the network's seed.
 */
abstract class SessionThreads {
    /** The longest time, in seconds of the real clock, that a loop waits for a session that it has woken on such a network. */
    private static final int RUN_SECONDS_MAX = 10;

    private static final ThreadLocal<Boolean> HANDED_OVER = new ThreadLocal<>();

    /** The thread of one session. */
    abstract static class SessionThread {
        /** Starts the thread. Loop thread. */
        abstract void start(Runnable body);

        /** Ends the current wait of the thread, or the next one. Loop thread. */
        abstract void wake();

        /**
         * Waits until {@link #wake} or an interrupt; also until the timeout, unless {@link #needsTimer} returns true. May
         * return spuriously. Called by the thread itself.
         *
         * @param timeoutNanos the longest wait; negative: no limit
         */
        abstract void park(long timeoutNanos);

        /** Returns true if a wait with a limit needs a timer of the loop that wakes the thread. */
        abstract boolean needsTimer();

        /** Returns true if the caller is this thread. */
        abstract boolean isCurrent();
    }

    /** Returns the factory of the threads for the sessions of a loop. */
    static SessionThreads of(Network network, Mailbox mailbox) {
        return network.turnsLoops() ? new OneAtATime() : new Virtual(mailbox);
    }

    abstract SessionThread create();

    /** Returns true if a loop has handed over to this thread, and waits for it. */
    static boolean isHandedOver() {
        return HANDED_OVER.get() != null;
    }

    /**
     * Virtual threads. One virtual thread wakes all those that a loop wakes in one turn. It then yields, so that they run first.
     * Afterwards it wakes the loop once, which finds everything that they have sent. If the loop and the sessions woke each other
     * for each message, that would cost more than the message itself.
     */
    private static final class Virtual extends SessionThreads {
        private final Mailbox mailbox;
        /** To be woken at the end of the turn. Loop thread only. */
        private List<Thread> sleeping = new ArrayList<>();
        private final Runnable wakeTask = this::wakeAll;

        Virtual(Mailbox mailbox) {
            this.mailbox = mailbox;
        }

        @Override
        SessionThread create() {
            return new VirtualSessionThread(this);
        }

        void wake(Thread thread) {
            sleeping.add(thread);
            if (sleeping.size() == 1 && !mailbox.runAfterDeliveries(wakeTask)) {
                wakeAll(); // the loop is ending, and runs no more tasks
            }
        }

        private void wakeAll() {
            if (sleeping.size() == 1) {
                LockSupport.unpark(sleeping.removeFirst());
                return;
            }
            List<Thread> woken = sleeping;
            sleeping = new ArrayList<>(woken.size());
            mailbox.beginWaking(); // here, so that the loop's next wait is a short one
            VirtualSessionThread.FACTORY.newThread(() -> wakeAll(woken)).start();
        }

        @SuppressWarnings("ThreadPriorityCheck") // if the yield has no effect, the loop is woken earlier and more often
        private void wakeAll(List<Thread> woken) {
            try {
                for (Thread thread : woken) {
                    LockSupport.unpark(thread);
                }
                Thread.yield();
            } finally {
                mailbox.endWaking();
            }
        }
    }

    private static final class VirtualSessionThread extends SessionThread {
        private static final ThreadFactory FACTORY = Thread.ofVirtual().inheritInheritableThreadLocals(false).factory();

        private final Virtual owner;
        private volatile @Nullable Thread thread;

        VirtualSessionThread(Virtual owner) {
            this.owner = owner;
        }

        @Override
        void start(Runnable body) {
            Thread started = FACTORY.newThread(body);
            thread = started;
            started.start();
        }

        @Override
        void wake() {
            Thread started = thread;
            if (started != null) {
                owner.wake(started);
            }
        }

        @Override
        void park(long timeoutNanos) {
            if (timeoutNanos < 0) {
                LockSupport.park();
            } else {
                LockSupport.parkNanos(timeoutNanos);
            }
        }

        @Override
        boolean needsTimer() {
            return false;
        }

        @Override
        @SuppressWarnings("ReferenceEquality") // this very thread
        boolean isCurrent() {
            return Thread.currentThread() == thread;
        }
    }

    private static final class OneAtATime extends SessionThreads {
        private final Semaphore handedBack = new Semaphore(0);

        @Override
        SessionThread create() {
            return new HandedOverThread(handedBack);
        }
    }

    private static final class HandedOverThread extends SessionThread {
        private final Semaphore handedBack;
        private final Semaphore turn = new Semaphore(0);
        private volatile @Nullable Thread thread;
        private volatile boolean ended;

        HandedOverThread(Semaphore handedBack) {
            this.handedBack = handedBack;
        }

        @Override
        void start(Runnable body) {
            Thread started = Thread.ofVirtual().unstarted(() -> {
                HANDED_OVER.set(true);
                turn.acquireUninterruptibly();
                try {
                    body.run();
                } finally {
                    ended = true;
                    handedBack.release();
                }
            });
            thread = started;
            started.start();
            wake();
        }

        @Override
        void wake() {
            if (ended) {
                return;
            }
            turn.release();
            boolean interrupted = false;
            try {
                while (true) {
                    try {
                        if (!handedBack.tryAcquire(RUN_SECONDS_MAX, TimeUnit.SECONDS)) {
                            throw new IllegalStateException(
                                    "a session waits for something else than its connection, which a network"
                                            + " that turns its loops does not permit: its loop has waited " + RUN_SECONDS_MAX
                                            + " s for it");
                        }
                        return;
                    } catch (InterruptedException e) {
                        interrupted = true;
                    }
                }
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }

        @Override
        void park(long timeoutNanos) {
            handedBack.release();
            turn.acquireUninterruptibly();
        }

        @Override
        boolean needsTimer() {
            return true;
        }

        @Override
        @SuppressWarnings("ReferenceEquality") // this very thread
        boolean isCurrent() {
            return Thread.currentThread() == thread;
        }
    }
}
