package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.Capability;
import io.trivet.net.ErrorCode;
import io.trivet.net.ListenOptions;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Pipe;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpOptions;
import io.trivet.net.TcpStream;
import io.trivet.observe.ListenerSnapshot;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Accepting for two loops, of which the test thread turns the first. */
final class AcceptorTest {
    private static final Duration BACKOFF_MIN = Duration.ofMillis(10);
    private static final Duration BACKOFF_MAX = Duration.ofSeconds(1);

    private final LogLines log = new LogLines();
    private final SteppedClock time = new SteppedClock();
    private final LateNetwork late = new LateNetwork(new Random(0), false);
    private final List<Pipe> pipes = new ArrayList<>();
    private boolean exhausted;
    private final Network network = Interceptor.of(Network.class, late, "pipe", arguments -> {
        if (exhausted) {
            throw new NetworkException("pipe2", null, ErrorCode.EMFILE);
        }
        pipes.add(late.pipe());
        return pipes.getLast();
    });
    private final RecordingProactor first = new RecordingProactor();
    private final RecordingProactor second = new RecordingProactor();
    private final List<TestRecord> records = new ArrayList<>();
    private final List<TcpListener> listeners = List.of(late.listen(late.localAddress(), 4), late.listen(late.localAddress(), 4));
    private LoopGroup loops;
    private Acceptor acceptor;

    AcceptorTest() {
        use(Limits.defaults());
    }

    /** Returns the options of connections of two listeners. */
    private static List<ListenOptions> clientOptions(Network network, Limits limits) {
        Profile profile = new Profile(Framing.lines(), limits, Overflow.PAUSE_READING, false);
        return ClientOptions.ofConnections(network, Collections.nCopies(2, profile), 2);
    }

    private void use(Limits limits) {
        Log lines = new Log(time);
        loops = new LoopGroup(lines);
        acceptor = new Acceptor(loops, network, limits, AccessList.all(), List.of(), listeners, clientOptions(network, limits),
                4, lines);
        loops.add(EventLoopTest.loop(0, first, time, acceptor, new Budget(100), records));
        loops.add(EventLoopTest.loop(1, second, time, acceptor, new Budget(100), records));
        loops.first().mailbox().claim();
    }

    @AfterEach
    void release() throws IOException {
        log.close();
        for (Pipe pipe : pipes) {
            pipe.close();
        }
    }

    private TcpStream accept() {
        TcpStream stream = late.new Stream(late.peer());
        acceptor.accepted(0, stream);
        return stream;
    }

    private boolean reserveIsOpen() {
        return pipes.getLast().source().isOpen();
    }

    private void turnAfter(Duration duration) throws IOException {
        time.step(duration);
        loops.turn(loops.first(), 0);
        first.calls.removeIf(call -> call.startsWith("poll"));
    }

    // ---- starting

    @Test
    void allListenersAreAcceptedFromOnTheFirstLoopAndTheReserveIsOpen() throws IOException {
        acceptor.start();
        acceptor.start();
        assertThat(first.newCalls()).containsExactly("accept 0", "accept 1");
        assertThat(second.newCalls()).isEmpty();
        assertThat(pipes).hasSize(1);
        assertThat(reserveIsOpen()).isTrue();
    }

    @Test
    void startThatFailsStopsAllListeners() {
        RecordingProactor failing = new RecordingProactor();
        failing.failNext("accept", ErrorCode.ENOMEM);
        LoopGroup group = new LoopGroup(new Log(time));
        Acceptor other = new Acceptor(group, network, Limits.defaults(), AccessList.all(), List.of(), listeners,
                clientOptions(network, Limits.defaults()),
                4,
                new Log(time));
        group.add(EventLoopTest.loop(0, failing, time, other, new Budget(100), records));
        assertThatThrownBy(other::start).isInstanceOf(NetworkException.class);
        assertThat(failing.newCalls()).containsExactly("accept 0", "stopAccepting", "stopAccepting");
    }

