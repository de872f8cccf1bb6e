package io.trivet.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.net.Capability;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.NetworkException;
import io.trivet.net.Pipe;
import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import io.trivet.net.Registration;
import io.trivet.net.Socket;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.select.FdSet;
import io.trivet.select.Ready;
import io.trivet.select.Select;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** On a tortured network readiness is late, out of order and sometimes spurious, but it comes. */
final class TorturedReadinessTest {
    private static final int SOCKETS = 8;

    @EveryEngine
    void aSpuriousEventEndsOneWaitAndNotTheNext(Lab lab) throws IOException {
        TortureNetwork network = only(lab, Fault.READY_SPURIOUS);
        Pipe pipe = lab.keep(network.pipe());
        Poller poller = lab.keep(network.poller());
        poller.register(pipe.source(), Interest.READ, 7);

        ReadyEvents out = new ReadyEvents(4);
        assertThat(poller.poll(out, -1)).isEqualTo(1);
        assertThat(Lab.events(out)).containsExactly(new Lab.Event(7, Interest.READ));
        assertThat(pipe.source().read(ByteBuffer.allocate(1))).isZero();
        assertThat(network.faultCount(Fault.READY_SPURIOUS)).isEqualTo(1);

        long begun = lab.network().clock().nanoTime();
        assertThat(poller.poll(out, Duration.ofMillis(20).toNanos())).as("never two in a row").isZero();
        assertThat(lab.network().clock().nanoTime() - begun).isGreaterThanOrEqualTo(Duration.ofMillis(20).toNanos());
    }

    @EveryEngine
    void aSpuriousWriteIsReportedOnlyWhereWriteIsRegistered(Lab lab) throws IOException {
        TortureNetwork network = only(lab, Fault.READY_SPURIOUS);
        Pipe pipe = lab.keep(network.pipe());
        lab.fill(((TorturedSocket<?>) pipe.sink()).inner instanceof Pipe.Sink sink ? sink : pipe.sink());
        Poller poller = lab.keep(network.poller());
        poller.register(pipe.source(), 0, 6);
        poller.register(pipe.sink(), 0, 7);
        for (int i = 0; i < 20; i++) {
            assertThat(Lab.poll(poller)).isEmpty();
        }
        poller.deregister(pipe.source());
        poller.modify(pipe.sink(), Interest.WRITE, 8);
        assertThat(Lab.poll(poller)).containsExactly(new Lab.Event(8, Interest.WRITE));
        assertThat(pipe.sink().write(Lab.bytes("x"))).isZero();
        assertThat(Lab.poll(poller)).isEmpty();
        assertThat(network.faultCount(Fault.READY_SPURIOUS)).isEqualTo(1);
    }

    @EveryEngine
    void aReadySocketIsNotReportedSpuriouslyToo(Lab lab) throws IOException {
        TortureNetwork network = only(lab, Fault.READY_SPURIOUS);
        Pipe pipe = lab.keep(network.pipe());
        Poller poller = lab.keep(network.poller());
        poller.register(pipe.sink(), Interest.WRITE, 7);
        for (int i = 0; i < 10; i++) {
            assertThat(Lab.poll(poller)).containsExactly(new Lab.Event(7, Interest.WRITE));
        }
        assertThat(network.faultCount(Fault.READY_SPURIOUS)).isZero();
    }

    @EveryEngine
    void whatIsNotRegisteredIsNeverReported(Lab lab) throws IOException {
        TortureNetwork network = only(lab, Fault.READY_SPURIOUS);
        Pipe unwatched = lab.keep(network.pipe());
        Pipe gone = lab.keep(network.pipe());
        Poller poller = lab.keep(network.poller());
        poller.register(unwatched.source(), 0, 1);
        poller.register(gone.source(), Interest.READ, 2);
        poller.deregister(gone.source());
        poller.register(gone.sink(), 0, 3);
        for (int i = 0; i < 20; i++) {
            assertThat(Lab.poll(poller)).isEmpty();
        }
    }

