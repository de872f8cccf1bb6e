package io.trivet.scenarios;

import static io.trivet.scenarios.Trial.LIMITS;

import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ReadState;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.SendResult;
import io.trivet.server.Server;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A relay whose target reads now and then: what the relay holds and when it receives, the write timeout, a pause meanwhile, and
 * the end. A part of {@link RelayTrial}.
 */
final class SlowRelay {
    private static final String FIRST = "go\n";
    private static final String BEHIND = "behind\n";
    private static final String LATER = "later\n";
    private static final int STEPS_MAX = 40;
    private static final int RESERVED_BYTES = 1024;

    private final TrialRun run;
    private final TrialNetwork network;
    private final TrialHandler handler;
    private final Server server;
    private final TrialClient client;
    private final TrialClient target;
    private final Limits limits;
    private final int bufferBytes;
    /** The bytes that are relayed, of which the number is known to the server if the relay is counted. */
    private final byte[] relayed;
    private final boolean counted;
    /** The relay has no listener, and the output of its target ends with it. */
    private final boolean plain;
    private int written;
    private long sent;
    private long held;
    private long progressNanos;
    private boolean paused;
    private int ends;
    private long endedBytes = -1;
    private @Nullable String targetEnd;

    SlowRelay(TrialRun run) throws IOException {
        this.run = run;
        network = run.readinessNetwork();
        bufferBytes = run.random.number(512, 1024, 4096, 16_384);
        run.sim.buffers(bufferBytes, bufferBytes);
        counted = run.random.chance(50);
        plain = !counted && run.random.chance(50);
        relayed = new byte[run.random.chance(20) ? (int) run.random.logUniform(1, 3L * bufferBytes)
                : run.random.between(3 * bufferBytes, 16 * bufferBytes)];
        for (int i = 0; i < relayed.length; i++) {
            relayed[i] = (byte) run.random.number('a', 'b', 'c', '\n');
        }
        limits = LIMITS.withWriteTimeout(run.random.chance(40) ? Duration.ZERO
                : Duration.ofNanos(run.random.logUniform(5_000_000, 200_000_000)));
        handler = new TrialHandler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) throws Exception {
                super.onMessage(connection, message);
                if (seen(connection).messages.size() == 1) {
                    start(connection, all.get(1).connection);
                }
            }

