package io.trivet.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.contract.Descriptors;
import io.trivet.contract.Lab;
import io.trivet.contract.Slowness;
import io.trivet.net.Completions;
import io.trivet.net.Interest;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Proactor;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.net.UnavailableException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Behaviour specific to a ring. The server's tests cover what every proactor must do. */
@Timeout(60)
final class UringProactorTest {
    private static final long SECOND = 1_000_000_000L;
    private static final int MUCH = 8 << 20;

    private final Deque<AutoCloseable> kept = new ArrayDeque<>();
    private LinuxNetwork network;

    @BeforeEach
    void openTheNetwork() {
        try {
            network = (LinuxNetwork) Network.named("uring");
        } catch (UnavailableException e) {
            assumeTrue(false, e.reason());
        }
    }

    @AfterEach
    void closeEverything() throws Exception {
        while (!kept.isEmpty()) {
            kept.pop().close();
        }
    }

    private <C extends AutoCloseable> C keep(C resource) {
        kept.push(resource);
        return resource;
    }

    // ---- buffers, queues

    /** More connections than completions, and more bytes than buffers: receives end with ENOBUFS, and continue. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void everyByteArrivesInOrderHoweverSmallTheRing(boolean cramped) throws IOException {
        UringProactor proactor = keep(new UringProactor(network, cramped ? CrampedRing.SIZES : UringSizes.DEFAULT));
        TcpListener listener = keep(network.listen(Lab.FREE_PORT, 128));
        proactor.accept(listener, 7);
        Recorder events = new Recorder(proactor);
        int clients = 60;
        List<TcpStream> streams = new ArrayList<>();
        for (int i = 0; i < clients; i++) {
            streams.add(keep(connected(listener.localAddress())));
        }
        until(proactor, events, () -> events.handles.size() == clients);
        Random random = new Random(1);
        byte[] message = new byte[3000];
        random.nextBytes(message);
        for (int round = 0; round < 5; round++) {
            events.bytes.values().forEach(ByteArrayOutputStream::reset);
            for (TcpStream stream : streams) {
                assertThat(stream.write(ByteBuffer.wrap(message))).isEqualTo(message.length);
            }
            until(proactor, events, () -> events.bytes.size() == clients
                    && events.bytes.values().stream().allMatch(bytes -> bytes.size() >= message.length));
            for (ByteArrayOutputStream bytes : events.bytes.values()) {
                assertThat(bytes.toByteArray()).isEqualTo(message);
            }
        }
        assertThat(events.failures).isEmpty();
    }

    /** The kernel may end a multishot receive at any time; it is then restarted. A stop and a start may overtake each other. */
    @Test
    void nothingIsLostHoweverOftenReceivingIsStoppedAndStarted() throws Exception {
        UringProactor proactor = keep(new UringProactor(network, UringSizes.DEFAULT));
        Ends ends = ends();
        long handle = proactor.adopt(ends.server);
        Recorder events = new Recorder(proactor);
        Random random = new Random(3);
        byte[] message = new byte[1 << 20];
        random.nextBytes(message);
        Thread sender = Thread.ofPlatform().start(() -> writeAll(ends.client, message, new Random(4)));
        long start = System.nanoTime();
        while (events.of(handle).size() < message.length) {
            assertThat(System.nanoTime() - start).isLessThan(30 * SECOND);
            switch (random.nextInt(4)) {
                case 0 -> proactor.stopReceiving(handle);
                case 1 -> {
                    proactor.stopReceiving(handle);
                    proactor.receive(handle);
                }
                default -> proactor.receive(handle);
            }
            proactor.poll(events, random.nextInt(3) * 100_000L);
        }
        sender.join();
        assertThat(events.of(handle).toByteArray()).isEqualTo(message);
    }

    /** The poll reports only changes: what follows the bytes of one read is no change. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void endOfInputAfterABulkReadIsReported(boolean stopped) throws IOException {
        UringProactor proactor = keep(new UringProactor(network, UringSizes.DEFAULT));
        Ends ends = ends();
        long handle = proactor.adopt(ends.server);
        Recorder events = receiveMuch(proactor, ends, handle);
        if (stopped) {
            proactor.stopReceiving(handle);
        }
        ends.client.write(ByteBuffer.wrap(new byte[4]));
        ends.client.shutdownOutput();
        proactor.poll(events, 0);
        proactor.receive(handle);
        until(proactor, events, () -> events.ended.contains(handle));
        assertThat(events.of(handle).size()).isEqualTo(2 * UringReceives.BULK_BYTES + 4);
    }

    @Test
    void bytesAfterAnUnwatchedUrgentByteArrive() throws IOException {
        UringProactor proactor = keep(new UringProactor(network, UringSizes.DEFAULT));
        Ends ends = ends();
        long handle = proactor.adopt(ends.server);
        Recorder events = receiveMuch(proactor, ends, handle);
        ends.client.write(ByteBuffer.wrap(new byte[3]));
        ends.client.sendUrgent((byte) '!');
        ends.client.write(ByteBuffer.wrap(new byte[3]));
        until(proactor, events, () -> events.of(handle).size() == 2 * UringReceives.BULK_BYTES + 6);
    }

    /** Receives enough bytes that the connection is read by plain calls from then on. */
    private static Recorder receiveMuch(UringProactor proactor, Ends ends, long handle) throws IOException {
        Recorder events = new Recorder(proactor);
        proactor.receive(handle);
        proactor.poll(events, 0);
        assertThat(ends.client.write(ByteBuffer.wrap(new byte[2 * UringReceives.BULK_BYTES])))
                .isEqualTo(2 * UringReceives.BULK_BYTES);
        until(proactor, events, () -> events.of(handle).size() == 2 * UringReceives.BULK_BYTES);
        proactor.poll(events, 0);
        proactor.poll(events, 0);
        return events;
    }

