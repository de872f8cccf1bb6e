package io.trivet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.contract.Tools;
import io.trivet.select.Ready;
import io.trivet.select.Select;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimNetwork;
import io.trivet.sim.TortureNetwork;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Unix domain sockets: addresses, files, errors. The server's tests run over them, too. */
@EnabledOnOs(OS.LINUX)
final class UnixSocketsTest {
    @TempDir Path directory;

    static Stream<Network> networks() {
        return Stream.concat(linux(), Stream.of(Network.named("nio"), SimNetwork.of(1, FaultPlan.none()),
                TortureNetwork.of(Network.named("epoll"), 1)));
    }

    static Stream<Network> linux() {
        return Network.engines().stream().filter(EngineStatus::available).map(status -> Network.named(status.name()))
                .filter(network -> network.supports(Capability.DESCRIPTORS));
    }

    private UnixAddress path() {
        return UnixAddress.ofPath(directory.resolve("a.sock"));
    }

    private static boolean isReady(Network network, Socket socket, boolean forWriting) throws IOException {
        List<Socket> one = List.of(socket);
        Ready<Socket> ready = Select.on(network).select(forWriting ? List.of() : one, forWriting ? one : List.of(), List.of(),
                Duration.ofSeconds(10));
        return !ready.readable().isEmpty() || !ready.writable().isEmpty();
    }

    private static TcpStream accept(Network network, TcpListener listener) throws IOException {
        while (true) {
            assertThat(isReady(network, listener, false)).as("a connection waits").isTrue();
            TcpStream accepted = listener.accept();
            if (accepted != null) {
                return accepted;
            }
        }
    }

    private static void finish(Network network, TcpStream client) throws IOException {
        while (!client.finishConnect()) {
            isReady(network, client, true);
        }
    }

    private static String read(Network network, TcpStream stream, int bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(bytes);
        while (buffer.hasRemaining()) {
            assertThat(isReady(network, stream, false)).isTrue();
            if (stream.read(buffer) < 0) {
                break;
            }
        }
        return new String(buffer.array(), 0, buffer.position(), StandardCharsets.UTF_8);
    }

