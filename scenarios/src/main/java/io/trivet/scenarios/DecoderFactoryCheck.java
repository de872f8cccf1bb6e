package io.trivet.scenarios;

import io.trivet.server.Frame;
import io.trivet.server.FrameDecoder;
import io.trivet.server.Framing;
import io.trivet.server.Protocol;
import io.trivet.server.Server;
import io.trivet.server.ServerBuilder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Checks a factory that creates a decoder for each connection. If the factory fails, only that connection ends. */
final class DecoderFactoryCheck {
    private static final int CLIENTS = 5;

    /** Finds lines, and counts them. */
    private static final class Lines implements FrameDecoder {
        int found;

        @Override
        public void decode(ByteBuffer in, int from, int to, Frame frame) {
            for (int at = from; at < to; at++) {
                if (in.get(at) == '\n') {
                    found++;
                    frame.message(from, at, at + 1);
                    return;
                }
            }
        }
    }

    private final TrialRun run;
    private final TrialNetwork network;
    private final int failsAt;
    private final boolean returnsNull;
    private final List<Lines> made = new ArrayList<>();
    private int calls;

    DecoderFactoryCheck(TrialRun run, TrialNetwork network) {
        this.run = run;
        this.network = network;
        failsAt = run.random.below(CLIENTS);
        returnsNull = run.random.chance(50);
    }

    private @Nullable Lines make() {
        if (calls++ == failsAt) {
            if (returnsNull) {
                return null;
            }
            throw new IllegalStateException("drawn");
        }
        made.add(new Lines());
        return made.getLast();
    }

    void perform() throws IOException {
        TrialHandler handler = new TrialHandler();
        Framing framing = Framing.perConnection(this::make);
        ServerBuilder builder = Server.builder().network(network).limits(Trial.LIMITS).loops(run.random.number(1, 2));
        switch (run.random.below(3)) {
            case 0 -> builder.listen(run.address).framing(framing).handler(handler);
            case 1 -> builder.listen(run.address).handlers(() -> handler).framing(framing);
            default -> builder.listen(run.address, Protocol.of(framing, handler));
        }
        try (Server server = builder.open()) {
            for (int i = 0; i < CLIENTS && !run.hasFailed(); i++) {
                client(server, handler, i);
            }
            run.same(Rule.CALLBACKS, "calls of the factory of decoders", calls, CLIENTS);
            run.same(Rule.CALLBACKS, "connections with callbacks", handler.all.size(), CLIENTS - 1);
            run.same(Rule.GAUGES, "connections", server.stats().total().connections(), CLIENTS - 1);
            run.close(network, server);
        }
    }

    private void client(Server server, TrialHandler handler, int number) throws IOException {
        TrialClient client = TrialClient.connect(run, run.address);
        network.settle();
        client.write("line " + number + "\nline\n");
        network.settle();
        client.readAll();
        if (number == failsAt) {
            run.same(Rule.ENDS, "the client without a decoder has read", client.end(), "ended");
            client.close();
            network.settle();
            run.same(Rule.GAUGES, "connections that have ended", server.stats().closed().toString(), "{HANDLER_FAILED=1}");
            return;
        }
        run.same(Rule.DELIVERY, "messages of connection " + number, handler.all.getLast().messages,
                List.of("line " + number, "line"));
        run.same(Rule.CALLBACKS, "messages of its decoder", made.getLast().found, 2);
        run.same(Rule.ENDS, "connection " + number + " is", handler.all.getLast().end(), "open");
    }
}
