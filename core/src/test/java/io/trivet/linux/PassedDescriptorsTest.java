package io.trivet.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.contract.Tools;
import io.trivet.net.Descriptor;
import io.trivet.net.DescriptorsLostException;
import io.trivet.net.Network;
import io.trivet.net.Pipe;
import io.trivet.net.Socket;
import io.trivet.net.SocketFile;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.net.UnixAddress;
import io.trivet.net.UnixStream;
import io.trivet.select.Select;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Descriptors that are passed over Unix domain sockets. */
@EnabledOnOs(OS.LINUX)
final class PassedDescriptorsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Network network = Network.named("epoll");
    @TempDir Path directory;
    private TcpListener listener;
    private UnixStream client;
    private UnixStream server;

    @BeforeEach
    void connect() throws IOException {
        UnixAddress address = UnixAddress.ofPath(directory.resolve("a.sock"));
        listener = network.listen(address, SocketFile.defaults(), 16);
        client = (UnixStream) network.connect(address);
        server = (UnixStream) listener.accept();
    }

    @AfterEach
    void close() throws IOException {
        client.close();
        server.close();
        listener.close();
    }

    private static int openDescriptors() throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return (int) all.count();
        }
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void aListenerIsPassedWithItsBytes() throws IOException {
        List<Descriptor> received = new ArrayList<>();
        ByteBuffer buffer = ByteBuffer.allocate(16);
        try (TcpListener passed = network.listen(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 16)) {
            assertThat(server.read(buffer, received, 4)).as("would block").isZero();
            assertThat(client.write(bytes("take it"), List.of(passed))).isEqualTo(7);
            assertThat(server.read(buffer, received, 4)).isEqualTo(7);
            assertThat(received).hasSize(1);
            int fd = received.getFirst().fd();
            assertThat(Libc.fcntl(fd, Libc.F_GETFD, 0)).as("closed on exec").isEqualTo(Libc.FD_CLOEXEC);
            try (TcpListener copy = network.listen(received.getFirst()); TcpStream _ = network.connect(passed.localAddress())) {
                assertThat(received.getFirst().isOpen()).as("the listener has taken it over").isFalse();
                assertThat(copy.localAddress()).isEqualTo(passed.localAddress());
                Select.on(network).select(List.of(copy), List.of(), List.of(), PATIENCE);
                TcpStream accepted = copy.accept();
                assertThat(accepted).isNotNull();
                accepted.close();
            }
            assertThat(Libc.fcntl(fd, Libc.F_GETFD, 0)).isEqualTo(-Errno.EBADF);
        }
        client.close();
        assertThat(server.read(buffer, received, 4)).as("end of input").isEqualTo(-1);
    }

    @Test
    void eachMessageKeepsItsDescriptors() throws IOException {
        try (Pipe pipe = network.pipe()) {
            client.write(bytes("one"), List.of(pipe.source()));
            client.write(bytes("two"), List.of(pipe.source(), pipe.sink()));
            client.write(bytes("three"));
            for (int expected : new int[]{1, 2, 0}) {
                List<Descriptor> received = new ArrayList<>();
                ByteBuffer buffer = ByteBuffer.allocateDirect(64);
                assertThat(server.read(buffer, received, UnixStream.DESCRIPTORS_MAX)).isPositive();
                assertThat(received).hasSize(expected);
                for (Descriptor each : received) {
                    each.close();
                }
            }
        }
    }

    @Test
    void moreThanAllowedAreAllClosed() throws IOException {
        int before;
        try (Pipe pipe = network.pipe()) {
            before = openDescriptors();
            client.write(bytes("x"), Collections.nCopies(3, pipe.source()));
            List<Descriptor> received = new ArrayList<>();
            ByteBuffer buffer = ByteBuffer.allocate(16);
            assertThatThrownBy(() -> server.read(buffer, received, 2)).isInstanceOf(DescriptorsLostException.class)
                    .hasMessageContaining("more than 2 descriptors were passed");
            assertThat(received).isEmpty();
            assertThat(buffer.position()).as("the byte was read").isEqualTo(1);
            client.write(bytes("y"), List.of(pipe.source()));
            assertThatThrownBy(() -> server.read(buffer, received, 0)).isInstanceOf(DescriptorsLostException.class);
            client.write(bytes("z"), Collections.nCopies(UnixStream.DESCRIPTORS_MAX, pipe.source()));
            assertThat(server.read(buffer)).as("a plain read drops them").isEqualTo(1);
            assertThat(openDescriptors()).isEqualTo(before);
            assertThatThrownBy(() -> client.write(bytes("z"), Collections.nCopies(UnixStream.DESCRIPTORS_MAX + 1, pipe.source())))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("at most 253 descriptors");
            assertThatThrownBy(() -> client.write(ByteBuffer.allocate(0), List.of(pipe.source())))
                    .hasMessageContaining("at least one byte");
        }
    }

    @Test
    void theMaximumIsPassedAtOnce() throws IOException {
        List<Descriptor> received = new ArrayList<>();
        try (Pipe pipe = network.pipe()) {
            client.write(bytes("x"), Collections.nCopies(UnixStream.DESCRIPTORS_MAX, pipe.sink()));
            server.read(ByteBuffer.allocate(1), received, UnixStream.DESCRIPTORS_MAX);
        }
        assertThat(received).hasSize(UnixStream.DESCRIPTORS_MAX);
        for (Descriptor each : received) {
            each.close();
        }
    }

    /** Python receives a pipe, writes to it, and passes it back. */
    @ParameterizedTest
    @ValueSource(ints = {1, 20})
    void pythonReceivesAndSends(int count) throws Exception {
        Path script = Files.writeString(directory.resolve("peer.py"), """
                import os, socket, sys
                s = socket.socket(socket.AF_UNIX)
                s.connect(sys.argv[1])
                data, fds, flags, address = socket.recv_fds(s, 100, 253)
                for fd in fds:
                    os.write(fd, data)
                socket.send_fds(s, [b"back"], fds)
                """);
        try (Tools.Peer _ = Tools.start(Tools.require("python3"), script.toString(), directory.resolve("a.sock").toString());
                Pipe pipe = network.pipe()) {
            Select.on(network).select(List.of(listener), List.of(), List.of(), PATIENCE);
            try (UnixStream python = (UnixStream) listener.accept()) {
                List<Socket> sockets = Collections.nCopies(count, pipe.sink());
                python.write(bytes("hi"), sockets);
                ByteBuffer written = ByteBuffer.allocate(2 * count);
                while (written.hasRemaining()) {
                    Select.on(network).select(List.of(pipe.source()), List.of(), List.of(), PATIENCE);
                    pipe.source().read(written);
                }
                assertThat(new String(written.array(), StandardCharsets.UTF_8)).isEqualTo("hi".repeat(count));
                List<Descriptor> received = new ArrayList<>();
                Select.on(network).select(List.of(python), List.of(), List.of(), PATIENCE);
                assertThat(python.read(ByteBuffer.allocate(10), received, 253)).isEqualTo(4);
                assertThat(received).hasSize(count);
                for (Descriptor each : received) {
                    each.close();
                }
            }
        }
    }
}
