package io.trivet.server;

import io.trivet.net.Loop;
import java.io.IOException;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * Rarely used state of a connection, allocated on demand so that an idle connection stays small. Loop thread only, except for
 * snapshots.
 */
final class ColdState {
    /** Input that has not been delivered yet. */
    @Nullable PartialInput partialInput;
    /** Output that the socket refused. */
    @Nullable SendQueue sendQueue;
    /** The peer's address, while there is no socket to ask. */
    @Nullable InetSocketAddress remote;
    /** The error with which the network ended the connection. */
    @Nullable IOException failure;
    /** When the current state ends by itself: a connect, a first message, a linger. */
    long stateDeadlineNanos = Loop.NO_DEADLINE;
    /** Dropped messages of which the handler has yet to be notified. */
    @Nullable DroppedMessages pendingDrops;
    /** The bytes that arrived after our FIN. */
    long lingerBytes;

    boolean isEmpty() {
        return partialInput == null && sendQueue == null && remote == null && failure == null && pendingDrops == null
                && stateDeadlineNanos == Loop.NO_DEADLINE && lingerBytes == 0;
    }
}
