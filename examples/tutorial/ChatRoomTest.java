import io.trivet.junit.Seeds;
import io.trivet.server.Server;
import io.trivet.sim.ClientOracle;
import io.trivet.sim.SimClient;
import io.trivet.sim.SimHost;
import io.trivet.sim.SimNetwork;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;

/** Finds the bugs of {@link ChatRoom}: see docs/simulation.md. */
class ChatRoomTest {
    private static final InetSocketAddress ADDRESS = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 8080);
    private static final InetAddress CLIENTS = InetAddress.ofLiteral("10.0.0.1");

    @Seeds(count = 1000)
    void everyMemberReceivesEveryLine(SimNetwork network) throws IOException {
        try (Server room = ChatRoom.open(network, ADDRESS)) {
            SimHost host = network.host(CLIENTS);
            SimClient ann = SimClient.connect(host, room.address(), "ann").sendInPieces("ann\n").await("welcome ann\n");
            SimClient bob = SimClient.connect(host, room.address(), "bob").sendInPieces("bob\n").await("welcome bob\n");
            network.runUntil(() -> ann.isDone() && bob.isDone(), Duration.ofMinutes(3));
            ann.sendInPieces("hello\nhow are you?\n");
            bob.sendInPieces("hi\n");
            settle(network);

            List<String> ofAnn = List.of("ann: hello\n", "ann: how are you?\n");
            List<String> ofBob = List.of("bob: hi\n");
            and(ClientOracle.expecting("welcome ann\n", "ann: hello\n", "ann: how are you?\n"), ofBob, bob).check(ann);
            and(ClientOracle.expecting("welcome bob\n", "bob: hi\n"), ofAnn, ann).check(bob);
        }
    }

    @Seeds(count = 1000)
    void aNameIsFreeWhenItsMemberHasLeft(SimNetwork network) throws IOException {
        try (Server room = ChatRoom.open(network, ADDRESS)) {
            SimHost host = network.host(CLIENTS);
            SimClient.connect(host, room.address(), "ann").send("ann\n").await("welcome ann\n").send("one\ntwo\n").endOutput();
            settle(network);
            SimClient again = SimClient.connect(host, room.address(), "ann, again").send("ann\n");
            settle(network);
            ClientOracle.expecting("welcome ann\n").check(again);
        }
    }

    @Seeds(count = 1000)
    void quitIsAnswered(SimNetwork network) throws IOException {
        try (Server room = ChatRoom.open(network, ADDRESS)) {
            SimClient ann = SimClient.connect(network.host(CLIENTS), room.address(), "ann").send("ann\nhello\n/quit\n");
            settle(network);
            ClientOracle.expecting("welcome ann\n", "ann: hello\n", "bye\n").check(ann);
        }
    }

    /** Ends the faults, and lets everything happen that is still to come. */
    private static void settle(SimNetwork network) throws IOException {
        network.run(Duration.ofMinutes(1));
        network.stopFaults();
        network.run(Duration.ofMinutes(1));
    }

    /** Adds another member's lines. All of them were accepted if that member has seen the last one itself. */
    private static ClientOracle and(ClientOracle oracle, List<String> lines, SimClient sender) {
        return sender.receivedText().contains(lines.getLast()) ? oracle.and(lines) : oracle.andUpTo(lines);
    }
}