    @Test
    void aSuccessorFindsALackOfDescriptorsOrMemoryBeforeItAccepts() throws IOException {
        acceptor.prepare();
        assertThat(first.newCalls()).containsExactly("accept 0", "accept 1", "stopAccepting", "stopAccepting");
        assertThat(reserveIsOpen()).isTrue();
        assertThat(acceptor.state()).isEqualTo(ListenerSnapshot.State.AWAITING_HANDOVER);
        acceptor.takeOver();
        assertThat(first.newCalls()).containsExactly("accept 0", "accept 1");
        assertThat(acceptor.state()).isEqualTo(ListenerSnapshot.State.ACCEPTING);
    }

    @Test
    void aSuccessorWithoutDescriptorsOrMemoryFails() throws IOException {
        exhausted = true;
        assertThatThrownBy(acceptor::prepare).isInstanceOf(NetworkException.class).hasMessageContaining("EMFILE");
        exhausted = false;
        first.failNext("accept", ErrorCode.ENOMEM);
        assertThatThrownBy(acceptor::prepare).isInstanceOf(NetworkException.class).hasMessageContaining("ENOMEM");
    }

    // ---- accepting

    @Test
    void connectionsAreSpreadOverTheLoops() throws IOException {
        accept();
        accept();
        accept();
        assertThat(first.newCalls()).containsExactly("adopt 0", "0: open", "receive 0", "adopt 1", "1: open", "receive 1");
        assertThat(second.newCalls()).as("by its own thread").isEmpty();
        assertThat(loops.all().get(1).load()).as("on its way").isEqualTo(1);
        assertThat(second.wakeups()).isEqualTo(1);
        loops.all().get(1).turn(0);
        assertThat(second.newCalls()).contains("adopt 0", "0: open");
    }

    /** One lost probe must not end a connection whose peer is alive. */
    @ParameterizedTest
    @CsvSource({"1, 1, 1, 5000", "2, 1, 1, 5000", "10, 5, 1, 10000", "60, 30, 7, 60000", "1000000, 32767, 8191, 1000000000"})
    void kernelGivesAPeerUpOnlyAfterSeveralProbes(long idleSeconds, int probeAfter, int interval, int userTimeoutMillis) {
        Network probing = Interceptor.of(Network.class, network, "supports",
                arguments -> arguments[0] == Capability.KEEP_ALIVE_OPTIONS);
        Limits limits = Limits.defaults().withIdleTimeout(Duration.ofSeconds(idleSeconds));
        Map<Object, Object> options = new HashMap<>();
        TcpStream stream = Interceptor.of(TcpStream.class, late.new Stream(late.peer()), "setOption",
                arguments -> options.put(arguments[0], arguments[1]));
        new Acceptor(loops, probing, limits, AccessList.all(), List.of(), listeners,
                clientOptions(probing, limits), 4, new Log(time))
                .accepted(0, stream);
        assertThat(options).containsEntry(StandardSocketOptions.SO_KEEPALIVE, true)
                .containsEntry(TcpOptions.KEEP_ALIVE_IDLE_SECONDS, probeAfter)
                .containsEntry(TcpOptions.KEEP_ALIVE_INTERVAL_SECONDS, interval)
                .containsEntry(TcpOptions.USER_TIMEOUT_MILLIS, userTimeoutMillis);
    }

    @Test
    void acceptingStopsAtTheLimitAndContinuesWhenAConnectionIsGone() throws IOException {
        use(Limits.defaults().withConnectionsMax(2));
        acceptor.start();
        first.newCalls();
        accept();
        assertThat(first.newCalls()).doesNotContain("stopAccepting");
        accept();
        assertThat(first.newCalls()).containsExactly("stopAccepting", "stopAccepting");
        assertThat(log.lines("at the limit of 2 connections")).hasSize(1);
        LoopParts.onOtherThread(() -> acceptor.gone(RecordingProactor.REMOTE));
        assertThat(first.newCalls()).as("on the first loop's thread").isEmpty();
        turnAfter(Duration.ZERO);
        assertThat(first.newCalls()).containsExactly("accept 0", "accept 1");
    }

