package io.trivet.linux;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * One eventfd for all those waits that have none of their own, so that any number of threads can wait without using up
 * descriptors. An interrupt of one of the threads wakes all of them. The others then wait here until the interrupted thread has
 * left the kernel and the eventfd has been cleared: cleared earlier, it might not wake that thread. Threads: any.
 */
final class SharedWakeup {
    /** Opened by the first wait that needs it, and never closed; null: not yet, or no descriptor was left. */
    private @Nullable EventFd eventFd;
    /** The number of waits that were signalled and have not ended. The eventfd is readable while there are any. */
    private int signalled;

    /** Returns whether the eventfd is open. */
    synchronized boolean isOpen() {
        return eventFd != null;
    }

    /** Starts a wait of one thread. If there is no descriptor even for the shared eventfd, the wait has none. */
    synchronized Waiter newWaiter() {
        if (eventFd == null) {
            try {
                eventFd = new EventFd();
            } catch (IOException e) {
                return new Waiter(null); // out of descriptors: the next wait tries again
            }
        }
        return new Waiter(eventFd);
    }

    /** One thread's wait. */
    final class Waiter implements Wakeup {
        private final @Nullable EventFd shared;
        private boolean isSignalled;
        private boolean hasEnded;

        private Waiter(@Nullable EventFd shared) {
            this.shared = shared;
        }

        @Override
        public int fd() {
            return shared == null ? -1 : shared.fd();
        }

        /** {@inheritDoc} After the end of the wait it does nothing: {@link Thread#interrupt} can run its hook late. */
        @Override
        public void signal() {
            synchronized (SharedWakeup.this) {
                if (isSignalled || hasEnded || shared == null) {
                    return;
                }
                isSignalled = true;
                if (signalled++ == 0) {
                    shared.signal();
                }
            }
        }

        /**
         * Called when the eventfd has ended this thread's call: waits until it is clear again, but no longer than the timeout.
         * Returns false if this thread is the one that was interrupted.
         */
        boolean awaitOthers(Timeout timeout) {
            boolean interrupted = false;
            synchronized (SharedWakeup.this) {
                timeout.update();
                while (signalled > 0 && !isSignalled && !interrupted && !timeout.isExpired()) {
                    try {
                        SharedWakeup.this.wait(Math.max(0, timeout.millis())); // 0: without limit
                    } catch (InterruptedException e) {
                        interrupted = true;
                    }
                    timeout.update();
                }
                if (!interrupted) {
                    return !isSignalled;
                }
            }
            Thread.currentThread().interrupt(); // not under the lock: it takes another one before this one
            return false;
        }

        void end() {
            synchronized (SharedWakeup.this) {
                hasEnded = true;
                if (isSignalled && --signalled == 0 && shared != null) {
                    shared.clear();
                    SharedWakeup.this.notifyAll();
                }
            }
        }
    }
}
