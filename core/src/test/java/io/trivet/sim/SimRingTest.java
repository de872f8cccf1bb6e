package io.trivet.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.Completions;
import io.trivet.net.Interest;
import io.trivet.net.Proactor;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Completions as a simulated ring delivers them. */
final class SimRingTest {
    private static final InetSocketAddress FREE_PORT = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);

    /** Records what is delivered, in order. */
    private static final class Recorder implements Completions {
        final List<String> lines = new ArrayList<>();
        final StringBuilder bytes = new StringBuilder();
        Runnable onReceived = () -> {
        };
        ByteBuffer memory;
        int from;
        int to;

        @Override
        public void accepted(long token, TcpStream stream) {
            lines.add("accepted " + token);
        }

        @Override
        public void acceptFailed(long token, IOException failure) {
            lines.add("accept failed");
        }

        @Override
        public void connected(long handle) {
            lines.add("connected");
        }

        @Override
        public void received(long handle, ByteBuffer received, int begin, int end) {
            memory = received;
            from = begin;
            to = end;
            byte[] copy = new byte[end - begin];
            received.get(begin, copy);
            bytes.append(new String(copy, StandardCharsets.US_ASCII));
            lines.add("received " + copy.length);
            onReceived.run();
        }

        @Override
        public void urgent(long handle, byte b) {
            lines.add("urgent " + (char) b);
        }

        @Override
        public void inputEnded(long handle) {
            lines.add("input ended");
        }

        @Override
        public void sent(long handle, long count) {
            lines.add("sent " + count);
        }

        @Override
        public void failed(long handle, IOException failure) {
            lines.add("failed " + failure.getMessage());
        }

        @Override
        public void spinning(long handle, String description) {
            lines.add("spinning");
        }

        @Override
        public void closed(long handle) {
            lines.add("closed");
        }
    }

    private static final class Ring {
        final SimNetwork network;
        final SimHost host;
        final Proactor proactor;
        final TcpStream client;
        final long handle;
        final Recorder delivered = new Recorder();

        Ring(long seed, FaultPlan plan) throws IOException {
            network = SimNetwork.of(seed, plan, SimEngine.URING);
            host = network.host(InetAddress.ofLiteral("10.0.0.1"), SimEngine.EPOLL, FaultPlan.none());
            proactor = network.proactor();
            TcpListener listener = network.listen(FREE_PORT, 4);
            client = host.connect(listener.localAddress());
            handle = proactor.adopt(listener.accept());
        }

        void poll() throws IOException {
            proactor.poll(delivered, 0);
        }

        /** Sends the next received bytes back, directly from the received buffer. */
        void echoNext(long expected) throws IOException {
            echoNext(direct(""), expected);
        }

        /** Sends the next received bytes back, and other bytes after them. */
        void echoNext(ByteBuffer after, long expected) throws IOException {
            proactor.receive(handle);
            delivered.onReceived = () -> {
                ByteBuffer view = delivered.memory.duplicate().limit(delivered.to).position(delivered.from);
                try {
                    assertThat(proactor.send(handle, new ByteBuffer[]{view, after}, 0, 2)).isEqualTo(expected);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
                assertThat(view.hasRemaining()).isEqualTo(expected == Proactor.PENDING);
            };
        }

        void pollUntilReceived() throws IOException {
            delivered.lines.clear();
            while (delivered.lines.isEmpty()) {
                proactor.poll(delivered, 1_000);
            }
        }

        /** Sends until the socket is full. */
        void fill() throws IOException {
            ByteBuffer much = ByteBuffer.allocate(1 << 24);
            while (proactor.sendNow(handle, new ByteBuffer[]{much}, 0, 1) > 0) {
                proactor.poll(delivered, 0);
            }
        }

        /** Returns the letters that the client reads, and how the input ends. */
        String drain(boolean ended) throws IOException {
            ByteBuffer in = ByteBuffer.allocate(1 << 16);
            StringBuilder last = new StringBuilder();
            try {
                for (int count = client.read(in); count >= 0; count = client.read(in)) {
                    for (byte b : Arrays.copyOf(in.array(), count)) {
                        last.append(b == 0 ? "" : (char) b);
                    }
                    in.clear();
                    network.run(Duration.ofMillis(1));
                    if (!ended) {
                        poll();
                    }
                }
                return last + ", the end";
            } catch (IOException e) {
                return "reset";
            }
        }

        /** Polls for a duration. */
        void pollFor(Duration duration) throws IOException {
            long end = network.clock().elapsedNanos() + duration.toNanos();
            while (network.clock().elapsedNanos() < end) {
                proactor.poll(delivered, end - network.clock().elapsedNanos());
            }
        }
    }

    private static ByteBuffer direct(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void aShortSendIsPendingUntilTheNextPollReadsItsMemory() throws IOException {
        Ring ring = new Ring(1, FaultPlan.none());
        ByteBuffer[] parts = {direct("hello, "), direct("world")};
        assertThat(ring.proactor.send(ring.handle, parts, 0, 2)).isEqualTo(Proactor.PENDING);
        assertThat(parts[0].position()).as("the position of a pending send does not move").isZero();
        ByteBuffer in = ByteBuffer.allocate(100);
        assertThat(ring.client.read(in)).isZero();
        assertThatThrownBy(() -> ring.proactor.send(ring.handle, parts, 0, 1)).isInstanceOf(IllegalStateException.class);

        ring.poll();
        assertThat(ring.client.read(in)).isEqualTo(12);
        assertThat(in.flip()).isEqualTo(bytes("hello, world"));
        assertThat(ring.delivered.lines).containsExactly("sent 12");
    }

    @Test
    void aSubmittedSendIsSentBeforeAClose() throws IOException {
        Ring ring = new Ring(1, FaultPlan.none());
        ring.proactor.send(ring.handle, new ByteBuffer[]{direct("hello")}, 0, 1);
        ring.proactor.close(ring.handle);
        for (int i = 0; i < 4; i++) {
            ring.poll();
        }
        assertThat(ring.delivered.lines).containsExactly("closed");
        ByteBuffer in = ByteBuffer.allocate(8);
        assertThat(ring.client.read(in)).isEqualTo(5);
        assertThat(ring.client.read(in)).isEqualTo(-1);
    }

    @Test
    void inputBeforeAResetIsDeliveredBeforeTheRoomThatTheResetMakes() throws IOException {
        Ring ring = new Ring(1, FaultPlan.none());
        ring.proactor.receive(ring.handle);
        ByteBuffer much = ByteBuffer.allocate(1 << 24);
        while (ring.proactor.interest(ring.handle) == Interest.READ) {
            ring.proactor.send(ring.handle, new ByteBuffer[]{much}, 0, 1);
            ring.poll();
        }
        ring.delivered.lines.clear();
        ring.client.write(bytes("last words"));
        ring.client.shutdownOutput();
        ring.client.close();
        ring.poll();
        assertThat(ring.delivered.lines).containsExactly("received 10", "input ended", "sent 0");
    }

    @Test
    void aChangeOfMemoryBeforeTheCompletionIsDetected() throws IOException {
        Ring ring = new Ring(1, FaultPlan.none());
        ByteBuffer[] parts = {direct("hello")};
        ring.proactor.send(ring.handle, parts, 0, 1);
        parts[0].put(4, (byte) '!');
        assertThatThrownBy(ring::poll).isInstanceOf(IllegalStateException.class).hasMessageContaining("has changed");
    }

    @Test
    void aLateSendReadsItsMemoryLate() throws IOException {
        Ring ring = new Ring(1, FaultPlan.none().with(Fault.SEND_LATE, 1));
        ring.proactor.send(ring.handle, new ByteBuffer[]{direct("hello")}, 0, 1);
        ring.poll();
        assertThat(ring.delivered.lines).isEmpty();
        assertThat(ring.client.read(ByteBuffer.allocate(8))).isZero();
        ring.pollFor(Duration.ofMillis(11));
        assertThat(ring.delivered.lines).containsExactly("sent 5");
        assertThat(ring.client.read(ByteBuffer.allocate(8))).isEqualTo(5);
    }

    @Test
    void aReceivedBufferIsOverwrittenUnlessItIsLentToASend() throws IOException {
        for (boolean lent : new boolean[]{false, true}) {
            Ring ring = new Ring(1, FaultPlan.none());
            ring.proactor.receive(ring.handle);
            ring.client.write(bytes("abc"));
            ring.delivered.onReceived = () -> {
                if (lent) {
                    ByteBuffer view = ring.delivered.memory.duplicate().limit(ring.delivered.to).position(ring.delivered.from);
                    try {
                        assertThat(ring.proactor.send(ring.handle, new ByteBuffer[]{view}, 0, 1)).isEqualTo(3);
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                }
            };
            ring.poll();
            assertThat(ring.delivered.memory.get(ring.delivered.from) == 'a').as("unchanged").isEqualTo(lent);
            ring.poll();
            assertThat(ring.delivered.memory.get(ring.delivered.from)).as("released").isNotEqualTo((byte) 'a');
            assertThat(ring.client.read(ByteBuffer.allocate(8))).isEqualTo(lent ? 3 : 0);
            assertThat(ring.delivered.lines).as("its success is not delivered").containsExactly("received 3");
        }
    }

    @Test
    void aSendThatLiesOnlyPartlyInTheReceivedBufferIsPending() throws IOException {
        Ring ring = new Ring(1, FaultPlan.none());
        ring.echoNext(direct("!"), Proactor.PENDING);
        ring.client.write(bytes("abc"));
        ring.poll();
        ring.poll();
        ByteBuffer in = ByteBuffer.allocate(8);
        assertThat(ring.client.read(in)).isEqualTo(4);
        assertThat(in.flip()).isEqualTo(bytes("abc!"));
        assertThat(ring.delivered.lines).containsExactly("received 3", "sent 4");
    }

    @Test
    void refusedBytesOfASilentSendAreSentStepByStepAndLaterSendsComplete() throws IOException {
        for (long seed = 0; seed < 50; seed++) {
            Ring ring = new Ring(seed, FaultPlan.none().with(Fault.SHORT_WRITE, 1).with(Fault.COMPLETION_LATE, 0.3));
            ring.echoNext(200);
            ring.client.write(bytes("0123456789".repeat(20)));
            ring.pollUntilReceived();
            long left = ring.proactor.unsentBytes(ring.handle);
            assertThat(left).isEqualTo(200);
            assertThat(ring.proactor.send(ring.handle, new ByteBuffer[]{direct("behind")}, 0, 1)).isZero();
            while (left > 0) {
                ring.delivered.lines.clear();
                ring.pollFor(Duration.ofNanos(10_000));
                long now = ring.proactor.unsentBytes(ring.handle);
                if (now == 0 || !ring.delivered.lines.isEmpty()) { // bytes sent before the refusal are not delivered
                    assertThat(ring.delivered.lines).as("seed %d", seed).containsExactly("sent 0");
                    assertThat(now).as("seed %d", seed).isLessThan(left);
                }
                left = now;
            }
            ByteBuffer in = ByteBuffer.allocate(300);
            ring.client.read(in);
            assertThat(in.flip()).as("seed %d", seed).isEqualTo(bytes("0123456789".repeat(20)));
            ring.echoNext(Proactor.PENDING);
            ring.client.write(bytes("abc"));
            ring.pollUntilReceived();
            assertThat(ring.proactor.unsentBytes(ring.handle)).isZero();
        }
    }

    @Test
    void anOutputEndsAfterAcceptedBytesAndOnlyAWaitingCallerIsNotified() throws IOException {
        for (int pollsBefore = 0; pollsBefore < 3; pollsBefore++) {
            Ring ring = new Ring(1, FaultPlan.none());
            ring.fill();
            ring.echoNext(3);
            ring.client.write(bytes("abc"));
            ring.pollUntilReceived();
            for (int i = 0; i < pollsBefore; i++) {
                ring.poll();
            }
            ring.proactor.shutdownOutput(ring.handle);
            ring.poll();
            ring.delivered.lines.clear();
            assertThat(ring.drain(false)).isEqualTo("abc, the end");
            assertThat(ring.delivered.lines).containsExactly("sent 0"); // for the call that found the socket full
        }
    }

    @Test
    void aCloseResetsAConnectionWithRefusedBytes() throws IOException {
        for (boolean full : new boolean[]{false, true}) {
            for (int pollsBefore = 0; pollsBefore < 3; pollsBefore++) {
                Ring ring = new Ring(1, FaultPlan.none());
                if (full) {
                    ring.fill();
                }
                ring.echoNext(3);
                ring.client.write(bytes("abc"));
                ring.pollUntilReceived();
                for (int i = 0; i < pollsBefore; i++) {
                    ring.poll();
                }
                ring.proactor.close(ring.handle);
                for (int i = 0; i < 4; i++) {
                    ring.poll();
                }
                assertThat(ring.delivered.lines).endsWith("closed");
                assertThat(ring.drain(false)).isEqualTo(full ? "reset" : "abc, the end");
                ring.proactor.close();
            }
        }
    }

    @Test
    void closingARingResetsAConnectionWithRefusedBytes() throws IOException {
        for (boolean full : new boolean[]{false, true}) {
            for (int pollsBefore = 0; pollsBefore < 3; pollsBefore++) {
                Ring ring = new Ring(1, FaultPlan.none());
                if (full) {
                    ring.fill();
                }
                ring.echoNext(3);
                ring.client.write(bytes("abc"));
                ring.pollUntilReceived();
                for (int i = 0; i < pollsBefore; i++) {
                    ring.poll();
                }
                ring.proactor.close();
                assertThat(ring.drain(true)).isEqualTo(full ? "reset" : "abc, the end");
            }
        }
    }

    @Test
    void completedReceivesAreDeliveredAfterAStop() throws IOException {
        Ring ring = new Ring(1, FaultPlan.none().with(Fault.COMPLETION_LATE, 1));
        ring.proactor.receive(ring.handle);
        ring.client.write(bytes("before"));
        ring.poll();
        assertThat(ring.delivered.lines).isEmpty();
        ring.proactor.stopReceiving(ring.handle);
        ring.client.write(bytes("behind"));
        ring.pollFor(Duration.ofMillis(30));
        assertThat(ring.delivered.bytes).hasToString("before");
        ring.proactor.receive(ring.handle);
        ring.pollFor(Duration.ofMillis(30));
        assertThat(ring.delivered.bytes).hasToString("beforebehind");
    }

    @Test
    void aCancellationCanComeTooLate() throws IOException {
        Ring ring = new Ring(1, FaultPlan.none().with(Fault.CANCEL_LOSES, 1));
        ring.proactor.receive(ring.handle);
        ring.poll();
        ring.proactor.stopReceiving(ring.handle);
        ring.client.write(bytes("raced"));
        ring.pollFor(Duration.ofMillis(1));
        assertThat(ring.delivered.bytes).hasToString("raced");
    }

    @Test
    void closedIsTheOnlyCompletionAfterAClose() throws IOException {
        for (long seed = 0; seed < 50; seed++) {
            Ring ring = new Ring(seed, FaultPlan.all().without(Fault.RESET, Fault.ACCEPT_NO_DESCRIPTOR,
                    Fault.ACCEPT_NO_MEMORY, Fault.ACCEPT_WOULD_BLOCK, Fault.ACCEPT_ABORTED, Fault.LATENCY,
                    Fault.STALL,
                    Fault.SOCKET_REFUSED, Fault.CONNECT_REFUSED, Fault.CONNECT_IGNORED, Fault.CONNECT_UNREACHABLE));
            ring.proactor.receive(ring.handle);
            ring.client.write(bytes("something"));
            ring.poll();
            ring.proactor.send(ring.handle, new ByteBuffer[]{direct("answer")}, 0, 1);
            ring.delivered.lines.clear();
            ring.proactor.close(ring.handle);
            assertThat(ring.proactor.interest(ring.handle)).isZero();
            ring.client.write(bytes("more"));
            ring.pollFor(Duration.ofMillis(100));
            assertThat(ring.delivered.lines).as("seed %d", seed).containsExactly("closed");
            ring.proactor.close();
        }
    }

    @Test
    void everyByteArrivesInOrderWithFewBuffers() throws IOException {
        FaultPlan plan = FaultPlan.none().with(Fault.BUFFERS_EXHAUSTED, 0.3).with(Fault.MULTISHOT_ENDS, 0.3)
                .with(Fault.COMPLETION_LATE, 0.3).with(Fault.COMPLETIONS_OVERFLOW, 0.1).with(Fault.SHORT_READ, 0.3);
        for (long seed = 0; seed < 50; seed++) {
            Ring ring = new Ring(seed, plan);
            ring.proactor.receive(ring.handle);
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < 5_000; i++) {
                text.append((char) ('a' + i % 26));
            }
            ByteBuffer out = bytes(text.toString());
            for (int i = 0; i < 1_000 && (out.hasRemaining() || ring.delivered.bytes.length() < text.length()); i++) {
                ring.client.write(out);
                ring.pollFor(Duration.ofMillis(1));
            }
            assertThat(ring.delivered.bytes.toString()).as("seed %d", seed).isEqualTo(text.toString());
            ring.client.shutdownOutput();
            ring.pollFor(Duration.ofMillis(100));
            assertThat(ring.delivered.lines.getLast()).as("seed %d", seed).isEqualTo("input ended");
        }
    }

    @Test
    void aWatchedUrgentByteIsDelivered() throws IOException {
        Ring ring = new Ring(1, FaultPlan.none());
        ring.proactor.watchUrgent(ring.handle);
        ring.proactor.receive(ring.handle);
        ring.client.write(bytes("abc"));
        ring.client.sendUrgent((byte) '!');
        ring.client.write(bytes("def"));
        ring.pollFor(Duration.ofMillis(1));
        assertThat(ring.delivered.lines.getFirst()).isEqualTo("urgent !");
        assertThat(ring.delivered.bytes).hasToString("abcdef");
    }

    @Test
    void anUrgentByteThatWokeAPollIsSkippedAndTheCloseIsOrderly() throws IOException {
        Ring ring = new Ring(1, FaultPlan.none());
        ring.proactor.watchUrgent(ring.handle);
        ring.proactor.receive(ring.handle);
        ring.poll();
        ring.client.sendUrgent((byte) '!');
        ring.pollFor(Duration.ofMillis(1));
        ring.proactor.close(ring.handle);
        ring.pollFor(Duration.ofMillis(1));
        assertThat(ring.delivered.lines).containsExactly("urgent !", "closed");
        assertThat(ring.client.read(ByteBuffer.allocate(4))).isNegative();
    }

    @Test
    void anUrgentByteThatAPollFindsStaysInTheInputAndTheCloseResets() throws IOException {
        Ring ring = new Ring(1, FaultPlan.none());
        ring.proactor.watchUrgent(ring.handle);
        ring.client.sendUrgent((byte) '!');
        ring.proactor.receive(ring.handle);
        ring.pollFor(Duration.ofMillis(1));
        ring.proactor.close(ring.handle);
        ring.pollFor(Duration.ofMillis(1));
        assertThat(ring.delivered.lines).containsExactly("urgent !", "closed");
        assertThatThrownBy(() -> ring.client.read(ByteBuffer.allocate(4))).hasMessageContaining("ECONNRESET");
    }

    @Test
    void aPollIsRearmedAfterAnUrgentByte() throws IOException {
        Ring ring = new Ring(1, FaultPlan.none());
        ring.proactor.watchUrgent(ring.handle);
        ring.client.sendUrgent((byte) '!');
        ring.proactor.receive(ring.handle);
        ring.pollFor(Duration.ofMillis(1));
        ring.client.sendUrgent((byte) '?');
        ring.pollFor(Duration.ofMillis(1));
        ring.proactor.close(ring.handle);
        ring.pollFor(Duration.ofMillis(1));
        assertThat(ring.delivered.lines).containsExactly("urgent !", "urgent ?", "closed");
        assertThat(ring.client.read(ByteBuffer.allocate(4))).as("both were skipped").isNegative();
    }

    @Test
    void anUrgentByteThatWokeAPollIsSkippedEvenWithoutAFreeBuffer() throws IOException {
        for (long seed = 0; seed < 20; seed++) {
            Ring ring = new Ring(seed, FaultPlan.none());
            TcpListener listener = ring.network.listen(FREE_PORT, 4);
            TcpStream flood = ring.host.connect(listener.localAddress());
            long flooded = ring.proactor.adopt(listener.accept());
            ring.proactor.receive(flooded);
            ring.proactor.watchUrgent(ring.handle);
            ring.proactor.receive(ring.handle);
            ring.poll();
            flood.write(ByteBuffer.allocate(60_000));
            ring.client.sendUrgent((byte) '!');
            ring.pollFor(Duration.ofMillis(1));
            ring.delivered.lines.clear();
            ring.proactor.close(ring.handle);
            ring.pollFor(Duration.ofMillis(1));
            assertThat(ring.delivered.lines).as("seed %d", seed).containsExactly("closed");
            assertThat(ring.client.read(ByteBuffer.allocate(4))).as("seed %d", seed).isNegative();
        }
    }

    @Test
    void aMultishotReceiveDestroysAnUrgentByte() throws IOException {
        Ring ring = new Ring(1, FaultPlan.none());
        ring.proactor.receive(ring.handle);
        ring.client.write(bytes("abc"));
        ring.client.sendUrgent((byte) '!');
        ring.client.write(bytes("def"));
        ring.pollFor(Duration.ofMillis(1));
        assertThat(ring.delivered.bytes).hasToString("abcdef");
        assertThat(ring.delivered.lines).noneMatch(line -> line.startsWith("urgent"));
    }
}
