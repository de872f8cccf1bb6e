package io.trivet.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.net.Capability;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.NetworkException;
import io.trivet.net.Pipe;
import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import io.trivet.net.Socket;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpOptions;
import io.trivet.net.TcpStream;
import io.trivet.net.UdpSocket;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Stream;

/** On a tortured network bytes take longer, and nothing else happens to them. */
final class TorturedBytesTest {
    private static final int BYTES = 128 * 1024;

    @EveryEngine
    void bytesArriveOnceAndInOrderInBothDirections(Lab lab) throws IOException {
        long seed = System.nanoTime();
        TortureNetwork network = TortureNetwork.of(lab.network(), seed);
        List<TcpStream> ends = pair(lab, network);
        assertArrive(lab, network, seed, List.of(new Flow(ends.get(0), ends.get(1)), new Flow(ends.get(1), ends.get(0))));
        assertOccurred(network, Fault.SHORT_READ, Fault.SHORT_WRITE, Fault.READ_WOULD_BLOCK, Fault.WRITE_WOULD_BLOCK,
                Fault.READY_LATE);
    }

    @EveryEngine
    void bytesArriveAlthoughEveryFaultOccursAtEveryOpportunity(Lab lab) throws IOException {
        FaultPlan plan = FaultPlan.none();
        for (Fault fault : TortureNetwork.faults()) {
            plan = plan.with(fault, 1);
        }
        TortureNetwork network = TortureNetwork.of(lab.network(), 1, plan);
        List<TcpStream> ends = pair(lab, network);
        assertArrive(lab, network, 1, List.of(new Flow(ends.get(0), ends.get(1)), new Flow(ends.get(1), ends.get(0))));
        assertOccurred(network, Fault.SHORT_READ, Fault.SHORT_WRITE, Fault.READ_WOULD_BLOCK, Fault.WRITE_WOULD_BLOCK,
                Fault.READY_LATE, Fault.READY_SPURIOUS, Fault.READY_SHUFFLED, Fault.CONNECT_LATE, Fault.ACCEPT_NO_DESCRIPTOR,
                Fault.ACCEPT_WOULD_BLOCK);
    }

    @EveryEngine
    void bytesArriveThroughAPipe(Lab lab) throws IOException {
        long seed = System.nanoTime();
        TortureNetwork network = TortureNetwork.of(lab.network(), seed);
        Pipe pipe = lab.keep(network.pipe());
        assertArrive(lab, network, seed, List.of(new Flow(pipe.sink(), pipe.source())));
        assertOccurred(network, Fault.SHORT_READ, Fault.READ_WOULD_BLOCK, Fault.WRITE_WOULD_BLOCK);
    }

    @EveryEngine
    void smallWritesToAPipeStayWhole(Lab lab) throws IOException {
        TortureNetwork network = TortureNetwork.of(lab.network(), 1, FaultPlan.none().with(Fault.SHORT_WRITE, 1));
        Pipe pipe = lab.keep(network.pipe());
        for (int i = 0; i < 4; i++) {
            assertThat(pipe.sink().write(ByteBuffer.allocate(4096))).isEqualTo(4096);
        }
        assertThat(pipe.sink().write(ByteBuffer.allocate(4097))).isBetween(1, 4096);
    }

    @EveryEngine
    void datagramsStayWhole(Lab lab) throws IOException {
        TortureNetwork network = TortureNetwork.of(lab.network(), System.nanoTime(),
                TortureNetwork.defaults().with(Fault.READ_WOULD_BLOCK, 0.3).with(Fault.WRITE_WOULD_BLOCK, 0.3));
        UdpSocket from = lab.keep(network.udp(Lab.FREE_PORT));
        UdpSocket to = lab.keep(network.udp(Lab.FREE_PORT));
        ByteBuffer in = ByteBuffer.allocate(2000);
        for (int length = 0; length < 1000; length += 20) {
            byte[] payload = new byte[length];
            Arrays.fill(payload, (byte) length);
            ByteBuffer out = ByteBuffer.wrap(payload);
            lab.eventually("it is sent", () -> from.send(out, to.localAddress()));
            InetSocketAddress[] sender = new InetSocketAddress[1];
            lab.eventually("it has arrived", () -> (sender[0] = to.receive(in.clear())) != null);
            assertThat(sender[0]).isEqualTo(from.localAddress());
            assertThat(in.flip()).isEqualTo(ByteBuffer.wrap(payload));
        }
        assertOccurred(network, Fault.READ_WOULD_BLOCK, Fault.WRITE_WOULD_BLOCK);
    }