    @EveryEngine
    void noReadIsSpuriousWhereAnUrgentByteCouldBeLost(Lab lab) throws IOException {
        if (!lab.network().supports(Capability.URGENT_DATA)) {
            return;
        }
        TortureNetwork network = only(lab, Fault.READY_SPURIOUS);
        List<TcpStream> ends = TorturedBytesTest.pair(lab, network);
        Poller poller = lab.keep(network.poller());
        poller.register(ends.get(1), Interest.READ | Interest.PRIORITY, 1);
        for (int i = 0; i < 20; i++) {
            assertThat(Lab.poll(poller)).isEmpty();
        }
    }

    @EveryEngine
    void urgentBytesPassUnchanged(Lab lab) throws IOException {
        if (!lab.network().supports(Capability.URGENT_DATA)) {
            return;
        }
        long seed = System.nanoTime();
        TortureNetwork network = TortureNetwork.of(lab.network(), seed,
                TortureNetwork.defaults().with(Fault.READY_SPURIOUS, 0.5));
        List<TcpStream> ends = TorturedBytesTest.pair(lab, network);
        Poller poller = lab.keep(network.poller());
        poller.register(ends.get(1), Interest.READ | Interest.PRIORITY, 1);
        ReadyEvents out = new ReadyEvents(4);
        for (int round = 0; round < 100; round++) {
            lab.send(ends.get(0), "abc");
            int urgent = round;
            lab.eventually("the urgent byte is sent", () -> ends.get(0).sendUrgent((byte) urgent));
            lab.send(ends.get(0), "def");
            StringBuilder ordinary = new StringBuilder();
            int taken = -1;
            while (ordinary.length() < 6 || taken < 0) {
                assertThat(poller.poll(out, Lab.PATIENCE.toNanos())).as("seed %d, round %d", seed, round).isPositive();
                if ((out.events(0) & Interest.PRIORITY) != 0 && taken < 0) {
                    taken = ends.get(1).receiveUrgent();
                }
                if ((out.events(0) & Interest.READ) != 0) {
                    ordinary.append(Lab.read(ends.get(1))); // one read for each report
                }
            }
            assertThat(taken).as("seed %d", seed).isEqualTo(round);
            assertThat(ordinary).as("seed %d, round %d", seed, round).hasToString("abcdef");
        }
        TorturedBytesTest.assertOccurred(network, Fault.SHORT_READ, Fault.READ_WOULD_BLOCK);
    }

    @EveryEngine
    void noSocketStarvesAlthoughEventsAreLateFewAndShuffled(Lab lab) throws IOException {
        TortureNetwork network = TortureNetwork.of(lab.network(), 3, FaultPlan.none().with(Fault.READY_LATE, 0.9)
                .with(Fault.READY_FEWER, 0.9).with(Fault.READY_SHUFFLED, 1));
        Poller poller = lab.keep(network.poller());
        readyPipes(lab, network, poller);
        ReadyEvents out = new ReadyEvents(64);
        Map<Long, Integer> reports = new HashMap<>();
        int fewest = SOCKETS;
        for (int i = 0; i < 1000; i++) {
            int count = poller.poll(out, -1);
            assertThat(count).as("something is ready, so something is reported").isPositive();
            fewest = Math.min(fewest, count);
            Lab.events(out).forEach(event -> reports.merge(event.token(), 1, Integer::sum));
        }
        assertThat(fewest).isEqualTo(1);
        assertThat(reports).hasSize(SOCKETS)
                .allSatisfy((token, count) -> assertThat(count).as("socket %d", token).isGreaterThan(30));
        TorturedBytesTest.assertOccurred(network, Fault.READY_LATE, Fault.READY_FEWER, Fault.READY_SHUFFLED);
    }

    @EveryEngine
    void omittedEventsAreReportedNext(Lab lab) throws IOException {
        TortureNetwork network = only(lab, Fault.READY_FEWER);
        Poller poller = lab.keep(network.poller());
        readyPipes(lab, network, poller);
        ReadyEvents out = new ReadyEvents(2); // so that the smaller buffer holds one
        Set<Long> reported = new HashSet<>();
        for (int i = 0; i < SOCKETS; i++) {
            assertThat(poller.poll(out, -1)).isEqualTo(1);
            reported.add(out.token(0));
        }
        assertThat(reported).hasSize(SOCKETS);
        assertThat(network.faultCount(Fault.READY_FEWER)).isEqualTo(SOCKETS);
    }

