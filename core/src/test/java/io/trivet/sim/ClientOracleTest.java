package io.trivet.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The oracle finds what is wrong, and raises no alarm for what faults or the server's policy explain. */
final class ClientOracleTest {
    private static final InetSocketAddress FREE_PORT = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);
    private static final InetAddress CLIENTS = InetAddress.ofLiteral("10.0.0.1");

    private final SimNetwork network = SimNetwork.of(1, FaultPlan.none());
    private TcpListener listener;
    private SimClient client;
    private TcpStream peer;

    @BeforeEach
    void connect() throws IOException {
        listener = network.listen(FREE_PORT, 5);
        client = SimClient.connect(network.host(CLIENTS), listener.localAddress(), "ann");
        network.run(Duration.ofSeconds(1));
        peer = listener.accept();
    }

    private void receive(String text) throws IOException {
        peer.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
        network.run(Duration.ofSeconds(1));
    }

    private void end() throws IOException {
        peer.shutdownOutput();
        network.run(Duration.ofSeconds(1));
    }

    private void reset() throws IOException {
        peer.setOption(StandardSocketOptions.SO_LINGER, 0);
        peer.close();
        network.run(Duration.ofSeconds(1));
    }

    private void fails(ClientOracle oracle, String part) {
        assertThatThrownBy(() -> oracle.check(client)).isInstanceOf(AssertionError.class).hasMessageContaining("ann " + part);
    }

    @Test
    void everythingInOrderIsComplete() throws IOException {
        receive("a\nb\n");
        assertThat(ClientOracle.expecting("a\n", "b\n").check(client)).isTrue();
        end();
        assertThat(ClientOracle.expecting("a\n", "b\n").check(client)).isTrue();
        assertThat(ClientOracle.expectingBytes(List.of(new byte[]{'a', '\n', 'b'}, new byte[]{'\n'})).check(client)).isTrue();
    }

    @Test
    void anotherOrderADuplicateAGapAndMoreAreFound() throws IOException {
        receive("a\nb\n");
        for (List<String> expected : List.of(List.of("b\n", "a\n"), List.of("a\n", "x\n", "b\n"), List.of("a\n"),
                List.<String>of())) {
            fails(ClientOracle.expecting(expected), "has received what it must not receive");
        }
        ClientOracle once = ClientOracle.expecting("a\n", "b\n", "c\n");
        receive("b\n");
        fails(once.mayDrop(), "has received what it must not receive: after 4 bytes that are right comes \"b\\n\", "
                + "but expected is \"c\\n\"");
        assertThatThrownBy(() -> once.checkSoFar(client)).isInstanceOf(AssertionError.class);
    }

    @Test
    void whatIsMissingIsFoundWhileConnectedAndAfterACleanEnd() throws IOException {
        ClientOracle oracle = ClientOracle.expecting("a\n", "b\n");
        receive("a\n");
        oracle.checkSoFar(client);
        fails(oracle, "is still connected, and has not received everything");
        end();
        fails(oracle, "has read the end of its input before it had received everything");
        assertThat(oracle.mayEndEarly().check(client)).isFalse();
    }

    @Test
    void aCleanEndWithinAMessageIsNeverAllowed() throws IOException {
        receive("a\nb");
        end();
        fails(ClientOracle.expecting("a\n", "b\n").mayEndEarly().mayDrop().mayReset(),
                "has read the end of its input in the middle");
    }

    @Test
    void aResetNeedsAReason() throws IOException {
        ClientOracle oracle = ClientOracle.expecting("a\n", "b\n");
        receive("a\nb");
        reset();
        fails(oracle, "was reset by the server, and no fault explains it");
        assertThat(oracle.mayReset().check(client)).isFalse();
    }

    @Test
    void aResetAfterInputWasLeftUnreadNeedsAReasonToo() throws IOException {
        client.send("x");
        network.run(Duration.ofSeconds(1));
        peer.close();
        network.run(Duration.ofSeconds(1));
        assertThat(client.end()).isEqualTo(ClientEnd.RESET);
        fails(ClientOracle.expecting("a\n"),
                "was reset by the server, and no fault explains it: the server has closed the connection"
                        + " before it had read everything");
        assertThat(ClientOracle.expecting("a\n").mayReset().check(client)).isFalse();
    }

    @Test
    void aResetBeforeTheConnectIsNoticedIsAReset() throws IOException {
        SimNetwork late = SimNetwork.of(1, FaultPlan.none().with(Fault.CONNECT_LATE, 1));
        try (Server server = Server.builder().network(late).listen(FREE_PORT).handler(new Handler() {
            @Override
            public void onOpen(Connection connection) {
                connection.reset();
            }

            @Override
            public void onMessage(Connection connection, ByteBuffer message) {}
        }).open()) {
            SimClient refused = SimClient.connect(late.host(CLIENTS), server.address());
            late.run(Duration.ofSeconds(1));
            assertThat(refused.end()).isEqualTo(ClientEnd.RESET);
            assertThat(ClientOracle.expecting("a\n").mayReset().check(refused)).isFalse();
        }
    }

    /** Only a jump during the connection can have expired its deadlines. */
    @Test
    void aJumpOfTheClockExplainsOnlyTheConnectionsThatItHits() throws IOException {
        SimNetwork jumping = SimNetwork.of(1, FaultPlan.none().with(Fault.CLOCK_JUMP, 1));
        try (Server server = Server.builder().network(jumping).listen(FREE_PORT).framing(Framing.lines())
                .onMessage((connection, line) -> connection.finish()).open()) {
            SimClient hit = SimClient.connect(jumping.host(CLIENTS), server.address()).send("x\n");
            jumping.run(Duration.ofSeconds(1));
            assertThat(ClientOracle.expecting("a\n").check(hit)).isFalse();
            jumping.stopFaults();
            SimClient later = SimClient.connect(jumping.host(CLIENTS), server.address()).send("x\n");
            jumping.run(Duration.ofSeconds(1));
            assertThatThrownBy(() -> ClientOracle.expecting("a\n").check(later)).isInstanceOf(AssertionError.class)
                    .hasMessageContaining("has read the end of its input before it had received everything");
        }
    }

    @Test
    void aClientThatHasStoppedReadingMustReadAgain() throws IOException {
        client.pauseReading();
        network.run(Duration.ofSeconds(1));
        reset();
        fails(ClientOracle.expecting("a\n").mayReset(),
                "is still connected, and has not received everything; it has stopped reading");
        client.resumeReading();
        network.run(Duration.ofSeconds(1));
        assertThat(ClientOracle.expecting("a\n").mayReset().check(client)).isFalse();
    }

    @Test
    void aRefusedConnectNeedsAReason() throws IOException {
        InetSocketAddress address = listener.localAddress();
        listener.close();
        client = SimClient.connect(network.host(CLIENTS), address, "ann");
        network.run(Duration.ofSeconds(1));
        fails(ClientOracle.expecting("a\n"), "was not connected, and no fault explains it");
        assertThat(ClientOracle.expecting("a\n").mayRefuse().check(client)).isFalse();
    }

    @Test
    void aClientThatHasResetMayMissAnythingButReceivesNothingElse() throws IOException {
        receive("a\n");
        client.reset();
        network.run(Duration.ofSeconds(1));
        assertThat(ClientOracle.expecting("a\n", "b\n").check(client)).isFalse();
        fails(ClientOracle.expecting("b\n"), "has received what it must not receive");
    }

    @Test
    void sequencesInterleaveInAnyWayAlsoWithEqualMessages() throws IOException {
        receive("hi\ny\nhi\nx\n");
        ClientOracle both = ClientOracle.expecting("hi\n", "x\n").and(List.of("hi\n", "y\n"));
        assertThat(both.check(client)).isTrue();
        fails(both.and(List.of("z\n")), "is still connected");
        assertThat(both.andUpTo(List.of("z\n")).check(client)).isFalse();
        assertThat(both.andUpTo(List.of()).check(client)).isTrue();
        fails(ClientOracle.expecting("x\n", "hi\n").and(List.of("hi\n", "y\n")), "has received what it must not receive");
    }

    @Test
    void binarySequencesInterleaveToo() throws IOException {
        receive("a\nx\n");
        ClientOracle oracle = ClientOracle.expectingBytes(List.of(new byte[]{'x', '\n'}));
        assertThat(oracle.andBytes(List.of(new byte[]{'a', '\n'})).check(client)).isTrue();
        assertThat(oracle.andBytesUpTo(List.of(new byte[]{'a', '\n'}, new byte[]{'b', '\n'})).check(client)).isFalse();
        fails(oracle.andBytes(List.of(new byte[]{'b', '\n'})), "has received what it must not receive");
    }

    @Test
    void equalMessagesOfManySequencesAreReadOrRefused() throws IOException {
        receive("hi\n".repeat(199));
        List<String> equal = Collections.nCopies(50, "hi\n");
        ClientOracle oracle = ClientOracle.expecting(equal).and(equal).and(equal).and(equal);
        assertThatThrownBy(() -> oracle.check(client)).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("ways to read what was received");
        receive("hi\n");
        assertThat(oracle.check(client)).isTrue();
    }

    @Test
    void droppedAndLateMessagesAreAllowedOnRequest() throws IOException {
        List<String> all = List.of("a\n", "b\n", "c\n", "d\n");
        receive("b\nd\n");
        assertThat(ClientOracle.expecting(all).mayDrop().check(client)).isFalse();
        assertThat(ClientOracle.expecting("b\n", "d\n").mayDrop().check(client)).isTrue();
        fails(ClientOracle.expecting("b\n", "d\n", "newest\n").mayDrop(), "is still connected, and has not received everything");
        fails(ClientOracle.expecting("b\n", "d\n", "newest\n").and(List.of()).mayDrop(), "is still connected");
        assertThat(ClientOracle.expecting("b\n", "d\n", "newest\n").mayDrop().and(List.of("d\n")).check(client)).isFalse();
        fails(ClientOracle.expecting(all).mayStartLate(), "has received what it must not receive: after 2 bytes");
        assertThat(ClientOracle.expecting("a\n", "b\n", "d\n").mayStartLate().check(client)).isFalse();
    }

    /** A correct server, a thousand clients, all faults, all policies: no false alarm. */
    @Test
    void aCorrectServerRaisesNoAlarm() throws IOException {
        Set<ClientEnd> ends = EnumSet.noneOf(ClientEnd.class);
        int complete = 0;
        int checked = 0;
        for (long seed = 1; seed <= 200; seed++) {
            Overflow overflow = List.copyOf(EnumSet.allOf(Overflow.class)).get((int) (seed % 3));
            SimNetwork each = SimNetwork.of(seed, FaultPlan.of(seed));
            try (Server server = Server.builder().network(each).listen(FREE_PORT).framing(Framing.lines()).overflow(overflow)
                    .limits(Limits.defaults().withQueueBytesMax(4096))
                    .onMessage((connection, line) -> connection.send(line)).open()) {
                List<String> lines = IntStream.range(0, 40).mapToObj(i -> "line " + i + " " + "x".repeat(i * 10) + "\n").toList();
                List<SimClient> clients = new ArrayList<>();
                for (int i = 0; i < 5; i++) {
                    SimClient scripted = SimClient.connect(each.host(CLIENTS), server.address(), "seed " + seed + " client " + i);
                    if (i == 1) {
                        scripted.pauseReading();
                    }
                    for (String line : lines) {
                        if (i % 2 == 0) {
                            scripted.sendInPieces(line).await("\n");
                        } else {
                            scripted.send(line);
                        }
                    }
                    scripted.pause(Duration.ofSeconds(1)).resumeReading();
                    clients.add(i == 4 ? scripted.reset() : scripted.endOutput());
                }
                each.run(Duration.ofSeconds(20));
                each.stopFaults();
                each.run(Duration.ofMinutes(5));
                ClientOracle oracle = ClientOracle.expecting(lines);
                oracle = overflow == Overflow.DROP_OLDEST ? oracle.mayDrop() : oracle;
                oracle = overflow == Overflow.DISCONNECT ? oracle.mayReset() : oracle;
                for (SimClient scripted : clients) {
                    complete += oracle.check(scripted) ? 1 : 0;
                    checked++;
                    ends.add(scripted.end());
                }
            }
        }
        assertThat(complete).isGreaterThan(checked / 3);
        assertThat(ends).contains(ClientEnd.ENDED, ClientEnd.RESET, ClientEnd.REFUSED, ClientEnd.CLOSED);
    }
}
