package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Handler;
import io.trivet.server.SendResult;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** One connection of the server that a {@link RelayServer} connects to: checks what it receives, and sends the other stream. */
final class RelayOrigin implements Handler {
    private static final int CHUNK_BYTES = 3_000;

    private final RelayServer server;
    private final byte[] head = new byte[Integer.BYTES];
    private @Nullable RelayRun run;
    private int received;
    private int sent;
    private boolean inputEnded;
    private boolean reset;

    RelayOrigin(RelayServer server) {
        this.server = server;
    }

    @Override
    public void onOpen(Connection connection) throws Exception {
        server.reduceBuffers(connection);
    }

    @Override
    public void onMessage(Connection connection, ByteBuffer message) {
        server.progress();
        int from = received;
        byte[] bytes = new byte[message.remaining()];
        message.get(message.position(), bytes);
        received += bytes.length;
        if (from < head.length) {
            System.arraycopy(bytes, 0, head, from, Math.min(bytes.length, head.length - from));
        }
        if (run == null && received >= head.length) {
            start(connection);
        }
        RelayRun known = run;
        if (known == null || reset) {
            return;
        }
        boolean right = received <= known.plan.upBytes() && Arrays.equals(bytes, known.plan.up(from, bytes.length));
        if (from >= head.length && !right) {
            known.fail(Rule.BYTES, "after " + from + " bytes the other server receives what was not sent, or not there");
        }
        if (known.plan.originResetsAfter() >= 0 && received >= known.plan.originResetsAfter()) {
            reset = true;
            connection.reset();
        }
    }

    private void start(Connection connection) {
        RelayRun found = server.run(ByteBuffer.wrap(head).getInt());
        run = found;
        if (found == null) {
            server.fail("the other server receives a stream that no client has sent");
            return;
        }
        if (found.plan.originUnreadNanos() > 0) {
            connection.pauseReading();
            var _ = connection.schedule(Duration.ofNanos(found.plan.originUnreadNanos()), connection::resumeReading);
        }
        send(connection);
    }

    private void send(Connection connection) {
        RelayRun known = run;
        if (known == null || reset) {
            return;
        }
        int all = known.plan.mode() == RelayMode.UPSTREAM ? known.plan.downBytes() : 0;
        while (sent < all && !connection.queue().isHigh()) {
            int count = Math.min(CHUNK_BYTES, all - sent);
            if (connection.send(ByteBuffer.wrap(known.plan.down(sent, count))) != SendResult.QUEUED) {
                return;
            }
            sent += count;
            known.originSent = sent;
        }
        if (sent == all && inputEnded) {
            connection.finish();
        } else if (sent == all && known.plan.endsEarly()) {
            connection.finishOutput();
        }
    }

    @Override
    public void onDrained(Connection connection) {
        send(connection);
    }

    @Override
    public void onEndOfInput(Connection connection) {
        inputEnded = true;
        RelayRun known = run;
        if (known == null) {
            if (received > 0) {
                server.fail("the other server reads the end of its input after " + received + " bytes");
            }
            connection.finish();
            return;
        }
        if (received != known.upSent()) {
            known.fail(Rule.ENDS, "the other server reads the end of its input after " + received + " of " + known.upSent()
                    + " bytes");
        }
        boolean mayEnd = known.plan.mode() == RelayMode.COUNTED || known.hasClientEnded();
        if (!mayEnd) {
            known.fail(Rule.ENDS, "the other server reads the end of its input, although the client has not ended its output");
        }
        send(connection);
    }

    @Override
    public void onClose(Connection connection, CloseReason reason) {
        RelayRun known = run;
        if (known != null && !CloseReasonChecker.isOrderly(reason) && !known.mayBeCut()) {
            known.fail(Rule.ENDS, "the other server's connection was closed: " + reason + ", which nothing explains");
        }
    }
}