    @EveryEngine
    void theOrderOfEventsChanges(Lab lab) throws IOException {
        TortureNetwork network = only(lab, Fault.READY_SHUFFLED);
        Poller poller = lab.keep(network.poller());
        readyPipes(lab, network, poller);
        Set<Long> first = new HashSet<>();
        for (int i = 0; i < 200; i++) {
            List<Lab.Event> events = Lab.poll(poller);
            assertThat(events).hasSize(SOCKETS).doesNotHaveDuplicates();
            first.add(events.getFirst().token());
        }
        assertThat(first).hasSize(SOCKETS);
    }

    @EveryEngine
    void oneInterestOfASocketIsReportedWithoutTheOther(Lab lab) throws IOException {
        TortureNetwork network = TortureNetwork.of(lab.network(), 5, FaultPlan.none().with(Fault.READY_LATE, 0.5));
        List<TcpStream> ends = TorturedBytesTest.pair(lab, network);
        lab.send(ends.get(0), "x");
        Poller poller = lab.keep(network.poller());
        poller.register(ends.get(1), Interest.READ | Interest.WRITE, 1);
        Set<Integer> seen = new HashSet<>();
        lab.eventually("each alone, and both", () -> {
            seen.add(Lab.poll(poller).getFirst().bits());
            return seen.equals(Set.of(Interest.READ, Interest.WRITE, Interest.READ | Interest.WRITE));
        });
    }

    @EveryEngine
    void aPollNeverReturnsNothingBeforeItsTimeout(Lab lab) throws IOException {
        FaultPlan plan = FaultPlan.none();
        for (Fault fault : TortureNetwork.faults()) {
            plan = plan.with(fault, fault == Fault.READY_SPURIOUS ? 0 : 1);
        }
        TortureNetwork network = TortureNetwork.of(lab.network(), 1, plan);
        Pipe pipe = lab.keep(network.pipe());
        Poller poller = lab.keep(network.poller());
        poller.register(pipe.source(), Interest.READ, 1);
        long begun = lab.network().clock().nanoTime();
        assertThat(poller.poll(new ReadyEvents(4), Duration.ofMillis(30).toNanos())).isZero();
        assertThat(lab.network().clock().nanoTime() - begun).isGreaterThanOrEqualTo(Duration.ofMillis(30).toNanos());
    }

    @EveryEngine
    void noWakeupIsLost(Lab lab) throws IOException {
        TortureNetwork network = TortureNetwork.of(lab.network(), 1);
        Pipe pipe = lab.keep(network.pipe());
        Poller poller = lab.keep(network.poller());
        poller.register(pipe.source(), Interest.READ, 1);
        ReadyEvents out = new ReadyEvents(4);
        for (int i = 0; i < 300; i++) {
            poller.wakeup();
            long begun = lab.network().clock().nanoTime();
            poller.poll(out, Lab.PATIENCE.toNanos());
            assertThat(lab.network().clock().nanoTime() - begun).as("round %d", i).isLessThan(Lab.PATIENCE.toNanos());
        }
    }

    @EveryEngine
    void aReadThatWouldBlockLeavesTheSocketReadable(Lab lab) throws IOException {
        TortureNetwork network = only(lab, Fault.READ_WOULD_BLOCK);
        List<TcpStream> ends = TorturedBytesTest.pair(lab, network);
        lab.send(ends.get(0), "x");
        Poller poller = lab.keep(network.poller());
        poller.register(ends.get(1), Interest.READ, 1);
        for (int i = 0; i < 3; i++) {
            assertThat(lab.await(poller)).containsExactly(new Lab.Event(1, Interest.READ));
            assertThat(Lab.read(ends.get(1))).isEmpty();
        }
        assertThat(lab.await(poller)).containsExactly(new Lab.Event(1, Interest.READ));
        assertThat(Lab.read(ends.get(1))).isEqualTo("x");
        assertThat(network.faultCount(Fault.READ_WOULD_BLOCK)).isEqualTo(3);
    }

    @EveryEngine
    void aWriteThatWouldBlockLeavesTheSocketWritable(Lab lab) throws IOException {
        TortureNetwork network = only(lab, Fault.WRITE_WOULD_BLOCK);
        List<TcpStream> ends = TorturedBytesTest.pair(lab, network);
        Poller poller = lab.keep(network.poller());
        poller.register(ends.get(0), Interest.WRITE, 1);
        for (int i = 0; i < 3; i++) {
            assertThat(ends.get(0).write(Lab.bytes("x"))).isZero();
            assertThat(lab.await(poller)).containsExactly(new Lab.Event(1, Interest.WRITE));
        }
        assertThat(ends.get(0).write(Lab.bytes("x"))).isEqualTo(1);
    }

