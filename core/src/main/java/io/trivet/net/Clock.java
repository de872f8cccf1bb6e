package io.trivet.net;

/** The clock of a network. A real one runs by itself; a simulated one is moved by the simulation. Any thread may read it. */
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
