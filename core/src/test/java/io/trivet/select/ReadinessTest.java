package io.trivet.select;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.contract.Case;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.Pair;
import io.trivet.net.Capability;
import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import io.trivet.net.Pipe;
import io.trivet.net.Socket;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpOptions;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;

/**
 * The conditions under which a socket is in each list: those of Stevens, UNIX Network Programming, section 6.3, and those of the kernel's
 * own tests for pipes.
 */
class ReadinessTest {
    private static final Duration ONE_MILLI = Duration.ofMillis(1);

    @Case("108")
    @EveryEngine
    void oneByteIsReadable(Lab lab) throws Exception {
        Pair pair = lab.pair();
        lab.staysInLists(pair.client(), "-w-");
        lab.send(pair.server(), "1");
        lab.awaitLists(pair.client(), "rw-");
        assertThat(lab.receive(pair.client(), 1)).isEqualTo("1");
        lab.staysInLists(pair.client(), "-w-");
    }

    @Case("108")
    @EveryEngine
    void lowWaterMarkDelaysReadable(Lab lab) throws Exception {
        Pair pair = lab.pair();
        try {
            pair.client().setOption(TcpOptions.RECEIVE_LOW_WATER, 10);
        } catch (UnsupportedOperationException e) {
            lab.cannot("java.nio has no option RECEIVE_LOW_WATER");
            return;
        }
        lab.send(pair.server(), "12345");
        lab.staysInLists(pair.client(), "-w-");
        lab.send(pair.server(), "67890");
        lab.awaitLists(pair.client(), "rw-");
    }

    @Case("109")
    @EveryEngine
    void endOfInputIsReadable(Lab lab) throws Exception {
        Pair pair = lab.pair();
        pair.server().shutdownOutput();
        lab.awaitLists(pair.client(), "rw-");
        assertThat(Lab.read(pair.client())).as("the end of input").isNull();
        lab.staysInLists(pair.client(), "rw-");
    }

    @Case("110")
    @EveryEngine
    void listenerIsReadableWhileAConnectionIsPending(Lab lab) throws Exception {
        TcpListener listener = lab.listener();
        lab.staysInLists(listener, "---");
        lab.keep(lab.network().connect(listener.localAddress()));
        lab.awaitLists(listener, "r--");
        lab.accept(listener);
        lab.staysInLists(listener, "---");
    }