    // ---- sends

    @Test
    void sendToAFullSocketReturnsItsBytesToTheCallerAtOnce() throws IOException {
        UringProactor proactor = keep(new UringProactor(network, UringSizes.DEFAULT));
        Ends ends = ends();
        long handle = proactor.adopt(ends.server);
        Recorder events = new Recorder(proactor);
        proactor.poll(events, 0);
        fill(proactor, events, handle);
        ByteBuffer part = ByteBuffer.allocateDirect(4000);
        for (int i = 0; i < 4000; i++) {
            part.put(i, (byte) (i % 251));
        }
        events.sent.clear();
        assertThat(proactor.send(handle, new ByteBuffer[]{part.limit(1000), part.duplicate().limit(4000).position(1000)}, 0, 2))
                .isEqualTo(Proactor.PENDING);
        proactor.poll(events, 0);
        int written = events.sent.getFirst().intValue();
        assertThat(events.sent).as("notified at once").hasSize(1);
        assertThat(written).isLessThan(4000);
        assertThat(proactor.interest(handle) & Interest.WRITE).isNotZero();
        events.sent.clear();

        byte[] last = new byte[0];
        byte[] read = new byte[1 << 16];
        ByteBuffer in = ByteBuffer.wrap(read);
        long start = System.nanoTime();
        int rest = written;
        int bytes = 0;
        while (bytes >= 0) {
            assertThat(System.nanoTime() - start).isLessThan(30 * SECOND);
            if (events.sent.contains(0L) && written < 4000) {
                written = 4000;
                events.sent.clear();
                assertThat(proactor.send(handle, new ByteBuffer[]{part.clear().position(rest)}, 0, 1))
                        .isEqualTo(Proactor.PENDING);
                proactor.shutdownOutput(handle); // after the pending bytes
            }
            bytes = ends.client.read(in.clear());
            if (bytes > 0) {
                byte[] joined = Arrays.copyOf(last, last.length + bytes);
                System.arraycopy(read, 0, joined, last.length, bytes);
                last = Arrays.copyOfRange(joined, Math.max(0, joined.length - 4000), joined.length);
            }
            proactor.poll(events, 0);
        }
        assertThat(events.sent).containsExactly(4000L - rest);
        for (int i = 0; i < 4000; i++) {
            assertThat(last[i]).as("byte %s", i).isEqualTo((byte) (i % 251));
        }
    }

    @Test
    void closeWithAPendingSendEndsBoth() throws IOException {
        UringProactor proactor = keep(new UringProactor(network, UringSizes.DEFAULT));
        Ends ends = ends();
        long handle = proactor.adopt(ends.server);
        Recorder events = new Recorder(proactor);
        proactor.receive(handle);
        proactor.poll(events, 0);
        fill(proactor, events, handle);
        assertThat(proactor.send(handle, new ByteBuffer[]{ByteBuffer.allocateDirect(100)}, 0, 1)).isEqualTo(Proactor.PENDING);
        proactor.poll(events, 0);
        events.sent.clear();
        proactor.close(handle);
        assertThat(proactor.send(handle, new ByteBuffer[]{ByteBuffer.allocateDirect(1)}, 0, 1)).isZero();
        until(proactor, events, () -> events.closed.contains(handle));
        assertThat(events.sent).isEmpty();
        assertThat(events.failures).isEmpty();
        long next = proactor.adopt(ends().server);
        assertThat(Proactor.slot(next)).as("the slot is reused").isEqualTo(Proactor.slot(handle));
        assertThat(next).isNotEqualTo(handle);
    }

    /** The kernel adds RDHUP to every poll: a single-shot poll would report the FIN again and again. */
    @Test
    void peerThatHasShutDownAndDoesNotReadCausesNoTurns() throws IOException {
        UringProactor proactor = keep(new UringProactor(network, UringSizes.DEFAULT));
        Ends ends = ends();
        long handle = proactor.adopt(ends.server);
        Recorder events = new Recorder(proactor);
        proactor.receive(handle);
        ends.client.shutdownOutput();
        until(proactor, events, () -> events.ended.contains(handle));
        fill(proactor, events, handle);
        assertThat(proactor.send(handle, new ByteBuffer[]{ByteBuffer.allocateDirect(1 << 20)}, 0, 1)).isZero();
        assertThat(proactor.poll(events, SECOND / 5)).as("completions delivered").isZero();
        assertThat(proactor.poll(events, SECOND / 5)).as("completions delivered").isZero();
        events.sent.clear();
        until(proactor, events, () -> ends.client.read(ByteBuffer.allocate(1 << 16)) == 0 && events.sent.contains(0L));
    }

