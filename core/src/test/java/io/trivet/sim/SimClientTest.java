package io.trivet.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Scripted clients, on a server that sends back each line. */
final class SimClientTest {
    private static final InetSocketAddress FREE_PORT = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);
    private static final InetAddress CLIENTS = InetAddress.ofLiteral("10.0.0.1");

    private static Server echo(SimNetwork network) throws IOException {
        return server(network, (connection, line) -> connection.send(line));
    }

    private static Server server(SimNetwork network, Handler handler) throws IOException {
        return Server.builder().network(network).listen(FREE_PORT).framing(Framing.lines()).handler(handler).open();
    }

    @ParameterizedTest
    @EnumSource(SimEngine.class)
    void aScriptIsPerformedStepByStep(SimEngine engine) throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none(), engine);
        try (Server server = echo(network)) {
            SimClient client = SimClient.connect(network.host(CLIENTS), server.address(), "ann")
                    .send("one\n").await("one\n").pause(Duration.ofSeconds(2)).sendInPieces("two\nthree\n").awaitBytes(14)
                    .endOutput();
            network.run(Duration.ofSeconds(1));
            assertThat(client.receivedText()).isEqualTo("one\n");
            assertThat(client.isDone()).isFalse();
            assertThat(client.end()).isEqualTo(ClientEnd.OPEN);

            network.run(Duration.ofSeconds(3));
            assertThat(client.receivedLines()).containsExactly("one", "two", "three");
            assertThat(client.isDone()).isTrue();
            assertThat(client.end()).isEqualTo(ClientEnd.ENDED);
            assertThat(client.sent()).asString().isEqualTo("one\ntwo\nthree\n");
            assertThat(client).hasToString("ann");
        }
        assertThat(network.describeDescriptors()).isEmpty();
    }

    @Test
    void sendInPiecesCutsWithoutFaultsDifferentlyForEachSeed() throws IOException {
        List<List<Integer>> cuts = new ArrayList<>();
        for (long seed = 1; seed <= 10; seed++) {
            List<Integer> pieces = new ArrayList<>();
            SimNetwork network = SimNetwork.of(seed, FaultPlan.none());
            try (Server server = Server.builder().network(network).listen(FREE_PORT).framing(Framing.raw())
                    .onMessage((_, bytes) -> pieces.add(bytes.remaining())).open()) {
                SimClient.connect(network.host(CLIENTS), server.address()).sendInPieces("x".repeat(100));
                network.run(Duration.ofSeconds(10));
            }
            assertThat(pieces.stream().mapToInt(piece -> piece).sum()).isEqualTo(100);
            cuts.add(pieces);
        }
        assertThat(cuts).anyMatch(pieces -> pieces.size() > 2).anyMatch(pieces -> pieces.size() == 2);
        assertThat(Set.copyOf(cuts)).hasSizeGreaterThan(3);
    }

    @Test
    void aClientThatStopsReadingFillsTheQueueAndReadsTheRestLater() throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none());
        network.buffers(2048, 2048);
        String line = "x".repeat(999) + "\n";
        try (Server server = echo(network)) {
            SimClient client = SimClient.connect(network.host(CLIENTS), server.address());
            client.pauseReading().send(line.repeat(20)).pause(Duration.ofSeconds(1)).resumeReading().endOutput();
            network.run(Duration.ofMillis(500));
            assertThat(client.received()).isEmpty();
            network.run(Duration.ofSeconds(10));
            assertThat(client.receivedText()).isEqualTo(line.repeat(20));
            assertThat(client.end()).isEqualTo(ClientEnd.ENDED);
        }
    }

    @Test
    void aClientThatCanSendNoMoreReadsWhatHasArrived() throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none());
        try (Server server = server(network, new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) {
                connection.send("bye");
                connection.finish();
            }
        })) {
            SimClient client = SimClient.connect(network.host(CLIENTS), server.address())
                    .pauseReading().send("x\n").pause(Duration.ofMinutes(1)) // longer than the server lingers
                    .send("y\n").pause(Duration.ofSeconds(1)).send("z\n").resumeReading();
            network.run(Duration.ofMinutes(2));
            assertThat(client.end()).isEqualTo(ClientEnd.ENDED);
            assertThat(client.receivedText()).isEqualTo("bye\n");
        }
    }

    @Test
    void theEndOfAConnectionIsRecorded() throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none());
        SimHost host = network.host(CLIENTS);
        InetSocketAddress address;
        List<String> closed = new ArrayList<>();
        try (Server server = server(network, new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) {
                connection.reset();
            }

            @Override
            public void onClose(Connection connection, CloseReason reason) {
                closed.add(reason.name());
            }
        })) {
            address = server.address();
            SimClient reset = SimClient.connect(host, address).send("x\n");
            SimClient resets = SimClient.connect(host, address).pause(Duration.ofSeconds(2)).reset();
            network.run(Duration.ofSeconds(1));
            assertThat(reset.end()).isEqualTo(ClientEnd.RESET);
            assertThat(reset.failure()).hasMessageContaining("ECONNRESET");
            network.run(Duration.ofSeconds(2));
            assertThat(resets.end()).isEqualTo(ClientEnd.CLOSED);
            assertThat(closed).hasSize(2);
        }
        SimClient refused = SimClient.connect(host, address).send("x\n");
        network.run(Duration.ofSeconds(1));
        assertThat(refused.end()).isEqualTo(ClientEnd.REFUSED);
        assertThat(refused.failure()).hasMessageContaining("ECONNREFUSED");
        assertThat(refused.isDone()).isFalse();

        host.descriptorLimit(3);
        SimClient noSocket = SimClient.connect(host, address);
        assertThat(noSocket.end()).isEqualTo(ClientEnd.REFUSED);
        assertThat(noSocket.address()).isNull();
    }

    @Test
    void runUntilReturnsAsSoonAsTheConditionHolds() throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none());
        try (Server server = echo(network)) {
            SimClient client = SimClient.connect(network.host(CLIENTS), server.address()).send("one\n").await("one\n");
            assertThat(network.runUntil(client::isDone, Duration.ofHours(1))).isTrue();
            assertThat(network.clock().elapsed()).isLessThan(Duration.ofSeconds(1));
            assertThat(network.runUntil(() -> false, Duration.ofSeconds(3))).isFalse();
        }
    }

    @Test
    void theTraceTellsTheStoryOfAClient() throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none());
        List<String> trace = new ArrayList<>();
        network.trace((nanos, event) -> trace.add(event));
        try (Server server = echo(network)) {
            SimClient.connect(network.host(CLIENTS), server.address(), "ann").send("a\t\u00e9\n").endOutput();
            network.run(Duration.ofSeconds(1));
        }
        assertThat(trace).containsSubsequence("ann sends \"a\\t\\xC3\\xA9\\n\"", "ann ends its output",
                "ann receives \"a\\t\\xC3\\xA9\\n\"", "ann reads the end of its input");
    }
}
