package io.trivet.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.Capability;
import io.trivet.net.Descriptor;
import io.trivet.net.EngineStatus;
import io.trivet.net.ErrorCode;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Pipe;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.net.UdpSocket;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Listeners of descriptors that were opened elsewhere. */
@EnabledOnOs(OS.LINUX)
final class InheritedListenerTest {
    private static final int F_DUPFD = 0;
    private static final InetSocketAddress FREE_PORT = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);

    static List<Network> networks() {
        return Network.engines().stream().filter(EngineStatus::available).map(status -> Network.named(status.name()))
                .filter(network -> network.supports(Capability.DESCRIPTORS)).toList();
    }

    /** Returns a second descriptor of a socket, blocking and passed to programs, as it would be inherited. */
    private static int copy(int fd) {
        int copy = Libc.fcntl(fd, F_DUPFD, 0);
        assertThat(copy).isPositive();
        assertThat(Libc.fcntl(copy, Libc.F_SETFL, 0)).isZero();
        return copy;
    }

    @ParameterizedTest
    @MethodSource("networks")
    void serverServesTheClientsOfAPassedListener(Network network) throws IOException {
        try (TcpListener original = network.listen(FREE_PORT, 16)) {
            int fd = copy(original.fd());
            TcpListener passed = network.listen(Descriptor.of(fd));
            assertThat(passed.localAddress()).isEqualTo(original.localAddress());
            assertThat(passed.accept()).as("does not block").isNull();
            assertThat(Libc.fcntl(fd, Libc.F_GETFD, 0)).as("closed on exec").isEqualTo(Libc.FD_CLOEXEC);
            try (Server server = Server.builder().network(network).listen(passed)
                    .onMessage((connection, message) -> connection.send(message)).start();
                    Socket client = new Socket()) {
                assertThat(server.address()).isEqualTo(original.localAddress());
                client.connect(server.address());
                client.getOutputStream().write('x');
                assertThat(client.getInputStream().read()).isEqualTo('x');
            }
            assertThat(passed.isOpen()).as("after the end of the server").isFalse();
            assertThat(original.isOpen()).isTrue();
        }
    }

    @Test
    void otherDescriptorsAreRefusedAndStayOpen() throws IOException {
        Network network = Network.named("epoll");
        try (TcpListener listener = network.listen(FREE_PORT, 16);
                TcpStream stream = network.connect(listener.localAddress());
                UdpSocket udp = network.udp(FREE_PORT);
                Pipe pipe = network.pipe()) {
            assertRefused(network, stream.fd(), ErrorCode.EINVAL,
                    "EINVAL, a listening socket for TCP or Unix domain streams is needed, and this is a TCP socket that does not listen, such as a "
                            + "connection");
            assertRefused(network, udp.fd(), ErrorCode.EINVAL, "and this is a UDP socket");
            assertRefused(network, pipe.source().fd(), ErrorCode.ENOTSOCK, "not a socket");
            assertThat(Libc.fcntl(stream.fd(), Libc.F_GETFD, 0)).isNotNegative();
        }
        int unix = Libc.socket(Libc.AF_UNIX, Libc.SOCK_DGRAM, 0);
        assertRefused(network, unix, ErrorCode.EINVAL, "and this is a Unix datagram socket");
        assertThat(Libc.close(unix)).as("it stayed open").isZero();
        assertRefused(network, unix, ErrorCode.EBADF, "EBADF");
    }

    private static void assertRefused(Network network, int fd, ErrorCode code, String message) {
        assertThatThrownBy(() -> network.listen(Descriptor.of(fd))).isInstanceOf(NetworkException.class)
                .hasMessageContaining("descriptor " + fd).hasMessageContaining(message)
                .satisfies(e -> assertThat(((NetworkException) e).code()).isEqualTo(code));
    }

    @Test
    void aNetworkWithoutDescriptorsRefuses() throws IOException {
        Network nio = Network.named("nio");
        assertThatThrownBy(() -> nio.listen(Descriptor.of(0))).isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("nio cannot listen on a descriptor");
        assertThatThrownBy(() -> nio.sendUnixDatagram("/x", "y")).isInstanceOf(UnsupportedOperationException.class);
        try (TcpListener listener = Network.named("epoll").listen(FREE_PORT, 16)) {
            assertThatThrownBy(() -> Server.builder().network(nio).listen(listener).onMessage((_, _) -> {}).open())
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("cannot be used by nio");
        }
    }
}