    @EveryEngine
    void gatheringWritesAreCutBetweenAndInsideBuffers(Lab lab) throws IOException {
        TortureNetwork network = TortureNetwork.of(lab.network(), 7, FaultPlan.none().with(Fault.SHORT_WRITE, 1));
        List<TcpStream> ends = pair(lab, network);
        TreeSet<Long> taken = new TreeSet<>();
        for (int i = 0; i < 300; i++) {
            ByteBuffer[] parts = {ByteBuffer.allocate(99), Lab.bytes("abc"), Lab.bytes(""), ByteBuffer.allocateDirect(3),
                Lab.bytes("def"), ByteBuffer.allocate(99)};
            long count = ends.get(0).write(parts, 1, 4);
            taken.add(count);
            long left = count;
            for (int part = 1; part <= 4; part++) {
                int moved = (int) Math.min(left, parts[part].limit());
                assertThat(parts[part].position()).as("part %d after %d bytes", part, count).isEqualTo(moved);
                assertThat(parts[part].limit()).isEqualTo(parts[part].capacity());
                left -= moved;
            }
            assertThat(parts[0].position() + parts[5].position()).as("buffers outside of the range").isZero();
        }
        assertThat(taken).containsExactlyInAnyOrder(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L);
        assertThat(network.faultCount(Fault.SHORT_WRITE)).isEqualTo(300);
    }

    @EveryEngine
    void buffersKeepTheirLimits(Lab lab) throws IOException {
        TortureNetwork network = TortureNetwork.of(lab.network(), 7, FaultPlan.none().with(Fault.SHORT_WRITE, 1)
                .with(Fault.SHORT_READ, 1));
        List<TcpStream> ends = pair(lab, network);
        ByteBuffer out = ByteBuffer.allocate(1000).position(100).limit(900);
        int written = ends.get(0).write(out);
        assertThat(written).isBetween(1, 799);
        assertThat(out.position()).isEqualTo(100 + written);
        assertThat(out.limit()).isEqualTo(900);

        ByteBuffer in = ByteBuffer.allocate(1000).position(100).limit(900);
        lab.eventually("something arrives", () -> ends.get(1).read(in) > 0);
        assertThat(in.position()).isBetween(101, 100 + written);
        assertThat(in.limit()).isEqualTo(900);
    }

    @EveryEngine
    void nothingIsLeftBelowALowWaterMark(Lab lab) throws IOException {
        if (!lab.network().supports(Capability.URGENT_DATA)) { // that is, not Linux, which alone has the mark
            return;
        }
        TortureNetwork network = TortureNetwork.of(lab.network(), 1, FaultPlan.none().with(Fault.SHORT_READ, 1));
        List<TcpStream> ends = pair(lab, network);
        ends.get(1).setOption(TcpOptions.RECEIVE_LOW_WATER, 10);
        lab.send(ends.get(0), "0123456789");
        ByteBuffer in = ByteBuffer.allocate(100);
        lab.eventually("the bytes arrive", () -> ends.get(1).read(in) > 0);
        assertThat(in.position()).isEqualTo(10);
    }

    @EveryEngine
    void theEndOfInputFollowsTheLastByte(Lab lab) throws IOException {
        TortureNetwork network = TortureNetwork.of(lab.network(), System.nanoTime());
        List<TcpStream> ends = pair(lab, network);
        lab.send(ends.get(0), "the last words");
        ends.get(0).shutdownOutput();
        assertThat(lab.receive(ends.get(1), 14)).isEqualTo("the last words");
        lab.awaitEnd(ends.get(1));
    }

    /**
     * Bytes in transit.
     *
     * @param from the socket they are written to
     * @param to the socket they are read from
     */
    private record Flow(Socket from, Socket to) {}

