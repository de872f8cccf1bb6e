package io.trivet.scenarios;

import io.trivet.observe.ConnectionState;
import io.trivet.server.Connection;
import io.trivet.server.TransferListener;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import org.jspecify.annotations.Nullable;

/**
 * A message that the application streams: the source of its bytes, in its frame, and the listener. The source returns a part with
 * each read, has nothing for a moment, and ends too early if it is to be cut. It checks that the listener is called once, with all
 * bytes, or with a failure of a closed connection.
 */
final class StreamedReply implements ReadableByteChannel, TransferListener {
    private final RunContext context;
    private final ConnectionModel model;
    private final ByteBuffer framed;
    private final int bytesPerRead;
    /** The number of bytes after which the source ends. */
    private final int end;
    /** Continues the transfer after a read that has returned nothing. */
    private final Runnable continuation;
    private boolean hadNothing;
    private boolean closed;
    private boolean over;

    StreamedReply(RunContext context, ConnectionModel model, byte[] framed, int reads, boolean isCut, Runnable continuation) {
        this.context = context;
        this.model = model;
        this.framed = ByteBuffer.wrap(framed);
        this.continuation = continuation;
        bytesPerRead = Math.max(1, framed.length / reads);
        end = isCut ? framed.length / 2 : framed.length;
    }

    @Override
    public int read(ByteBuffer into) {
        expect(!closed, "is read after its close");
        if (framed.position() == end) {
            return -1;
        }
        if (framed.position() > 0 && !hadNothing) {
            hadNothing = true;
            continuation.run();
            return 0;
        }
        int count = Math.min(Math.min(into.remaining(), bytesPerRead), end - framed.position());
        into.put(framed.slice(framed.position(), count));
        framed.position(framed.position() + count);
        return count;
    }

    @Override
    public boolean isOpen() {
        return !closed;
    }

    @Override
    public void close() {
        closed = true;
    }

    @Override
    public void done(Connection connection, long bytes, @Nullable IOException failure) {
        expect(!over, "has ended twice");
        expect(closed, "has ended, and its source is not closed");
        over = true;
        model.openStreams--;
        if (failure == null) {
            expect(bytes == framed.limit(), "is complete after " + bytes + " bytes");
        } else {
            expect(connection.state() == ConnectionState.CLOSED, "was cut, and its connection is " + connection.state());
        }
        if (context.timeline.isEnabled()) {
            context.timeline.log(model + ": a transfer of " + framed.limit() + " bytes has ended after " + bytes
                    + (failure == null ? "" : ", " + failure.getMessage()));
        }
    }

    private void expect(boolean holds, String otherwise) {
        if (!holds) {
            context.failures.report(Rule.CALLBACKS, model + ": a transfer of " + framed.limit() + " bytes " + otherwise);
        }
    }
}