    @EveryEngine
    void anAcceptThatWouldBlockOrFailsLosesNoConnection(Lab lab) throws IOException {
        TortureNetwork network = TortureNetwork.of(lab.network(), 1, FaultPlan.none().with(Fault.ACCEPT_WOULD_BLOCK, 1)
                .with(Fault.ACCEPT_NO_DESCRIPTOR, 1));
        TcpListener listener = lab.keep(network.listen(Lab.FREE_PORT, 16));
        for (int i = 0; i < 5; i++) {
            lab.keep(network.connect(listener.localAddress()));
        }
        Set<InetSocketAddress> accepted = new HashSet<>();
        int failures = 0;
        int failuresInARow = 0;
        for (int calls = 0; accepted.size() < 5; calls++) {
            assertThat(calls).isLessThan(100);
            try {
                TcpStream stream = listener.accept();
                if (stream != null) {
                    accepted.add(lab.keep(stream).remoteAddress());
                }
                failuresInARow = 0;
            } catch (NetworkException e) {
                assertThat(e.code()).isEqualTo(ErrorCode.EMFILE);
                assertThat(e).hasMessageContaining("accept").hasMessageContaining("injected");
                failures++;
                assertThat(++failuresInARow).as("failures in a row").isEqualTo(1);
            }
        }
        assertThat(network.faultCount(Fault.ACCEPT_NO_DESCRIPTOR)).isEqualTo(failures);
        assertThat(network.faultCount(Fault.ACCEPT_WOULD_BLOCK)).isPositive();
    }

    @EveryEngine
    void aConnectIsReportedLateAndThenAlways(Lab lab) throws IOException {
        TortureNetwork network = only(lab, Fault.CONNECT_LATE);
        TcpListener listener = lab.keep(network.listen(Lab.FREE_PORT, 8));
        TcpStream stream = lab.keep(network.connect(listener.localAddress()));
        Poller poller = lab.keep(network.poller());
        poller.register(stream, Interest.WRITE, 1);
        for (int i = 0; i < 3; i++) {
            assertThat(lab.await(poller)).containsExactly(new Lab.Event(1, Interest.WRITE));
            assertThat(stream.finishConnect()).isFalse();
        }
        assertThat(lab.await(poller)).containsExactly(new Lab.Event(1, Interest.WRITE));
        for (int i = 0; i < 10; i++) {
            assertThat(stream.finishConnect()).isTrue();
        }
    }

