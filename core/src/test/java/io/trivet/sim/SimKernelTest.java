package io.trivet.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.Loop;
import io.trivet.net.NetworkException;
import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import io.trivet.net.Socket;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpOptions;
import io.trivet.net.TcpStream;
import io.trivet.select.Select;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the contract of the engines does not cover: descriptor tables, hosts, time. */
final class SimKernelTest {
    private static final InetSocketAddress FREE_PORT = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);

    private final SimNetwork network = SimNetwork.of(1, FaultPlan.none(), SimEngine.EPOLL);
    private final SimHost clients = network.host(InetAddress.ofLiteral("10.0.0.7"));

    private static void assertFails(ErrorCode code, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOfSatisfying(NetworkException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    @Test
    void theLowestFreeNumberIsAssignedFirst() throws IOException {
        TcpListener first = network.listen(FREE_PORT, 1);
        TcpListener second = network.listen(FREE_PORT, 1);
        TcpListener third = network.listen(FREE_PORT, 1);
        assertThat(List.of(first.fd(), second.fd(), third.fd())).containsExactly(3, 4, 5);
        second.close();
        first.close();
        assertThat(network.listen(FREE_PORT, 1).fd()).isEqualTo(3);
        assertThat(network.listen(FREE_PORT, 1).fd()).isEqualTo(4);
        assertThat(network.listen(FREE_PORT, 1).fd()).isEqualTo(6);
    }

    @Test
    void aConnectionWaitsWhileTheDescriptorTableIsFull() throws IOException {
        TcpListener listener = network.listen(FREE_PORT, 8);
        network.descriptorLimit(4);
        TcpStream client = clients.connect(listener.localAddress());
        assertFails(ErrorCode.EMFILE, listener::accept);
        assertFails(ErrorCode.EMFILE, () -> network.connect(listener.localAddress()));
        assertFails(ErrorCode.EMFILE, () -> network.listen(FREE_PORT, 1));
        assertFails(ErrorCode.EMFILE, network::pipe);
        assertFails(ErrorCode.EMFILE, network::poller);
        assertThat(network.openDescriptors()).isEqualTo(1);

        network.descriptorLimit(5);
        TcpStream server = listener.accept();
        assertThat(server).isNotNull();
        assertThat(server.remoteAddress()).isEqualTo(client.localAddress());
        assertThat(server.remoteAddress().getAddress()).isEqualTo(clients.address());
        assertThat(network.describeDescriptors()).contains("3: listener", "4: ");
    }

    @Test
    void eachHostHasItsOwnTableAndFamily() throws IOException {
        TcpListener listener = network.listen(FREE_PORT, 8);
        TcpStream client = clients.connect(listener.localAddress());
        assertThat(client.fd()).isEqualTo(listener.fd());
        assertThatThrownBy(() -> Select.on(network).select(List.of(client), List.of(), List.of(), Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> network.poller().register(client, Interest.READ, 1))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aConnectToAFullBacklogIsRetriedAndTimesOut() throws IOException {
        TcpListener listener = network.listen(FREE_PORT, 1);
        clients.connect(listener.localAddress());
        clients.connect(listener.localAddress());
        TcpStream third = clients.connect(listener.localAddress());
        TcpStream fourth = clients.connect(listener.localAddress());
        network.run(Duration.ofMillis(900));
        assertThat(third.finishConnect()).isFalse();
        assertThat(listener.accept()).isNotNull();
        network.run(Duration.ofMillis(200));
        assertThat(third.finishConnect()).as("the second attempt, after a second").isTrue();

        network.run(Duration.ofSeconds(125));
        assertThat(fourth.finishConnect()).isFalse();
        network.run(Duration.ofSeconds(2));
        assertFails(ErrorCode.ETIMEDOUT, fourth::finishConnect);
    }

    @Test
    void closingAListenerResetsWaitingConnections() throws IOException {
        TcpListener listener = network.listen(FREE_PORT, 4);
        TcpStream client = clients.connect(listener.localAddress());
        assertThat(client.finishConnect()).isTrue();
        listener.close();
        assertFails(ErrorCode.ECONNRESET, () -> client.read(ByteBuffer.allocate(1)));
    }

    @Test
    void closingAListenerDuringAHandshakeResetsTheClient() throws IOException {
        SimNetwork slow = SimNetwork.of(5, FaultPlan.none().with(Fault.LATENCY, 1), SimEngine.EPOLL);
        TcpListener listener = slow.listen(FREE_PORT, 100);
        List<TcpStream> connecting = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            connecting.add(slow.connect(listener.localAddress()));
        }
        slow.run(Duration.ofMillis(60));
        for (TcpStream client : List.copyOf(connecting)) {
            if (client.finishConnect()) {
                connecting.remove(client);
            }
        }
        listener.close();
        slow.run(Duration.ofSeconds(1));
        List<ErrorCode> errors = new ArrayList<>();
        for (TcpStream client : connecting) {
            assertThatThrownBy(client::finishConnect).isInstanceOfSatisfying(NetworkException.class, e -> errors.add(e.code()));
        }
        assertThat(errors).as("the SYN found no listener; or found one that was closed later").contains(ErrorCode.ECONNREFUSED,
                ErrorCode.ECONNRESET);
    }

    @Test
    void shuttingDownAConnectAbandonsItWithoutEndingTheInput() throws IOException {
        TcpListener listener = network.listen(FREE_PORT, 1);
        clients.connect(listener.localAddress());
        clients.connect(listener.localAddress());
        TcpStream third = clients.connect(listener.localAddress());
        assertThat(third.finishConnect()).isFalse();
        third.shutdownOutput();
        assertFails(ErrorCode.ECONNRESET, () -> third.read(ByteBuffer.allocate(1)));
        assertFails(ErrorCode.ENOTCONN, () -> third.read(ByteBuffer.allocate(1)));
        assertFails(ErrorCode.EPIPE, () -> third.write(ByteBuffer.allocate(1)));
        assertFails(ErrorCode.ENOTCONN, third::shutdownInput);
        assertThat(third.read(ByteBuffer.allocate(1))).as("now the input has ended").isEqualTo(-1);
    }

    @Test
    void aStreamIsWritableWhileLessThanHalfOfTheMarkIsUnsent() throws IOException {
        network.buffers(1 << 20, 10_000);
        TcpListener listener = network.listen(FREE_PORT, 1);
        TcpStream client = network.connect(listener.localAddress());
        client.setOption(TcpOptions.NOT_SENT_LOW_WATER, 4000);
        assertThat(client.write(ByteBuffer.allocate(11_900))).isEqualTo(11_900);
        assertThat(Select.on(network).select(List.of(), List.of(client), List.of(), Duration.ZERO).writable()).isNotEmpty();
        assertThat(client.write(ByteBuffer.allocate(100))).isEqualTo(100);
        assertThat(Select.on(network).select(List.of(), List.of(client), List.of(), Duration.ZERO).writable()).isEmpty();
        assertThat(client.write(ByteBuffer.allocate(100))).as("a write is accepted nevertheless").isEqualTo(100);
    }

    @Test
    void bytesForAClosedEndAreAnsweredByAReset() throws IOException {
        TcpListener listener = network.listen(FREE_PORT, 4);
        TcpStream client = clients.connect(listener.localAddress());
        TcpStream server = listener.accept();
        server.close();
        assertThat(client.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        assertThat(client.write(ByteBuffer.allocate(3))).as("the close is not known yet").isEqualTo(3);
        assertFails(ErrorCode.EPIPE, () -> client.write(ByteBuffer.allocate(3)));
    }

    @Test
    void bytesWrittenBeforeAnOrderlyCloseArrive() throws IOException {
        TcpListener listener = network.listen(FREE_PORT, 4);
        TcpStream client = clients.connect(listener.localAddress());
        TcpStream server = listener.accept();
        ByteBuffer much = ByteBuffer.allocate(1 << 20);
        int sent = server.write(much);
        server.close();
        int read = 0;
        int last;
        while ((last = client.read(ByteBuffer.allocate(1000))) > 0) {
            read += last;
        }
        assertThat(last).isEqualTo(-1);
        assertThat(read).isEqualTo(sent).isPositive();
    }

    @Test
    void aBufferSizeIsDoubledAndHasAMinimum() throws IOException {
        TcpListener listener = network.listen(FREE_PORT, 4);
        TcpStream client = clients.connect(listener.localAddress());
        client.setOption(StandardSocketOptions.SO_SNDBUF, 1);
        assertThat(client.getOption(StandardSocketOptions.SO_SNDBUF)).isEqualTo(4608);
        client.setOption(StandardSocketOptions.SO_RCVBUF, 10_000_000);
        assertThat(client.getOption(StandardSocketOptions.SO_RCVBUF)).isEqualTo(425_984);
    }

    @Test
    void onlyEpollRefusesAFile() throws IOException {
        for (SimEngine engine : SimEngine.values()) {
            SimHost host = network.host(clients.address(), engine, FaultPlan.none());
            Socket file = host.openFile();
            Poller poller = host.poller();
            if (engine == SimEngine.SELECT || engine == SimEngine.POLL) {
                poller.register(file, Interest.READ | Interest.WRITE, 7);
                ReadyEvents out = new ReadyEvents(1);
                assertThat(poller.poll(out, 0)).isEqualTo(1);
                assertThat(out.events(0)).isEqualTo(Interest.READ | Interest.WRITE);
            } else {
                assertFails(ErrorCode.EPERM, () -> poller.register(file, Interest.READ, 7));
                assertThat(poller.registration(file)).isNull();
            }
        }
    }

    @Test
    void timePassesToTheDeadlineOfALoop() throws IOException {
        List<Duration> turns = new ArrayList<>();
        network.attach(new Loop() {
            private long next = network.clock().nanoTime() + 1_000_000_000;

            @Override
            public int turn() {
                if (network.clock().nanoTime() - next < 0) {
                    return 0;
                }
                turns.add(network.clock().elapsed());
                next += 1_000_000_000;
                return 1;
            }

            @Override
            public long nextDeadline() {
                return next;
            }
        });
        network.run(Duration.ofMillis(3_500));
        assertThat(turns).containsExactly(Duration.ofSeconds(1), Duration.ofSeconds(2), Duration.ofSeconds(3));
        assertThat(network.clock().elapsed()).isEqualTo(Duration.ofMillis(3_500));
        assertThat(network.rounds()).as("no loop is turned without a reason").isLessThan(20);
    }

    @Test
    void aLoopThatSpinsUsesUpSimulatedTime() throws IOException {
        network.attach(new Loop() {
            @Override
            public int turn() {
                return 1;
            }

            @Override
            public long nextDeadline() {
                return NO_DEADLINE;
            }
        });
        network.run(Duration.ofMillis(1));
        assertThat(network.rounds()).isEqualTo(1_000);
    }

    @Test
    void aWaitTurnsTheLoopsUntilItHasAnAnswer() throws IOException {
        TcpListener listener = network.listen(FREE_PORT, 4);
        TcpStream client = clients.connect(listener.localAddress());
        network.attach(new Loop() {
            @Override
            public int turn() throws IOException {
                TcpStream accepted = listener.accept();
                return accepted == null ? 0 : accepted.write(ByteBuffer.allocate(4));
            }

            @Override
            public long nextDeadline() {
                return NO_DEADLINE;
            }
        });
        assertThat(Select.on(clients).select(List.of(client), List.of(), List.of(), null).readable()).containsExactly(client);
        assertThat(client.read(ByteBuffer.allocate(8))).isEqualTo(4);
        assertThatThrownBy(() -> Select.on(clients).select(List.of(client), List.of(), List.of(), null))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("never end");
    }

    @Test
    void nothingWaitsInsideALoop() throws IOException {
        List<Long> waited = new ArrayList<>();
        Poller poller = network.poller();
        network.attach(new Loop() {
            @Override
            public int turn() throws IOException {
                long begun = network.clock().nanoTime();
                poller.poll(new ReadyEvents(1), Duration.ofDays(1).toNanos());
                waited.add(network.clock().nanoTime() - begun);
                assertThatThrownBy(() -> network.run(Duration.ZERO)).isInstanceOf(IllegalStateException.class);
                return 0;
            }

            @Override
            public long nextDeadline() {
                return NO_DEADLINE;
            }
        });
        network.run(Duration.ofSeconds(1));
        assertThat(waited).isNotEmpty().containsOnly(0L);
    }

    @Test
    void stoppingTheFaultsReleasesWhatWasStalled() throws IOException {
        SimNetwork slow = SimNetwork.of(3, FaultPlan.none().with(Fault.STALL, 1), SimEngine.EPOLL);
        TcpListener listener = slow.listen(FREE_PORT, 4);
        TcpStream client = slow.connect(listener.localAddress());
        TcpStream server = listener.accept();
        server.write(ByteBuffer.allocate(5));
        slow.run(Duration.ofMillis(10));
        assertThat(client.read(ByteBuffer.allocate(8))).isZero();
        slow.stopFaults();
        assertThat(client.read(ByteBuffer.allocate(8))).isEqualTo(5);
        assertThat(slow.faultCounts().get(Fault.STALL)).isPositive();
    }

    @Test
    void aResetCanFollowAnyByte() throws IOException {
        List<Integer> cuts = new ArrayList<>();
        for (long seed = 0; seed < 200; seed++) {
            SimNetwork broken = SimNetwork.of(seed, FaultPlan.none().with(Fault.RESET, 1), SimEngine.EPOLL);
            broken.buffers(1000, 1000);
            TcpListener listener = broken.listen(FREE_PORT, 4);
            TcpStream client = broken.connect(listener.localAddress());
            TcpStream server = listener.accept();
            server.write(ByteBuffer.allocate(10));
            ByteBuffer in = ByteBuffer.allocate(100);
            assertFails(ErrorCode.ECONNRESET, () -> {
                while (client.read(in) > 0) {
                    assertThat(in.position()).isLessThanOrEqualTo(10);
                }
            });
            cuts.add(in.position());
            assertFails(ErrorCode.ECONNRESET, () -> server.write(ByteBuffer.allocate(1)));
        }
        assertThat(cuts.stream().distinct().sorted().toList()).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    }
}
