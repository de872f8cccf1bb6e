package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.contract.Tools;
import io.trivet.net.Capability;
import io.trivet.net.EngineStatus;
import io.trivet.net.Network;
import io.trivet.net.PeerCredentials;
import io.trivet.net.SocketFile;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.net.UnixAddress;
import io.trivet.net.UnixStream;
import io.trivet.observe.ListenerSnapshot;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimNetwork;
import io.trivet.tls.TestCertificates;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A server takes over the listeners of another one, and no client notices. Both are in this process. */
@EnabledOnOs(OS.LINUX)
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class HandoverTest {
    private static final InetSocketAddress FREE_PORT = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);
    private static final Duration WAIT = Duration.ofSeconds(30);
    private static final Duration GRACE = Duration.ofSeconds(60);
    private static final int HANDOVERS = Integer.getInteger("trivet.handovers", 20);

    @TempDir Path directory;

    static Stream<Network> linux() {
        return Network.engines().stream().filter(EngineStatus::available).map(status -> Network.named(status.name()))
                .filter(network -> network.supports(Capability.DESCRIPTORS));
    }

    private UnixAddress control() {
        return UnixAddress.ofPath(directory.resolve("handover.sock"));
    }

    private Path unixPath() {
        return directory.resolve("app.sock");
    }

    /** A server of one generation, which answers each message with its number. */
    private final class Generation implements AutoCloseable {
        final Handover handover;
        final Server server;
        final List<PeerCredentials> successors = new CopyOnWriteArrayList<>();

        Generation(Network network, int number) throws IOException {
            handover = Handover.open(network, control());
            ServerBuilder builder = Server.builder().network(network).loops(2)
                    .onMessage((connection, _) -> connection.send(ByteBuffer.allocate(4).putInt(number).flip()));
            if (handover.isTaken()) {
                builder.listen(handover);
            } else {
                builder.listen(FREE_PORT).listen(UnixAddress.ofPath(unixPath()));
            }
            server = builder.start();
        }

        Generation complete() throws IOException {
            handover.complete(server, GRACE, Duration.ofSeconds(10), successors::add);
            return this;
        }

        void awaitEnd() throws InterruptedException {
            server.join();
            assertThat(server.failure()).isNull();
            assertThat(successors).extracting(PeerCredentials::pid).containsExactly((int) ProcessHandle.current().pid());
        }

        @Override
        public void close() throws IOException {
            handover.close();
            server.close();
        }
    }

    private static int ask(SocketChannel client) throws IOException {
        client.write(ByteBuffer.wrap(new byte[]{'?'}));
        ByteBuffer answer = ByteBuffer.allocate(4);
        while (answer.hasRemaining()) {
            if (client.read(answer) < 0) {
                throw new IOException("the server has ended the connection before its answer");
            }
        }
        return answer.getInt(0);
    }

    private static int ask(SocketAddress address) throws IOException {
        try (SocketChannel client = SocketChannel.open(address)) {
            return ask(client);
        }
    }

    @ParameterizedTest
    @MethodSource("linux")
    void clientsOfTheOldServerStayAndNewOnesReachTheNewServer(Network network) throws Exception {
        Generation first = new Generation(network, 1).complete();
        InetSocketAddress tcp = first.server.address();
        SocketAddress unix = UnixDomainSocketAddress.of(unixPath());
        SocketChannel stays = SocketChannel.open(tcp);
        assertThat(ask(stays)).isEqualTo(1);
        Generation second = new Generation(network, 2);
        assertThat(second.handover.isTaken()).isTrue();
        assertThat(second.server.addresses()).isEqualTo(first.server.addresses());
        second.complete();
        assertThat(first.handover.isHandedOver()).isTrue();
        for (int i = 0; i < 20; i++) {
            assertThat(ask(tcp)).isEqualTo(2);
            assertThat(ask(unix)).isEqualTo(2);
        }
        assertThat(ask(stays)).as("a client of the old server").isEqualTo(1);
        stays.close();
        first.awaitEnd();
        first.close();
        assertThat(ask(unix)).as("the file is the new server's").isEqualTo(2);
        second.close();
        assertThat(directory).isEmptyDirectory();
    }

    @ParameterizedTest
    @MethodSource("linux")
    void theDrainWaitsForWhatIsDoneBefore(Network network) throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch mayEnd = new CountDownLatch(1);
        try (Generation first = new Generation(network, 1)) {
            first.handover.beforeDrain(() -> {
                begun.countDown();
                awaitUninterruptibly(mayEnd);
                throw new IllegalStateException("planted");
            });
            first.complete();
            SocketChannel stays = SocketChannel.open(first.server.address());
            try (LogLines lines = new LogLines(); Generation _ = new Generation(network, 2).complete()) {
                assertThat(ask(stays)).isEqualTo(1);
                assertThat(begun.getCount()).as("not before the last connection has ended").isEqualTo(1);
                stays.close();
                assertThat(begun.await(WAIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
                assertThat(first.server.isDraining()).isFalse();
                mayEnd.countDown();
                first.awaitEnd();
                assertThat(lines.await("what is done before the drain threw")).isTrue();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("linux")
    void theNewServerAcceptsNothingBeforeTheHandoverIsComplete(Network network) throws Exception {
        try (Generation first = new Generation(network, 1).complete()) {
            InetSocketAddress tcp = first.server.address();
            try (Generation failed = new Generation(network, 2)) {
                assertThat(failed.server.listeners()).extracting(ListenerSnapshot::state)
                        .containsOnly(ListenerSnapshot.State.AWAITING_HANDOVER).hasSize(2);
                for (int i = 0; i < 50; i++) {
                    assertThat(ask(tcp)).isEqualTo(1);
                    assertThat(ask(UnixDomainSocketAddress.of(unixPath()))).isEqualTo(1);
                }
                failed.server.drain(Duration.ofSeconds(10)); // it has accepted no client, and leaves the backlog to the old server
                failed.server.join();
                assertThat(failed.server.stats().total().accepted()).isZero();
            }
            try (Generation second = new Generation(network, 3).complete()) {
                assertThat(ask(tcp)).isEqualTo(3);
                assertThat(ask(UnixDomainSocketAddress.of(unixPath()))).isEqualTo(3);
                assertThat(second.server.stats().total().accepted()).isEqualTo(2);
            }
        }
    }

    @Test
    void aProcessThatEndsAfterItsAcknowledgementChangesNothingIfThisOneWasSlow() throws Exception {
        Network network = Network.named("epoll");
        try (Generation first = new Generation(network, 1).complete(); LogLines lines = new LogLines()) {
            try (SocketChannel peer = SocketChannel.open(UnixDomainSocketAddress.of(control().path()))) {
                // Both lines, and the end, before the old process reads: it is as if it had been stopped.
                peer.write(ByteBuffer.wrap("take 1\nready\n".getBytes(StandardCharsets.US_ASCII)));
                peer.shutdownOutput();
                assertThat(lines.await("it has acknowledged, and then ended")).isTrue();
            }
            assertThat(first.handover.isHandedOver()).isFalse();
            assertThat(ask(first.server.address())).isEqualTo(1);
        }
    }

    /** Keeps the accepting loop of a server busy until it is released. */
    private static CountDownLatch occupy(Server server) throws InterruptedException {
        CountDownLatch busy = new CountDownLatch(1);
        CountDownLatch released = new CountDownLatch(1);
        server.loops().getFirst().execute(() -> {
            busy.countDown();
            try {
                released.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        busy.await();
        return released;
    }

    /** Waits until the thread of a handover waits for the loop that is to stop accepting. */
    private static void awaitLeaving() {
        while (Thread.getAllStackTraces().entrySet().stream()
                .noneMatch(thread -> thread.getKey().getName().equals("trivet-handover")
                        && thread.getKey().getState() == Thread.State.TIMED_WAITING
                        && Stream.of(thread.getValue()).anyMatch(frame -> frame.getMethodName().equals("leaveListeners")))) {
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Test
    void aProcessThatEndsWhileTheLoopOfTheOldOneIsBusyChangesNothing() throws Exception {
        Network network = Network.named("epoll");
        try (Generation first = new Generation(network, 1).complete(); LogLines lines = new LogLines()) {
            CountDownLatch released = occupy(first.server);
            try (SocketChannel peer = SocketChannel.open(UnixDomainSocketAddress.of(control().path()))) {
                peer.write(ByteBuffer.wrap("take 1\nready\n".getBytes(StandardCharsets.US_ASCII)));
                awaitLeaving();
            }
            released.countDown();
            assertThat(lines.await("it has acknowledged, and then ended")).isTrue();
            assertThat(first.handover.isHandedOver()).isFalse();
            assertThat(ask(first.server.address())).isEqualTo(1);
        }
    }

    @Test
    void aNewServerThatIsDrainedOrClosedDoesNotTakeOver() throws Exception {
        Network network = Network.named("epoll");
        try (Generation first = new Generation(network, 1).complete()) {
            for (boolean closes : new boolean[]{false, true}) {
                try (Generation second = new Generation(network, 2)) {
                    if (closes) {
                        second.server.close();
                    } else {
                        second.server.drain(Duration.ofSeconds(10));
                    }
                    assertThatThrownBy(second::complete).isInstanceOf(IOException.class)
                            .hasMessageEndingWith("the new server was closed or drains, so the old one continues");
                    second.server.join();
                }
                assertThat(first.handover.isHandedOver()).isFalse();
                assertThat(ask(first.server.address())).isEqualTo(1);
            }
        }
    }

    @Test
    void clientsThatWaitWhenADrainBeginsDuringAHandoverAreDrainedAndNotReset() throws Exception {
        Network network = Network.named("epoll");
        try (Generation first = new Generation(network, 1).complete(); Generation second = new Generation(network, 2)) {
            CountDownLatch released = occupy(first.server);
            Thread completing = Thread.ofPlatform().start(() -> {
                try {
                    second.complete();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            awaitLeaving();
            try (SocketChannel client = SocketChannel.open(first.server.address())) { // no loop accepts it now
                second.server.drain(WAIT);
                CountDownLatch turned = new CountDownLatch(1);
                second.server.loops().getFirst().execute(turned::countDown);
                turned.await(); // the drain has reached the loop
                released.countDown();
                completing.join();
                assertThat(first.handover.isHandedOver()).isTrue();
                assertThat(client.read(ByteBuffer.allocate(1))).as("the end of the stream").isEqualTo(-1);
            }
            second.server.join();
            assertThat(second.server.stats().total().accepted()).isEqualTo(1);
        }
    }

    @Test
    void aProcessThatEndsBeforeItsAcknowledgementChangesNothing() throws Exception {
        Network network = Network.named("epoll");
        try (Generation first = new Generation(network, 1).complete(); LogLines lines = new LogLines()) {
            for (int i = 0; i < 3; i++) {
                new Generation(network, 2).close();
            }
            try (SocketChannel probe = SocketChannel.open(UnixDomainSocketAddress.of(control().path()))) {
                assertThat(probe.isConnected()).isTrue(); // and says nothing
            }
            try (SocketChannel garbage = SocketChannel.open(UnixDomainSocketAddress.of(control().path()))) {
                garbage.write(ByteBuffer.wrap("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII)));
                ByteBuffer answer = ByteBuffer.allocate(100);
                while (garbage.read(answer) >= 0) {
                    // to the end
                }
                assertThat(new String(answer.array(), 0, answer.position(), StandardCharsets.US_ASCII))
                        .isEqualTo("refused it speaks another protocol\n");
            }
            assertThat(ask(first.server.address())).isEqualTo(1);
            assertThat(first.handover.isHandedOver()).isFalse();
            try (Generation second = new Generation(network, 2).complete()) {
                assertThat(ask(second.server.address())).isEqualTo(2);
            }
            assertThat(lines.await("has failed, and this process continues to serve: it has ended before it has acknowledged"))
                    .isTrue();
        }
    }

    @Test
    void aServerThatIsNotOfThisKindIsReported() throws IOException {
        Network network = Network.named("epoll");
        try (TcpListener listener = network.listen(control(), SocketFile.defaults(), 4)) {
            Thread other = new Thread(() -> {
                try (TcpStream stream = accept(listener)) {
                    ByteBuffer request = ByteBuffer.allocate(7);
                    while (request.hasRemaining() && stream.read(request) >= 0) {
                        LockSupport.parkNanos(100_000);
                    }
                    stream.write(ByteBuffer.wrap("hello\n".getBytes(StandardCharsets.US_ASCII)));
                } catch (IOException e) {
                    fail(e);
                }
            });
            other.start();
            assertThatThrownBy(() -> Handover.open(network, control())).isInstanceOf(IOException.class)
                    .hasMessage("handover " + control() + ": the process that serves it does not speak this protocol");
        }
    }

    /** What an old process answers to the acknowledgement. Null: it ends at once. */
    private void answers(Network network, TcpListener control, TcpListener listener, @Nullable String early,
            @Nullable String late)
            throws IOException {
        try (HandoverChannel channel = new HandoverChannel(network, (UnixStream) accept(control))) {
            assertThat(channel.receive(WAIT)).isEqualTo("take 1");
            channel.send("offer 1 1", List.of(control, listener), WAIT);
            if (early != null) {
                channel.send(early, List.of(), WAIT);
            } else {
                assertThat(channel.receive(WAIT)).isEqualTo("ready");
                if (late != null) {
                    channel.send(late, List.of(), WAIT);
                }
            }
        }
    }

    /** A new process that takes over from an old one, whose part {@link #answers} plays. */
    private Generation taken(Network network, TcpListener control, TcpListener listener, @Nullable String early,
            @Nullable String late) throws Exception {
        Thread old = Thread.ofPlatform().start(() -> {
            try {
                answers(network, control, listener, early, late);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        Generation next = new Generation(network, 2);
        if (early != null) {
            old.join(); // it has closed the connection before this process acknowledges
        }
        return next;
    }

    @Test
    void aRefusalBeforeTheAcknowledgementIsNotTakenForTheEndOfTheOldProcess() throws Exception {
        Network network = Network.named("epoll");
        try (TcpListener control = network.listen(control(), SocketFile.defaults(), 4);
                TcpListener listener = network.listen(UnixAddress.ofPath(unixPath()), SocketFile.defaults(), 4);
                Generation next = taken(network, control, listener, "refused it has waited too long", null)) {
            assertThatThrownBy(next::complete).isInstanceOf(IOException.class)
                    .hasMessage("handover " + control() + ": the old process does not hand over: it has waited too long");
        }
    }

    @Test
    void anOldProcessThatEndsLeavesItsListeners() throws Exception {
        Network network = Network.named("epoll");
        try (TcpListener control = network.listen(control(), SocketFile.defaults(), 4);
                TcpListener listener = network.listen(UnixAddress.ofPath(unixPath()), SocketFile.defaults(), 4);
                Generation next = taken(network, control, listener, null, null)) {
            next.complete();
            assertThat(ask(UnixDomainSocketAddress.of(unixPath()))).isEqualTo(2);
        }
    }

    @Test
    void anOldProcessThatHasRemovedItsFileCannotBeReplaced() throws Exception {
        Network network = Network.named("epoll");
        TcpListener listener = network.listen(UnixAddress.ofPath(unixPath()), SocketFile.defaults(), 4);
        try (TcpListener control = network.listen(control(), SocketFile.defaults(), 4);
                Generation next = taken(network, control, listener, null, null)) {
            listener.close();
            assertThatThrownBy(next::complete).isInstanceOf(IOException.class)
                    .hasMessage("the old process has ended, and the socket "
                            + unixPath() + " was removed, so that clients cannot reach it: start this server again");
        }
    }

    @Test
    void aServerThatIsDrainedOrClosedBeforeTheAcknowledgementRefuses() throws Exception {
        Network network = Network.named("epoll");
        for (boolean closes : new boolean[]{false, true}) {
            try (Generation first = new Generation(network, 1).complete(); Generation second = new Generation(network, 2)) {
                if (closes) {
                    first.handover.close();
                } else {
                    first.server.drain(Duration.ofSeconds(10));
                }
                assertThatThrownBy(second::complete).isInstanceOf(IOException.class)
                        .hasMessageEndingWith("the old process does not hand over: its server is being closed");
            }
        }
    }

    @Test
    void aTakenListenerThatTheApplicationHasClosedDoesNotFailTheHandover() throws Exception {
        Network network = Network.named("epoll");
        try (Generation first = new Generation(network, 1).complete(); LogLines lines = new LogLines()) {
            Handover handover = Handover.open(network, control());
            handover.listeners().get(1).close();
            try (handover;
                    Server server = Server.builder().network(network).listen(handover.listeners().getFirst())
                            .listen(FREE_PORT)
                            .onMessage((connection, _) -> connection.send(ByteBuffer.allocate(4).putInt(2).flip())).start()) {
                handover.complete(server, GRACE, Duration.ofSeconds(10), _ -> {});
                assertThat(ask(server.address())).isEqualTo(2);
            }
            first.awaitEnd();
            assertThat(lines.await("will not be removed when this server ends")).isTrue();
        }
    }

    @Test
    void aServerWhoseLoopIsBusyRefusesAndContinues() throws Exception {
        Network network = Network.named("epoll");
        CountDownLatch entered = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        try (Handover first = Handover.open(network, control());
                Server server = Server.builder().network(network).listen(FREE_PORT).onMessage((connection, _) -> {
                    entered.countDown();
                    awaitUninterruptibly(release);
                    connection.send(ByteBuffer.allocate(4).putInt(1).flip());
                }).start();
                SocketChannel client = SocketChannel.open(server.address())) {
            first.complete(server, GRACE, Duration.ofSeconds(10), _ -> {});
            client.write(ByteBuffer.wrap(new byte[]{'?'}));
            entered.await();
            assertThat(server.leaveListeners(() -> {}, Duration.ofMillis(1))).isNull();
            release.countDown();
            assertThat(ask(server.address())).as("the loop has not left").isEqualTo(1);
            try (Generation second = new Generation(network, 2).complete()) {
                assertThat(ask(second.server.address())).isEqualTo(2);
            }
        }
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        while (true) {
            try {
                latch.await();
                return;
            } catch (InterruptedException e) {
                // the test waits for it
            }
        }
    }

    @Test
    void anErrorOfTheApplicationDoesNotKeepTheOldServerFromDraining() throws Exception {
        Network network = Network.named("epoll");
        try (Generation first = new Generation(network, 1); LogLines lines = new LogLines()) {
            first.handover.complete(first.server, GRACE, Duration.ofSeconds(10), _ -> {
                throw new AssertionError("deliberate");
            });
            try (Generation second = new Generation(network, 2).complete()) {
                first.server.join();
                assertThat(ask(second.server.address())).isEqualTo(2);
            }
            assertThat(lines.await("the listener threw: java.lang.AssertionError: deliberate")).isTrue();
        }
    }

    private static TcpStream accept(TcpListener listener) throws IOException {
        TcpStream stream = listener.accept();
        while (stream == null) {
            LockSupport.parkNanos(100_000);
            stream = listener.accept();
        }
        return stream;
    }

    @Test
    void listenersWithTlsAreHandedOver() throws Exception {
        Network network = Network.named("epoll");
        SSLContext trusted = TlsClientSocket.context();
        Handover handover = Handover.open(network, control());
        try (Server first = tls(network, 1).listen(FREE_PORT).listen(FREE_PORT).start()) {
            handover.complete(first, GRACE, Duration.ofSeconds(10), _ -> {});
            InetSocketAddress port = first.addresses().get(1);
            try (Socket stays = trusted.getSocketFactory().createSocket(port.getAddress(), port.getPort())) {
                assertThat(ask(stays)).isEqualTo(1);
                ServerBuilder builder = tls(network, 2);
                Handover taken = Handover.open(network, control());
                assertThat(taken.listeners()).hasSize(2);
                taken.listeners().forEach(builder::listen);
                try (Server second = builder.start(); taken) {
                    taken.complete(second, GRACE, Duration.ofSeconds(10), _ -> {});
                    for (InetSocketAddress each : second.addresses()) {
                        try (Socket client = trusted.getSocketFactory().createSocket(each.getAddress(), each.getPort())) {
                            assertThat(ask(client)).isEqualTo(2);
                        }
                    }
                    assertThat(ask(stays)).isEqualTo(1);
                }
            }
            first.join();
        }
        handover.close();
    }

    private static ServerBuilder tls(Network network, int number) {
        return Server.builder().network(network).tls(TestCertificates.server())
                .onMessage((connection, _) -> connection.send(new byte[]{(byte) number}));
    }

    private static int ask(Socket client) throws IOException {
        client.getOutputStream().write('?');
        return client.getInputStream().read();
    }

    /** The kernel reports the user: a process of another one is refused, even if it may write to the file. */
    @Test
    void aProcessOfAnotherUserIsRefused() throws Exception {
        assumeTrue((Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0,
                "only root can start a process of another user");
        String python = Tools.require("python3");
        Network network = Network.named("epoll");
        try (Generation first = new Generation(network, 1).complete(); LogLines lines = new LogLines()) {
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
            Files.setPosixFilePermissions(directory.resolve("handover.sock"), PosixFilePermissions.fromString("rw-rw-rw-"));
            Process process = new ProcessBuilder(python, "-c", """
                    import os, socket, sys
                    s = socket.socket(socket.AF_UNIX)
                    os.setresuid(65534, 65534, 65534)
                    s.connect(sys.argv[1])
                    try:
                        s.sendall(b"take 1\\n")
                    except OSError:
                        pass # it has closed the connection already
                    try:
                        print(socket.recv_fds(s, 100, 10))
                    except ConnectionResetError:
                        print("reset")
                    """, control().path()).redirectErrorStream(true).start();
            assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip())
                    .matches("\\(b'refused it has another user\\\\n', \\[\\], 0, .*\\)");
            assertThat(lines.await("uid 65534, gid 0 has failed, and this process continues to serve: it has another user"))
                    .isTrue();
            assertThat(ask(first.server.address())).isEqualTo(1);
        }
    }

    @Test
    void networksWithoutDescriptorsRefuse() {
        for (Network network : List.of(Network.named("nio"), SimNetwork.of(1, FaultPlan.none()))) {
            assertThatThrownBy(() -> Handover.open(network, control())).isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageContaining("cannot pass descriptors");
        }
    }

    @Test
    void withoutASuccessorTheFileIsRemoved() throws IOException {
        Generation only = new Generation(Network.named("epoll"), 1).complete();
        assertThat(Files.exists(directory.resolve("handover.sock"))).isTrue();
        only.close();
        assertThat(directory).isEmptyDirectory();
    }

    /** Clients connect, ask and leave, and others stay connected for many questions: every question is answered. */
    @ParameterizedTest
    @MethodSource("linux")
    void noClientIsRefusedOrResetByManyHandovers(Network network) throws Exception {
        Generation current = new Generation(network, 0).complete();
        SocketAddress tcp = current.server.address();
        SocketAddress unix = UnixDomainSocketAddress.of(unixPath());
        AtomicBoolean over = new AtomicBoolean();
        AtomicLong answers = new AtomicLong();
        List<Throwable> failures = new CopyOnWriteArrayList<>();
        List<Thread> clients = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            SocketAddress address = i % 2 == 0 ? tcp : unix;
            int questions = i < 4 ? 1 : 50;
            clients.add(Thread.ofPlatform().start(() -> {
                try {
                    while (!over.get()) {
                        try (SocketChannel client = SocketChannel.open(address)) {
                            for (int question = 0; question < questions && !over.get(); question++) {
                                ask(client);
                                answers.incrementAndGet();
                            }
                        }
                    }
                } catch (IOException | RuntimeException e) {
                    failures.add(e);
                }
            }));
        }
        for (int number = 1; number <= HANDOVERS && failures.isEmpty(); number++) {
            long before = answers.get();
            Generation next = new Generation(network, number).complete();
            current.awaitEnd();
            current.close();
            current = next;
            while (answers.get() < before + 50 && failures.isEmpty()) {
                LockSupport.parkNanos(100_000);
            }
        }
        over.set(true);
        for (Thread client : clients) {
            client.join();
        }
        current.close();
        assertThat(failures).isEmpty();
        assertThat(answers.get()).isGreaterThan(50L * HANDOVERS);
    }
}
