package io.trivet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.contract.Case;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.Pair;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** Readiness of a TCP socket in the three lists, state by state. */
final class TcpReadinessTest {
    @EveryEngine
    @Case("T2")
    void idleListenerIsInNoList(Lab lab) throws IOException {
        lab.staysInLists(lab.listener(), "---");
    }

    @EveryEngine
    @Case({"T3", "110"})
    void listenerWithAWaitingConnectionIsReadable(Lab lab) throws IOException {
        TcpListener listener = lab.listener();
        lab.keep(lab.network().connect(listener.localAddress()));
        lab.awaitLists(listener, "r--");

        assertThat(lab.keep(listener.accept())).isNotNull();
        lab.staysInLists(listener, "---");
        assertThat(listener.accept()).isNull();
    }

    @EveryEngine
    @Case({"T4", "L6"})
    void connectionResetBeforeAcceptIsAcceptedAndThenFails(Lab lab) throws IOException {
        TcpListener listener = lab.listener();
        TcpStream client = lab.keep(lab.network().connect(listener.localAddress()));
        lab.awaitLists(listener, "r--");
        lab.eventually("connected", client::finishConnect);
        reset(client);
        lab.staysInLists(listener, "r--");

        TcpStream server = lab.keep(listener.accept());
        assertThat(server).isNotNull();
        assertFails(ErrorCode.ECONNRESET, () -> Lab.read(server));
        assertThat(Lab.read(server)).isNull();
    }

    @EveryEngine
    @Case({"T6", "L6"})
    void connectWithoutAnAnswerIsInNoList(Lab lab) throws IOException {
        TcpListener full = lab.keep(lab.network().listen(Lab.FREE_PORT, 1));
        TcpStream connecting = null;
        for (int i = 0; i < 10 && connecting == null; i++) { // a full backlog drops further connects
            TcpStream stream = lab.keep(lab.network().connect(full.localAddress()));
            lab.pause(java.time.Duration.ofMillis(5));
            connecting = stream.finishConnect() ? null : stream;
        }
        assertThat(connecting).as("a connect without an answer").isNotNull();

        lab.staysInLists(connecting, "---");
        assertThat(connecting.finishConnect()).isFalse();
        connecting.close();
    }

