package io.trivet.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.contract.Case;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;

/** Datagrams. */
final class UdpTest {
    private static final int LONGEST = 65_507;

    @EveryEngine
    @Case("S8")
    void datagramsOfAllLengthsArriveWhole(Lab lab) throws IOException {
        UdpSocket receiver = lab.udp();
        UdpSocket sender = lab.udp();
        for (boolean direct : new boolean[]{false, true}) {
            for (int length : new int[]{0, 1, 1500, 65_000, LONGEST}) {
                ByteBuffer out = direct ? ByteBuffer.allocateDirect(length) : ByteBuffer.allocate(length);
                for (int i = 0; i < length; i++) {
                    out.put(i, (byte) (i * 31));
                }
                assertThat(sender.send(out.duplicate().asReadOnlyBuffer(), receiver.localAddress())).isTrue();
                lab.awaitLists(receiver, "rw-");

                ByteBuffer in = direct ? ByteBuffer.allocateDirect(70_000) : ByteBuffer.allocate(70_000);
                assertThat(receiver.receive(in)).isEqualTo(sender.localAddress());
                assertThat(in.flip()).isEqualTo(out);
            }
        }
    }

    @EveryEngine
    @Case("S8")
    void fullBufferCanBeUsedForEveryReceive(Lab lab) throws IOException {
        UdpSocket receiver = lab.udp();
        UdpSocket sender = lab.udp();
        ByteBuffer nothing = ByteBuffer.allocateDirect(8).limit(0);
        ByteBuffer noRoom = ByteBuffer.allocateDirect(8).limit(0);
        for (int i = 0; i < 3; i++) {
            assertThat(sender.send(nothing, receiver.localAddress())).isTrue();
            lab.awaitLists(receiver, "rw-");
            assertThat(receiver.receive(noRoom)).isEqualTo(sender.localAddress());
        }
    }

    @EveryEngine
    @Case("S8")
    void bytesThatDoNotFitAreLost(Lab lab) throws IOException {
        UdpSocket receiver = lab.udp();
        UdpSocket sender = lab.udp();
        sender.send(Lab.bytes("0123456789"), receiver.localAddress());
        sender.send(Lab.bytes("next"), receiver.localAddress());
        lab.awaitLists(receiver, "rw-");

        ByteBuffer small = ByteBuffer.allocate(4);
        assertThat(receiver.receive(small)).isNotNull();
        assertThat(small.flip()).isEqualTo(Lab.bytes("0123"));
        lab.eventually("the next one", () -> receiver.receive(small.clear()) != null);
        assertThat(small.flip()).isEqualTo(Lab.bytes("next"));
    }

    @EveryEngine
    @Case("S8")
    void tooLongDatagramIsRejected(Lab lab) throws IOException {
        UdpSocket receiver = lab.udp();
        UdpSocket sender = lab.udp();
        for (int length : new int[]{LONGEST + 1, 65_536, 100_000}) {
            for (ByteBuffer buffer : new ByteBuffer[]{ByteBuffer.allocate(length), ByteBuffer.allocateDirect(length)}) {
                TcpReadinessTest.assertFails(ErrorCode.EMSGSIZE, () -> sender.send(buffer, receiver.localAddress()));
                assertThat(buffer.position()).as("nothing was sent").isZero();
            }
        }
    }

    @EveryEngine
    @Case("S8")
    void connectedSocketReceivesOnlyFromItsPeer(Lab lab) throws IOException {
        UdpSocket socket = lab.udp();
        UdpSocket peer = lab.udp();
        UdpSocket stranger = lab.udp();
        socket.connect(peer.localAddress());

        stranger.send(Lab.bytes("stranger"), socket.localAddress());
        peer.send(Lab.bytes("peer"), socket.localAddress());
        lab.awaitLists(socket, "rw-");
        ByteBuffer buffer = ByteBuffer.allocate(16);
        assertThat(socket.receive(buffer)).isEqualTo(peer.localAddress());
        assertThat(buffer.flip()).isEqualTo(Lab.bytes("peer"));
        assertThat(socket.receive(buffer.clear())).isNull();

        assertThat(socket.send(Lab.bytes("to the peer"), null)).isTrue();
        lab.awaitLists(peer, "rw-");
        assertThat(peer.receive(buffer.clear())).isEqualTo(socket.localAddress());
    }

    @EveryEngine
    @Case("S8")
    void unconnectedSocketNeedsAnAddress(Lab lab) throws IOException {
        UdpSocket socket = lab.udp();
        TcpReadinessTest.assertFails(ErrorCode.EDESTADDRREQ, () -> socket.send(Lab.bytes("x"), null));
    }

    @EveryEngine
    @Case("S8")
    void unboundSocketGetsAPortWhenItSends(Lab lab) throws IOException {
        UdpSocket receiver = lab.udp();
        UdpSocket sender = lab.keep(lab.network().udp(null));
        assertThat(sender.send(Lab.bytes("x"), receiver.localAddress())).isTrue();
        lab.awaitLists(receiver, "rw-");

        InetSocketAddress from = receiver.receive(ByteBuffer.allocate(1));
        assertThat(from).isEqualTo(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), sender.localAddress().getPort()));
    }
}