    @Case("111")
    @EveryEngine
    void pendingErrorIsReadableAndWritableAndNotExceptional(Lab lab) throws Exception {
        TcpStream client = reset(lab);
        lab.awaitLists(client, "rw-");
        assertThatThrownBy(() -> client.read(ByteBuffer.allocate(10)))
                .isInstanceOfSatisfying(NetworkException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ECONNRESET));
        assertThat(lab.lists(client)).as("after the error was thrown").isEqualTo("rw-");
    }

    @Case("112")
    @EveryEngine
    void roomInTheSendBufferIsWritable(Lab lab) throws Exception {
        Pair pair = lab.pair();
        lab.staysInLists(pair.client(), "-w-");
        fill(pair.client());
        lab.eventually("no room", () -> {
            fill(pair.client()); // bytes in transit may have made room
            return lab.lists(pair.client()).equals("---");
        });
        ByteBuffer drain = ByteBuffer.allocateDirect(1 << 16);
        lab.eventually("room again", () -> {
            pair.server().read(drain.clear());
            return lab.lists(pair.client()).equals("-w-");
        });
    }

    @Case("113")
    @EveryEngine
    void endedOutputIsWritableAndTheWriteFails(Lab lab) throws Exception {
        Pair pair = lab.pair();
        pair.client().shutdownOutput();
        lab.staysInLists(pair.client(), "-w-");
        assertThatThrownBy(() -> pair.client().write(Lab.bytes("too late")))
                .isInstanceOfSatisfying(NetworkException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.EPIPE));
    }

    @Case("114")
    @EveryEngine
    void finishedConnectIsWritable(Lab lab) throws Exception {
        TcpListener listener = lab.listener();
        TcpStream stream = lab.keep(lab.network().connect(listener.localAddress()));
        assertThat(Select.on(lab.network()).select(List.of(), List.of(stream), List.of(), Lab.PATIENCE).writable())
                .containsExactly(stream);
        assertThat(stream.finishConnect()).isTrue();
    }

    @Case("114")
    @EveryEngine
    void failedConnectIsReadableAndWritable(Lab lab) throws Exception {
        InetSocketAddress unused;
        try (TcpListener listener = lab.network().listen(Lab.FREE_PORT, 1)) {
            unused = listener.localAddress();
        }
        TcpStream stream = lab.keep(lab.network().connect(unused));
        List<TcpStream> one = List.of(stream);
        Ready<TcpStream> ready = Select.on(lab.network()).select(one, one, List.of(), Lab.PATIENCE);
        assertThat(ready.readable()).containsExactly(stream);
        assertThat(ready.writable()).containsExactly(stream);
        assertThatThrownBy(stream::finishConnect)
                .isInstanceOfSatisfying(NetworkException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ECONNREFUSED));
    }

    @Case("115")
    @EveryEngine
    void urgentByteIsExceptionalUntilItIsReceived(Lab lab) throws Exception {
        Pair pair = lab.pair();
        if (lab.refuses(Capability.URGENT_DATA, () -> pair.server().sendUrgent((byte) '!'))) {
            return;
        }
        pair.server().sendUrgent((byte) '!');
        lab.awaitLists(pair.client(), "-wx");
        assertThat(pair.client().receiveUrgent()).isEqualTo('!');
        lab.staysInLists(pair.client(), "-w-");
    }

    @Case("115")
    @EveryEngine
    void urgentMarkIsExceptionalWhileTheReadPositionIsAtIt(Lab lab) throws Exception {
        Pair pair = lab.pair();
        if (lab.refuses(Capability.URGENT_DATA, () -> pair.client().atMark())) {
            return;
        }
        lab.send(pair.server(), "abc");
        pair.server().sendUrgent((byte) '!');
        lab.send(pair.server(), "def");
        lab.awaitLists(pair.client(), "rwx");
        assertThat(lab.receive(pair.client(), 3)).isEqualTo("abc");
        assertThat(pair.client().atMark()).isTrue();
        lab.staysInLists(pair.client(), "rwx");
        assertThat(lab.receive(pair.client(), 3)).as("a read at the mark destroys the byte").isEqualTo("def");
        lab.staysInLists(pair.client(), "-w-");
    }

    @Case("116")
    @EveryEngine
    void acceptDoesNotBlockAfterTheClientHasReset(Lab lab) throws Exception {
        TcpListener listener = lab.listener();
        TcpStream client = lab.keep(lab.network().connect(listener.localAddress()));
        lab.awaitLists(listener, "r--");
        lab.eventually("connected", client::finishConnect);
        client.setOption(StandardSocketOptions.SO_LINGER, 0);
        client.close();
        TcpStream accepted = listener.accept(); // a stream that is reset already, or null: both are correct
        if (accepted != null) {
            lab.keep(accepted);
            lab.awaitLists(accepted, "rw-");
        }
        assertThat(listener.accept()).as("no further connection is pending").isNull();
    }

    @Case("C8")
    @EveryEngine
    void acceptWouldBlockAfterAnotherCallerHasAccepted(Lab lab) throws Exception {
        TcpListener listener = lab.listener();
        lab.keep(lab.network().connect(listener.localAddress()));
        List<TcpListener> one = List.of(listener);
        assertThat(Select.on(lab.network()).select(one, List.of(), List.of(), Lab.PATIENCE).readable()).isEqualTo(one);
        lab.accept(listener);
        assertThat(listener.accept()).isNull();
    }

    @Case("54")
    @EveryEngine
    void pipeWithAByteIsReadable(Lab lab) throws Exception {
        Pipe pipe = lab.pipe();
        pipe.sink().write(Lab.bytes("!"));
        List<Socket> source = List.of(pipe.source());
        assertThat(Select.on(lab.network()).select(source, List.of(), List.of(), Lab.PATIENCE).readable()).isEqualTo(source);
    }

    @Case("65")
    @EveryEngine
    void emptyPipeIsNotReadable(Lab lab) throws Exception {
        Pipe pipe = lab.pipe();
        assertThat(Select.on(lab.network()).select(List.of(pipe.source()), List.of(), List.of(), ONE_MILLI).isEmpty()).isTrue();
    }

    @Case("66")
    @EveryEngine
    void fullPipeIsNotWritable(Lab lab) throws Exception {
        Pipe pipe = lab.pipe();
        lab.fill(pipe.sink());
        assertThat(Select.on(lab.network()).select(List.of(), List.of(pipe.sink()), List.of(), ONE_MILLI).isEmpty()).isTrue();
    }

    @Case("70")
    @EveryEngine
    void pipeWithClosedWriterIsReadable(Lab lab) throws Exception {
        Pipe pipe = lab.pipe();
        pipe.sink().write(Lab.bytes("last"));
        pipe.sink().close();
        List<Pipe.Source> source = List.of(pipe.source());
        NetworkSelect select = Select.on(lab.network());
        ByteBuffer buffer = ByteBuffer.allocate(16);
        assertThat(select.select(source, List.of(), List.of(), Lab.PATIENCE).readable()).isEqualTo(source);
        assertThat(pipe.source().read(buffer)).as("the bytes are not hidden by the hang-up").isEqualTo(4);
        assertThat(select.select(source, List.of(), List.of(), Lab.PATIENCE).readable()).isEqualTo(source);
        assertThat(pipe.source().read(buffer)).as("the end of input").isEqualTo(-1);
    }

    /** poll(2) always reports errors and hang-ups. They must not end a wait for urgent data, or make it spin. */
    @Case("111")
    @EveryEngine
    void resetDoesNotEndAWaitForUrgentData(Lab lab) throws Exception {
        TcpStream reset = reset(lab);
        if (lab.refuses(Capability.URGENT_DATA,
                () -> Select.on(lab.network()).select(List.of(), List.of(), List.of(reset), Duration.ZERO))) {
            return;
        }
        lab.awaitLists(reset, "rw-");
        assertSleeps(lab, () -> Select.on(lab.network()).select(List.of(), List.of(), List.of(reset), Duration.ofMillis(200)));
    }

    @Case("111")
    @EveryEngine
    void resetDoesNotHideUrgentDataOfAnotherSocket(Lab lab) throws Exception {
        TcpStream reset = reset(lab);
        Pair urgent = lab.pair();
        List<TcpStream> both = List.of(reset, urgent.client());
        if (lab.refuses(Capability.URGENT_DATA,
                () -> Select.on(lab.network()).select(List.of(), List.of(), both, Duration.ZERO))) {
            return;
        }
        lab.awaitLists(reset, "rw-");
        assertThat(Select.on(lab.network()).select(List.of(), List.of(), both, ONE_MILLI).isEmpty()).isTrue();
        urgent.server().sendUrgent((byte) '!');
        assertThat(Select.on(lab.network()).select(List.of(), List.of(), both, Lab.PATIENCE).exceptional())
                .containsExactly(urgent.client());
    }

    /** The read end of a pipe is never writable, and a hang-up must not make it so. */
    @Case("70")
    @EveryEngine
    void hangUpDoesNotEndAWaitForWriting(Lab lab) throws Exception {
        Pipe pipe = lab.pipe();
        pipe.sink().close();
        List<Pipe.Source> source = List.of(pipe.source());
        lab.awaitLists(pipe.source(), "r--");
        assertSleeps(lab, () -> Select.on(lab.network()).select(List.of(), source, List.of(), Duration.ofMillis(200)));
    }

    /** Asserts that a select of 200 ms waits its full time, finds nothing, and uses little processor time. */
    private static void assertSleeps(Lab lab, SelectCall select) throws IOException {
        long start = lab.network().clock().nanoTime();
        long cpuBefore = CpuTime.currentThreadNanos();
        assertThat(select.call().isEmpty()).isTrue();
        long cpu = CpuTime.currentThreadNanos() - cpuBefore;
        assertThat(lab.network().clock().nanoTime() - start).isGreaterThanOrEqualTo(200_000_000);
        assertThat(cpu).as("nanoseconds of processor time in 200 ms").isLessThan(100_000_000);
    }

    private interface SelectCall {
        Ready<?> call() throws IOException;
    }

    /** Opens a connection, and returns one end after the other has reset it. */
    private static TcpStream reset(Lab lab) throws IOException {
        Pair pair = lab.pair();
        pair.server().setOption(StandardSocketOptions.SO_LINGER, 0);
        pair.server().close();
        return pair.client();
    }

    private static void fill(TcpStream stream) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocateDirect(1 << 16);
        while (stream.write(bytes.clear()) > 0) {
            assertThat(stream.isOpen()).isTrue();
        }
    }
}
