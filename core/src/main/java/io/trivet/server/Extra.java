package io.trivet.server;

import io.trivet.net.Loop;
import java.io.IOException;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** What a connection needs only while something is going on: an idle one has none. The loop's thread, but for looking on. */
final class Extra {
    /** Input not yet given to the handler. */
    @Nullable Held held;
    /** Output that the socket refused. */
    @Nullable Backlog backlog;
    /** The handler, if it is not the server's. */
    @Nullable Handler handler;
    /** The peer's address, once the socket is no longer there to tell it, or not yet. */
    @Nullable InetSocketAddress remote;
    /** Why the network ended it. */
    @Nullable IOException failure;
    /** When the state that it is in ends by itself: a connect, a first message, a linger. */
    long stateDeadlineNanos = Loop.NO_DEADLINE;
    /** What was dropped and is not told yet. */
    @Nullable Dropped untold;
    /** What came after our end. */
    long lingerBytes;

    boolean isEmpty() {
        return held == null && backlog == null && handler == null && remote == null
                && failure == null && untold == null && stateDeadlineNanos == Loop.NO_DEADLINE && lingerBytes == 0;
    }
}
