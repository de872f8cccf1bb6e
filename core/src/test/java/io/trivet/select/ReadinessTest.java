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
 * When a socket stands in which list: the conditions of Stevens, UNIX Network Programming, section 6.3, and those of the kernel's own
 * suite about pipes.
 */
class ReadinessTest {
    private static final Duration ONE_MILLI = Duration.ofMillis(1);

    @Case("108")
    @EveryEngine
    void oneByteIsEnoughToBeReadable(Lab lab) throws Exception {
        Pair pair = lab.pair();
        lab.staysInLists(pair.client(), "-w-");
        lab.send(pair.server(), "1");
        lab.awaitLists(pair.client(), "rw-");
        assertThat(lab.receive(pair.client(), 1)).isEqualTo("1");
        lab.staysInLists(pair.client(), "-w-");
    }

    @Case("108")
    @EveryEngine
    void aLowWaterMarkHoldsReadableBack(Lab lab) throws Exception {
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
    void theEndOfInputIsReadable(Lab lab) throws Exception {
        Pair pair = lab.pair();
        pair.server().shutdownOutput();
        lab.awaitLists(pair.client(), "rw-");
        assertThat(Lab.read(pair.client())).as("the end of input").isNull();
        lab.staysInLists(pair.client(), "rw-");
    }

    @Case("110")
    @EveryEngine
    void aListenerIsReadableWhileAConnectionWaits(Lab lab) throws Exception {
        TcpListener listener = lab.listener();
        lab.staysInLists(listener, "---");
        lab.keep(lab.network().connect(listener.localAddress()));
        lab.awaitLists(listener, "r--");
        lab.accept(listener);
        lab.staysInLists(listener, "---");
    }

    @Case("111")
    @EveryEngine
    void aPendingErrorIsReadableAndWritableAndNotExceptional(Lab lab) throws Exception {
        TcpStream client = reset(lab);
        lab.awaitLists(client, "rw-");
        assertThatThrownBy(() -> client.read(ByteBuffer.allocate(10)))
                .isInstanceOfSatisfying(NetworkException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ECONNRESET));
        assertThat(lab.lists(client)).as("once it was told").isEqualTo("rw-");
    }

