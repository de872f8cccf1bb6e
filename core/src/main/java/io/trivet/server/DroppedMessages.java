package io.trivet.server;

import org.jspecify.annotations.Nullable;

/**
 * Messages that were dropped from one connection's queue.
 *
 * @param messages the number of messages
 * @param bytes their bytes, frames included
 */
record DroppedMessages(int messages, long bytes) {
    /** Returns the sum of both. */
    DroppedMessages and(@Nullable DroppedMessages other) {
        return other == null ? this : new DroppedMessages(messages + other.messages, bytes + other.bytes);
    }
}