    // ---- silent sends: bytes in the ring's own buffers are accepted at once

    @Test
    void bytesInTheRingsBuffersAreAcceptedAtOnceAndDoNotEndTheWait() throws IOException {
        Echo echo = new Echo();
        ByteBuffer in = ByteBuffer.allocate(100);
        for (int round = 0; round < 1000; round++) { // each buffer must be released, or soon none would be left
            echo.ends.client.write(ByteBuffer.wrap(new byte[]{(byte) round, 2, 3}));
            echo.accepted.clear();
            until(echo.proactor, echo.events, () -> !echo.accepted.isEmpty());
            assertThat(echo.accepted).containsExactly(3L);
            assertThat(echo.proactor.poll(echo.events, 10_000)).as("completions delivered").isZero();
            in.clear();
            until(echo.proactor, echo.events, () -> echo.ends.client.read(in) >= 0 && in.position() == 3);
            assertThat(in.get(0)).isEqualTo((byte) round);
        }
        assertThat(echo.events.sent).isEmpty();
    }

    @Test
    void shutdownAndCloseFollowASilentSendWithoutAWait() throws IOException {
        for (boolean closes : new boolean[]{false, true}) {
            Echo echo = new Echo();
            echo.ends.client.write(ByteBuffer.wrap(new byte[7]));
            until(echo.proactor, echo.events, () -> !echo.accepted.isEmpty());
            if (closes) {
                echo.proactor.close(echo.handle);
            } else {
                echo.proactor.shutdownOutput(echo.handle);
            }
            long start = System.nanoTime();
            ByteBuffer in = ByteBuffer.allocate(100);
            while (echo.ends.client.read(in) >= 0) {
                echo.proactor.poll(echo.events, closes || in.position() > 0 ? 0 : 20 * SECOND);
                assertThat(System.nanoTime() - start).isLessThan(15 * SECOND);
            }
            assertThat(in.position()).isEqualTo(7);
        }
    }

    @Test
    void secondSendAfterASilentOneIsNotifiedWhenItMayFollow() throws IOException {
        Echo echo = new Echo();
        echo.twice = true;
        echo.ends.client.write(ByteBuffer.wrap(new byte[]{1}));
        until(echo.proactor, echo.events, () -> !echo.accepted.isEmpty());
        assertThat(echo.accepted).containsExactly(1L, 0L);
        long start = System.nanoTime();
        assertThat(echo.proactor.poll(echo.events, 20 * SECOND)).isEqualTo(1);
        assertThat(System.nanoTime() - start).isLessThan(15 * SECOND);
        assertThat(echo.events.sent).containsExactly(0L);
    }

    /** The kernel sends only a part, and must report that: every byte arrives in order, and later bytes wait. */
    @Test
    void partialSilentSendIsCompletedWhenTheSocketIsWritable() throws IOException {
        int refusals = 0;
        Random random = new Random(5);
        for (int i = 0; i < 20; i++) {
            Echo echo = new Echo();
            byte[] message = new byte[400_000];
            random.nextBytes(message);
            ByteBuffer out = ByteBuffer.wrap(message);
            ByteBuffer in = ByteBuffer.allocate(message.length);
            long start = System.nanoTime();
            while (in.hasRemaining()) {
                assertThat(System.nanoTime() - start).isLessThan(30 * SECOND);
                out.limit(Math.min(message.length, out.position() + random.nextInt(3000)));
                echo.ends.client.write(out);
                until(echo.proactor, echo.events, () -> echo.received == out.position());
                echo.proactor.poll(echo.events, 0);
                echo.countRefusals();
                if (out.position() == message.length || random.nextInt(100) == 0) {
                    echo.ends.client.read(in);
                }
            }
            assertThat(in.array()).isEqualTo(message);
            assertThat(echo.events.failures).isEmpty();
            refusals += echo.refusals;
        }
        assertThat(refusals).as("sends that were accepted, but refused by the socket").isPositive();
    }

    @Test
    void closeWithAcceptedButUnsentBytesIsAReset() throws IOException {
        Echo echo = new Echo();
        long written = 0;
        while (echo.refusals == 0) {
            written += echo.ends.client.write(ByteBuffer.wrap(new byte[1500]));
            long all = written;
            until(echo.proactor, echo.events, () -> echo.received == all);
            assertThat(all).isLessThan(MUCH * 2L);
            echo.countRefusals();
        }
        echo.proactor.close(echo.handle);
        until(echo.proactor, echo.events, () -> echo.events.closed.contains(echo.handle));
        ByteBuffer in = ByteBuffer.allocate(1 << 16);
        long start = System.nanoTime();
        assertThatThrownBy(() -> {
            while (echo.ends.client.read(in.clear()) >= 0) {
                assertThat(System.nanoTime() - start).isLessThan(10 * SECOND);
            }
        }).isInstanceOf(NetworkException.class).hasMessageContaining("ECONNRESET");
    }