    private static void assertArrive(Lab lab, TortureNetwork network, long seed, List<Flow> flows) throws IOException {
        Random random = new Random(seed);
        Poller poller = lab.keep(network.poller());
        List<Socket> sockets = flows.stream().flatMap(flow -> Stream.of(flow.from, flow.to)).distinct().toList();
        List<ByteBuffer> sent = new ArrayList<>();
        List<ByteBuffer> received = new ArrayList<>();
        while (sent.size() < flows.size()) {
            byte[] bytes = new byte[BYTES];
            random.nextBytes(bytes);
            sent.add(ByteBuffer.wrap(bytes));
            received.add(ByteBuffer.allocate(BYTES + 1));
        }
        for (int i = 0; i < sockets.size(); i++) {
            poller.register(sockets.get(i), Interest.READ | (isSender(flows, sockets.get(i)) ? Interest.WRITE : 0), i);
        }
        ReadyEvents ready = new ReadyEvents(8);
        long begun = lab.network().clock().nanoTime();
        while (received.stream().anyMatch(buffer -> buffer.position() < BYTES)) {
            assertThat(lab.network().clock().nanoTime() - begun)
                    .as("seed %d, in time: all bytes have arrived, %s", seed, received)
                    .isLessThan(Lab.PATIENCE.toNanos());
            poller.poll(ready, Lab.PATIENCE.toNanos());
            for (int i = 0; i < ready.size(); i++) {
                Socket socket = sockets.get((int) ready.token(i));
                for (int f = 0; f < flows.size(); f++) {
                    if (flows.get(f).to.equals(socket) && (ready.events(i) & Interest.READ) != 0) {
                        read(socket, received.get(f), random);
                    }
                    if (flows.get(f).from.equals(socket) && (ready.events(i) & Interest.WRITE) != 0) {
                        write(socket, sent.get(f), random);
                        if (!sent.get(f).hasRemaining()) {
                            poller.modify(socket, Interest.READ, ready.token(i));
                        }
                    }
                }
            }
        }
        for (int f = 0; f < flows.size(); f++) {
            assertThat(Arrays.mismatch(sent.get(f).array(), Arrays.copyOf(received.get(f).array(), BYTES)))
                    .as("seed %d, flow %d: the first byte that differs", seed, f).isEqualTo(-1);
        }
    }

    private static boolean isSender(List<Flow> flows, Socket socket) {
        return flows.stream().anyMatch(flow -> flow.from.equals(socket));
    }

    private static void read(Socket socket, ByteBuffer to, Random random) throws IOException {
        int limit = to.limit();
        to.limit(Math.min(limit, to.position() + 1 + random.nextInt(2_048)));
        int count = socket instanceof TcpStream stream ? stream.read(to) : ((Pipe.Source) socket).read(to);
        to.limit(limit);
        assertThat(count).isNotNegative();
    }

    private static void write(Socket socket, ByteBuffer from, Random random) throws IOException {
        int limit = from.limit();
        from.limit(Math.min(limit, from.position() + random.nextInt(2_048)));
        if (socket instanceof TcpStream stream && random.nextBoolean()) {
            int cut = from.position() + random.nextInt(from.remaining() + 1);
            ByteBuffer[] parts = {from.slice(from.position(), cut - from.position()), from.slice(cut, from.limit() - cut)};
            long count = stream.write(parts, 0, 2);
            assertThat(parts[0].position() + parts[1].position()).isEqualTo((int) count);
            from.position(from.position() + (int) count);
        } else {
            int before = from.position();
            int count = socket instanceof TcpStream stream ? stream.write(from) : ((Pipe.Sink) socket).write(from);
            assertThat(from.position()).isEqualTo(before + count);
        }
        from.limit(limit);
    }

    /** Returns both ends of a connection. */
    static List<TcpStream> pair(Lab lab, TortureNetwork network) throws IOException {
        try (TcpListener listener = network.listen(Lab.FREE_PORT, 8)) {
            TcpStream client = lab.keep(network.connect(listener.localAddress()));
            TcpStream[] accepted = new TcpStream[1];
            lab.eventually("a connection is accepted", () -> {
                try {
                    accepted[0] = listener.accept();
                } catch (NetworkException e) {
                    assertThat(e.code()).isEqualTo(ErrorCode.EMFILE);
                }
                return accepted[0] != null;
            });
            lab.eventually("connected", client::finishConnect);
            return List.of(client, lab.keep(accepted[0]));
        }
    }

    static void assertOccurred(TortureNetwork network, Fault... faults) {
        for (Fault fault : faults) {
            assertThat(network.faultCount(fault)).as("%s in %s", fault, network).isPositive();
        }
    }
}
