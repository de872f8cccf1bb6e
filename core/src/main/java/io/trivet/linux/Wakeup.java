package io.trivet.linux;

/** Ends a wait in the kernel from another thread. Threads: any. */
interface Wakeup {
    /** Returns the descriptor that becomes readable when this is signalled; -1: there is none. */
    int fd();

    void signal();
}