    @Case("112")
    @EveryEngine
    void roomInTheSendBufferIsWritable(Lab lab) throws Exception {
        Pair pair = lab.pair();
        lab.staysInLists(pair.client(), "-w-");
        fill(pair.client());
        lab.eventually("no room", () -> {
            fill(pair.client()); // what was on its way may have made room
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
    void anOutputThatWasEndedIsWritableAndTheWriteFails(Lab lab) throws Exception {
        Pair pair = lab.pair();
        pair.client().shutdownOutput();
        lab.staysInLists(pair.client(), "-w-");
        assertThatThrownBy(() -> pair.client().write(Lab.bytes("too late")))
                .isInstanceOfSatisfying(NetworkException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.EPIPE));
    }

    @Case("114")
    @EveryEngine
    void aConnectThatHasFinishedIsWritable(Lab lab) throws Exception {
        TcpListener listener = lab.listener();
        TcpStream stream = lab.keep(lab.network().connect(listener.localAddress()));
        assertThat(Select.on(lab.network()).select(List.of(), List.of(stream), List.of(), Lab.PATIENCE).writable())
                .containsExactly(stream);
        assertThat(stream.finishConnect()).isTrue();
    }

    @Case("114")
    @EveryEngine
    void aConnectThatHasFailedIsWritable(Lab lab) throws Exception {
        InetSocketAddress nobody;
        try (TcpListener listener = lab.network().listen(Lab.FREE_PORT, 1)) {
            nobody = listener.localAddress();
        }
        TcpStream stream = lab.keep(lab.network().connect(nobody));
        List<TcpStream> one = List.of(stream);
        Ready<TcpStream> ready = Select.on(lab.network()).select(one, one, List.of(), Lab.PATIENCE);
        assertThat(ready.readable()).containsExactly(stream);
        assertThat(ready.writable()).containsExactly(stream);
        assertThatThrownBy(stream::finishConnect)
                .isInstanceOfSatisfying(NetworkException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ECONNREFUSED));
    }

    @Case("115")
    @EveryEngine
    void anUrgentByteIsExceptionalUntilItIsTaken(Lab lab) throws Exception {
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
    void theUrgentMarkIsExceptionalWhileTheReadPositionStandsThere(Lab lab) throws Exception {
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
    void anAcceptAfterTheClientHasResetDoesNotWait(Lab lab) throws Exception {
        TcpListener listener = lab.listener();
        TcpStream client = lab.keep(lab.network().connect(listener.localAddress()));
        lab.awaitLists(listener, "r--");
        lab.eventually("connected", client::finishConnect);
        client.setOption(StandardSocketOptions.SO_LINGER, 0);
        client.close();
        TcpStream accepted = listener.accept(); // a stream that is reset already, or nothing: both are right
        if (accepted != null) {
            lab.keep(accepted);
            lab.awaitLists(accepted, "rw-");
        }
        assertThat(listener.accept()).as("nobody waits any more").isNull();
    }

    @Case("C8")
    @EveryEngine
    void aListenerThatSomebodyElseHasEmptiedWouldBlock(Lab lab) throws Exception {
        TcpListener listener = lab.listener();
        lab.keep(lab.network().connect(listener.localAddress()));
        List<TcpListener> one = List.of(listener);
        assertThat(Select.on(lab.network()).select(one, List.of(), List.of(), Lab.PATIENCE).readable()).isEqualTo(one);
        lab.accept(listener);
        assertThat(listener.accept()).isNull();
    }

    @Case("54")
    @EveryEngine
    void aPipeWithAByteIsReadable(Lab lab) throws Exception {
        Pipe pipe = lab.pipe();
        pipe.sink().write(Lab.bytes("!"));
        List<Socket> source = List.of(pipe.source());
        assertThat(Select.on(lab.network()).select(source, List.of(), List.of(), Lab.PATIENCE).readable()).isEqualTo(source);
    }

    @Case("65")
    @EveryEngine
    void anEmptyPipeIsNotReadable(Lab lab) throws Exception {
        Pipe pipe = lab.pipe();
        assertThat(Select.on(lab.network()).select(List.of(pipe.source()), List.of(), List.of(), ONE_MILLI).isEmpty()).isTrue();
    }

    @Case("66")
    @EveryEngine
    void aFullPipeIsNotWritable(Lab lab) throws Exception {
        Pipe pipe = lab.pipe();
        lab.fill(pipe.sink());
        assertThat(Select.on(lab.network()).select(List.of(), List.of(pipe.sink()), List.of(), ONE_MILLI).isEmpty()).isTrue();
    }

    @Case("70")
    @EveryEngine
    void aPipeWhoseWriterIsClosedIsReadable(Lab lab) throws Exception {
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

    /** poll(2) reports errors and hang-ups unasked. They must not end a wait for urgent data, nor make it spin. */
    @Case("111")
    @EveryEngine
    void aResetDoesNotEndAWaitForUrgentData(Lab lab) throws Exception {
        TcpStream reset = reset(lab);
        if (lab.refuses(Capability.URGENT_DATA,
                () -> Select.on(lab.network()).select(List.of(), List.of(), List.of(reset), Duration.ZERO))) {
            return;
        }
        lab.awaitLists(reset, "rw-");
        sleepsWell(lab, () -> Select.on(lab.network()).select(List.of(), List.of(), List.of(reset), Duration.ofMillis(200)));
    }

    @Case("111")
    @EveryEngine
    void aResetDoesNotHideUrgentDataOfAnother(Lab lab) throws Exception {
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

    /** The reading end of a pipe can never be written to, and its hang-up is no reason to say so. */
    @Case("70")
    @EveryEngine
    void aHangUpDoesNotEndAWaitForWriting(Lab lab) throws Exception {
        Pipe pipe = lab.pipe();
        pipe.sink().close();
        List<Pipe.Source> source = List.of(pipe.source());
        lab.awaitLists(pipe.source(), "r--");
        sleepsWell(lab, () -> Select.on(lab.network()).select(List.of(), source, List.of(), Duration.ofMillis(200)));
    }

    /** Nothing is ready, the time passes in full, and the processor has nothing to do meanwhile. */
    private static void sleepsWell(Lab lab, ThrowingSelect select) throws IOException {
        long begun = lab.network().clock().nanoTime();
        long cpuBefore = CpuTime.ofThisThreadNanos();
        assertThat(select.call().isEmpty()).isTrue();
        long cpu = CpuTime.ofThisThreadNanos() - cpuBefore;
        assertThat(lab.network().clock().nanoTime() - begun).isGreaterThanOrEqualTo(200_000_000);
        assertThat(cpu).as("nanoseconds of processor time in 200 ms").isLessThan(100_000_000);
    }

    private interface ThrowingSelect {
        Ready<?> call() throws IOException;
    }

    /** The end of a connection whose peer has reset it. */
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
