package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A listener that records the ends of transfers. It asserts that it is called on the loop's thread. Any thread may read. */
final class Transferred implements TransferListener {
    private final List<String> ends = new ArrayList<>();
    private @Nullable IOException failure;
    /** Run within each call. */
    Runnable reaction = () -> {};

    @Override
    public void done(Connection connection, long bytes, @Nullable IOException failed) {
        assertThat(connection.server().loops().get(connection.loop()).mailbox().isOwnThread()).as("on the loop's thread")
                .isTrue();
        synchronized (this) {
            ends.add(bytes + (failed == null ? " complete" : " cut"));
            failure = failed;
        }
        reaction.run();
    }

    synchronized List<String> ends() {
        return List.copyOf(ends);
    }

    synchronized int count() {
        return ends.size();
    }

    /** Returns the last failure. */
    synchronized @Nullable IOException failure() {
        return failure;
    }
}