    private static void write(TcpStream stream, String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            stream.write(bytes);
        }
    }

    // ---- on every network

    @ParameterizedTest
    @MethodSource("networks")
    void streamsAreEchoedAndHalfClosed(Network network) throws IOException {
        UnixAddress address = path();
        try (TcpListener listener = network.listen(address, SocketFile.defaults(), 16);
                TcpStream client = network.connect(address)) {
            TcpStream server = accept(network, listener);
            finish(network, client);
            assertThat(UnixAddress.of(listener.localAddress())).isEqualTo(address);
            assertThat(UnixAddress.of(client.remoteAddress())).isEqualTo(address);
            assertThat(UnixAddress.of(client.localAddress())).isEqualTo(UnixAddress.unnamed());
            assertThat(UnixAddress.of(server.remoteAddress())).isEqualTo(UnixAddress.unnamed());
            assertThat(UnixAddress.of(server.localAddress())).isEqualTo(address);
            assertThat(listener.toString()).isEqualTo("listener " + address);
            write(client, "hello");
            assertThat(read(network, server, 5)).isEqualTo("hello");
            write(server, "world");
            client.shutdownOutput();
            assertThat(read(network, server, 1)).isEmpty();
            assertThat(read(network, client, 5)).isEqualTo("world");
            server.close();
            assertThat(read(network, client, 1)).isEmpty();
        }
        assertThat(directory).isEmptyDirectory();
    }

    @ParameterizedTest
    @MethodSource("networks")
    void connectToNothingIsReported(Network network) throws IOException {
        try (TcpStream client = network.connect(path())) {
            assertThatThrownBy(() -> finish(network, client)).isInstanceOfSatisfying(NetworkException.class, e -> {
                assertThat(e.code()).isEqualTo(ErrorCode.ENOENT);
                assertThat(e).hasMessageContaining("connect " + path() + ": ENOENT, it does not exist");
            });
        }
    }

    @ParameterizedTest
    @MethodSource("networks")
    void aLiveServerIsNotDisplaced(Network network) throws IOException {
        try (TcpListener listener = network.listen(path(), SocketFile.defaults(), 16)) {
            assertThatThrownBy(() -> network.listen(path(), SocketFile.defaults(), 16)).isInstanceOfSatisfying(
                    NetworkException.class,
                    e -> assertThat(e.code()).isEqualTo(ErrorCode.EADDRINUSE));
            try (TcpStream client = network.connect(path())) {
                finish(network, client);
            }
            assertThat(listener.isOpen()).isTrue();
        }
    }

    // ---- files

    @ParameterizedTest
    @MethodSource("linux")
    void aStaleFileIsReplaced(Network network) throws IOException {
        leaveStaleFile(directory.resolve("a.sock"));
        try (TcpListener _ = network.listen(path(), SocketFile.defaults(), 16); TcpStream client = network.connect(path())) {
            finish(network, client);
        }
        assertThat(directory).isEmptyDirectory();
    }

    private static void leaveStaleFile(Path path) throws IOException {
        ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(path)).close();
        assertThat(path).exists();
    }

    @Test
    void javaNioDoesNotReplaceAStaleFileAndSaysSo() throws IOException {
        leaveStaleFile(directory.resolve("a.sock"));
        Network nio = Network.named("nio");
        assertThatThrownBy(() -> nio.listen(path(), SocketFile.defaults(), 16))
                .hasMessage("bind " + path()
                        + ": EADDRINUSE, the file exists. java.nio does not replace it: if no server listens there, "
                        + "remove it, or use another engine");
        assertThatThrownBy(() -> nio.listen(path(), SocketFile.defaults().withMode("600"), 16))
                .isInstanceOf(UnsupportedOperationException.class).hasMessageContaining("nio cannot set the mode and owner");
        assertThatThrownBy(() -> nio.listen(UnixAddress.ofAbstract("x"), SocketFile.defaults(), 16))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("unix:@x: java.nio has no abstract names");
    }

    @Test
    void whatIsNotAStaleSocketStays() throws IOException {
        Network network = Network.named("epoll");
        Path file = Files.writeString(directory.resolve("a.sock"), "text");
        assertThatThrownBy(() -> network.listen(path(), SocketFile.defaults(), 16))
                .hasMessage("bind " + path() + ": EADDRINUSE, a file is there that is not a socket, and is not removed");
        assertThat(file).hasContent("text");
        Files.delete(file);

        try (ServerSocketChannel other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            other.bind(UnixDomainSocketAddress.of(file));
            assertThatThrownBy(() -> network.listen(path(), SocketFile.defaults(), 16))
                    .hasMessage("bind " + path() + ": EADDRINUSE, a server listens there");
        }
        assertThatThrownBy(
                () -> network.listen(UnixAddress.ofPath(directory.resolve("missing/a.sock")), SocketFile.defaults(), 16))
                .hasMessageContaining("ENOENT, the directory " + directory.resolve("missing") + " does not exist");
    }

    @Test
    void aFileThatAnotherHasReplacedIsNotRemoved() throws IOException {
        Network network = Network.named("epoll");
        Path file = directory.resolve("a.sock");
        TcpListener first = network.listen(path(), SocketFile.defaults(), 16);
        Files.delete(file); // as a script might
        try (TcpListener _ = network.listen(path(), SocketFile.defaults(), 16)) {
            first.close();
            assertThat(file).exists();
            try (TcpStream client = network.connect(path())) {
                finish(network, client);
            }
        }
        assertThat(file).doesNotExist();
    }

    @Test
    void ofManyStartersOneWins() throws Exception {
        Network network = Network.named("epoll");
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            for (int round = 0; round < 20; round++) {
                leaveStaleFile(directory.resolve("a.sock"));
                List<Callable<Object>> starters = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                    starters.add(() -> {
                        try {
                            return network.listen(path(), SocketFile.defaults(), 16);
                        } catch (NetworkException e) {
                            return e.code();
                        }
                    });
                }
                List<TcpListener> winners = new ArrayList<>();
                for (Future<Object> outcome : threads.invokeAll(starters)) {
                    if (outcome.get() instanceof TcpListener winner) {
                        winners.add(winner);
                    } else {
                        assertThat(outcome.get()).isEqualTo(ErrorCode.EADDRINUSE);
                    }
                }
                assertThat(winners).hasSize(1);
                try (TcpStream client = network.connect(path())) {
                    finish(network, client);
                    accept(network, winners.getFirst()); // it is the one that the file leads to
                }
                winners.getFirst().close();
            }
        }
    }

    @Test
    void modeAndGroupAreSetBeforeClientsCanConnect() throws IOException {
        Network network = Network.named("epoll");
        String group = Files.getAttribute(directory, "unix:gid").toString();
        SocketFile file = SocketFile.defaults().withMode("660").withGroup(group);
        try (TcpListener _ = network.listen(path(), file, 16)) {
            assertThat(PosixFilePermissions
                    .toString(Files.getPosixFilePermissions(directory.resolve("a.sock"), LinkOption.NOFOLLOW_LINKS)))
                    .isEqualTo("rw-rw----");
        }
        assertThatThrownBy(() -> network.listen(path(), SocketFile.defaults().withOwner("no-such-user"), 16))
                .hasMessage("chown " + path() + ": there is no user 'no-such-user'");
        assertThat(directory).isEmptyDirectory();
        assertThatThrownBy(() -> file.withMode("999")).hasMessage("'999' is not a mode: write 660 or rw-rw----");
        assertThat(file.withMode("rwx------").mode()).isEqualTo(PosixFilePermissions.fromString("rwx------"));
    }

    // ---- on Linux

    @ParameterizedTest
    @MethodSource("linux")
    void abstractNamesNeedNoFile(Network network) throws IOException {
        UnixAddress address = UnixAddress.ofAbstract("trivet-test-" + ProcessHandle.current().pid());
        try (TcpListener listener = network.listen(address, SocketFile.defaults(), 16);
                TcpStream client = network.connect(address)) {
            finish(network, client);
            assertThat(Addresses.toString(listener.localAddress())).isEqualTo(address.toString())
                    .startsWith("unix:@trivet-test-");
            assertThatThrownBy(() -> network.listen(address, SocketFile.defaults(), 16))
                    .hasMessage("bind " + address + ": EADDRINUSE, a server listens there");
        }
    }

    @ParameterizedTest
    @MethodSource("linux")
    void credentialsAreThoseOfThePeer(Network network) throws IOException {
        try (TcpListener listener = network.listen(path(), SocketFile.defaults(), 16);
                TcpStream client = network.connect(path());
                TcpStream server = accept(network, listener)) {
            PeerCredentials own = server.getOption(UnixOptions.PEER_CREDENTIALS);
            assertThat(own.pid()).isEqualTo((int) ProcessHandle.current().pid());
            assertThat(own.uid())
                    .isEqualTo((Integer) Files.getAttribute(Files.createFile(directory.resolve("mine")), "unix:uid"));
            assertThat(((UnixStream) client).peerCredentials()).isEqualTo(own);
            assertThatThrownBy(() -> server.setOption(StandardSocketOptions.TCP_NODELAY, true))
                    .isInstanceOf(UnsupportedOperationException.class).hasMessageContaining("has no option TCP_NODELAY");
            assertThatThrownBy(() -> client.sendUrgent((byte) 'x')).isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageContaining("has no urgent data");
        }
    }

    @Test
    void aFullBacklogIsReported() throws IOException {
        Network network = Network.named("epoll");
        List<TcpStream> clients = new ArrayList<>();
        try (TcpListener _ = network.listen(path(), SocketFile.defaults(), 1)) {
            assertThatThrownBy(() -> {
                for (int i = 0; i < 10; i++) {
                    TcpStream client = network.connect(path());
                    clients.add(client);
                    client.finishConnect();
                }
            }).hasMessage("connect " + path() + ": EAGAIN, the server's backlog is full");
            // A starter finds that a server is there, although it cannot connect.
            assertThatThrownBy(() -> network.listen(path(), SocketFile.defaults(), 16))
                    .hasMessageContaining("a server listens there");
        }
        for (TcpStream client : clients) {
            client.close();
        }
    }

    // ---- addresses

    @Test
    void addressesAreParsedAndFormatted() {
        assertThat(UnixAddress.parse("unix:/run/a.sock")).isEqualTo(UnixAddress.ofPath("/run/a.sock"))
                .hasToString("unix:/run/a.sock");
        assertThat(UnixAddress.parse("unix:@name")).isEqualTo(UnixAddress.ofAbstract("name"));
        assertThat(UnixAddress.parse("unix:").isUnnamed()).isTrue();
        assertThat(UnixAddress.ofPath("@file").path()).isEqualTo("./@file");
        assertThat(UnixAddress.of(UnixDomainSocketAddress.of("/x"))).isEqualTo(UnixAddress.ofPath("/x"));
        assertThat(UnixAddress.of(InetSocketAddress.createUnresolved("localhost", 80))).isNull();
        assertThat(UnixAddress.of(UnixAddress.ofPath("/X").asInetSocketAddress())).isEqualTo(UnixAddress.ofPath("/X"));
        assertThat(UnixAddress.ofPath("/x".repeat(53))).isNotNull();
        assertThatThrownBy(() -> UnixAddress.ofPath("/".repeat(108)))
                .hasMessage("the address of a Unix domain socket has 1 to 107 bytes, not 108: unix:" + "/".repeat(108));
        assertThatThrownBy(() -> UnixAddress.ofAbstract("x".repeat(107))).hasMessageContaining("1 to 107 bytes, not 108");
        assertThatThrownBy(() -> UnixAddress.ofPath("")).hasMessageContaining("1 to 107 bytes, not 0");
        assertThatThrownBy(() -> UnixAddress.ofPath("a\0b")).hasMessageContaining("must not contain a NUL");
        assertThatThrownBy(() -> UnixAddress.parse("/run/a.sock"))
                .hasMessage("/run/a.sock is not a Unix address: write unix:PATH or unix:@NAME");
    }

    @Test
    void whateverAPeerHasBoundIsAnAddressAndItsControlCharactersAreEscaped() {
        for (String name : new String[]{"@" + "x".repeat(107), "@a\0b", "p".repeat(108), "@"}) {
            byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
            UnixAddress peer = UnixAddress.ofBytes(bytes, bytes.length);
            assertThat(UnixAddress.of(peer.asInetSocketAddress())).isEqualTo(peer);
        }
        InetSocketAddress line = UnixAddress.ofAbstract("a\nb").asInetSocketAddress();
        assertThat(Addresses.toString(line)).isEqualTo("unix:@a\\u000ab");
        assertThat(UnixAddress.of(line)).isEqualTo(UnixAddress.ofAbstract("a\nb"));
    }

    /** Any process that can read a directory can hold its lock: that must not prevent the start of the directory's owner. */
    @Test
    void aHeldLockPreventsTheStartOnlyWhereOthersMayWrite() throws Exception {
        Network network = Network.named("poll");
        Path own = Files.createDirectory(directory.resolve("own"), PosixFilePermissions.asFileAttribute(
                PosixFilePermissions.fromString("rwxr-xr-x")));
        Path open = Files.createDirectory(directory.resolve("open"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
        Process holder = new ProcessBuilder(Tools.require("flock"), own.toString(), Tools.require("flock"), open.toString(), "sh",
                "-c",
                "echo held; read line").redirectErrorStream(true).start();
        try {
            assertThat(holder.inputReader().readLine()).isEqualTo("held");
            network.listen(UnixAddress.ofPath(own.resolve("s")), SocketFile.defaults().withMode("600"), 1).close();
            assertThatThrownBy(() -> network.listen(UnixAddress.ofPath(open.resolve("s")), SocketFile.defaults(), 1))
                    .isInstanceOf(NetworkException.class).hasMessageContaining("another process has held the lock of " + open);
        } finally {
            holder.outputWriter().close(); // the end of its input
            holder.waitFor();
        }
    }
}
