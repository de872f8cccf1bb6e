package io.trivet.net;

/** The clock of a network. A real clock runs by itself. A simulation advances a simulated clock. Any thread may read it. */
@FunctionalInterface
public interface Clock {
    /** The machine's monotonic clock: {@link System#nanoTime}. */
    Clock SYSTEM = System::nanoTime;

    /**
     * Returns the nanoseconds since an arbitrary moment. Only differences are meaningful.
     *
     * @return the time
     */
    long nanoTime();
}
