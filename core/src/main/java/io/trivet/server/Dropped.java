package io.trivet.server;

import org.jspecify.annotations.Nullable;

/**
 * What has been dropped of one connection's queue.
 *
 * @param messages how many
 * @param bytes how many bytes they had, frames included
 */
record Dropped(int messages, long bytes) {
    /** Both together. */
    Dropped and(@Nullable Dropped other) {
        return other == null ? this : new Dropped(messages + other.messages, bytes + other.bytes);
    }
}