    @Test
    void refusedAddressIsClosedWithoutAConnection() {
        use(Limits.defaults().withConnectionsPerAddressMax(1));
        accept();
        first.newCalls();
        TcpStream refused = accept();
        assertThat(refused.isOpen()).isFalse();
        assertThat(first.newCalls()).isEmpty();
        assertThat(loops.all().get(1).load()).isZero();
        assertThat(log.lines("refused 10.0.0.1")).hasSize(1);
    }

    @Test
    void connectionThatWasResetBeforeItWasLookedAtIsNotCounted() {
        use(Limits.defaults().withConnectionsMax(1).withConnectionsPerAddressMax(1));
        TcpStream stream = late.new Stream(late.peer());
        acceptor.accepted(0, Interceptor.of(TcpStream.class, stream, "remoteAddress", arguments -> {
            throw new NetworkException("getpeername", null, ErrorCode.ENOTCONN);
        }));
        assertThat(stream.isOpen()).isFalse();
        assertThat(accept().isOpen()).as("there is still room").isTrue();
    }

    /** To read it takes a system call on some networks, and is most of the garbage of an accepted connection. */
    @Test
    void addressOfAClientIsNotReadIfNothingDependsOnIt() {
        List<TcpStream> read = new ArrayList<>();
        TcpStream stream = late.new Stream(late.peer());
        acceptor.accepted(0, Interceptor.of(TcpStream.class, stream, "remoteAddress", arguments -> {
            read.add(stream);
            return late.peer();
        }));
        assertThat(first.newCalls()).contains("0: open");
        assertThat(read).isEmpty();
    }

    @Test
    void connectionForALoopThatHasEndedIsClosedAndUncounted() throws IOException {
        use(Limits.defaults().withConnectionsMax(2));
        acceptor.start();
        accept();
        LoopParts.onOtherThread(loops.all().get(1)::shutDown);
        first.newCalls();
        assertThat(accept().isOpen()).isFalse();
        assertThat(loops.all().get(1).load()).isZero();
        assertThat(first.newCalls()).as("the limit was reached and no longer is")
                .containsExactly("stopAccepting", "stopAccepting", "accept 0", "accept 1");
    }

    // ---- backing off

    @Test
    void failedAcceptsBackOffTwiceAsLongEachTimeAndAreLoggedOnce() throws IOException {
        acceptor.start();
        first.newCalls();
        exhausted = true;
        acceptor.acceptFailed(new NetworkException("accept4", null, ErrorCode.EMFILE));
        assertThat(first.newCalls()).containsExactly("stopAccepting", "stopAccepting");
        assertThat(reserveIsOpen()).as("free for others").isFalse();
        Duration backoff = BACKOFF_MIN;
        for (int i = 0; i < 9; i++) {
            turnAfter(backoff.minusNanos(1));
            assertThat(loops.first().nextDeadline()).isEqualTo(time.nanoTime() + 1);
            turnAfter(Duration.ofNanos(1)); // no descriptor for the reserve
            backoff = backoff.multipliedBy(2).compareTo(BACKOFF_MAX) > 0 ? BACKOFF_MAX : backoff.multipliedBy(2);
        }
        assertThat(backoff).isEqualTo(BACKOFF_MAX);
        assertThat(first.newCalls()).as("nothing is accepted meanwhile").isEmpty();
        exhausted = false;
        late.peer();
        turnAfter(BACKOFF_MAX);
        assertThat(reserveIsOpen()).isTrue();
        assertThat(first.newCalls()).as("one is accepted at once, before any handler runs").startsWith("adopt 0")
                .endsWith("accept 0", "accept 1");
        assertThat(log.lines("accepting is paused")).hasSize(1);
        assertThat(log.lines("accepting again")).isEmpty();
        turnAfter(BACKOFF_MAX);
        assertThat(log.lines("accepting again")).hasSize(1);
        acceptor.acceptFailed(new NetworkException("accept4", null, ErrorCode.EMFILE));
        assertThat(loops.first().nextDeadline()).as("from the shortest time").isEqualTo(time.nanoTime() + BACKOFF_MIN.toNanos());
        assertThat(log.lines("accepting is paused")).hasSize(2);
    }