    @EveryEngine
    @Case({"T7", "L6", "114"})
    void refusedConnectIsReadableAndWritableAndThrowsEachTime(Lab lab) throws IOException {
        InetSocketAddress unused;
        try (TcpListener listener = lab.network().listen(Lab.FREE_PORT, 1)) {
            unused = listener.localAddress();
        }
        TcpStream stream = lab.keep(lab.network().connect(unused));
        lab.awaitLists(stream, "rw-");
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(stream::finishConnect)
                    .isInstanceOfSatisfying(NetworkException.class, e -> {
                        assertThat(e.code()).isEqualTo(ErrorCode.ECONNREFUSED);
                        assertThat(e.errno()).isEqualTo(111);
                    })
                    .hasMessageContaining(Addresses.toString(unused));
            if (stream.isOpen()) {
                assertThat(lab.lists(stream)).isEqualTo("rw-");
            }
        }
    }

    @EveryEngine
    @Case({"T8", "112", "114"})
    void idleConnectionIsWritable(Lab lab) throws IOException {
        Pair pair = lab.pair();
        lab.staysInLists(pair.client(), "-w-");
        lab.staysInLists(pair.server(), "-w-");
    }

    @EveryEngine
    @Case({"T9", "108"})
    void connectionWithDataIsReadableUntilItIsRead(Lab lab) throws IOException {
        Pair pair = lab.pair();
        lab.send(pair.client(), "data");
        lab.awaitLists(pair.server(), "rw-");
        lab.staysInLists(pair.client(), "-w-");

        ByteBuffer part = ByteBuffer.allocate(3);
        assertThat(pair.server().read(part)).isEqualTo(3);
        assertThat(lab.lists(pair.server())).isEqualTo("rw-");
        assertThat(pair.server().read(part.clear())).isEqualTo(1);
        assertThat(lab.lists(pair.server())).isEqualTo("-w-");
        assertThat(pair.server().read(part.clear())).as("it would block").isZero();
    }

    @EveryEngine
    @Case({"T10", "108"})
    void lowWaterMarkDelaysReadable(Lab lab) throws IOException {
        Pair pair = lab.pair();
        TcpStream server = pair.server();
        if (refusesOption(lab, server, TcpOptions.RECEIVE_LOW_WATER, 10)) {
            return;
        }
        server.setOption(TcpOptions.RECEIVE_LOW_WATER, 10);
        assertThat(server.getOption(TcpOptions.RECEIVE_LOW_WATER)).isEqualTo(10);

        lab.send(pair.client(), "12345");
        lab.staysInLists(server, "-w-");
        lab.send(pair.client(), "67890");
        lab.awaitLists(server, "rw-");
        assertThat(lab.receive(server, 3)).isEqualTo("123");
        lab.staysInLists(server, "-w-");
        pair.client().shutdownOutput();
        lab.awaitLists(server, "rw-");
        assertThat(Lab.read(server)).isEqualTo("4567890");
    }

    @EveryEngine
    @Case("T11")
    void notSentLowWaterMarkDelaysWritable(Lab lab) throws IOException {
        Pair pair = lab.pair();
        TcpStream client = pair.client();
        if (refusesOption(lab, client, TcpOptions.NOT_SENT_LOW_WATER, 1024)) {
            return;
        }
        client.setOption(TcpOptions.NOT_SENT_LOW_WATER, 1024);
        ByteBuffer chunk = ByteBuffer.allocate(4096);
        for (int i = 0; i < 100_000 && lab.lists(client).equals("-w-"); i++) {
            client.write(chunk.clear());
        }

        assertThat(lab.lists(client)).as("more bytes than the mark are unsent").isEqualTo("---");
        assertThat(client.write(chunk.clear())).as("the buffer has room nevertheless").isPositive();
    }

    @EveryEngine
    @Case({"T12", "109"})
    void connectionAtEndOfInputStaysReadable(Lab lab) throws IOException {
        Pair pair = lab.pair();
        lab.send(pair.client(), "last");
        pair.client().shutdownOutput();
        lab.awaitLists(pair.server(), "rw-");

        assertThat(lab.receive(pair.server(), 4)).isEqualTo("last");
        for (int i = 0; i < 3; i++) {
            assertThat(Lab.read(pair.server())).isNull();
            assertThat(lab.lists(pair.server())).isEqualTo("rw-");
        }
    }

    @EveryEngine
    @Case({"T13", "106", "113"})
    void connectionAfterShutdownOutputIsWritableAndAWriteThrowsEpipe(Lab lab) throws IOException {
        Pair pair = lab.pair();
        pair.client().shutdownOutput();
        lab.staysInLists(pair.client(), "-w-");

        assertFails(ErrorCode.EPIPE, () -> pair.client().write(Lab.bytes("x")));
        lab.send(pair.server(), "we still receive");
        assertThat(lab.receive(pair.client(), 16)).isEqualTo("we still receive");
    }

    @EveryEngine
    @Case({"T14", "106"})
    void connectionShutDownInBothDirectionsIsReadableWritableAndHungUp(Lab lab) throws IOException {
        Pair pair = lab.pair();
        pair.client().shutdownOutput();
        pair.server().shutdownOutput();
        lab.awaitLists(pair.client(), "rw-");
        lab.awaitLists(pair.server(), "rw-");
        lab.staysInLists(pair.client(), "rw-");

        Poller poller = lab.poller();
        poller.register(pair.client(), Interest.READ | Interest.WRITE, 1);
        assertThat(lab.await(poller)).containsExactly(
                new Lab.Event(1, Interest.READ | Interest.WRITE | (tellsErrors(lab) ? Interest.HANG_UP : 0)));
        assertThat(Lab.read(pair.client())).isNull();
        assertFails(ErrorCode.EPIPE, () -> pair.client().write(Lab.bytes("x")));
    }

    @EveryEngine
    @Case({"T15", "106"})
    void connectionAfterShutdownInputIsReadableAndStillReceives(Lab lab) throws IOException {
        Pair pair = lab.pair();
        TcpStream server = pair.server();
        server.shutdownInput();
        lab.staysInLists(server, "rw-");
        assertThat(Lab.read(server)).isNull();
        lab.send(server, "we can send");
        assertThat(lab.receive(pair.client(), 11)).isEqualTo("we can send");

        lab.send(pair.client(), "late");
        if (lab.engine().equals("nio")) {
            lab.pause(java.time.Duration.ofMillis(20));
            assertThat(Lab.read(server)).isNull();
            lab.cannot("java.nio returns end of input after shutdownInput, whatever arrives later");
            return;
        }
        ByteBuffer buffer = ByteBuffer.allocate(8);
        lab.eventually("bytes that arrive later can be read", () -> server.read(buffer) > 0);
        assertThat(buffer.position()).isEqualTo(4);
        lab.staysInLists(server, "rw-");
    }

    @EveryEngine
    @Case({"T16", "L6", "111"})
    void resetConnectionDeliversItsBytesThenTheErrorOnceThenEndOfInput(Lab lab) throws IOException {
        Pair pair = lab.pair();
        lab.send(pair.server(), "queued");
        lab.awaitLists(pair.client(), "rw-");
        reset(pair.server());
        Poller poller = lab.poller();
        poller.register(pair.client(), Interest.READ | Interest.WRITE, 1);
        if (tellsErrors(lab)) {
            lab.eventually("the reset has arrived", () -> Lab.poll(poller).equals(List.of(
                    new Lab.Event(1, Interest.READ | Interest.WRITE | Interest.ERROR | Interest.HANG_UP))));
        } else {
            assertThat(lab.await(poller)).containsExactly(new Lab.Event(1, Interest.READ | Interest.WRITE));
        }
        poller.deregister(pair.client());

        assertThat(lab.lists(pair.client())).isEqualTo("rw-");
        assertThat(lab.receive(pair.client(), 6)).isEqualTo("queued");
        assertFailsEventually(lab, ErrorCode.ECONNRESET, () -> Lab.read(pair.client()));
        assertThat(Lab.read(pair.client())).isNull();
        assertThat(lab.lists(pair.client())).isEqualTo("rw-");
        assertFails(ErrorCode.EPIPE, () -> pair.client().write(Lab.bytes("x")));
    }

    @EveryEngine
    @Case({"T17", "L6"})
    void closeWithUnreadDataSendsAReset(Lab lab) throws IOException {
        Pair pair = lab.pair();
        lab.send(pair.client(), "never read");
        lab.awaitLists(pair.server(), "rw-");
        pair.server().close();
        lab.awaitLists(pair.client(), "rw-");

        assertFailsEventually(lab, ErrorCode.ECONNRESET, () -> Lab.read(pair.client()));
        assertThat(Lab.read(pair.client())).isNull();
    }

    @EveryEngine
    @Case("L6")
    void resetAfterAHalfCloseIsReported(Lab lab) throws IOException {
        Pair pair = lab.pair();
        pair.client().shutdownOutput();
        lab.awaitLists(pair.server(), "rw-");
        assertThat(Lab.read(pair.server())).isNull();
        reset(pair.server());
        lab.awaitLists(pair.client(), "rw-");

        assertFailsEventually(lab, ErrorCode.ECONNRESET, () -> Lab.read(pair.client()));
        assertThat(Lab.read(pair.client())).isNull();
    }

    @EveryEngine
    @Case({"T18", "112"})
    void fullSendBufferIsWritableAgainWhenAboutAThirdIsFree(Lab lab) throws IOException {
        Pair pair = lab.pair();
        TcpStream client = pair.client();
        client.setOption(StandardSocketOptions.SO_SNDBUF, 256 << 10);
        ByteBuffer chunk = ByteBuffer.allocate(4096);
        long sent = 0;
        for (int full = 0; full < 20;) { // bytes that the peer's buffer still accepts make room once or twice
            int written = client.write(chunk.clear());
            sent += written;
            if (written == 0) {
                full++;
                lab.pause(java.time.Duration.ofMillis(1));
            }
        }
        lab.staysInLists(client, "---");

        lab.receive(pair.server(), 4096);
        lab.staysInLists(client, "---");
        long drained = 4096;
        long start = lab.network().clock().nanoTime();
        while (!lab.lists(client).equals("-w-")) {
            assertThat(lab.network().clock().nanoTime() - start).isLessThan(Lab.PATIENCE.toNanos());
            int read = pair.server().read(chunk.clear());
            drained += read;
            if (read == 0) {
                lab.pause(java.time.Duration.ofMillis(1));
            }
        }
        assertThat(drained).as("of %d bytes", sent).isGreaterThan(32 << 10).isLessThanOrEqualTo(sent);
        assertThat(client.write(chunk.clear())).isPositive();
    }

    /** Closes with a reset instead of a FIN. */
    static void reset(TcpStream stream) throws IOException {
        stream.setOption(StandardSocketOptions.SO_LINGER, 0);
        stream.close();
    }

    /** poll and epoll report errors and hang-ups; select(2) and java.nio report only readable and writable. */
    static boolean tellsErrors(Lab lab) {
        return !List.of("select", "nio").contains(lab.engine());
    }

    static void assertFails(ErrorCode code, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOfSatisfying(NetworkException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    /** A call that may still return that it would block, and then must fail. */
    static void assertFailsEventually(Lab lab, ErrorCode code, Reading call) throws IOException {
        List<NetworkException> failure = new ArrayList<>();
        lab.eventually("a read fails with " + code, () -> {
            try {
                assertThat(call.read()).as("before the error").isEmpty();
                return false;
            } catch (NetworkException e) {
                failure.add(e);
                return true;
            }
        });
        assertThat(failure.getFirst().code()).isEqualTo(code);
    }

    interface Reading {
        String read() throws IOException;
    }

    /** Other networks reject Linux's options. */
    static <T> boolean refusesOption(Lab lab, Socket socket, SocketOption<T> option, T value) {
        if (lab.network().supports(Capability.DESCRIPTORS)) {
            return false;
        }
        assertThatThrownBy(() -> socket.setOption(option, value)).isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining(option.name());
        assertThatThrownBy(() -> socket.getOption(option)).isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining(option.name());
        lab.cannot("java.nio has no option " + option.name());
        return true;
    }
}
