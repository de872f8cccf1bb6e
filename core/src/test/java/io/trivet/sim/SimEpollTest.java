package io.trivet.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.Interest;
import io.trivet.net.Poller;
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

/** What wakes a simulated epoll, and what does not: it looks at a socket again only after an event that concerns it. */
final class SimEpollTest {
    private static final int BOTH = Interest.READ | Interest.WRITE;

    private final SimNetwork network = SimNetwork.of(1, FaultPlan.none(), SimEngine.EPOLL);
    private TcpStream client;
    private TcpStream server;
    private Poller poller;

    @BeforeEach
    void connect() throws IOException {
        network.buffers(1000, 1000);
        TcpListener listener = network.listen(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 4);
        client = network.connect(listener.localAddress());
        server = listener.accept();
        poller = network.poller();
    }

    private int poll() throws IOException {
        ReadyEvents out = new ReadyEvents(4);
        return poller.poll(out, 0) == 0 ? 0 : out.events(0);
    }

    @Test
    void aSocketIsReportedForAsLongAsItIsReady() throws IOException {
        poller.register(server, Interest.READ, 1);
        assertThat(poll()).isZero();
        client.write(ByteBuffer.allocate(4));
        assertThat(poll()).isEqualTo(Interest.READ);
        server.read(ByteBuffer.allocate(2));
        assertThat(poll()).isEqualTo(Interest.READ);
        server.read(ByteBuffer.allocate(2));
        assertThat(poll()).isZero();
    }

    @Test
    void roomIsReportedAfterACallFoundNone() throws IOException {
        poller.register(client, Interest.WRITE, 1);
        while (client.write(ByteBuffer.allocate(100)) > 0) {
            assertThat(poll()).isIn(0, Interest.WRITE);
        }
        assertThat(poll()).isZero();
        assertThat(server.read(ByteBuffer.allocate(5000))).isPositive();
        assertThat(poll()).isEqualTo(Interest.WRITE);
    }

    @Test
    void acknowledgedBytesWakeNothingUnlessTheyMakeTheRoomThatWasMissed() throws IOException {
        client.setOption(StandardSocketOptions.SO_SNDBUF, 8000);
        poller.register(client, BOTH, 1);
        while (client.write(ByteBuffer.allocate(1000)) > 0) {
            assertThat(poll() & Interest.READ).isZero();
        }
        assertThat(server.sendUrgent((byte) 'u')).isTrue();
        assertThat(poll()).as("an urgent byte alone is nothing to read").isZero();
        client.setOption(TcpOptions.URGENT_INLINE, true);
        assertThat(poll()).as("now it is readable, but nothing was woken").isZero();
        client.setOption(TcpOptions.NOT_SENT_LOW_WATER, 40_000);
        assertThat(poll()).as("a low-water mark makes no room").isZero();
        assertThat(server.read(ByteBuffer.allocate(600))).isEqualTo(600);
        assertThat(poll()).as("a few bytes were acknowledged").isZero();
        ByteBuffer in = ByteBuffer.allocate(20_000);
        while (server.read(in) > 0) {
            assertThat(in.hasRemaining()).isTrue();
        }
        assertThat(poll()).isEqualTo(BOTH);
    }

    /** Kernel script 7000005555 has shown it. */
    @Test
    void shutdownOfAnOutputThatWasShutBeforeWakesToo() throws IOException {
        server.shutdownOutput();
        poller.register(server, Interest.READ, 1);
        assertThat(client.sendUrgent((byte) 'u')).isTrue();
        assertThat(poll()).as("an urgent byte alone is nothing to read").isZero();
        server.setOption(TcpOptions.URGENT_INLINE, true);
        assertThat(poll()).as("readable, but nothing was woken").isZero();
        server.shutdownOutput();
        assertThat(poll()).isEqualTo(Interest.READ);
    }
}
