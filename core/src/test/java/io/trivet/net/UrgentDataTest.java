package io.trivet.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.contract.Case;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.Pair;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;

/** Urgent data and the third list. */
final class UrgentDataTest {
    @EveryEngine
    @Case({"U1", "115"})
    void loneUrgentByteIsExceptionalAndNotReadable(Lab lab) throws IOException {
        Pair pair = lab.pair();
        if (refuses(lab, pair)) {
            return;
        }
        sendUrgent(pair.client(), '!');
        lab.awaitLists(pair.server(), "-wx");
        lab.staysInLists(pair.server(), "-wx");

        Poller poller = lab.poller();
        poller.register(pair.server(), Interest.READ, 1);
        assertThat(Lab.poll(poller)).as("with interest READ nothing is reported").isEmpty();
        poller.modify(pair.server(), Interest.PRIORITY, 2);
        assertThat(Lab.poll(poller)).containsExactly(new Lab.Event(2, Interest.PRIORITY));
        assertThat(pair.server().atMark()).isTrue();
        assertThat(pair.server().receiveUrgent()).isEqualTo('!');
    }

    @EveryEngine
    @Case({"U1", "115"})
    void engineWithoutUrgentDataRejectsTheThirdList(Lab lab) throws IOException {
        Pair pair = lab.pair();
        refuses(lab, pair);
        lab.refuses(Capability.URGENT_DATA, () -> io.trivet.select.Select.on(lab.network())
                .select(List.of(), List.of(), List.of(pair.server()), Duration.ZERO));
    }

    @EveryEngine
    @Case({"U2", "U7", "115"})
    void readStopsAtTheMarkAndAFurtherReadDestroysTheByte(Lab lab) throws IOException {
        Pair pair = lab.pair();
        TcpStream server = pair.server();
        if (refuses(lab, pair)) {
            return;
        }
        lab.send(pair.client(), "abc");
        sendUrgent(pair.client(), '!');
        lab.send(pair.client(), "def");
        lab.awaitLists(server, "rwx");

        assertThat(server.atMark()).isFalse();
        assertThat(Lab.read(server)).isEqualTo("abc");
        assertThat(server.atMark()).isTrue();
        assertThat(lab.lists(server)).isEqualTo("rwx");
        assertThat(Lab.read(server)).isEqualTo("def");
        assertThat(lab.lists(server)).isEqualTo("-w-");
        assertThat(server.receiveUrgent()).as("the byte is lost").isEqualTo(-1);
    }

    @EveryEngine
    @Case({"U2", "115"})
    void receivingTheUrgentByteFirstLosesNothing(Lab lab) throws IOException {
        Pair pair = lab.pair();
        TcpStream server = pair.server();
        if (refuses(lab, pair)) {
            return;
        }
        lab.send(pair.client(), "abc");
        sendUrgent(pair.client(), '!');
        lab.send(pair.client(), "def");
        lab.awaitLists(server, "rwx");

        assertThat(server.receiveUrgent()).isEqualTo('!');
        // Linux still stops at the mark, and the read after it clears the mark.
        assertThat(Lab.read(server) + Lab.read(server)).isEqualTo("abcdef");
        assertThat(lab.lists(server)).isEqualTo("-w-");
    }

    @EveryEngine
    @Case("U3")
    void urgentByteIsReceivedOnce(Lab lab) throws IOException {
        Pair pair = lab.pair();
        TcpStream server = pair.server();
        if (refuses(lab, pair)) {
            return;
        }
        assertThat(server.receiveUrgent()).as("none was sent").isEqualTo(-1);
        sendUrgent(pair.client(), 0xff);
        lab.awaitLists(server, "-wx");

        assertThat(server.receiveUrgent()).as("unsigned").isEqualTo(0xff);
        assertThat(lab.lists(server)).isEqualTo("-w-");
        assertThat(server.receiveUrgent()).isEqualTo(-1);
        assertThat(Lab.read(server)).as("it is not ordinary data").isEmpty();
    }

