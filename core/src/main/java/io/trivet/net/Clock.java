package io.trivet.net;

/** The time that a network lives in: a real one's passes by itself, a simulated one's is moved. Any thread may read it. */
@FunctionalInterface
public interface Clock {
    /** The machine's monotonic clock: {@link System#nanoTime}. */
    Clock SYSTEM = System::nanoTime;

    /**
     * Nanoseconds since an arbitrary moment; only differences mean something.
     *
     * @return the time
     */
    long nanoTime();
}