    /** Its entry and its memory must not be released twice. */
    @Test
    void silentSendRefusedDuringACompletionOverflowIsSettledOnce() throws IOException {
        UringProactor proactor = keep(new UringProactor(network, new UringSizes(4, 8, 8, 1024)));
        Ends full = ends();
        full.server.setOption(StandardSocketOptions.SO_SNDBUF, 4096);
        Recorder filling = new Recorder(proactor);
        Recorder events = new Recorder(proactor) {
            @Override
            public void received(long handle, ByteBuffer memory, int from, int to) {
                super.received(handle, memory, from, to);
                try {
                    assertThat(proactor.send(handle, new ByteBuffer[]{memory.duplicate().limit(to).position(from)}, 0, 1))
                            .isEqualTo(3);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }
        };
        long handle = proactor.adopt(full.server);
        proactor.receive(handle);
        List<Ends> others = new ArrayList<>();
        List<Long> handles = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            others.add(ends());
            handles.add(proactor.adopt(others.getLast().server));
            proactor.receive(handles.getLast());
        }
        fill(proactor, filling, handle);
        full.client.write(ByteBuffer.wrap(new byte[3]));
        until(proactor, events, () -> events.of(handle).size() == 3);
        for (Ends other : others) {
            other.client.shutdownOutput();
        }
        until(proactor, events, () -> events.ended.size() == others.size());
        proactor.poll(events, SECOND / 20);
        assertThat(proactor.stateOf(handle) & UringConnections.HAS_UNSENT).as("the socket was full").isNotZero();

        for (int i = 0; i < 2; i++) { // two at the same time
            int length = 10 + 10 * i;
            assertThat(proactor.send(handles.get(i), new ByteBuffer[]{ByteBuffer.allocateDirect(length)}, 0, 1))
                    .isEqualTo(Proactor.PENDING);
        }
        until(proactor, events, () -> events.sent.size() >= 2);
        assertThat(events.sent).containsExactlyInAnyOrder(10L, 20L);
    }

    /** The buffers that other receives wait for are released without a completion. */
    @Test
    void starvedReceivesGetABufferWhenSilentSendsComplete() throws IOException {
        UringProactor proactor = keep(new UringProactor(network, CrampedRing.SIZES));
        List<Ends> all = new ArrayList<>();
        Recorder events = new Recorder(proactor) {
            @Override
            public void received(long handle, ByteBuffer memory, int from, int to) {
                super.received(handle, memory, from, to);
                try {
                    assertThat(proactor.send(handle, new ByteBuffer[]{memory.duplicate().limit(to).position(from)}, 0, 1))
                            .isEqualTo(1);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }
        };
        for (int i = 0; i < 6; i++) {
            all.add(ends());
            proactor.receive(proactor.adopt(all.getLast().server));
        }
        proactor.poll(events, 0);
        for (Ends ends : all) {
            ends.client.write(ByteBuffer.wrap(new byte[1]));
        }
        long start = System.nanoTime();
        while (events.bytes.size() < all.size()) {
            proactor.poll(events, 20 * SECOND);
            assertThat(System.nanoTime() - start).isLessThan(15 * SECOND);
        }
    }

    /**
     * Each poll restarts some of the receives that found no buffer. One that does not need its buffer delivers nothing, and must
     * not make the others wait for their turn.
     */
    @Test
    void pollDoesNotWaitWhileReceivesAwaitABufferAndSomeAreFree() throws IOException {
        UringProactor proactor = keep(new UringProactor(network, CrampedRing.SIZES));
        Recorder events = new Recorder(proactor);
        List<Ends> all = new ArrayList<>();
        List<Long> handles = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            all.add(ends());
            handles.add(proactor.adopt(all.getLast().server));
            proactor.receive(handles.getLast());
        }
        proactor.poll(events, 0);
        for (Ends ends : all) {
            ends.client.write(ByteBuffer.wrap(new byte[1]));
        }
        until(proactor, events, () -> !events.bytes.isEmpty());
        handles.removeAll(events.bytes.keySet());
        assertThat(handles).as("those that found no buffer").hasSizeGreaterThan(2);
        for (long handle : handles.subList(0, handles.size() - 1)) {
            proactor.stopReceiving(handle);
        }
        long start = System.nanoTime();
        while (!events.bytes.containsKey(handles.getLast())) {
            proactor.poll(events, 20 * SECOND);
            assertThat(System.nanoTime() - start).isLessThan(15 * SECOND);
        }
    }

    // ---- threads

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void operationsContinueAfterTheThreadOfTheRingHasEnded(boolean cramped) throws Exception {
        UringProactor proactor = keep(new UringProactor(network, cramped ? CrampedRing.SIZES : UringSizes.DEFAULT));
        Recorder events = new Recorder(proactor);
        TcpListener listener = keep(network.listen(Lab.FREE_PORT, 128));
        proactor.accept(listener, 7);
        int clients = 30;
        List<TcpStream> streams = new ArrayList<>();
        inAThreadThatEnds(() -> {
            for (int i = 0; i < clients; i++) {
                streams.add(keep(connected(listener.localAddress())));
            }
            until(proactor, events, () -> events.handles.size() == clients);
            proactor.poll(events, 0);
            // waits in the submission queue when the thread ends
            assertThat(proactor.send(events.handles.getFirst(), new ByteBuffer[]{ByteBuffer.allocateDirect(5)}, 0, 1))
                    .isEqualTo(Proactor.PENDING);
        });
        for (TcpStream stream : streams) {
            assertThat(stream.write(ByteBuffer.wrap(new byte[3]))).isEqualTo(3);
        }
        until(proactor, events, () -> events.sent.size() == 1
                && events.bytes.values().stream().filter(bytes -> bytes.size() == 3).count() == clients);
        assertThat(events.sent).containsExactly(5L);
        assertThat(events.failures).isEmpty();
        streams.add(keep(connected(listener.localAddress())));
        until(proactor, events, () -> events.handles.size() == clients + 1);
        events.handles.forEach(proactor::close);
        until(proactor, events, () -> events.closed.size() == clients + 1);
    }