    @EveryEngine
    void aRefusalIsReportedLateAndThenAlways(Lab lab) throws IOException {
        TortureNetwork network = only(lab, Fault.CONNECT_LATE);
        InetSocketAddress nobody;
        try (TcpListener listener = network.listen(Lab.FREE_PORT, 1)) {
            nobody = listener.localAddress();
        }
        TcpStream stream = lab.keep(network.connect(nobody));
        for (int i = 0; i < 3; i++) {
            assertThat(stream.finishConnect()).isFalse();
        }
        for (int i = 0; i < 10; i++) {
            assertThatThrownBy(() -> lab.eventually("it is refused", stream::finishConnect))
                    .isInstanceOfSatisfying(NetworkException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ECONNREFUSED));
        }
    }

    @EveryEngine
    void selectOmitsEventsButNeverAll(Lab lab) throws IOException {
        TortureNetwork network = TortureNetwork.of(lab.network(), 1, FaultPlan.none().with(Fault.READY_LATE, 0.8));
        List<Socket> sinks = new ArrayList<>();
        for (int i = 0; i < SOCKETS; i++) {
            sinks.add(lab.keep(network.pipe()).sink());
        }
        Set<Socket> seen = new HashSet<>();
        int fewest = SOCKETS;
        for (int i = 0; i < 200; i++) {
            Ready<Socket> ready = Select.on(network).select(List.of(), sinks, List.of(), Duration.ZERO);
            assertThat(ready.writable()).isNotEmpty().isSubsetOf(sinks);
            fewest = Math.min(fewest, ready.writable().size());
            seen.addAll(ready.writable());
        }
        assertThat(fewest).isEqualTo(1);
        assertThat(seen).hasSize(SOCKETS);
        assertThat(network.faultCount(Fault.READY_LATE)).isPositive();
    }

    @EveryEngine
    void selectReportsASpuriousEventNeverTwiceInARow(Lab lab) throws IOException {
        TortureNetwork network = only(lab, Fault.READY_SPURIOUS);
        Pipe pipe = lab.keep(network.pipe());
        List<Pipe.Source> source = List.of(pipe.source());
        for (int i = 0; i < 5; i++) {
            assertThat(Select.select(source, List.of(), List.of(), null).readable()).isEqualTo(source);
            assertThat(Select.select(source, List.of(), List.of(), Duration.ofMillis(1)).isEmpty()).isTrue();
        }
        assertThat(network.faultCount(Fault.READY_SPURIOUS)).isEqualTo(5);
    }

    @EveryEngine
    void descriptorsCanBeUsedInTheSetsOfSelect(Lab lab) throws IOException {
        if (!lab.network().supports(Capability.DESCRIPTORS)) {
            return;
        }
        TortureNetwork network = TortureNetwork.of(lab.network(), 1, TortureNetwork.defaults().with(Fault.READY_LATE, 0));
        Pipe pipe = lab.keep(network.pipe());
        lab.eventually("it is written", () -> pipe.sink().write(Lab.bytes("x")) == 1);
        FdSet read = new FdSet();
        read.set(pipe.source().fd());
        int count = Select.on(network).select(pipe.source().fd() + 1, read, null, null, Lab.PATIENCE);
        assertThat(count).isEqualTo(1);
        assertThat(read.isSet(pipe.source().fd())).isTrue();
        ByteBuffer in = ByteBuffer.allocate(8);
        assertThat(network.descriptor(pipe.source().fd()).read(in)).isEqualTo(1);
    }

    @EveryEngine
    void socketsOfTheNetworkBelowBelongToAnotherFamily(Lab lab) throws IOException {
        TortureNetwork network = TortureNetwork.of(lab.network(), 1);
        TortureNetwork other = TortureNetwork.of(lab.network(), 1);
        Pipe below = lab.pipe();
        Pipe ours = lab.keep(network.pipe());
        Poller poller = lab.keep(network.poller());
        Poller pollerBelow = lab.poller();
        Poller otherPoller = lab.keep(other.poller());
        assertThatIllegalArgumentException().isThrownBy(() -> poller.register(below.source(), Interest.READ, 1))
                .withMessageContaining(network.name());
        assertThatIllegalArgumentException().isThrownBy(() -> otherPoller.register(ours.source(), Interest.READ, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> pollerBelow.register(ours.source(), Interest.READ, 1));
        List<Socket> mixed = List.of(ours.source(), below.source());
        assertThatIllegalArgumentException().isThrownBy(() -> Select.select(mixed, List.of(), List.of(), Duration.ZERO))
                .withMessageContaining("two networks");
        assertThat(ours.source().network()).isSameAs(network);
    }

    @EveryEngine
    void aRegistrationHasTheRegisteredSocket(Lab lab) throws IOException {
        TortureNetwork network = TortureNetwork.of(lab.network(), 1);
        Pipe pipe = lab.keep(network.pipe());
        Poller poller = lab.keep(network.poller());
        poller.register(pipe.source(), Interest.READ, 5);
        assertThat(poller.registration(pipe.source())).isEqualTo(new Registration(pipe.source(), Interest.READ, 5));
        assertThat(poller.registration(pipe.sink())).isNull();
        assertThat(poller.registration(lab.pipe().source())).isNull();
    }

    private static TortureNetwork only(Lab lab, Fault fault) {
        return TortureNetwork.of(lab.network(), 1, FaultPlan.none().with(fault, 1));
    }

    /** Registers {@link #SOCKETS} sockets that are always ready, with tokens from 0. */
    private static void readyPipes(Lab lab, TortureNetwork network, Poller poller) throws IOException {
        for (int i = 0; i < SOCKETS; i++) {
            poller.register(lab.keep(network.pipe()).sink(), Interest.WRITE, i);
        }
    }
}
