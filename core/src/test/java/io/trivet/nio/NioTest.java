package io.trivet.nio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.trivet.contract.Slowness;
import io.trivet.net.ClosedSocketException;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Pipe;
import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import io.trivet.net.Registration;
import io.trivet.net.Socket;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpOptions;
import io.trivet.net.TcpStream;
import io.trivet.net.UdpSocket;
import io.trivet.select.Select;
import java.io.File;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.PortUnreachableException;
import java.net.SocketException;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What is specific to java.nio: peculiarities of the JDK that must stay hidden, and what it cannot do. */
@Timeout(60)
final class NioTest {
    private static final long LONG_NANOS = Slowness.scaled(Duration.ofSeconds(30)).toNanos();
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    private final Network nio = Network.named("nio");
    private final ReadyEvents ready = new ReadyEvents(16);
    private final List<AutoCloseable> opened = new ArrayList<>();
    private final ExecutorService others = Executors.newCachedThreadPool();
    private Poller poller;
    private TcpListener listener;

    @BeforeEach
    void open() throws IOException {
        poller = closeLater(nio.poller());
        listener = closeLater(nio.listen(ANY_PORT, 8));
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable closeable : opened.reversed()) {
            closeable.close();
        }
        others.shutdownNow();
        assertThat(others.awaitTermination(LONG_NANOS, TimeUnit.NANOSECONDS)).isTrue();
    }

    static List<Arguments> jdkExceptions() {
        return List.of(
                Arguments.of(new BindException("Address already in use"), ErrorCode.EADDRINUSE),
                Arguments.of(new BindException("Address already in use: bind"), ErrorCode.EADDRINUSE),
                Arguments.of(new BindException("Cannot assign requested address"), ErrorCode.EADDRNOTAVAIL),
                Arguments.of(new BindException("Can't assign requested address"), ErrorCode.EADDRNOTAVAIL),
                Arguments.of(new SocketException("Permission denied"), ErrorCode.EACCES),
                Arguments.of(new ConnectException("Connection refused"), ErrorCode.ECONNREFUSED),
                Arguments.of(new ConnectException("Connection refused: no further information"), ErrorCode.ECONNREFUSED),
                Arguments.of(new SocketException("Connection reset"), ErrorCode.ECONNRESET),
                Arguments.of(new IOException("Connection reset by peer"), ErrorCode.ECONNRESET),
                Arguments.of(new IOException("Broken pipe"), ErrorCode.EPIPE),
                Arguments.of(new ConnectException("Connection timed out"), ErrorCode.ETIMEDOUT),
                Arguments.of(new NoRouteToHostException("No route to host"), ErrorCode.EHOSTUNREACH),
                Arguments.of(new NoRouteToHostException("Keine Route zum Zielrechner"), ErrorCode.EHOSTUNREACH),
                Arguments.of(new ConnectException("Network is unreachable"), ErrorCode.ENETUNREACH),
                Arguments.of(new SocketException("Too many open files"), ErrorCode.EMFILE),
                Arguments.of(new IOException("Too many open files in system"), ErrorCode.ENFILE),
                Arguments.of(new SocketException("Message too long"), ErrorCode.EMSGSIZE),
                Arguments.of(new PortUnreachableException(), ErrorCode.ECONNREFUSED),
                Arguments.of(new ClosedChannelException(), ErrorCode.EPIPE));
    }

    @ParameterizedTest
    @MethodSource("jdkExceptions")
    void jdkExceptionIsConvertedToItsErrorCode(IOException e, ErrorCode expected) {
        NetworkException failure = NioErrors.failure("call", null, e);

        assertThat(failure.code()).isEqualTo(expected);
        assertThat(failure).hasMessage("call: " + expected + ", " + expected.sentence()).hasCause(e);
    }

    @Test
    void unknownExceptionKeepsTheMessageOfTheJdk() {
        NetworkException failure = NioErrors.failure("connect", ANY_PORT, new SocketException("Verbindungsaufbau abgelehnt"));

        assertThat(failure.code()).isEqualTo(ErrorCode.OTHER);
        assertThat(failure).hasMessage("connect 127.0.0.1:0: Verbindungsaufbau abgelehnt");
    }

    @Test
    void portInUseIsNamedInTheException() throws IOException {
        InetSocketAddress taken = listener.localAddress();

        assertThatExceptionOfType(NetworkException.class).isThrownBy(() -> nio.listen(taken, 8))
                .withMessageStartingWith("bind 127.0.0.1:" + taken.getPort() + ": EADDRINUSE");
        assertThatExceptionOfType(UnknownHostException.class)
                .isThrownBy(() -> nio.connect(InetSocketAddress.createUnresolved("no.such.host", 1)))
                .withMessageStartingWith("unknown host no.such.host: the address is not resolved");
    }

    @Test
    void unsupportedOperationsNameTheNetworksThatCan() throws IOException {
        TcpStream stream = pair().get(0);
        poller.register(stream, Interest.READ, 7);

        for (ThrowingCallable call : List.<ThrowingCallable>of(
                () -> stream.sendUrgent((byte) '!'), stream::receiveUrgent, stream::atMark, stream::fd, () -> nio.descriptor(0),
                () -> poller.register(listener, Interest.READ | Interest.PRIORITY, 1),
                () -> poller.modify(stream, Interest.PRIORITY, 2),
                () -> Select.select(List.of(stream), List.of(), List.of(stream), Duration.ZERO))) {
            assertThatThrownBy(call).isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageEndingWith(": the networks epoll, poll and select on Linux can");
        }
        assertThat(poller.registration(listener)).isNull();
        assertThat(poller.registration(stream)).isEqualTo(new Registration(stream, Interest.READ, 7));
        assertThatExceptionOfType(UnsupportedOperationException.class)
                .isThrownBy(() -> stream.setOption(TcpOptions.URGENT_INLINE, true));
        stream.setOption(StandardSocketOptions.TCP_NODELAY, true);
        assertThat(stream.getOption(StandardSocketOptions.TCP_NODELAY)).isTrue();
    }

    @Test
    void socketCanBeRegisteredAgainAtOnce() throws IOException {
        TcpStream stream = pair().get(0);
        for (int i = 0; i < 3; i++) {
            poller.register(stream, Interest.WRITE, i);
            assertThat(poll(LONG_NANOS)).containsExactly(i + " WRITE");
            poller.deregister(stream);
            assertThat(poll(0)).isEmpty();
            assertThat(poller.registration(stream)).isNull();
            assertThatIllegalArgumentException().isThrownBy(() -> poller.deregister(stream));
            assertThatIllegalArgumentException().isThrownBy(() -> poller.modify(stream, 0, 0));
        }
    }

    @Test
    void registrationsChangeWhileAnotherThreadWaits() throws Exception {
        TcpStream stream = pair().get(0);
        poller.register(stream, Interest.READ, 1);
        Future<List<String>> waiting = pollInAnotherThread(-1);

        poller.deregister(stream);
        poller.register(stream, Interest.READ, 2);
        assertThat(waiting).isNotDone();
        poller.modify(stream, Interest.WRITE, 3);

        assertThat(waiting.get(LONG_NANOS, TimeUnit.NANOSECONDS)).containsExactly("3 WRITE");
    }

    @Test
    void connectingStreamBecomesConnectedByPolling() throws IOException {
        TcpStream client = closeLater(nio.connect(listener.localAddress()));
        poller.register(client, Interest.READ | Interest.WRITE, 1);
        assertThat(poll(LONG_NANOS)).containsExactly("1 WRITE"); // finishConnect was not called
        assertThat(poll(LONG_NANOS)).containsExactly("1 WRITE");

        poller.modify(client, Interest.READ, 1);
        assertThat(poll(0)).isEmpty();
        TcpStream server = accept();
        server.write(ascii("hello"));

        assertThat(poll(LONG_NANOS)).containsExactly("1 READ");
        ByteBuffer buffer = ByteBuffer.allocate(16);
        assertThat(client.read(buffer)).isEqualTo(5);
        assertThat(client.finishConnect()).isTrue();
    }

    @Test
    void finishConnectUpdatesThePollersOfTheStream() throws IOException {
        TcpStream client = closeLater(nio.connect(listener.localAddress()));
        poller.register(client, Interest.READ, 1);
        await().until(client::finishConnect);

        assertThat(poll(TimeUnit.MILLISECONDS.toNanos(1))).isEmpty();
        accept().write(ascii("x"));
        assertThat(poll(LONG_NANOS)).containsExactly("1 READ");
    }

    @Test
    @EnabledOnOs(OS.LINUX) // other systems react differently to a full backlog
    void connectingStreamIsNotReady() throws IOException {
        TcpListener narrow = closeLater(nio.listen(ANY_PORT, 1));
        List<TcpStream> clients = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            clients.add(closeLater(nio.connect(narrow.localAddress())));
        }
        TcpStream last = clients.getLast();
        poller.register(last, Interest.READ | Interest.WRITE, 1);

        assertThat(poll(0)).isEmpty();
        assertThat(last.finishConnect()).isFalse();
        assertThat(last.read(ByteBuffer.allocate(1))).isZero();
        assertThat(last.write(ascii("x"))).isZero();
        assertThat(last.write(new ByteBuffer[]{ascii("x")}, 0, 1)).isZero();
        assertThatExceptionOfType(NetworkException.class).isThrownBy(last::shutdownOutput)
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.ENOTCONN));
    }

    @Test
    void refusedStreamStaysReadableAndWritable() throws IOException {
        InetSocketAddress unused = unusedAddress();
        TcpStream refused = closeLater(nio.connect(unused));
        poller.register(refused, Interest.READ | Interest.WRITE, 1);

        assertThat(poll(LONG_NANOS)).containsExactly("1 READ|WRITE");
        for (int i = 0; i < 2; i++) {
            assertThatExceptionOfType(NetworkException.class).isThrownBy(refused::finishConnect)
                    .withMessageStartingWith("connect 127.0.0.1:" + unused.getPort() + ": ECONNREFUSED");
            assertThat(poll(LONG_NANOS)).containsExactly("1 READ|WRITE");
        }
        assertThat(refused.isOpen()).isTrue();
        assertThat(refused.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        assertThatExceptionOfType(NetworkException.class).isThrownBy(() -> refused.write(ascii("x")))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.EPIPE));

        poller.modify(refused, Interest.READ, 2);
        assertThat(poll(LONG_NANOS)).containsExactly("2 READ");
        poller.modify(refused, 0, 2);
        assertThat(poll(TimeUnit.MILLISECONDS.toNanos(1))).isEmpty();
        poller.deregister(refused);
        poller.register(refused, Interest.WRITE, 3);
        assertThat(poll(LONG_NANOS)).containsExactly("3 WRITE");
        refused.close();
        assertThat(poll(0)).isEmpty();
    }

    @Test
    void refusalSeenByTheUserFirstWakesTheWaitingThread() throws Exception {
        TcpStream refused = closeLater(nio.connect(unusedAddress()));
        await().until(() -> {
            try {
                return refused.finishConnect();
            } catch (NetworkException e) {
                return true;
            }
        });
        Future<List<String>> waiting = pollInAnotherThread(-1);

        poller.register(refused, Interest.WRITE, 1);

        assertThat(waiting.get(LONG_NANOS, TimeUnit.NANOSECONDS)).containsExactly("1 WRITE");
        assertThat(Select.select(List.of(refused), List.of(refused), List.of(), null).readable()).containsExactly(refused);
    }

    @Test
    void resetIsThrownOnceAndThenTheInputHasEnded() throws IOException {
        List<TcpStream> pair = pair();
        pair.get(1).setOption(StandardSocketOptions.SO_LINGER, 0);
        pair.get(1).close();
        TcpStream stream = pair.get(0);
        poller.register(stream, Interest.READ | Interest.WRITE, 1);

        assertThat(poll(LONG_NANOS)).containsExactly("1 READ|WRITE");
        assertThatExceptionOfType(NetworkException.class).isThrownBy(() -> stream.read(ByteBuffer.allocate(1)))
                .withMessageStartingWith("recv stream ").withMessageContaining(": ECONNRESET, ");
        assertThat(stream.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        assertThatExceptionOfType(NetworkException.class).isThrownBy(() -> stream.write(ascii("x")))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.EPIPE));
    }

    @Test
    void writeAfterShutdownIsEpipeAndUseAfterCloseIsClosedSocket() throws IOException {
        TcpStream stream = pair().get(0);
        stream.shutdownOutput();

        assertThatExceptionOfType(NetworkException.class).isThrownBy(() -> stream.write(ascii("x")))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.EPIPE));
        assertThatExceptionOfType(NetworkException.class)
                .isThrownBy(() -> stream.write(new ByteBuffer[]{ascii("x"), ascii("y")}, 0, 2))
                .satisfies(e -> assertThat(e.call()).isEqualTo("sendmsg"));
        stream.shutdownInput();
        assertThat(stream.read(ByteBuffer.allocate(1))).isEqualTo(-1);

        stream.close();
        for (ThrowingCallable call : List.<ThrowingCallable>of(
                () -> stream.write(ascii("x")), () -> stream.read(ByteBuffer.allocate(1)), stream::finishConnect,
                stream::shutdownOutput, stream::localAddress, () -> stream.setOption(StandardSocketOptions.TCP_NODELAY, true),
                () -> poller.register(stream, 0, 0))) {
            assertThatThrownBy(call).isInstanceOf(ClosedSocketException.class).hasMessage(stream + " is closed");
        }
    }

    @Test
    void longHeapBufferIsWrittenInPartsAndKeepsItsLimit() throws IOException {
        TcpStream stream = pair().get(0);
        ByteBuffer heap = ByteBuffer.allocate(1 << 20);

        assertThat(stream.write(heap)).isBetween(1, NioSocket.HEAP_BYTES_MAX);
        assertThat(heap.limit()).isEqualTo(1 << 20);
        int before = heap.position();
        long taken = stream.write(new ByteBuffer[]{ByteBuffer.allocate(0), heap, ascii("behind")}, 0, 3);
        assertThat(taken).isBetween(1L, (long) NioSocket.HEAP_BYTES_MAX);
        assertThat(heap.position()).isEqualTo(before + (int) taken);
        assertThat(stream.write(new ByteBuffer[]{ascii("a"), ascii("b"), heap}, 0, 3)).isEqualTo(2);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void closingARegisteredSocketReleasesItsDescriptorAtOnce() throws IOException {
        List<TcpStream> pair = pair();
        poller.register(pair.get(0), Interest.READ, 1);
        poller.register(pair.get(1), Interest.READ, 2);
        poller.deregister(pair.get(1));
        Set<String> before = openSockets();

        pair.get(0).close();
        pair.get(1).close();

        assertThat(before).hasSize(openSockets().size() + 2);
        assertThat(poll(0)).isEmpty();
        poller.deregister(pair.get(0)); // a closed socket can be deregistered
        assertThatIllegalArgumentException().isThrownBy(() -> poller.deregister(pair.get(0)));
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void closingARegisteredSocketReleasesItsDescriptorWhileAnotherThreadWaits() throws Exception {
        TcpStream stream = pair().get(0);
        poller.register(stream, Interest.READ, 1);
        Future<List<String>> waiting = pollInAnotherThread(-1);
        int before = openSockets().size();

        stream.close();

        await().untilAsserted(() -> assertThat(openSockets()).hasSize(before - 1));
        assertThat(waiting).isNotDone();
        poller.wakeup();
        assertThat(waiting.get(LONG_NANOS, TimeUnit.NANOSECONDS)).isEmpty();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void nextPollReleasesClosedSocketsIfManyAreReady() throws IOException {
        List<UdpSocket> sockets = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            UdpSocket socket = closeLater(nio.udp(null));
            poller.register(socket, Interest.WRITE, i);
            sockets.add(socket);
        }
        assertThat(poll(LONG_NANOS)).hasSize(ready.capacity());
        int before = openSockets().size();
        for (UdpSocket socket : sockets.subList(0, 100)) {
            socket.close();
        }

        assertThat(openSockets()).hasSizeBetween(before - 100, before - 50);
        assertThat(poll(LONG_NANOS)).hasSize(ready.capacity());
        assertThat(openSockets()).hasSize(before - 100);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void refusedStreamHoldsNoDescriptor() throws IOException {
        int before = openSockets().size();
        TcpStream refused = closeLater(nio.connect(unusedAddress()));
        poller.register(refused, Interest.WRITE, 1);

        assertThat(poll(LONG_NANOS)).hasSize(1);

        assertThat(poll(LONG_NANOS)).hasSize(1);
        assertThat(openSockets()).hasSize(before);
    }

    @Test
    void eventsThatDidNotFitAreReportedFirstByTheNextPoll() throws IOException {
        for (int i = 0; i < 5; i++) {
            Pipe pipe = closeLater(nio.pipe());
            poller.register(pipe.sink(), Interest.WRITE, i);
        }
        ReadyEvents two = new ReadyEvents(2);
        List<Long> reported = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            assertThat(poller.poll(two, LONG_NANOS)).isEqualTo(2);
            reported.add(two.token(0));
            reported.add(two.token(1));
        }
        assertThat(reported.subList(0, 5)).containsExactlyInAnyOrder(0L, 1L, 2L, 3L, 4L);
        assertThat(reported.subList(5, 10)).containsExactlyInAnyOrder(0L, 1L, 2L, 3L, 4L);
    }

    @Test
    void eventsThatDidNotFitAreDroppedIfNoLongerReady() throws IOException {
        List<Pipe> pipes = List.of(closeLater(nio.pipe()), closeLater(nio.pipe()));
        for (Pipe pipe : pipes) {
            pipe.sink().write(ascii("x"));
            poller.register(pipe.source(), Interest.READ, 0);
        }
        assertThat(poller.poll(new ReadyEvents(1), LONG_NANOS)).isEqualTo(1);
        for (Pipe pipe : pipes) {
            assertThat(pipe.source().read(ByteBuffer.allocate(1))).isEqualTo(1);
        }

        assertThat(poll(TimeUnit.MILLISECONDS.toNanos(1))).isEmpty();
    }

    @Test
    void everyReadySocketIsReportedThroughASmallBuffer() throws IOException {
        int count = 1100; // more than the JDK retrieves from the kernel at once
        for (int i = 0; i < count; i++) {
            UdpSocket socket = closeLater(nio.udp(null));
            poller.register(socket, Interest.WRITE, i);
        }
        Set<Long> reported = new HashSet<>();
        ReadyEvents few = new ReadyEvents(64);
        for (int polls = 0; reported.size() < count && polls < 10 * count / 64; polls++) {
            assertThat(poller.poll(few, LONG_NANOS)).isPositive();
            for (int i = 0; i < few.size(); i++) {
                reported.add(few.token(i));
            }
        }
        assertThat(reported).hasSize(count);
    }

    @Test
    void timeoutBelowAMillisecondIsNeitherZeroNorUnlimited() throws IOException {
        long start = System.nanoTime();
        for (int i = 0; i < 10; i++) {
            assertThat(poll(100_000)).isEmpty();
        }
        assertThat(System.nanoTime() - start).isBetween(1_000_000L, LONG_NANOS);
    }

    @Test
    void interruptEndsTheWaitAndKeepsTheStatus() throws Exception {
        Future<Boolean> waiting = others.submit(() -> {
            Thread.currentThread().interrupt();
            List<String> events = poll(-1);
            return Thread.interrupted() && events.isEmpty();
        });
        assertThat(waiting.get(LONG_NANOS, TimeUnit.NANOSECONDS)).isTrue();
        assertThat(poll(0)).isEmpty(); // the interrupt did not close the selector
    }

    @Test
    void wakeupsAreCoalescedAndNotLost() throws IOException {
        poller.wakeup();
        poller.wakeup();
        closeLater(nio.poller()).register(listener, Interest.READ, 1);
        openAndCloseARegisteredSocket(); // flushes the selector, which loses its own wakeup

        assertThat(poll(-1)).isEmpty();
        assertThat(poll(TimeUnit.MILLISECONDS.toNanos(1))).isEmpty();
    }

    @Test
    void closingThePollerEndsTheWait() throws Exception {
        poller.register(listener, Interest.READ | Interest.WRITE, 1);
        Future<List<String>> waiting = pollInAnotherThread(-1);
        poller.close();

        assertThatThrownBy(() -> waiting.get(LONG_NANOS, TimeUnit.NANOSECONDS))
                .hasRootCauseInstanceOf(IllegalStateException.class)
                .rootCause().hasMessage("the poller is closed");
        poller.wakeup();
        poller.close();
        assertThatIllegalStateException().isThrownBy(() -> poll(0));
        assertThatIllegalStateException().isThrownBy(() -> poller.register(listener, 0, 0));
        assertThat(poller.registration(listener)).isNull();
        closeLater(nio.poller()).register(listener, Interest.READ, 1);
    }

    @Test
    void udpSocketCanChangeItsPeer() throws IOException {
        UdpSocket one = closeLater(nio.udp(ANY_PORT));
        UdpSocket two = closeLater(nio.udp(ANY_PORT));
        UdpSocket sender = closeLater(nio.udp(null));
        assertThat(sender.localAddress().getPort()).isZero();
        assertThatExceptionOfType(NetworkException.class).isThrownBy(() -> sender.send(ascii("x"), null))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.EDESTADDRREQ));
        assertThat(sender.send(ByteBuffer.allocate(0), one.localAddress())).isTrue();

        sender.connect(one.localAddress());
        sender.connect(two.localAddress());
        assertThat(sender.send(ascii("hello"), null)).isTrue();
        assertThatExceptionOfType(NetworkException.class).isThrownBy(() -> sender.send(ascii("x"), one.localAddress()))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.EISCONN));
        assertThatExceptionOfType(UnsupportedOperationException.class)
                .isThrownBy(() -> sender.send(ByteBuffer.allocate(0), null));

        poller.register(one, Interest.READ, 1);
        assertThat(poll(LONG_NANOS)).containsExactly("1 READ");
        ByteBuffer buffer = ByteBuffer.allocate(16);
        assertThat(one.receive(buffer)).isNotNull();
        assertThat(buffer.position()).isZero();
        poller.register(two, Interest.READ, 2);
        assertThat(poll(LONG_NANOS)).containsExactly("2 READ");
        assertThat(two.receive(buffer)).isEqualTo(sender.localAddress());
        assertThat(buffer.position()).isEqualTo(5);
    }

    private <T extends AutoCloseable> T closeLater(T closeable) {
        opened.add(closeable);
        return closeable;
    }

    /** Opens a connection. Returns the client's end and the server's end. */
    private List<TcpStream> pair() throws IOException {
        TcpStream client = closeLater(nio.connect(listener.localAddress()));
        TcpStream server = accept();
        await().until(client::finishConnect);
        return List.of(client, server);
    }

    private TcpStream accept() throws IOException {
        Select.select(List.of(listener), List.of(), List.of(), Duration.ofSeconds(30));
        TcpStream accepted = listener.accept();
        assertThat(accepted).isNotNull();
        return closeLater(accepted);
    }

    private InetSocketAddress unusedAddress() throws IOException {
        try (TcpListener temporary = nio.listen(ANY_PORT, 1)) {
            return temporary.localAddress();
        }
    }

    private void openAndCloseARegisteredSocket() throws IOException {
        try (Socket socket = nio.udp(null)) {
            poller.register(socket, 0, 0);
        }
    }

    /** Polls once. Returns token and events of what is ready. */
    private List<String> poll(long timeoutNanos) throws IOException {
        poller.poll(ready, timeoutNanos);
        List<String> events = new ArrayList<>();
        for (int i = 0; i < ready.size(); i++) {
            events.add(ready.token(i) + " " + Interest.toString(ready.events(i)));
        }
        return events;
    }

    /** Starts a poll in another thread, and returns when it is in progress. */
    private Future<List<String>> pollInAnotherThread(long timeoutNanos) throws IOException {
        Future<List<String>> polling = others.submit(() -> {
            while (true) {
                try {
                    return poll(timeoutNanos);
                } catch (IllegalStateException e) {
                    if (!isConcurrentPoll(e)) {
                        throw e;
                    }
                }
            }
        });
        ReadyEvents nothing = new ReadyEvents(1);
        await().until(() -> { // rejected as soon as the other thread polls
            try {
                poller.poll(nothing, 0);
                return false;
            } catch (IllegalStateException e) {
                return isConcurrentPoll(e);
            }
        });
        return polling;
    }

    private static boolean isConcurrentPoll(IllegalStateException e) {
        return "another thread is polling: one at a time".equals(e.getMessage());
    }

    private static ByteBuffer ascii(String text) {
        return ByteBuffer.wrap(text.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
    }

    private static Set<String> openSockets() throws IOException {
        Set<String> sockets = new HashSet<>();
        for (String descriptor : Objects.requireNonNull(new File("/proc/self/fd").list())) { // includes the descriptor of this listing
            Path link = Path.of("/proc/self/fd", descriptor);
            if (Files.isSymbolicLink(link)) {
                sockets.add(Files.readSymbolicLink(link).toString());
            }
        }
        sockets.removeIf(target -> !target.startsWith("socket:"));
        return sockets;
    }
}
