package io.trivet.sim;

/** As which of Linux's engines a {@link SimNetwork} answers. */
public enum SimEngine {
    /** select(2): no errors or hang-ups apart from readiness; the lowest descriptor first. */
    SELECT("select"),
    /** poll(2): errors and hang-ups are told, closed descriptors too; in the order of registration. */
    POLL("poll"),
    /** epoll(7): what became ready first comes first; regular files are refused. */
    EPOLL("epoll"),
    /** io_uring(7): its poller is epoll, its proactor is the ring. */
    URING("uring");

    private final String text;

    SimEngine(String text) {
        this.text = text;
    }

    /** The engine's own name. */
    @Override
    public String toString() {
        return text;
    }
}
