package io.trivet.linux;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Proactor;
import io.trivet.net.Selectable;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.net.UnavailableException;
import io.trivet.select.Select;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Bytes that the kernel moves from socket to socket. */
@EnabledOnOs(OS.LINUX)
final class LinuxSplicingTest {
    private static final long TARGET = 7;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Network network = Network.named("poll");
    private final LinuxSplicing splicing = new LinuxSplicing();
    private final List<AutoCloseable> toClose = new ArrayList<>();

    @AfterEach
    void closeAll() throws Exception {
        splicing.close();
        for (AutoCloseable each : toClose) {
            each.close();
        }
    }

    /** Two ends of a connection. */
    private record Ends(TcpStream peer, TcpStream ours) {}

    private Ends connect() throws IOException {
        try (TcpListener listener = network.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1)) {
            TcpStream peer = network.connect(listener.localAddress());
            toClose.add(peer);
            awaitReadable(listener);
            TcpStream ours = listener.accept();
            toClose.add(ours);
            assertThat(peer.finishConnect()).isTrue();
            return new Ends(peer, ours);
        }
    }

    private static void awaitReadable(Selectable socket) throws IOException {
        assertThat(Select.select(List.of(socket), List.of(), List.of(), PATIENCE).readable()).isNotEmpty();
    }

    @Test
    void bytesPassInOrderAndAtMostAsManyAsAskedFor() throws IOException {
        Ends from = connect();
        Ends to = connect();
        assertThat(splicing.fill(from.ours, TARGET, 100)).as("nothing has arrived").isZero();
        from.peer.write(ByteBuffer.wrap("one, two".getBytes(US_ASCII)));
        awaitReadable(from.ours);
        assertThat(splicing.fill(from.ours, TARGET, 5)).isEqualTo(5);
        assertThat(splicing.fill(from.ours, TARGET, 5)).as("these have to be sent first").isEqualTo(5);
        assertThat(splicing.drain(TARGET, to.ours, 3)).isEqualTo(3);
        assertThat(splicing.drain(TARGET, to.ours, 2)).isEqualTo(2);
        ByteBuffer rest = ByteBuffer.allocate(100);
        assertThat(from.ours.read(rest)).as("what was not moved is read").isEqualTo(3);
        ByteBuffer passed = ByteBuffer.allocate(100);
        while (passed.position() < 5) {
            awaitReadable(to.peer);
            to.peer.read(passed);
        }
        assertThat(new String(passed.array(), 0, 5, US_ASCII)).isEqualTo("one, ");
    }

    @Test
    void fullTargetAcceptsTheRestLater() throws IOException {
        Ends from = connect();
        Ends to = connect();
        byte[] chunk = new byte[64 * 1024];
        long passed = 0;
        int waiting = 0;
        while (waiting == 0) {
            from.peer.write(ByteBuffer.wrap(chunk));
            awaitReadable(from.ours);
            waiting = splicing.fill(from.ours, TARGET, Integer.MAX_VALUE);
            int sent = splicing.drain(TARGET, to.ours, waiting);
            waiting -= sent;
            passed += sent;
        }
        assertThat(splicing.drain(TARGET, to.ours, waiting)).isZero();
        ByteBuffer memory = ByteBuffer.allocateDirect(1 << 16);
        while (waiting > 0 || passed > 0) {
            awaitReadable(to.peer);
            passed -= to.peer.read(memory.clear());
            int sent = waiting == 0 ? 0 : splicing.drain(TARGET, to.ours, waiting);
            waiting -= sent;
            passed += sent;
        }
    }

    /** The kernel reports a reset once. If it were dropped here, the next read would take it for an end of input. */
    @Test
    void resetIsReported() throws IOException {
        Ends from = connect();
        from.peer.setOption(StandardSocketOptions.SO_LINGER, 0);
        from.peer.close();
        awaitReadable(from.ours);
        assertThatThrownBy(() -> splicing.fill(from.ours, TARGET, 100)).isInstanceOf(NetworkException.class)
                .hasMessageContaining("ECONNRESET");
    }

    @Test
    void endOfInputIsLeftToARead() throws IOException {
        Ends from = connect();
        from.peer.shutdownOutput();
        awaitReadable(from.ours);
        assertThat(splicing.fill(from.ours, TARGET, 100)).isZero();
        assertThat(from.ours.read(ByteBuffer.allocate(1))).isEqualTo(-1);
    }

    @Test
    void proactorsOfLinuxSplice() throws IOException {
        for (String engine : List.of("epoll", "poll", "select", "uring")) {
            Ends from = connect();
            Ends to = connect();
            from.peer.write(ByteBuffer.wrap("spliced".getBytes(US_ASCII)));
            awaitReadable(from.ours);
            try (Proactor proactor = Network.named(engine).proactor()) {
                long source = proactor.adopt(from.ours);
                long target = proactor.adopt(to.ours);
                assertThat(proactor.splice(source, target, 100)).as(engine).isEqualTo(7);
                assertThat(proactor.sendSpliced(target, 7)).as(engine).isEqualTo(7);
                awaitReadable(to.peer);
                assertThat(to.peer.read(ByteBuffer.allocate(100))).as(engine).isEqualTo(7);
            } catch (UnavailableException e) {
                assertThat(engine).as("the only engine that may be refused").isEqualTo("uring");
            }
        }
    }

    @Test
    void pipesAreBoundedAndUsedAgain() throws IOException {
        Ends from = connect();
        Ends to = connect();
        for (int i = 0; i < LinuxSplicing.PIPES_MAX; i++) {
            from.peer.write(ByteBuffer.wrap(new byte[]{1}));
            awaitReadable(from.ours);
            assertThat(splicing.fill(from.ours, i, 1)).isEqualTo(1);
        }
        from.peer.write(ByteBuffer.wrap(new byte[]{1}));
        awaitReadable(from.ours);
        assertThat(splicing.fill(from.ours, TARGET + LinuxSplicing.PIPES_MAX, 1)).as("all are in use").isZero();
        assertThat(splicing.drain(TARGET, to.ours, 1)).isEqualTo(1);
        assertThat(splicing.fill(from.ours, TARGET + LinuxSplicing.PIPES_MAX, 1)).isEqualTo(1);
        splicing.drop(0);
        from.peer.write(ByteBuffer.wrap(new byte[]{1}));
        awaitReadable(from.ours);
        assertThat(splicing.fill(from.ours, TARGET, 1)).as("a dropped one makes room").isEqualTo(1);
    }
}