    /** What has arrived when the thread ends is delivered by the next one, and an echo of it is sent. */
    @Test
    void completionsOfTheEndedThreadAreDelivered() throws Exception {
        Echo echo = new Echo();
        inAThreadThatEnds(() -> {
            echo.proactor.poll(echo.events, 0);
            echo.ends.client.write(ByteBuffer.wrap(new byte[5]));
            until(echo.proactor, echo.events, () -> !echo.accepted.isEmpty()); // the echo has not been handed over
            echo.ends.client.write(ByteBuffer.wrap(new byte[7]));
        });
        until(echo.proactor, echo.events, () -> echo.received == 12);
        assertThat(echo.events.failures).isEmpty();
        ByteBuffer received = ByteBuffer.allocate(100);
        until(echo.proactor, echo.events, () -> {
            echo.ends.client.read(received);
            return received.position() == 12;
        });
    }

    /** If completions are lost, it is unknown what a connection has received: it fails, and the others do not. */
    @Test
    void connectionsFailWhoseCompletionsAreLostWithTheThread() throws Exception {
        UringProactor proactor = keep(new UringProactor(network, CrampedRing.SIZES));
        Recorder events = new Recorder(proactor);
        TcpListener listener = keep(network.listen(Lab.FREE_PORT, 128));
        proactor.accept(listener, 7);
        int clients = 40;
        inAThreadThatEnds(() -> {
            List<TcpStream> streams = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                streams.add(keep(connected(listener.localAddress())));
            }
            until(proactor, events, () -> events.handles.size() == clients);
            proactor.poll(events, 0);
            for (TcpStream stream : streams) {
                stream.write(ByteBuffer.wrap(new byte[3]));
            }
            proactor.poll(events, SECOND); // 40 completions, of which 8 have room
        });
        until(proactor, events, () -> events.bytes.size() + events.failures.size() == clients);
        assertThat(events.failures).isNotEmpty().containsOnly("OTHER");
        assertThat(events.bytes).isNotEmpty();
        keep(connected(listener.localAddress()));
        until(proactor, events, () -> events.handles.size() == clients + 1);
        events.handles.forEach(proactor::close);
        until(proactor, events, () -> events.closed.size() == clients + 1);
    }

    private interface Action {
        void run() throws IOException;
    }

    private static void inAThreadThatEnds(Action action) throws InterruptedException {
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread thread = Thread.ofPlatform().start(() -> {
            try {
                action.run();
            } catch (Throwable t) {
                failure.set(t);
            }
        });
        thread.join();
        assertThat(failure.get()).isNull();
    }

    @Test
    void preparedRingMovesToTheThreadThatPolls() throws Exception {
        UringProactor proactor = keep(new UringProactor(network, UringSizes.DEFAULT));
        proactor.prepare();
        Recorder events = new Recorder(proactor);
        Thread other = Thread.ofPlatform().start(() -> {
            try {
                proactor.wakeup();
                assertThat(proactor.poll(events, 20 * SECOND)).isZero();
            } catch (IOException e) {
                events.failures.add(e.toString());
            }
        });
        other.join();
        assertThat(events.failures).isEmpty();
    }

    @Test
    void unsentBytesAreThoseAcceptedAndTheirSendingIsNotified() throws IOException {
        Echo echo = new Echo();
        assertThat(echo.proactor.unsentBytes(echo.handle)).isZero();
        echo.ends.client.write(ByteBuffer.wrap(new byte[5]));
        until(echo.proactor, echo.events, () -> !echo.accepted.isEmpty());
        assertThat(echo.proactor.unsentBytes(echo.handle)).as("not handed over yet").isEqualTo(5);
        assertThat(echo.proactor.poll(echo.events, 20 * SECOND)).isEqualTo(1);
        assertThat(echo.events.sent).containsExactly(0L);
        assertThat(echo.proactor.unsentBytes(echo.handle)).isZero();

        long written = 5;
        while (echo.refusals == 0) {
            written += echo.ends.client.write(ByteBuffer.wrap(new byte[1500]));
            long all = written;
            until(echo.proactor, echo.events, () -> echo.received == all);
            assertThat(all).isLessThan(MUCH * 2L);
            echo.proactor.poll(echo.events, 0);
            echo.countRefusals();
        }
        echo.events.sent.clear();
        assertThat(echo.proactor.unsentBytes(echo.handle)).isBetween(1L, 16L * 1024);
        ByteBuffer in = ByteBuffer.allocate(500);
        long start = System.nanoTime();
        for (long unsent = echo.proactor.unsentBytes(echo.handle); unsent > 0;) {
            assertThat(System.nanoTime() - start).isLessThan(30 * SECOND);
            echo.ends.client.read(in.clear());
            echo.proactor.poll(echo.events, 0);
            boolean wasNotified = echo.events.sent.remove(0L);
            long left = echo.proactor.unsentBytes(echo.handle);
            assertThat(wasNotified).as("notified, when of %d bytes %d are left", unsent, left).isEqualTo(left < unsent);
            unsent = left;
        }
    }

    // ---- closing

    @Test
    void listenerCanBeClosedAndItsPortReusedAfterStopAccepting() throws IOException {
        UringProactor proactor = keep(new UringProactor(network, UringSizes.DEFAULT));
        TcpListener listener = network.listen(Lab.FREE_PORT, 16);
        InetSocketAddress address = listener.localAddress();
        proactor.accept(listener, 1);
        Recorder events = new Recorder(proactor);
        proactor.poll(events, 0);
        proactor.stopAccepting(listener);
        listener.close();
        assertThat(keep(network.listen(address, 16)).localAddress()).isEqualTo(address);
    }

    @Test
    void everythingIsReleasedOnClose() throws IOException {
        Map<Integer, String> before = Descriptors.kernelObjects();
        TcpListener listener = network.listen(Lab.FREE_PORT, 64);
        List<TcpStream> clients = new ArrayList<>();
        try (UringProactor proactor = new UringProactor(network, UringSizes.DEFAULT)) {
            Recorder events = new Recorder(proactor);
            proactor.accept(listener, 1);
            for (int i = 0; i < 20; i++) {
                clients.add(connected(listener.localAddress()));
            }
            until(proactor, events, () -> events.handles.size() == 20);
            for (int i = 0; i < 5; i++) {
                proactor.close(events.handles.get(i));
            }
            proactor.connect(listener.localAddress());
            proactor.poll(events, 0);
        }
        listener.close();
        for (TcpStream client : clients) {
            ByteBuffer in = ByteBuffer.allocate(1);
            long start = System.nanoTime();
            while (client.read(in) == 0) { // the descriptor is closed, and no operation holds the socket
                assertThat(System.nanoTime() - start).isLessThan(10 * SECOND);
                Thread.onSpinWait();
            }
            client.close();
        }
        assertThat(Descriptors.kernelObjects()).isEqualTo(before);
    }

    @Test
    void ringWhoseBuffersAreRefusedIsReleasedAndThrows() throws IOException {
        Map<Integer, String> before = Descriptors.kernelObjects();
        // more buffers than the kernel accepts
        UringProactor proactor = new UringProactor(network, new UringSizes(4, 8, 1 << 16, 64));
        assertThatThrownBy(() -> proactor.poll(new Recorder(proactor), 0)).hasMessageContaining("io_uring_register")
                .hasMessageContaining("EINVAL");
        proactor.close();
        assertThat(Descriptors.kernelObjects()).isEqualTo(before);
    }

    @Test
    void pendingSendIsStillSentOnClose() throws IOException {
        Ends ends = ends();
        try (UringProactor proactor = new UringProactor(network, UringSizes.DEFAULT)) {
            long handle = proactor.adopt(ends.server);
            proactor.poll(new Recorder(proactor), 0);
            assertThat(proactor.send(handle, new ByteBuffer[]{ByteBuffer.allocateDirect(10)}, 0, 1)).isEqualTo(Proactor.PENDING);
        }
        ByteBuffer in = ByteBuffer.allocate(11);
        long start = System.nanoTime();
        while (ends.client.read(in) >= 0) {
            assertThat(System.nanoTime() - start).isLessThan(10 * SECOND);
        }
        assertThat(in.position()).isEqualTo(10);
    }

    @Test
    void anotherThreadMayCloseWhenNoThreadPolls() throws Exception {
        UringProactor proactor = new UringProactor(network, UringSizes.DEFAULT);
        Ends ends = ends();
        long handle = proactor.adopt(ends.server);
        proactor.receive(handle);
        Recorder events = new Recorder(proactor);
        Thread owner = Thread.ofPlatform().start(() -> poll(proactor, events));
        owner.join();
        proactor.close();
        ByteBuffer in = ByteBuffer.allocate(1);
        long start = System.nanoTime();
        while (ends.client.read(in) == 0) {
            assertThat(System.nanoTime() - start).isLessThan(10 * SECOND);
            LockSupport.parkNanos(100_000);
        }
        proactor.wakeup(); // does nothing
        assertThatThrownBy(() -> proactor.poll(events, 0)).isInstanceOf(IllegalStateException.class);
    }

    /** Only the ring's own thread can hand over waiting sends: the peer must not mistake what it received for everything. */
    @Test
    void closeByAnotherThreadDuringASilentSendIsAReset() throws Exception {
        Echo echo = new Echo();
        echo.ends.client.write(ByteBuffer.wrap(new byte[3]));
        Thread owner = Thread.ofPlatform().start(() -> {
            while (echo.accepted.isEmpty()) {
                poll(echo.proactor, echo.events);
            }
        });
        owner.join();
        assertThat(echo.accepted).containsExactly(3L);
        echo.proactor.close();
        ByteBuffer in = ByteBuffer.allocate(10);
        long start = System.nanoTime();
        assertThatThrownBy(() -> {
            while (echo.ends.client.read(in) >= 0) {
                assertThat(System.nanoTime() - start).isLessThan(10 * SECOND);
            }
        }).isInstanceOf(NetworkException.class).hasMessageContaining("ECONNRESET");
    }

    // ---- wakeups

    @Test
    void noWakeupIsLost() throws Exception {
        UringProactor proactor = keep(new UringProactor(network, UringSizes.DEFAULT));
        Recorder events = new Recorder(proactor);
        int rounds = 3000;
        AtomicInteger asked = new AtomicInteger();
        AtomicInteger seen = new AtomicInteger();
        CountDownLatch started = new CountDownLatch(1);
        Thread waker = Thread.ofPlatform().start(() -> {
            started.countDown();
            for (int i = 1; i <= rounds; i++) {
                asked.set(i);
                proactor.wakeup();
                while (seen.get() < i) { // so the next wakeup comes at any moment of the poll
                    Thread.onSpinWait();
                }
            }
        });
        started.await();
        while (seen.get() < rounds) {
            long before = System.nanoTime();
            proactor.poll(events, 20 * SECOND);
            assertThat(System.nanoTime() - before).as("a wait that was not ended").isLessThan(15 * SECOND);
            seen.set(asked.get());
        }
        waker.join();
        assertThat(proactor.poll(events, 1000)).isZero();
    }

    @Test
    void waitsForItsTimeout() throws IOException {
        UringProactor proactor = keep(new UringProactor(network, UringSizes.DEFAULT));
        Recorder events = new Recorder(proactor);
        for (long timeout : new long[]{0, 1, 1_000_000, 50_000_000}) {
            long before = System.nanoTime();
            assertThat(proactor.poll(events, timeout)).isZero();
            assertThat(System.nanoTime() - before).isGreaterThanOrEqualTo(timeout).isLessThan(timeout + 10 * SECOND);
        }
    }

    // ---- urgent data

    @Test
    void urgentByteIsDeliveredBeforeEarlierBytesAndIsNotDestroyed() throws IOException {
        UringProactor proactor = keep(new UringProactor(network, UringSizes.DEFAULT));
        for (int i = 0; i < 50; i++) {
            Ends ends = ends();
            long handle = proactor.adopt(ends.server);
            Recorder events = new Recorder(proactor);
            proactor.receive(handle); // which would destroy it, and is cancelled first
            proactor.poll(events, 0);
            proactor.watchUrgent(handle);
            until(proactor, events, () -> (proactor.stateOf(handle) & UringConnections.POLLING_URGENT) != 0);
            ends.client.write(ByteBuffer.wrap(new byte[]{1, 2, 3}));
            ends.client.sendUrgent((byte) '!');
            ends.client.write(ByteBuffer.wrap(new byte[]{4, 5}));
            until(proactor, events, () -> events.of(handle).size() == 5 && !events.urgent.isEmpty());
            assertThat(events.urgent).containsExactly((byte) '!');
            assertThat(events.of(handle).toByteArray()).containsExactly(1, 2, 3, 4, 5);
            assertThat(proactor.sendUrgent(handle, (byte) '?')).isTrue();
            proactor.close(handle);
            until(proactor, events, () -> events.closed.contains(handle));
        }
    }

    // ---- helpers

    /** A connection that sends what it receives, from where it is. Bytes that are not accepted are kept until it is writable. */
    private final class Echo {
        final UringProactor proactor = keep(new UringProactor(network, UringSizes.DEFAULT));
        final Ends ends = ends();
        final long handle;
        final List<Long> accepted = new ArrayList<>();
        final Deque<ByteBuffer> kept = new ArrayDeque<>();
        boolean twice;
        long received;
        int refusals;
        private boolean blocked;
        private ByteBuffer pending;
        private boolean hadUnsent;

        final Recorder events = new Recorder(proactor) {
            @Override
            public void received(long of, ByteBuffer memory, int from, int to) {
                received += to - from;
                ByteBuffer view = memory.duplicate().limit(to).position(from);
                for (int i = twice ? 2 : 1; i > 0; i--) {
                    echo(view.duplicate(), false);
                }
            }

            @Override
            public void sent(long of, long count) {
                super.sent(of, count);
                ByteBuffer rest = pending;
                pending = null;
                blocked = rest != null && count < rest.remaining();
                if (blocked) { // the bytes stay in place until this call returns
                    rest.position(rest.position() + (int) count);
                    kept.addFirst(ByteBuffer.allocateDirect(rest.remaining()).put(rest).flip());
                }
                while (!kept.isEmpty() && !blocked) {
                    echo(kept.removeFirst(), true);
                }
            }
        };

        Echo() throws IOException {
            ends.server.setOption(StandardSocketOptions.SO_SNDBUF, 4096);
            handle = proactor.adopt(ends.server);
            proactor.receive(handle);
        }

        private void echo(ByteBuffer bytes, boolean wasKept) {
            try {
                countRefusals();
                long length = bytes.remaining();
                boolean waits = blocked || (!wasKept && !kept.isEmpty());
                long now = waits ? 0 : proactor.send(handle, new ByteBuffer[]{bytes}, 0, 1);
                accepted.add(now);
                if (now == Proactor.PENDING) {
                    blocked = true;
                    pending = bytes;
                } else if (now < length) {
                    blocked = true;
                    ByteBuffer rest = ByteBuffer.allocateDirect(bytes.remaining()).put(bytes).flip();
                    if (wasKept) {
                        kept.addFirst(rest);
                    } else {
                        kept.addLast(rest);
                    }
                }
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        void countRefusals() {
            boolean hasUnsent = (proactor.stateOf(handle) & UringConnections.HAS_UNSENT) != 0
                    && (proactor.stateOf(handle) & UringConnections.SEND_ACCEPTED) != 0;
            refusals += hasUnsent && !hadUnsent ? 1 : 0;
            hadUnsent = hasUnsent;
        }
    }

    private record Ends(TcpStream client, TcpStream server) {}

    private Ends ends() throws IOException {
        TcpListener listener = keep(network.listen(Lab.FREE_PORT, 16));
        TcpStream client = keep(connected(listener.localAddress()));
        TcpStream server = listener.accept();
        while (server == null) {
            server = listener.accept();
        }
        server.setOption(StandardSocketOptions.TCP_NODELAY, true);
        return new Ends(client, server);
    }

    private TcpStream connected(InetSocketAddress address) throws IOException {
        TcpStream stream = network.connect(address);
        while (!stream.finishConnect()) {
            Thread.onSpinWait();
        }
        return stream;
    }

    private static void writeAll(TcpStream stream, byte[] bytes, Random random) {
        ByteBuffer left = ByteBuffer.wrap(bytes);
        try {
            while (left.hasRemaining()) {
                int end = left.position() + Math.min(left.remaining(), 1 + random.nextInt(1 << random.nextInt(16)));
                if (stream.write(left.limit(end)) == 0) {
                    LockSupport.parkNanos(50_000);
                }
                left.limit(bytes.length);
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Sends until the socket accepts no more bytes, and does not become writable for a while. */
    private static void fill(Proactor proactor, Recorder events, long handle) throws IOException {
        ByteBuffer[] much = {ByteBuffer.allocateDirect(MUCH)};
        int denials = 0;
        while (denials < 3) {
            long written = proactor.send(handle, much, 0, 1);
            much[0].clear();
            denials = written == 0 ? denials + 1 : 0;
            proactor.poll(events, Slowness.scaled(Duration.ofMillis(20)).toNanos());
        }
        while (proactor.poll(events, Slowness.scaled(Duration.ofMillis(50)).toNanos()) > 0) {
            denials++;
        }
    }

    private static void poll(Proactor proactor, Completions completions) {
        try {
            proactor.poll(completions, 0);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @FunctionalInterface
    private interface Condition {
        boolean holds() throws IOException;
    }

    private static void until(Proactor proactor, Recorder events, Condition condition) throws IOException {
        long start = System.nanoTime();
        while (!condition.holds()) {
            assertThat(System.nanoTime() - start).as("events so far: %s", events).isLessThan(30 * SECOND);
            proactor.poll(events, SECOND / 100);
        }
    }

    /** Records all completions. Accepted connections are adopted and start to receive. */
    private static class Recorder implements Completions {
        final Proactor proactor;
        final List<Long> handles = new ArrayList<>();
        final Map<Long, ByteArrayOutputStream> bytes = new LinkedHashMap<>();
        final List<Long> sent = new ArrayList<>();
        final List<Long> closed = new ArrayList<>();
        final List<Long> ended = new ArrayList<>();
        final List<Byte> urgent = new ArrayList<>();
        final List<String> failures = new ArrayList<>();

        Recorder(Proactor proactor) {
            this.proactor = proactor;
        }

        ByteArrayOutputStream of(long handle) {
            return bytes.computeIfAbsent(handle, _ -> new ByteArrayOutputStream());
        }

        @Override
        public void accepted(long token, TcpStream stream) {
            try {
                long handle = proactor.adopt(stream);
                handles.add(handle);
                proactor.receive(handle);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        public void acceptFailed(long token, IOException failure) {
            failures.add(failure.toString());
        }

        @Override
        public void connected(long handle) {}

        @Override
        public void received(long handle, ByteBuffer memory, int from, int to) {
            byte[] some = new byte[to - from];
            memory.get(from, some);
            of(handle).writeBytes(some);
        }

        @Override
        public void urgent(long handle, byte b) {
            urgent.add(b);
        }

        @Override
        public void inputEnded(long handle) {
            ended.add(handle);
        }

        @Override
        public void sent(long handle, long count) {
            sent.add(count);
        }

        @Override
        public void failed(long handle, IOException failure) {
            failures.add(String.valueOf(((NetworkException) failure).code()));
        }

        @Override
        public void spinning(long handle, String description) {
            failures.add(description);
        }

        @Override
        public void closed(long handle) {
            closed.add(handle);
        }

        @Override
        public String toString() {
            return handles.size() + " accepted, bytes " + bytes + ", sent " + sent + ", closed " + closed + ", ended " + ended
                    + ", urgent " + urgent + ", failures " + failures;
        }
    }
}
