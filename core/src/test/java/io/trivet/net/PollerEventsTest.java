package io.trivet.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.contract.Case;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.NotSimulated;
import io.trivet.contract.Pair;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** The events that a poll reports. */
final class PollerEventsTest {
    private static final int BOTH = Interest.READ | Interest.WRITE;

    @EveryEngine
    @Case("22")
    void idlePairIsOnlyWritable(Lab lab) throws IOException {
        Pair pair = lab.pair();
        Poller poller = lab.poller();
        poller.register(pair.client(), BOTH, 1);
        poller.register(pair.server(), Interest.READ, 2);

        assertThat(Lab.poll(poller)).containsExactly(new Lab.Event(1, Interest.WRITE));
    }

    @EveryEngine
    @Case("23")
    void readAndWriteReadinessAreOneEvent(Lab lab) throws IOException {
        Pair pair = lab.pair();
        Poller poller = lab.poller();
        poller.register(pair.server(), BOTH, 7);
        lab.send(pair.client(), "x");
        lab.awaitLists(pair.server(), "rw-");

        assertThat(Lab.poll(poller)).containsExactly(new Lab.Event(7, BOTH));
        assertThat(Lab.poll(poller)).as("level-triggered").containsExactly(new Lab.Event(7, BOTH));
    }

    @EveryEngine
    @Case("26")
    void exactlyThePeerOfARandomWriterIsReported(Lab lab) throws IOException {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        Poller poller = lab.poller();
        List<Pair> pairs = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            pairs.add(lab.pair());
            poller.register(pairs.get(i).server(), Interest.READ, i);
        }
        for (int round = 0; round < 50; round++) {
            int writer = random.nextInt(pairs.size());
            String message = "round " + round + " of writer " + writer;
            lab.send(pairs.get(writer).client(), message);

            assertThat(lab.await(poller)).as("seed %d, round %d", seed, round)
                    .containsExactly(new Lab.Event(writer, Interest.READ));
            assertThat(lab.receive(pairs.get(writer).server(), message.length())).as("seed %d", seed).isEqualTo(message);
        }
    }

    @EveryEngine
    @Case("27")
    void pollerWithoutSocketsReportsNothing(Lab lab) throws IOException {
        assertThat(Lab.poll(lab.poller())).isEmpty();
    }

    @EveryEngine
    @Case("31")
    void thousandsOfReadySocketsAreAllReported(Lab lab) throws IOException {
        int count = 2000;
        Poller poller = lab.poller();
        TcpListener listener = lab.listener();
        for (int i = 0; i < count; i++) {
            Pair pair = lab.pair(listener);
            poller.register(pair.client(), BOTH, 2L * i);
            poller.register(pair.server(), Interest.WRITE, 2L * i + 1);
        }
        ReadyEvents out = new ReadyEvents(2 * count);
        Set<Long> tokens = new HashSet<>();
        int polls = 0;
        for (; polls < 10 && tokens.size() < 2 * count; polls++) {
            assertThat(poller.poll(out, 0)).isPositive();
            for (int i = 0; i < out.size(); i++) {
                tokens.add(out.token(i));
                assertThat(out.events(i)).isEqualTo(Interest.WRITE);
            }
        }
        assertThat(tokens).hasSize(2 * count);
        assertThat(polls).as("polls; java.nio gets at most 1,024 events at a time from the kernel").isLessThanOrEqualTo(5);
    }

    @EveryEngine
    @Case({"36", "37"})
    void closedSocketIsReportedAsInvalidIfTheEngineDetectsIt(Lab lab) throws IOException {
        Pair closed = lab.pair();
        Pair alive = lab.pair();
        Poller poller = lab.poller();
        poller.register(closed.client(), Interest.READ, 1);
        poller.register(alive.client(), Interest.WRITE, 2);

        closed.client().close();

        if (PollerRegistrationTest.namesDescriptorsAtEachCall(lab)) {
            assertThat(Lab.poll(poller)).contains(new Lab.Event(1, Interest.INVALID));
            assertThat(Lab.poll(poller)).as("again, until it is removed").contains(new Lab.Event(1, Interest.INVALID));
        } else {
            assertThat(Lab.poll(poller)).containsExactly(new Lab.Event(2, Interest.WRITE));
            lab.cannot("the engine drops a closed socket silently");
        }
        poller.deregister(closed.client());
        assertThat(Lab.poll(poller)).containsExactly(new Lab.Event(2, Interest.WRITE));
    }

    @EveryEngine
    @Case("40")
    void hangUpNeverHidesData(Lab lab) throws IOException {
        Pipe pipe = lab.pipe();
        Poller poller = lab.poller();
        poller.register(pipe.source(), Interest.READ, 1);
        pipe.sink().write(Lab.bytes("the last words"));
        pipe.sink().close();

        ByteBuffer buffer = ByteBuffer.allocate(4);
        StringBuilder text = new StringBuilder();
        int count = 0;
        while (count >= 0) {
            assertThat(lab.await(poller)).hasSize(1)
                    .allSatisfy(event -> assertThat(Interest.fold(event.bits(), Interest.READ)).isEqualTo(Interest.READ));
            count = pipe.source().read(buffer.clear());
            text.append(new String(buffer.array(), 0, Math.max(0, count), java.nio.charset.StandardCharsets.US_ASCII));
        }
        assertThat(text).hasToString("the last words");
    }

    @EveryEngine
    @Case({"92", "109"})
    void endOfInputIsReadable(Lab lab) throws IOException {
        Pair pair = lab.pair();
        Poller poller = lab.poller();
        poller.register(pair.server(), Interest.READ, 1);
        pair.client().shutdownOutput();

        assertThat(lab.await(poller)).containsExactly(new Lab.Event(1, Interest.READ));
        assertThat(Lab.read(pair.server())).isNull();
        lab.send(pair.server(), "still open");
        assertThat(lab.receive(pair.client(), 10)).isEqualTo("still open");
    }

    @EveryEngine
    @Case("98")
    @NotSimulated(NotSimulated.THREADS)
    void writerThatClosesDuringTheWaitEndsIt(Lab lab) throws Exception {
        Pipe pipe = lab.pipe();
        Poller poller = lab.poller();
        poller.register(pipe.source(), Interest.READ, 1);

        Thread closer = Thread.ofPlatform().start(() -> quietly(() -> {
            lab.pause(java.time.Duration.ofMillis(20));
            pipe.sink().close();
        }));
        List<Lab.Event> events = lab.await(poller);
        closer.join();

        assertThat(events).hasSize(1);
        assertThat(Interest.fold(events.getFirst().bits(), Interest.READ)).isEqualTo(Interest.READ);
        assertThat(pipe.source().read(ByteBuffer.allocate(1))).isEqualTo(-1);
    }

    @EveryEngine
    @Case("99")
    @NotSimulated(NotSimulated.THREADS)
    void readerThatClosesDuringTheWaitOfAFullPipeEndsIt(Lab lab) throws Exception {
        Pipe pipe = lab.pipe();
        fill(pipe.sink());
        Poller poller = lab.poller();
        poller.register(pipe.sink(), Interest.WRITE, 1);
        assertThat(Lab.poll(poller)).isEmpty();

        Thread closer = Thread.ofPlatform().start(() -> quietly(() -> {
            lab.pause(java.time.Duration.ofMillis(20));
            pipe.source().close();
        }));
        List<Lab.Event> events = lab.await(poller);
        closer.join();

        assertThat(events).hasSize(1);
        assertThat(Interest.fold(events.getFirst().bits(), Interest.WRITE)).isEqualTo(Interest.WRITE);
    }

    @EveryEngine
    @Case("100")
    void eventsThatDoNotFitAreReportedByLaterPolls(Lab lab) throws IOException {
        Poller poller = lab.poller();
        Set<Long> readable = new HashSet<>();
        for (int i = 0; i < 15; i++) {
            Pair pair = lab.pair();
            poller.register(pair.server(), Interest.READ, i);
            if (i % 3 != 0) {
                lab.send(pair.client(), "x");
                lab.awaitLists(pair.server(), "rw-");
                readable.add((long) i);
            }
        }
        ReadyEvents out = new ReadyEvents(4);
        Set<Long> reported = new HashSet<>();
        for (int poll = 0; poll < 3; poll++) { // 10 are ready, 4 fit
            assertThat(poller.poll(out, -1)).isEqualTo(4);
            Lab.events(out).forEach(event -> reported.add(event.token()));
        }
        assertThat(reported).isEqualTo(readable);
    }

    @EveryEngine
    @Case("101")
    void readySocketsTakeTurns(Lab lab) throws IOException {
        Poller poller = lab.poller();
        for (int i = 0; i < 9; i++) {
            poller.register(lab.udp(), Interest.WRITE, i);
        }
        ReadyEvents out = new ReadyEvents(3);
        Map<Long, Integer> counts = new HashMap<>();
        for (int poll = 0; poll < 30; poll++) {
            assertThat(poller.poll(out, -1)).isEqualTo(3);
            Lab.events(out).forEach(event -> counts.merge(event.token(), 1, Integer::sum));
        }
        assertThat(counts).hasSize(9).allSatisfy((token, count) -> assertThat(count).as("of socket %d", token).isEqualTo(10));
    }

    @EveryEngine
    @Case("101")
    void bufferWithOneEntryReportsAllSocketsInTurn(Lab lab) throws IOException {
        Poller poller = lab.poller();
        for (int i = 0; i < 5; i++) {
            poller.register(lab.udp(), Interest.WRITE, i);
        }
        ReadyEvents out = new ReadyEvents(1);
        Map<Long, Integer> counts = new HashMap<>();
        for (int poll = 0; poll < 20; poll++) {
            assertThat(poller.poll(out, 0)).isEqualTo(1);
            counts.merge(out.token(0), 1, Integer::sum);
        }
        assertThat(counts).hasSize(5).allSatisfy((token, count) -> assertThat(count).isEqualTo(4));
    }

    @EveryEngine
    @Case("J1")
    void interestZeroReportsNothingNotEvenErrors(Lab lab) throws IOException {
        Pair data = lab.pair();
        Pair reset = lab.pair();
        Pipe pipe = lab.pipe();
        Poller poller = lab.poller();
        poller.register(data.server(), 0, 1);
        poller.register(reset.server(), BOTH, 2);
        poller.register(pipe.source(), 0, 3);
        poller.modify(reset.server(), 0, 2);

        lab.send(data.client(), "x");
        reset.client().setOption(StandardSocketOptions.SO_LINGER, 0);
        reset.client().close();
        pipe.sink().close();
        lab.awaitLists(data.server(), "rw-");
        lab.awaitLists(reset.server(), "rw-");

        assertThat(poller.poll(new ReadyEvents(8), 20_000_000)).isZero();
        assertThat(poller.registration(data.server())).isEqualTo(new Registration(data.server(), 0, 1));

        poller.modify(data.server(), Interest.READ, 4);
        assertThat(Lab.poll(poller)).containsExactly(new Lab.Event(4, Interest.READ));
    }

    @EveryEngine
    @Case("J10")
    void onlyTheRegisteredInterestIsReported(Lab lab) throws IOException {
        Pair pair = lab.pair();
        Poller poller = lab.poller();
        boolean urgent = lab.network().supports(Capability.URGENT_DATA);
        lab.send(pair.client(), "abc");
        if (urgent) {
            assertThat(pair.client().sendUrgent((byte) '!')).isTrue();
        }
        lab.awaitLists(pair.server(), urgent ? "rwx" : "rw-");
        poller.register(pair.server(), 0, 1);
        for (int interest = 1; interest <= (urgent ? Interest.ALL : BOTH); interest++) {
            poller.modify(pair.server(), interest, interest);
            assertThat(Lab.poll(poller)).containsExactly(new Lab.Event(interest, interest));
        }
    }

    @EveryEngine
    @Case("L1")
    void urgentDataIsReportedAsPriority(Lab lab) throws IOException {
        Pair pair = lab.pair();
        Poller poller = lab.poller();
        if (lab.refuses(Capability.URGENT_DATA, () -> poller.register(pair.server(), Interest.ALL, 1))) {
            assertThat(poller.registration(pair.server())).isNull();
            return;
        }
        poller.register(pair.server(), Interest.READ | Interest.PRIORITY, 1);
        assertThat(pair.client().sendUrgent((byte) '!')).isTrue();

        assertThat(lab.await(poller)).containsExactly(new Lab.Event(1, Interest.PRIORITY));
        assertThat(pair.server().receiveUrgent()).isEqualTo('!');
        assertThat(Lab.poll(poller)).isEmpty();
    }

    @EveryEngine
    @Case("L3")
    void socketClosedByAnEarlierEventOfTheBatchIsDetected(Lab lab) throws IOException {
        Poller poller = lab.poller();
        List<UdpSocket> sockets = List.of(lab.udp(), lab.udp());
        for (int i = 0; i < 2; i++) {
            poller.register(sockets.get(i), Interest.WRITE, i);
        }
        ReadyEvents out = new ReadyEvents(2);
        assertThat(poller.poll(out, 0)).isEqualTo(2);

        List<Long> handled = new ArrayList<>();
        for (int i = 0; i < out.size(); i++) {
            UdpSocket socket = sockets.get((int) out.token(i));
            if (poller.registration(socket) == null) {
                continue; // an earlier handler closed it
            }
            handled.add(out.token(i));
            UdpSocket other = sockets.get(1 - (int) out.token(i));
            poller.deregister(other);
            other.close();
        }

        assertThat(handled).hasSize(1);
        assertThat(Lab.poll(poller)).containsExactly(new Lab.Event(handled.getFirst(), Interest.WRITE));
    }

    @EveryEngine
    @Case("L5")
    void closingThePollerDoesNotChangeTheEventBuffer(Lab lab) throws IOException {
        Poller poller = lab.poller();
        UdpSocket socket = lab.udp();
        poller.register(socket, Interest.WRITE, 5);
        ReadyEvents out = new ReadyEvents(4);
        assertThat(poller.poll(out, 0)).isEqualTo(1);

        poller.close();

        assertThat(Lab.events(out)).containsExactly(new Lab.Event(5, Interest.WRITE));
        assertThat(lab.lists(socket)).isEqualTo("-w-");
    }

    @EveryEngine
    @Case("L8")
    void pollWithoutWaitingReportsReadySockets(Lab lab) throws IOException {
        Pair pair = lab.pair();
        Poller poller = lab.poller();
        poller.register(pair.server(), Interest.READ, 1);
        for (int i = 0; i < 100; i++) {
            assertThat(Lab.poll(poller)).isEmpty();
        }
        lab.send(pair.client(), "x");
        lab.eventually("reported without a wait", () -> !Lab.poll(poller).isEmpty());
    }

    /** Writes until it would block. */
    static void fill(Pipe.Sink sink) throws IOException {
        ByteBuffer page = ByteBuffer.allocate(4096);
        while (sink.write(page.clear()) > 0) {
            assertThat(page.hasRemaining()).isFalse();
        }
    }

    /** Part of a test that runs on another thread. */
    interface Step {
        void run() throws IOException;
    }

    static void quietly(Step step) {
        try {
            step.run();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