    @EveryEngine
    @Case("U5")
    void secondUrgentByteTurnsTheFirstIntoOrdinaryData(Lab lab) throws IOException {
        Pair pair = lab.pair();
        TcpStream server = pair.server();
        if (refuses(lab, pair)) {
            return;
        }
        lab.send(pair.client(), "a");
        sendUrgent(pair.client(), '1');
        lab.send(pair.client(), "b");
        sendUrgent(pair.client(), '2');
        lab.eventually("all has arrived", () -> server.receiveUrgent() == '2');

        assertThat(lab.receive(server, 3)).isEqualTo("a1b");
        assertThat(Lab.read(server)).isEmpty();
    }

    @EveryEngine
    @Case("U5")
    void secondUrgentByteDropsAFirstOneAtTheReadPosition(Lab lab) throws IOException {
        Pair pair = lab.pair();
        TcpStream server = pair.server();
        if (refuses(lab, pair)) {
            return;
        }
        sendUrgent(pair.client(), '1');
        lab.awaitLists(server, "-wx");
        sendUrgent(pair.client(), '2');
        lab.eventually("the second has arrived", () -> server.receiveUrgent() == '2');

        assertThat(Lab.read(server)).isEmpty();
    }

    @EveryEngine
    @Case("U6")
    void inlineUrgentDataIsOrdinaryDataWithAMark(Lab lab) throws IOException {
        Pair pair = lab.pair();
        TcpStream server = pair.server();
        if (refuses(lab, pair)) {
            return;
        }
        server.setOption(TcpOptions.URGENT_INLINE, true);
        lab.send(pair.client(), "abc");
        sendUrgent(pair.client(), '!');
        lab.send(pair.client(), "def");
        lab.awaitLists(server, "rwx");

        assertThat(server.atMark()).isFalse();
        assertThat(Lab.read(server)).isEqualTo("abc");
        assertThat(server.atMark()).isTrue();
        assertThat(lab.lists(server)).isEqualTo("rwx");
        assertThat(server.receiveUrgent()).as("it is in the ordinary data").isEqualTo(-1);
        assertThat(Lab.read(server)).isEqualTo("!def");
        assertThat(lab.lists(server)).isEqualTo("-w-");
        assertThat(server.atMark()).isFalse();
    }

    @EveryEngine
    @Case("U7")
    void plainReadAtTheMarkDestroysTheByteEvenIfItWouldBlock(Lab lab) throws IOException {
        Pair pair = lab.pair();
        TcpStream server = pair.server();
        if (refuses(lab, pair)) {
            return;
        }
        sendUrgent(pair.client(), '!');
        lab.awaitLists(server, "-wx");

        assertThat(server.read(ByteBuffer.allocate(8))).as("it would block").isZero();
        assertThat(server.receiveUrgent()).isEqualTo(-1);
        assertThat(lab.lists(server)).isEqualTo("-w-");
    }

    @EveryEngine
    @Case("U3")
    void urgentDataAfterShutdownOutputIsRejectedAndBeforeItIsKept(Lab lab) throws IOException {
        Pair pair = lab.pair();
        TcpStream server = pair.server();
        if (refuses(lab, pair)) {
            return;
        }
        sendUrgent(pair.client(), '!');
        pair.client().shutdownOutput();
        lab.awaitLists(server, "rwx");

        assertThat(server.receiveUrgent()).isEqualTo('!');
        assertThat(Lab.read(server)).isNull();
        assertThat(server.receiveUrgent()).isEqualTo(-1);
        TcpReadinessTest.assertFails(ErrorCode.EPIPE, () -> pair.client().sendUrgent((byte) '?'));
    }

    private static boolean refuses(Lab lab, Pair pair) {
        return lab.refuses(Capability.URGENT_DATA, () -> pair.client().sendUrgent((byte) '!'))
                && lab.refuses(Capability.URGENT_DATA, () -> pair.server().receiveUrgent())
                && lab.refuses(Capability.URGENT_DATA, () -> pair.server().atMark());
    }

    private static void sendUrgent(TcpStream stream, int b) throws IOException {
        assertThat(stream.sendUrgent((byte) b)).isTrue();
    }
}
