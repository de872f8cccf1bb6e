package io.trivet.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.Interest;
import io.trivet.net.ReadyEvents;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpOptions;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What epoll can, and the seam does not ask for: registrations that are not level-triggered. */
final class SimEpollTest {
    private static final int BOTH = Interest.READ | Interest.WRITE;

    private final SimNetwork network = SimNetwork.of(1, FaultPlan.none(), SimEngine.EPOLL);
    private TcpListener listener;
    private TcpStream client;
    private TcpStream server;
    private SimPoller poller;

    @BeforeEach
    void connect() throws IOException {
        network.buffers(1000, 1000);
        listener = network.listen(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 4);
        client = network.connect(listener.localAddress());
        server = listener.accept();
        poller = new SimPoller(network, SimEngine.EPOLL);
    }

    private int poll(SimPoller from) throws IOException {
        ReadyEvents out = new ReadyEvents(4);
        return from.poll(out, 0) == 0 ? 0 : out.events(0);
    }

    @Test
    void anEdgeIsToldOnce() throws IOException {
        poller.register(server, BOTH, 1, SimPoller.Trigger.EDGE);
        assertThat(poll(poller)).isEqualTo(Interest.WRITE);
        assertThat(poll(poller)).isZero();
        client.write(ByteBuffer.allocate(4));
        assertThat(poll(poller)).isEqualTo(BOTH);
        assertThat(poll(poller)).isZero();
        client.write(ByteBuffer.allocate(4));
        assertThat(poll(poller)).as("more of it is an edge too").isEqualTo(BOTH);
        server.write(ByteBuffer.allocate(4));
        assertThat(poll(poller)).as("what was sent has left room as there was before").isZero();
    }

    @Test
    void whatWasReadByHalfIsNotToldAgain() throws IOException {
        poller.register(server, Interest.READ, 1, SimPoller.Trigger.EDGE);
        client.write(ByteBuffer.allocate(4));
        assertThat(poll(poller)).isEqualTo(Interest.READ);
        server.read(ByteBuffer.allocate(2));
        assertThat(poll(poller)).isZero();
    }

    @Test
    void roomIsAnEdgeForWhoFoundNone() throws IOException {
        poller.register(client, Interest.WRITE, 1, SimPoller.Trigger.EDGE);
        assertThat(poll(poller)).isEqualTo(Interest.WRITE);
        while (client.write(ByteBuffer.allocate(100)) > 0) {
            assertThat(poll(poller)).isZero();
        }
        ByteBuffer in = ByteBuffer.allocate(5000);
        assertThat(server.read(in)).isPositive();
        assertThat(poll(poller)).isEqualTo(Interest.WRITE);
        assertThat(poll(poller)).isZero();
    }

    @Test
    void acknowledgedBytesTellNobodyUnlessTheyMakeTheRoomThatWasMissed() throws IOException {
        client.setOption(StandardSocketOptions.SO_SNDBUF, 8000);
        poller.register(client, BOTH, 1);
        while (client.write(ByteBuffer.allocate(1000)) > 0) {
            assertThat(poll(poller) & Interest.READ).isZero();
        }
        assertThat(server.sendUrgent((byte) 'u')).isTrue();
        assertThat(poll(poller)).as("an urgent byte alone is nothing to read").isZero();
        client.setOption(TcpOptions.URGENT_INLINE, true);
        assertThat(poll(poller)).as("now it is, and nobody was told").isZero();
        client.setOption(TcpOptions.NOT_SENT_LOW_WATER, 40_000);
        assertThat(poll(poller)).as("nor does a mark make room").isZero();
        assertThat(server.read(ByteBuffer.allocate(600))).isEqualTo(600);
        assertThat(poll(poller)).as("a little was acknowledged").isZero();
        ByteBuffer in = ByteBuffer.allocate(20_000);
        while (server.read(in) > 0) {
            assertThat(in.hasRemaining()).isTrue();
        }
        assertThat(poll(poller)).isEqualTo(BOTH);
    }

    @Test
    void aOneShotIsToldOnceUntilItIsModified() throws IOException {
        poller.register(server, Interest.READ, 1, SimPoller.Trigger.ONE_SHOT);
        client.write(ByteBuffer.allocate(4));
        assertThat(poll(poller)).isEqualTo(Interest.READ);
        client.write(ByteBuffer.allocate(4));
        assertThat(poll(poller)).isZero();
        poller.modify(server, Interest.READ, 1);
        assertThat(poll(poller)).isEqualTo(Interest.READ);
    }

    @Test
    void ofTwoExclusiveRegistrationsOneIsTold() throws IOException {
        SimPoller other = new SimPoller(network, SimEngine.EPOLL);
        poller.register(listener, Interest.READ, 1, SimPoller.Trigger.EXCLUSIVE);
        other.register(listener, Interest.READ, 2, SimPoller.Trigger.EXCLUSIVE);
        assertThat(poll(poller) | poll(other)).isZero();
        network.connect(listener.localAddress());
        assertThat(poll(poller) + poll(other)).isEqualTo(Interest.READ);
    }
}