    @Test
    void acceptingThatCannotStartAgainIsTriedAgain() throws IOException {
        use(Limits.defaults().withConnectionsMax(1));
        acceptor.start();
        accept();
        first.newCalls();
        first.failNext("accept", ErrorCode.ENOMEM);
        acceptor.gone(RecordingProactor.REMOTE);
        assertThat(first.newCalls()).containsExactly("accept 0", "stopAccepting", "stopAccepting");
        assertThat(loops.first().nextDeadline()).isEqualTo(time.nanoTime() + BACKOFF_MIN.toNanos());
        turnAfter(BACKOFF_MIN); // the other client waits in the backlog, and is accepted at once
        acceptor.gone(RecordingProactor.REMOTE);
        assertThat(first.newCalls()).containsExactly("accept 0", "accept 1");
        assertThat(log.lines("accepting is paused")).hasSize(1);
    }

    @Test
    void backoffDoesNotResumeBeyondTheLimit() throws IOException {
        use(Limits.defaults().withConnectionsMax(1));
        acceptor.start();
        acceptor.acceptFailed(new NetworkException("accept4", null, ErrorCode.EMFILE));
        accept(); // had been accepted before
        first.newCalls();
        late.peer();
        turnAfter(BACKOFF_MIN);
        assertThat(first.newCalls()).isEmpty();
        acceptor.gone(RecordingProactor.REMOTE);
        assertThat(first.newCalls()).containsExactly("accept 0", "accept 1");
    }

    // ---- the end

    @Test
    void drainAcceptsWhatWaitsInTheBacklogAndClosesTheListeners() throws IOException {
        acceptor.start();
        late.peer();
        late.peer();
        first.newCalls();
        acceptor.drain();
        assertThat(first.newCalls()).startsWith("stopAccepting", "stopAccepting", "adopt 0");
        assertThat(loops.all().get(1).load()).isEqualTo(1);
        assertThat(loops.first().stats().accepted()).as("counted like any other").isEqualTo(2);
        assertThat(listeners).noneMatch(TcpListener::isOpen);
        assertThat(acceptor.hasEnded()).isTrue();
        assertThat(reserveIsOpen()).isFalse();
        assertThat(first.wakeups()).as("loops that drain wait for this").isEqualTo(1);
        assertThat(accept().isOpen()).as("too late").isFalse();
        acceptor.start();
        acceptor.acceptFailed(new NetworkException("accept4", null, ErrorCode.EMFILE));
        acceptor.gone(RecordingProactor.REMOTE);
        turnAfter(BACKOFF_MAX);
        assertThat(first.newCalls()).doesNotContain("accept 0", "stopAccepting");
    }

    @Test
    void drainAcceptsNoMoreThanCouldWaitInTheBacklog() throws IOException {
        acceptor.start();
        for (int i = 0; i < 100; i++) {
            late.peer();
        }
        acceptor.drain();
        assertThat(loops.first().load() + loops.all().get(1).load()).isEqualTo(2 * 2 * 4);
    }

    @Test
    void drainAcceptsNoMoreThanTheLimit() throws IOException {
        use(Limits.defaults().withConnectionsMax(2));
        acceptor.start();
        late.peer();
        late.peer();
        late.peer();
        acceptor.drain();
        assertThat(loops.first().load() + loops.all().get(1).load()).isEqualTo(2);
    }
}
