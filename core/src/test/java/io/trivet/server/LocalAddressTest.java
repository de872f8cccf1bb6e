package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.Addresses;
import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import io.trivet.net.TcpListener;
import io.trivet.net.UnixAddress;
import io.trivet.sim.SimNetwork;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;

/** Outgoing connections that are made from a local address. */
final class LocalAddressTest {
    private static final Handler SILENT = (connection, message) -> {};

    private static InetSocketAddress address(String literal, int port) {
        return new InetSocketAddress(InetAddress.ofLiteral(literal), port);
    }

    private static Protocol from(Stage stage, Story story, InetSocketAddress local) {
        return stage.outgoing(Protocol.of(Framing.raw(), story)).withLocalAddress(local);
    }

    private static int freePort(Stage stage) throws IOException {
        try (TcpListener listener = stage.network().listen(Stage.FREE_PORT, 1)) {
            return listener.localAddress().getPort();
        }
    }

    @EveryNetwork
    void thePeerSeesTheLocalAddress(Stage stage) throws IOException {
        Story target = stage.story(SILENT);
        Server server = stage.open(stage.tcpServer(target));
        Story story = stage.story(SILENT);
        InetSocketAddress fixed = address("127.0.0.3", freePort(stage));
        Connection any = server.connect(server.address(), from(stage, story, address("127.0.0.2", 0)), null);
        Connection one = server.connect(server.address(), from(stage, story, fixed), null);
        Connection wildcard = server.connect(server.address(), from(stage, story, address("0.0.0.0", 0)), null);
        stage.until("open", () -> target.count("open") == 3 && story.count("open") == 3);
        assertThat(any.localAddress().getAddress()).isEqualTo(InetAddress.ofLiteral("127.0.0.2"));
        assertThat(any.localAddress().getPort()).isPositive();
        assertThat(one.localAddress()).isEqualTo(fixed);
        assertThat(wildcard.localAddress().getAddress()).isEqualTo(InetAddress.ofLiteral("127.0.0.1"));
        assertThat(server.connections()).extracting(snapshot -> Addresses.toString(snapshot.remoteAddress()))
                .contains(Addresses.toString(any.localAddress()), Addresses.toString(fixed),
                        Addresses.toString(wildcard.localAddress()));
    }

    @EveryNetwork
    void anAddressThatCannotBeUsedFailsInOneLine(Stage stage) throws IOException {
        Server server = stage.open(stage.tcpServer(stage.story(SILENT)));
        InetSocketAddress target = server.address();
        String to = Addresses.toString(target);
        fails(stage, server, target, address("192.0.2.1", 0), ErrorCode.EADDRNOTAVAIL,
                "bind 192.0.2.1:0: EADDRNOTAVAIL, this machine has no such address, or no local port is free");
        for (InetSocketAddress itself : List.of(target, address("127.0.0.1", freePort(stage)))) {
            fails(stage, server, itself, itself, ErrorCode.EADDRINUSE, "bind " + Addresses.toString(itself)
                    + ": EADDRINUSE, this is the address to connect to, and the socket would connect to itself: bind to another port");
        }
        fails(stage, server, target, address("::1", 0), ErrorCode.EAFNOSUPPORT,
                "bind [::1]:0: EAFNOSUPPORT, an IPv6 address cannot connect to an IPv4 address: connect to " + to);
        fails(stage, server, address("::1", 1), address("127.0.0.1", 0), ErrorCode.EAFNOSUPPORT,
                "bind 127.0.0.1:0: EAFNOSUPPORT, an IPv4 address cannot connect to an IPv6 address: connect to [::1]:1");
        fails(stage, server, UnixAddress.ofPath(Path.of("/no/socket")).asInetSocketAddress(), address("127.0.0.1", 0),
                ErrorCode.EAFNOSUPPORT,
                "bind 127.0.0.1:0: EAFNOSUPPORT, a local address is for TCP: connect to unix:/no/socket");
    }

    private static void fails(Stage stage, Server server, InetSocketAddress target, InetSocketAddress local, ErrorCode code,
            String message) throws IOException {
        Story story = stage.story(SILENT);
        Connection connection = server.connect(target, from(stage, story, local), null);
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks()).containsExactly("close CONNECT_FAILED");
        assertThat(connection.failure()).hasMessage(message).isInstanceOfSatisfying(NetworkException.class,
                e -> assertThat(e.code()).isEqualTo(code));
    }

    @EveryNetwork
    void aFixedPortPermitsOneConnectionToAPeer(Stage stage) throws IOException {
        Story target = stage.story(SILENT);
        Server server = stage.open(stage.tcpServer(target));
        InetSocketAddress local = address("127.0.0.1", freePort(stage));
        Story story = stage.story(SILENT);
        server.connect(server.address(), from(stage, story, local), null);
        stage.until("open", () -> target.count("open") == 1 && story.count("open") == 1);
        Story second = stage.story(SILENT);
        Connection connection = server.connect(server.address(), from(stage, second, local), null);
        stage.until("closed", () -> second.count("close") == 1);
        assertThat(connection.failure()).hasMessageContaining("EADDRINUSE").isInstanceOfSatisfying(NetworkException.class,
                e -> assertThat(e.code()).isEqualTo(ErrorCode.EADDRINUSE));
        assertThat(story.count("close")).as("the first connection").isZero();
    }

    @EveryNetwork
    void ofAHostNameTheAddressesOfTheOtherFamilyFail(Stage stage) throws IOException {
        if (stage.network() instanceof SimNetwork) {
            return; // it has no host names
        }
        Server target = stage.open(stage.tcpServer(stage.story(SILENT)));
        NamesOfTest names = new NamesOfTest();
        names.put("db.test", "::1", "127.0.0.1");
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.tcpServer(SILENT).lookup(names.lookup()));
        InetSocketAddress name = InetSocketAddress.createUnresolved("db.test", target.address().getPort());
        Connection connection = server.connect(name, from(stage, story, address("127.0.0.2", 0)), null);
        stage.settle();
        names.answer();
        stage.until("open", () -> story.count("open") == 1);
        assertThat(connection.remoteAddress()).isEqualTo(target.address());
        assertThat(connection.localAddress().getAddress()).isEqualTo(InetAddress.ofLiteral("127.0.0.2"));

        Story refused = stage.story(SILENT);
        Connection other = server.connect(name, from(stage, refused, address("192.0.2.1", 0)), null);
        stage.settle();
        names.answer();
        stage.until("closed", () -> refused.count("close") == 1);
        assertThat(other.failure()).hasMessageContainingAll("[::1]:" + name.getPort() + ": bind 192.0.2.1:0: EAFNOSUPPORT",
                "127.0.0.1:" + name.getPort() + ": bind 192.0.2.1:0: EADDRNOTAVAIL");
    }

    @EveryNetwork(plaintext = "opens no connection")
    void aLocalAddressIsAnIpAddress(Stage stage) {
        Protocol protocol = Protocol.of(Framing.raw(), SILENT);
        assertThatThrownBy(() -> protocol.withLocalAddress(InetSocketAddress.createUnresolved("localhost", 0)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("must be an IP address, not localhost");
        assertThatThrownBy(() -> protocol.withLocalAddress(UnixAddress.ofPath(Path.of("/a")).asInetSocketAddress()))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("unix:/a");
        assertThatThrownBy(() -> stage.network().connect(Stage.FREE_PORT, InetSocketAddress.createUnresolved("name.test", 0)))
                .isInstanceOf(IOException.class).hasMessageContaining("name.test");
    }
}
