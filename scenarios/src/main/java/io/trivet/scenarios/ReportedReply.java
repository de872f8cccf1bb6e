package io.trivet.scenarios;

import io.trivet.observe.ConnectionState;
import io.trivet.server.Connection;
import io.trivet.server.TransferListener;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The listener of a message: it is called once, with all bytes of the frame, or with a failure of a closed connection. */
final class ReportedReply implements TransferListener {
    private final RunContext context;
    private final ConnectionModel model;
    private final int framedBytes;
    private boolean over;

    ReportedReply(RunContext context, ConnectionModel model, int framedBytes) {
        this.context = context;
        this.model = model;
        this.framedBytes = framedBytes;
    }

    @Override
    public void done(Connection connection, long bytes, @Nullable IOException failure) {
        expect(!over, "was reported twice");
        over = true;
        model.openStreams--;
        if (failure == null) {
            expect(bytes == framedBytes, "was reported as sent after " + bytes + " bytes");
        } else {
            expect(bytes < framedBytes, "was reported as cut after all of its bytes");
            expect(connection.state() == ConnectionState.CLOSED, "was cut, and its connection is " + connection.state());
        }
    }

    private void expect(boolean holds, String otherwise) {
        if (!holds) {
            context.failures.report(Rule.CALLBACKS,
                    model + ": a message of " + framedBytes + " bytes with a listener " + otherwise);
        }
    }
}
