package io.trivet.linux;

/** Sizes of a ring's queues, and number and size of its buffers. */
record UringSizes(int submissions, int completions, int buffers, int bufferBytes) {
    /** Enough buffers that 1,000 connections do not wait for one, and small enough that they stay in the cache. */
    static final UringSizes DEFAULT = new UringSizes(256, 4096, 256, 8 * 1024);
}
