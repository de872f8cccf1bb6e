package io.trivet.scenarios;

import io.trivet.net.TcpStream;
import io.trivet.server.Framing;
import io.trivet.server.Server;
import io.trivet.sim.SimHost;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;

/** Opens a server again at the address of one that has closed, after some of the scenarios, and checks that it serves a client. */
final class Reopening {
    private static final int ONE_IN = 8;
    private static final Duration STEP = Duration.ofMillis(10);
    private static final byte[] LINE = MessageContent.ascii("again\n");

    private final RunContext context;
    private final ServerUnderTest closed;
    private final SimHost clients;

    Reopening(RunContext context, ServerUnderTest closed, SimHost clients) {
        this.context = context;
        this.closed = closed;
        this.clients = clients;
    }

    static boolean appliesTo(Scenario scenario) {
        return new SeededRandom(scenario.seed() ^ 0x72656f70656eL).below(ONE_IN) == 0; // "reopen" in ASCII
    }

    void perform(FinalChecker.Advance time) throws IOException {
        context.timeline.log(closed + ": opens again at " + closed.address);
        try (Server server = Server.builder().network(closed.network().host()).listen(closed.address).framing(Framing.lines())
                .onMessage((connection, line) -> connection.send(line)).open()) {
            serve(server, time);
        }
        time.advance(STEP);
    }

    private void serve(Server server, FinalChecker.Advance time) throws IOException {
        ByteBuffer answer = ByteBuffer.allocate(2 * LINE.length);
        try (TcpStream client = clients.connect(server.address())) {
            time.advance(STEP);
            boolean connected = client.finishConnect();
            client.write(ByteBuffer.wrap(LINE));
            time.advance(STEP);
            client.read(answer);
            if (!connected || !answer.flip().equals(ByteBuffer.wrap(LINE))) {
                context.failures.report(Rule.LIVENESS,
                        closed + " is opened again and " + (connected ? "does not answer" : "accepts no connection"));
            }
        }
    }
}
