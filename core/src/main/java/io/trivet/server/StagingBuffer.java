package io.trivet.server;

import java.nio.ByteBuffer;

/**
 * Memory in which the replies of one delivery are put together. Batches whose send is pending stay where they are; new ones are
 * put behind them. The buffer is reused when no send is pending. One thread.
 */
final class StagingBuffer {
    static final int BYTES = 64 * 1024;

    final ByteBuffer memory = DirectMemory.allocate(BYTES);
    /** Views of the memory, to send parts from. */
    final ByteBuffer[] views;
    /** The number of pending sends whose bytes are here. */
    private int pending;

    StagingBuffer(int viewCount) {
        views = views(memory, viewCount);
    }

    boolean isPending() {
        return pending > 0;
    }

    void retain() {
        pending++;
    }

    void release() {
        pending--;
    }

    static ByteBuffer[] views(ByteBuffer buffer, int count) {
        ByteBuffer[] views = new ByteBuffer[count];
        for (int i = 0; i < count; i++) {
            views[i] = buffer.duplicate();
        }
        return views;
    }
}
