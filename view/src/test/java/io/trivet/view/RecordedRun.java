package io.trivet.view;

import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Server;
import io.trivet.sim.Fault;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimClient;
import io.trivet.sim.SimHost;
import io.trivet.sim.SimNetwork;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A run on a simulated network for the tests of recordings: clients that talk, read slowly, reset, and leave. */
final class RecordedRun {
    static final String FAILURE = "the reply to <img src=x onerror=window.hit=1> is wrong";
    private static final InetSocketAddress ADDRESS = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 8080);

    /** More than the server queues before it stops reading, and less than what blocks the client as well. */
    private static final int SLOW_MESSAGES = 24;

    /** The lines of the network's trace. */
    final List<String> trace = new ArrayList<>();
    final @Nullable Recording recording;

    /** Runs it with a seed, recorded or not. With a failure, the last message is wrong. */
    RecordedRun(long seed, boolean recorded, boolean failing, int talks) throws IOException {
        FaultPlan plan = FaultPlan.none().with(Fault.SHORT_WRITE, 0.2).with(Fault.LATENCY, 0.3);
        // In a long run, a stalled connection would take the most of the time.
        SimNetwork network = SimNetwork.of(seed, talks > 100 ? plan : plan.with(Fault.STALL, 0.02));
        network.buffers(4096, 4096);
        Recording made = recorded ? new Recording("seed " + seed, network.clock()) : null;
        recording = made;
        network.trace((nanos, event) -> {
            trace.add(nanos + " " + event);
            if (made != null) {
                made.log(event);
            }
        });
        try (Server server = Server.builder().network(network).listen(ADDRESS).framing(Framing.lines())
                .limits(Limits.defaults().withQueueBytesMax(128 << 10).withQueueMarks(8 << 10, 2 << 10))
                .onMessage((connection, message) -> {
                    if (failing && message.remaining() == 4 && message.get(message.position()) == 'l' && made != null) {
                        made.fail(FAILURE);
                    }
                    connection.send(message);
                }).open()) {
            if (made != null) {
                made.describe("clients: ann, bob, slow, rude");
                made.add("echo", server);
            }
            SimHost host = network.host(InetAddress.ofLiteral("10.0.0.1"));
            SimClient ann = SimClient.connect(host, server.address(), "ann");
            for (int i = 0; i < talks; i++) {
                ann.send("hello " + i + "\n").await("hello " + i + "\n");
            }
            SimClient slow = SimClient.connect(host, server.address(), "slow").pauseReading();
            for (int i = 0; i < SLOW_MESSAGES; i++) {
                slow.send("x".repeat(1000) + "\n");
            }
            slow.pause(Duration.ofMillis(50)).resumeReading().awaitBytes(SLOW_MESSAGES * 1001).endOutput();
            SimClient.connect(host, server.address(), "rude").send("hi\n").await("hi\n").reset();
            network.runUntil(() -> ann.isDone() && slow.isDone(), Duration.ofHours(1));
            ann.endOutput();
            network.run(Duration.ofSeconds(1));
            SimClient.connect(host, server.address(), "bob").send("last\n").await("last\n").close();
            network.run(Duration.ofSeconds(1));
            if (made != null) {
                made.end();
            }
        }
    }

    Recording recording() {
        return java.util.Objects.requireNonNull(recording);
    }
}
