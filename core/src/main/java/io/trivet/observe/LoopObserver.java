package io.trivet.observe;

/**
 * Observes the turns of a server's loops while it is attached, see {@code Server.observe}. It is called on the threads of the
 * loops: an implementation that is slow slows the server. If it throws an exception, it is logged and detached.
 */
public interface LoopObserver {
    /**
     * Called when something has happened in a turn.
     *
     * @param loop the index of the loop
     * @param event what has happened
     * @param connection the id of the connection; -1 if the event belongs to none
     * @param amount as described at the event; 0 if it has none
     */
    void event(int loop, LoopEvent event, long connection, long amount);

    /**
     * Called after each turn, also after the one in which the observer was attached. As long as this method does not return, the loop stands still between two turns, and all its clients
     * wait.
     *
     * @param loop the index of the loop
     * @param waitNanos how long the loop has waited in the kernel. With TLS, includes the handshakes that continue in that time
     * @param workNanos how long it has worked after that
     * @param done how much was done; 0: the timeout expired, or the loop was only woken up
     */
    void turned(int loop, long waitNanos, long workNanos, int done);
}
