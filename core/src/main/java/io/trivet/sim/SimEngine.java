package io.trivet.sim;

/** The engine of Linux that a simulated host behaves like. */
public enum SimEngine {
    /** select(2): errors and hang-ups are folded into READ and WRITE; the lowest descriptor comes first. */
    SELECT("select"),
    /** poll(2): reports errors, hang-ups and closed descriptors; in the order of registration. */
    POLL("poll"),
    /** epoll(7): the socket that became ready first comes first; refuses regular files. */
    EPOLL("epoll"),
    /** io_uring(7): its poller is epoll, its proactor is the ring. */
    URING("uring");

    private final String text;

    SimEngine(String text) {
        this.text = text;
    }

    /** Returns the name of the engine, as in {@link io.trivet.net.Network#named}. */
    @Override
    public String toString() {
        return text;
    }
}
