package io.trivet.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.contract.Case;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;

/** Readiness of pipes and UDP sockets in the three lists. */
final class PipeAndUdpReadinessTest {
    @EveryEngine
    @Case("P1")
    void emptyPipe(Lab lab) throws IOException {
        Pipe pipe = lab.pipe();
        lab.staysInLists(pipe.source(), "---");
        assertThat(pipe.source().read(ByteBuffer.allocate(1))).isZero();
        assertThat(lab.lists(pipe.sink())).isEqualTo("-w-");

        assertThat(pipe.sink().write(Lab.bytes("ab"))).isEqualTo(2);
        assertThat(lab.lists(pipe.source())).isEqualTo("r--");
        assertThat(pipe.source().read(ByteBuffer.allocate(8))).isEqualTo(2);
        assertThat(lab.lists(pipe.source())).isEqualTo("---");
    }

    @EveryEngine
    @Case({"P2", "70"})
    void drainedPipeWhoseWriterIsClosed(Lab lab) throws IOException {
        Pipe pipe = lab.pipe();
        pipe.sink().write(Lab.bytes("x"));
        pipe.sink().close();
        assertThat(lab.lists(pipe.source())).isEqualTo("r--");
        assertThat(pipe.source().read(ByteBuffer.allocate(8))).isEqualTo(1);
        lab.staysInLists(pipe.source(), "r--");
        assertThat(pipe.source().read(ByteBuffer.allocate(8))).isEqualTo(-1);
    }

    @EveryEngine
    @Case("P3")
    void fullPipeIsWritableWhenAWholePageIsFree(Lab lab) throws IOException {
        Pipe pipe = lab.pipe();
        PollerEventsTest.fill(pipe.sink());
        lab.staysInLists(pipe.sink(), "---");

        assertThat(pipe.source().read(ByteBuffer.allocate(4095))).isEqualTo(4095);
        lab.staysInLists(pipe.sink(), "---");
        assertThat(pipe.source().read(ByteBuffer.allocate(1))).isEqualTo(1);
        lab.awaitLists(pipe.sink(), "-w-");
        assertThat(pipe.sink().write(ByteBuffer.allocate(8192))).isEqualTo(4096);
    }

    @EveryEngine
    @Case("P4")
    void pipeWhoseReaderIsClosed(Lab lab) throws IOException {
        Pipe pipe = lab.pipe();
        pipe.source().close();
        staysReadableAndWritable(lab, pipe.sink());
        TcpReadinessTest.assertFails(ErrorCode.EPIPE, () -> pipe.sink().write(Lab.bytes("x")));
    }

    @EveryEngine
    @Case("P4")
    void fullPipeWhoseReaderIsClosed(Lab lab) throws IOException {
        Pipe pipe = lab.pipe();
        PollerEventsTest.fill(pipe.sink());
        pipe.source().close();
        staysReadableAndWritable(lab, pipe.sink());
    }

    @EveryEngine
    @Case("P5")
    void idleUdpSocket(Lab lab) throws IOException {
        lab.staysInLists(lab.udp(), "-w-");
    }

    @EveryEngine
    @Case("P6")
    void udpSocketWithADatagram(Lab lab) throws IOException {
        UdpSocket receiver = lab.udp();
        UdpSocket sender = lab.udp();
        for (int length : new int[]{5, 0}) {
            assertThat(sender.send(ByteBuffer.allocate(length), receiver.localAddress())).isTrue();
            lab.awaitLists(receiver, "rw-");
            ByteBuffer buffer = ByteBuffer.allocate(16);
            assertThat(receiver.receive(buffer)).isEqualTo(sender.localAddress());
            assertThat(buffer.position()).isEqualTo(length);
            assertThat(lab.lists(receiver)).isEqualTo("-w-");
            assertThat(receiver.receive(buffer)).isNull();
        }
    }

    @EveryEngine
    @Case("P7")
    void udpSocketWithAnAbsentPeer(Lab lab) throws IOException {
        InetSocketAddress unused;
        try (UdpSocket closed = lab.network().udp(Lab.FREE_PORT)) {
            unused = closed.localAddress();
        }
        UdpSocket socket = lab.udp();
        socket.connect(unused);
        assertThat(socket.send(Lab.bytes("hello"), null)).isTrue();
        lab.awaitLists(socket, "rw-");

        TcpReadinessTest.assertFails(ErrorCode.ECONNREFUSED, () -> socket.receive(ByteBuffer.allocate(8)));
        assertThat(lab.lists(socket)).isEqualTo("-w-");
        assertThat(socket.receive(ByteBuffer.allocate(8))).isNull();
    }

    private static void staysReadableAndWritable(Lab lab, Pipe.Sink sink) throws IOException {
        if (lab.engine().equals("nio")) {
            lab.staysInLists(sink, "-w-");
            lab.cannot("java.nio watches the write end of a pipe only for writing: `-w-`");
        } else {
            lab.staysInLists(sink, "rw-");
        }
    }
}
