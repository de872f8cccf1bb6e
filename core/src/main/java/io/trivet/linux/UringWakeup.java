package io.trivet.linux;

import java.io.IOException;

/** Ends the wait of a ring from any thread: an eventfd that the ring polls. One thread, except {@link #signal}. */
final class UringWakeup implements AutoCloseable {
    private final UringOperations operations;
    private final EventFd eventFd;
    private final InterruptHook interrupts;
    private boolean polling;
    private boolean woken;

    UringWakeup(UringOperations operations) throws IOException {
        this.operations = operations;
        eventFd = new EventFd();
        interrupts = new InterruptHook(eventFd);
    }

    /** Ends the current wait, or the next one. Any thread. */
    void signal() {
        eventFd.signal();
    }

    void beginWait(boolean waits) {
        woken = false;
        if (waits) {
            interrupts.beforeWait();
        }
    }

    void endWait(boolean waits) {
        if (waits) {
            interrupts.afterWait();
        }
    }

    /** Returns true if the current wait was ended by a signal. */
    boolean isWoken() {
        return woken;
    }

    /** Starts to poll the eventfd, unless the ring does. */
    void start() {
        if (!polling) {
            polling = true;
            operations.start(Uring.OP_POLL_ADD, 0, 0, eventFd.fd(), 0, Uring.POLL_ADD_MULTI, PollBits.POLLIN,
                    UringOperations.userData(UringOperations.WAKEUP, 0));
        }
    }

    /** A new ring has replaced the former one. */
    void handedOver(UringHandover left) {
        polling = left.completes(UringOperations.WAKEUP, 0);
    }

    /** Handles a completion of the poll. */
    void completed(int flags) {
        woken = true;
        polling = (flags & Uring.CQE_MORE) != 0;
        if (!eventFd.clear() && polling) { // a poll that continues reports only changes: start another one
            operations.cancel(UringOperations.userData(UringOperations.WAKEUP, 0));
        }
    }

    @Override
    public void close() {
        eventFd.close();
    }
}
