package io.trivet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.contract.Case;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.Pair;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;

/** Addresses of sockets, and addresses that are refused. */
final class AddressingTest {
    private static final InetAddress LOOPBACK_6 = InetAddress.ofLiteral("::1");

    @EveryEngine
    @Case("S6")
    void bothEndsAgreeOnTheirAddresses(Lab lab) throws IOException {
        TcpListener listener = lab.listener();
        Pair pair = lab.pair(listener);

        assertThat(listener.localAddress().getAddress()).isEqualTo(Lab.FREE_PORT.getAddress());
        assertThat(listener.localAddress().getPort()).isPositive();
        assertThat(pair.client().remoteAddress()).isEqualTo(listener.localAddress());
        assertThat(pair.server().localAddress()).isEqualTo(listener.localAddress());
        assertThat(pair.server().remoteAddress()).isEqualTo(pair.client().localAddress());
        assertThat(pair.server()).hasToString("stream " + Addresses.toString(pair.client().localAddress()));

        InetSocketAddress client = pair.client().localAddress();
        TcpReadinessTest.reset(pair.client());
        lab.awaitLists(pair.server(), "rw-");
        assertThat(pair.server().remoteAddress()).as("also after the peer has closed").isEqualTo(client);
    }

    @EveryEngine
    @Case("S4")
    void listensAndConnectsOverIpv6(Lab lab) throws IOException {
        TcpListener listener = lab.keep(listen6(lab, LOOPBACK_6));
        Pair pair = lab.pair(listener);

        assertThat(listener.localAddress().getAddress()).isEqualTo(LOOPBACK_6);
        assertThat(pair.server().remoteAddress()).isEqualTo(pair.client().localAddress());
        assertThat(pair.client().remoteAddress()).isEqualTo(listener.localAddress());
        lab.send(pair.client(), "over IPv6");
        assertThat(lab.receive(pair.server(), 9)).isEqualTo("over IPv6");
    }

    @EveryEngine
    @Case("S4")
    void ipv6WildcardAcceptsBothFamilies(Lab lab) throws IOException {
        TcpListener listener = lab.keep(listen6(lab, InetAddress.ofLiteral("::")));
        int port = listener.localAddress().getPort();
        for (InetAddress host : new InetAddress[]{LOOPBACK_6, InetAddress.ofLiteral("127.0.0.1")}) {
            TcpStream client = lab.keep(lab.network().connect(new InetSocketAddress(host, port)));
            TcpStream server = lab.accept(listener);
            lab.eventually("connected", client::finishConnect);
            assertThat(server.remoteAddress()).as("an IPv4 client has an IPv4 address").isEqualTo(client.localAddress());
            assertThat(server.localAddress().getAddress()).isEqualTo(host);
        }
    }

    @EveryEngine
    @Case("S4")
    void ipv4WildcardAcceptsIpv4(Lab lab) throws IOException {
        TcpListener listener = lab.keep(lab.network().listen(new InetSocketAddress(InetAddress.ofLiteral("0.0.0.0"), 0), 4));
        int port = listener.localAddress().getPort();
        TcpStream client = lab.keep(lab.network().connect(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port)));
        assertThat(lab.accept(listener).remoteAddress()).isEqualTo(client.localAddress());
    }

    @EveryEngine
    @Case("S4")
    void udpSendsOverIpv6AndFromIpv6WildcardToIpv4(Lab lab) throws IOException {
        listen6(lab, LOOPBACK_6).close();
        UdpSocket six = lab.keep(lab.network().udp(new InetSocketAddress(LOOPBACK_6, 0)));
        UdpSocket both = lab.keep(lab.network().udp(new InetSocketAddress(InetAddress.ofLiteral("::"), 0)));
        UdpSocket four = lab.udp();
        for (UdpSocket receiver : new UdpSocket[]{six, four}) {
            assertThat(both.send(Lab.bytes("hello"), receiver.localAddress())).isTrue();
            lab.awaitLists(receiver, "rw-");
            InetSocketAddress from = receiver.receive(ByteBuffer.allocate(8));
            assertThat(from)
                    .isEqualTo(new InetSocketAddress(receiver.localAddress().getAddress(), both.localAddress().getPort()));
            assertThat(receiver.send(Lab.bytes("back"), from)).isTrue();
            lab.awaitLists(both, "rw-");
            assertThat(both.receive(ByteBuffer.allocate(8))).isEqualTo(receiver.localAddress());
        }
    }

    @EveryEngine
    @Case("S7")
    void unresolvedHostIsRejected(Lab lab) throws IOException {
        InetSocketAddress unresolved = InetSocketAddress.createUnresolved("no-such-host.invalid", 80);
        UdpSocket udp = lab.udp();

        assertUnknown(() -> lab.network().connect(unresolved));
        assertUnknown(() -> lab.network().listen(unresolved, 1));
        assertUnknown(() -> lab.network().udp(unresolved));
        assertUnknown(() -> udp.connect(unresolved));
        assertUnknown(() -> udp.send(Lab.bytes("x"), unresolved));
    }

    @EveryEngine
    @Case("S7")
    void portInUseIsNamedInTheException(Lab lab) throws IOException {
        InetSocketAddress tcp = lab.listener().localAddress();
        assertThatThrownBy(() -> lab.network().listen(tcp, 1))
                .isInstanceOfSatisfying(NetworkException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.EADDRINUSE))
                .hasMessageContaining(Addresses.toString(tcp)).hasMessageContaining("EADDRINUSE");

        InetSocketAddress udp = lab.udp().localAddress();
        assertThatThrownBy(() -> lab.network().udp(udp))
                .isInstanceOfSatisfying(NetworkException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.EADDRINUSE))
                .hasMessageContaining(Addresses.toString(udp));
    }

    @EveryEngine
    @Case("S7")
    void nonLocalAddressIsNamedInTheException(Lab lab) {
        InetSocketAddress elsewhere = new InetSocketAddress(InetAddress.ofLiteral("192.0.2.1"), 0);
        assertThatThrownBy(() -> lab.network().listen(elsewhere, 1))
                .isInstanceOfSatisfying(NetworkException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.EADDRNOTAVAIL))
                .hasMessageContaining("192.0.2.1");
    }

    @EveryEngine
    @Case("S7")
    void portCanBeBoundAgainWhileConnectionsLinger(Lab lab) throws IOException {
        TcpListener listener = lab.listener();
        InetSocketAddress address = listener.localAddress();
        Pair pair = lab.pair(listener);
        pair.server().shutdownOutput();
        pair.server().close();
        lab.awaitEnd(pair.client());
        pair.client().close();
        listener.close();

        lab.keep(lab.network().listen(address, 1));
        assertThatThrownBy(() -> lab.network().listen(address, 0)).isInstanceOf(IllegalArgumentException.class);
    }

    private static TcpListener listen6(Lab lab, InetAddress address) throws IOException {
        TcpListener listener = null;
        try {
            listener = lab.network().listen(new InetSocketAddress(address, 0), 4);
        } catch (NetworkException e) {
            boolean absent = e.code() == ErrorCode.EADDRNOTAVAIL || e.code() == ErrorCode.EAFNOSUPPORT;
            assumeTrue(!absent, "this machine has no IPv6: " + e.getMessage());
            throw e;
        }
        return listener;
    }

    private static void assertUnknown(org.assertj.core.api.ThrowableAssert.ThrowingCallable use) {
        assertThatThrownBy(use).isInstanceOf(UnknownHostException.class).hasMessageContaining("no-such-host.invalid");
    }
}