            @Override
            public void onEndOfInput(Connection connection) throws Exception {
                run.expect(Rule.CALLBACKS, seen(connection).number > 0 || plain || ends == 1,
                        "the end of the input is reported before the end of its relay");
                super.onEndOfInput(connection);
            }
        };
        server = run.builder(network, handler, limits).framing(Framing.lines()).overflow(Overflow.DISCONNECT).open();
        client = TrialClient.connect(run, run.address);
        network.settle();
        target = TrialClient.connect(run, run.address);
        network.settle();
        run.log(relayed.length + " bytes are relayed" + (counted ? "" : ", and the input ends") + ", buffers of " + bufferBytes);
    }

    private void start(Connection source, Connection to) {
        SendResult result = plain ? source.relayTo(to)
                : source.relayTo(to, counted ? relayed.length : -1, (of, bytes, failure) -> {
                    run.expect(Rule.CALLBACKS, of.equals(to), "the listener of a relay is called with " + of);
                    ends++;
                    endedBytes = failure == null ? bytes : -2;
                });
        run.same(Rule.CALLBACKS, "the relay", result, SendResult.QUEUED);
        run.same(Rule.CALLBACKS, "a message behind the relay", to.send("behind"), SendResult.QUEUED);
        try {
            source.relayTo(to);
            run.fail(Rule.CALLBACKS, "a second relay of the same input is accepted");
        } catch (IllegalStateException e) {
            // As it must be.
        }
        try {
            source.relayTo(to, -2, (of, bytes, failure) -> {});
            run.fail(Rule.CALLBACKS, "a relay of -2 bytes is accepted");
        } catch (IllegalArgumentException e) {
            // As it must be.
        }
    }

    void perform() throws IOException {
        client.write(FIRST);
        network.settle();
        int steps = run.random.between(5, STEPS_MAX);
        for (int i = run.random.number(0, 6); i > 0 && held == 0; i--) { // so that it soon holds something
            write(bufferBytes);
            turn();
        }
        for (int i = 0; i < steps && !run.hasFailed() && targetEnd == null && !hasEnded(); i++) {
            step();
            turn();
            check();
        }
        if (!run.hasFailed()) {
            if (targetEnd == null && held > 0 && run.random.chance(25)) {
                cut();
            } else if (targetEnd == null) {
                complete();
            }
        }
        client.close();
        target.close();
        network.settle();
        run.close(network, server);
    }

    private boolean hasEnded() {
        return counted && sent >= relayed.length;
    }

    private void step() {
        if (held > 0 && run.random.chance(40)) { // the socket gets room for a part of what is held
            run.log("the target reads " + target.read(run.random.between(1, bufferBytes)) + " bytes");
            return;
        }
        switch (run.random.below(6)) {
            case 0, 1 -> write(run.random.chance(60) ? bufferBytes : (int) run.random.logUniform(1, bufferBytes));
            case 2, 3 -> run.log("the target reads " + target.read((int) run.random.logUniform(1, 3L * bufferBytes)) + " bytes");
            case 4 -> {
                if (limits.writeTimeout().isZero()) {
                    pause(!paused);
                }
            }
            default -> pass();
        }
    }

    private void pause(boolean pauses) {
        Connection source = handler.all.getFirst().connection;
        run.log("reading from the source is " + (pauses ? "paused" : "resumed"));
        paused = pauses;
        if (pauses) {
            source.pauseReading();
        } else {
            source.resumeReading();
        }
    }

    private void write(int most) {
        long received = snapshot(0).bytesIn() - FIRST.length();
        int count = (int) Math.min(Math.min(most, bufferBytes - (written - received)), relayed.length - written);
        if (count > 0) {
            run.log("the client sends " + count + " bytes");
            byte[] bytes = new byte[count];
            System.arraycopy(relayed, written, bytes, 0, count);
            client.write(bytes);
            written += count;
        }
    }

    /** Lets time pass until the write timeout, or just before it, or for some time. */
    private void pass() {
        long timeout = limits.writeTimeout().toNanos();
        boolean runs = held > 0 && timeout > 0;
        long left = progressNanos + timeout - network.now();
        long by = runs && run.random.chance(60) ? left - run.random.number(0, 1) : run.random.logUniform(1, 300_000_000);
        by = Math.max(0, runs ? Math.min(by, left) : by);
        run.log(ReportText.duration(by) + " pass");
        network.pass(by);
    }

    private void turn() throws IOException {
        long now = network.now();
        boolean wasHeld = held > 0;
        long before = sent;
        network.settle();
        sent = server.stats().total().bytesOut();
        if (wasHeld && sent == before && !limits.writeTimeout().isZero()
                && progressNanos + limits.writeTimeout().toNanos() <= now) {
            run.reached("RELAY_TIMED_OUT");
            targetEnd = "WRITE_TIMEOUT";
            return;
        }
        if (!handler.all.get(1).isOpen() || !handler.all.getFirst().isOpen()) {
            return; // found by the check
        }
        held = snapshot(0).bytesIn() - FIRST.length() - sent;
        if (sent > before || !wasHeld) {
            progressNanos = now;
        }
        if (paused) {
            run.same(Rule.DELIVERY, "bytes that were sent since reading was paused", sent - before, 0L);
        }
    }

    private ConnectionSnapshot snapshot(int number) {
        long id = handler.all.get(number).connection.id();
        return server.connections().stream().filter(each -> each.id() == id).findFirst().orElseThrow();
    }

    private void check() {
        String end = targetEnd;
        run.same(Rule.DEADLINES, "the target is, " + ReportText.duration(network.now() - progressNanos)
                + " after it has accepted a byte", handler.all.get(1).end(), end == null ? "open" : end);
        run.same(Rule.ENDS, "the source is", handler.all.getFirst().end(), end == null ? "open" : "TRANSFER_FAILED");
        checkReceived(target.text());
        if (end != null || run.hasFailed() || hasEnded()) {
            return;
        }
        run.same(Rule.CALLBACKS, "the listener was called this often", ends, 0);
        run.same(Rule.GAUGES, "messages in the queue of the target", handler.all.get(1).connection.queue().messages(), 2);
        run.same(Rule.GAUGES, "bytes in the queue of the target", handler.all.get(1).connection.queue().bytes(),
                RESERVED_BYTES + BEHIND.length());
        run.expect(Rule.GAUGES, held >= 0 && held <= bufferBytes, "the relay holds " + held + " bytes");
        run.expect(Rule.GAUGES, server.stats().queueBytes() >= held,
                "the budget has " + server.stats().queueBytes() + " bytes, and the relay holds " + held);
        ConnectionSnapshot source = snapshot(0);
        run.same(Rule.GAUGES, "whether the source is read", source.readState(), paused ? ReadState.PAUSED_BY_APPLICATION
                : held > 0 ? ReadState.PAUSED_BY_RELAY : ReadState.RELAYING);
        run.same(Rule.GAUGES, "whether its socket is watched for input", source.readable(), !paused && held == 0);
        if (!paused) {
            run.expect(Rule.LIVENESS, held > 0 || source.bytesIn() == FIRST.length() + written,
                    "the relay holds nothing, and has not received everything");
            run.same(Rule.GAUGES, "whether the socket of the target is watched for output", snapshot(1).writable(), held > 0);
            run.expect(Rule.LIVENESS, held == 0 || 3 * (sent - target.count()) > bufferBytes,
                    held + " bytes are held, although the socket of the target has room");
        }
    }

    /** Compares what the target has received, all of which was relayed, except the last message. */
    private void checkReceived(String received) {
        int count = Math.min(received.length(), relayed.length);
        for (int i = 0; i < count; i++) {
            if (received.charAt(i) != relayed[i]) {
                run.fail(Rule.BYTES, "the target has received another byte at offset " + i);
                return;
            }
        }
        if (received.length() > relayed.length) {
            run.expect(Rule.ORDER, BEHIND.startsWith(received.substring(relayed.length)),
                    "the target has received, behind the relay, "
                            + received.substring(relayed.length));
        }
    }

    /** Bytes that are held are lost if either connection is closed, and the other one is visibly cut. */
    private void cut() throws IOException {
        int closes = run.random.below(2);
        run.log(closes == 0 ? "the source is closed" : "the target is closed");
        handler.all.get(closes).connection.close();
        network.settle();
        target.readAll();
        run.same(Rule.ENDS, "the connection that was closed is", handler.all.get(closes).end(), "CLOSED");
        run.same(Rule.ENDS, "the other one is", handler.all.get(1 - closes).end(), "TRANSFER_FAILED");
        run.same(Rule.ENDS, "the target has read", target.end(), "ECONNRESET");
        run.same(Rule.CALLBACKS, "the relay that was cut has ended", endedBytes, plain ? -1L : -2L);
    }

    private void complete() throws IOException {
        if (paused) {
            pause(false);
        }
        for (int i = 0; i < 2_000 && target.count() < relayed.length + BEHIND.length() && !run.hasFailed(); i++) {
            if (written < relayed.length) {
                write(bufferBytes);
            } else if (!counted) {
                client.endOutputIfOpen();
            }
            network.settle();
            target.readAll();
        }
        if (counted) {
            client.write(LATER);
            network.settle();
        }
        network.settle();
        target.readAll();
        checkReceived(target.text());
        run.same(Rule.DELIVERY, "bytes that the target has received", target.count(), relayed.length + BEHIND.length());
        run.same(Rule.ENDS, "the target has read", target.end(), plain ? "ended" : "open");
        run.same(Rule.CALLBACKS, "the listener was called this often", ends, plain ? 0 : 1);
        run.same(Rule.CALLBACKS, "bytes of the relay", endedBytes, plain ? -1L : (long) relayed.length);
        run.same(Rule.CALLBACKS, "the end of the input was reported", handler.all.getFirst().inputEnded, !counted);
        run.same(Rule.DELIVERY, "messages of the source", handler.all.getFirst().messages,
                counted ? List.of("go", "later") : List.of("go"));
    }
}
