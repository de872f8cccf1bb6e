package io.trivet.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.contract.CompletionLog;
import io.trivet.net.Interest;
import io.trivet.net.Loop;
import io.trivet.net.Poller;
import io.trivet.net.Proactor;
import io.trivet.net.ReadyEvents;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A loop that has nothing to do sleeps, and is woken by what would wake a thread that waits in the kernel. */
final class SimLoopsTest {
    private static final InetSocketAddress FREE_PORT = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);
    private static final int ROUNDS = 1_000;

    /** The turn of a loop. */
    private interface Turn {
        int turn() throws IOException;
    }

    private static final class TestLoop implements Loop {
        private final Turn turn;
        private int turns;
        private long deadline = NO_DEADLINE;

        TestLoop(Turn turn) {
            this.turn = turn;
        }

        @Override
        public int turn() throws IOException {
            turns++;
            return turn.turn();
        }

        @Override
        public long nextDeadline() {
            return deadline;
        }
    }

    /** Returns a loop that always has something to do. */
    private static TestLoop busy() {
        return new TestLoop(() -> 1);
    }

    private static SimNetwork network(SimEngine engine) {
        return SimNetwork.of(1, FaultPlan.none(), engine);
    }

    private static Turn polling(Poller poller) {
        ReadyEvents events = new ReadyEvents(8);
        return () -> poller.poll(events, 0);
    }

    private static void run(SimNetwork network) throws IOException {
        network.run(Duration.ofNanos(ROUNDS * 1_000L));
    }

    @ParameterizedTest
    @EnumSource
    void aLoopSleepsWhileNothingHappensToWhatItPolls(SimEngine engine) throws IOException {
        SimNetwork network = network(engine);
        Poller poller = network.poller();
        poller.register(network.listen(FREE_PORT, 4), Interest.READ, 0);
        TestLoop sleeper = new TestLoop(polling(poller));
        TestLoop busy = busy();
        network.attach(sleeper);
        network.attach(busy);
        run(network);
        assertThat(busy.turns).isGreaterThanOrEqualTo(ROUNDS);
        assertThat(sleeper.turns).isBetween(1, 2);
    }

    @ParameterizedTest
    @EnumSource
    void arrivingBytesWakeALoop(SimEngine engine) throws IOException {
        SimNetwork network = network(engine);
        SimHost clients = network.host(InetAddress.ofLiteral("10.0.0.1"));
        TcpListener listener = network.listen(FREE_PORT, 4);
        TcpStream client = clients.connect(listener.localAddress());
        TcpStream accepted = listener.accept();
        Poller poller = network.poller();
        poller.register(accepted, Interest.READ, 0);
        List<Duration> reported = new ArrayList<>();
        ByteBuffer memory = ByteBuffer.allocate(8);
        Turn poll = polling(poller);
        network.attach(new TestLoop(() -> {
            int ready = poll.turn();
            if (ready > 0) {
                reported.add(network.clock().elapsed());
                accepted.read(memory.clear());
            }
            return ready;
        }));
        TestLoop writer = new TestLoop(() -> {
            boolean due = network.clock().elapsedNanos() == 500_000;
            return due ? client.write(ByteBuffer.allocate(3)) : 1;
        });
        network.attach(writer);
        run(network);
        assertThat(reported).hasSize(1);
        assertThat(reported.getFirst()).isBetween(Duration.ofNanos(500_000), Duration.ofNanos(501_000));
    }

    @ParameterizedTest
    @EnumSource
    void aConnectionThatItsProactorAcceptsWakesALoop(SimEngine engine) throws IOException {
        SimNetwork network = network(engine);
        SimHost clients = network.host(InetAddress.ofLiteral("10.0.0.1"));
        TcpListener listener = network.listen(FREE_PORT, 4);
        Proactor proactor = network.proactor();
        proactor.accept(listener, 0);
        CompletionLog delivered = new CompletionLog(new ArrayList<>());
        network.attach(new TestLoop(() -> proactor.poll(delivered, 0)));
        network.attach(new TestLoop(() -> {
            if (network.clock().elapsedNanos() == 500_000) {
                clients.connect(listener.localAddress());
            }
            return 1;
        }));
        run(network);
        assertThat(delivered.lines()).containsExactly("accepted");
    }

    @ParameterizedTest
    @EnumSource
    void aWakeupWakesALoop(SimEngine engine) throws IOException {
        SimNetwork network = network(engine);
        Proactor proactor = network.proactor();
        CompletionLog delivered = new CompletionLog(new ArrayList<>());
        TestLoop sleeper = new TestLoop(() -> proactor.poll(delivered, 0));
        network.attach(sleeper);
        network.attach(new TestLoop(() -> {
            if (network.clock().elapsedNanos() == 500_000) {
                proactor.wakeup();
            }
            return 1;
        }));
        run(network);
        assertThat(sleeper.turns).isBetween(2, 3);
        assertThat(delivered.lines()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void aDeadlineWakesALoopWhileOthersAreBusy(SimEngine engine) throws IOException {
        SimNetwork network = network(engine);
        Turn poll = polling(network.poller());
        List<Duration> turned = new ArrayList<>();
        TestLoop sleeper = new TestLoop(() -> {
            turned.add(network.clock().elapsed());
            return poll.turn();
        });
        sleeper.deadline = network.clock().nanoTime() + 500_000;
        network.attach(sleeper);
        network.attach(busy());
        network.run(Duration.ofNanos(500_500));
        assertThat(turned).contains(Duration.ofNanos(500_000)).hasSizeLessThan(4);
    }

    @ParameterizedTest
    @EnumSource
    void aDeadlineThatAnotherLoopHasChangedCounts(SimEngine engine) throws IOException {
        SimNetwork network = network(engine);
        Turn poll = polling(network.poller());
        List<Duration> turned = new ArrayList<>();
        TestLoop sleeper = new TestLoop(() -> {
            turned.add(network.clock().elapsed());
            return poll.turn();
        });
        network.attach(sleeper);
        long begin = network.clock().nanoTime();
        network.attach(new TestLoop(() -> {
            sleeper.deadline = begin + 2_000_000_000L;
            return 0;
        }));
        network.run(Duration.ofSeconds(2).plusNanos(1));
        assertThat(turned.getLast()).isEqualTo(Duration.ofSeconds(2));
    }

    @ParameterizedTest
    @EnumSource
    void aLoopThatPollsNothingNeverSleeps(SimEngine engine) throws IOException {
        SimNetwork network = network(engine);
        TestLoop restless = new TestLoop(() -> 0);
        network.attach(restless);
        network.attach(busy());
        run(network);
        assertThat(restless.turns).isGreaterThanOrEqualTo(ROUNDS);
    }

    @ParameterizedTest
    @EnumSource
    void loopsThatShareAPollerNeverSleep(SimEngine engine) throws IOException {
        SimNetwork network = network(engine);
        Poller poller = network.poller();
        TestLoop one = new TestLoop(polling(poller));
        TestLoop other = new TestLoop(polling(poller));
        network.attach(one);
        network.attach(other);
        network.attach(busy());
        run(network);
        assertThat(one.turns).isGreaterThan(ROUNDS / 2);
        assertThat(other.turns).isGreaterThan(ROUNDS / 2);
    }

    @ParameterizedTest
    @EnumSource
    void withheldEventsAreReportedInTime(SimEngine engine) throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none().with(Fault.READY_LATE, 0.9), engine);
        TcpListener listener = network.listen(FREE_PORT, 4);
        SimHost clients = network.host(InetAddress.ofLiteral("10.0.0.1"), SimEngine.EPOLL, FaultPlan.none());
        Poller poller = network.poller();
        List<TcpStream> accepted = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            clients.connect(listener.localAddress());
            TcpStream stream = listener.accept();
            poller.register(stream, Interest.WRITE, i);
            accepted.add(stream);
        }
        ReadyEvents events = new ReadyEvents(8);
        List<Long> reported = new ArrayList<>();
        network.attach(new TestLoop(() -> {
            int ready = poller.poll(events, 0);
            for (int i = 0; i < ready; i++) {
                reported.add(events.token(i));
                poller.deregister(accepted.get((int) events.token(i)));
            }
            return ready;
        }));
        network.run(Duration.ofSeconds(10)); // nothing else happens: only the network itself can wake the loop
        assertThat(reported).containsExactlyInAnyOrder(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L);
    }
}
