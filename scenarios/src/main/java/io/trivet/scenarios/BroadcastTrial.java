package io.trivet.scenarios;

import io.trivet.observe.MemoryStats;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.Server;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/**
 * Messages to some connections, or to all: to each as often as it was named, unless it is closed or belongs to another server. Each
 * message is in memory once, until the last of them has sent it; then a bounded number of buffers is kept.
 */
final class BroadcastTrial implements Trial {
    private static final int BUFFER_BYTES = 2048;
    /** A shorter message is copied, if others wait before it. */
    private static final int SHARED_BYTES_MIN = 512;
    /** The smallest size of the buffers that are kept, and how many sizes there are. */
    private static final int SIZE_MIN = 64;
    private static final int SIZES = 8;
    /** The places of more messages count against the budget, too: 64, of which a broadcast may take some at once. */
    private static final int QUEUED_MAX = 48;
    private static final long SPARE_BYTES_MAX = 4L << 20;

    /** A message that waits. */
    private record Held(int capacity, List<Peer> holders) {}

    /** A client, and what its connection has yet to send. */
    private static final class Peer {
        final TrialClient client;
        final TrialHandler.Seen seen;
        final ByteArrayOutputStream expected = new ByteArrayOutputStream();
        final Deque<Held> queue = new ArrayDeque<>();
        final Deque<Integer> ends = new ArrayDeque<>();
        boolean closed;

        Peer(TrialClient client, TrialHandler.Seen seen) {
            this.client = client;
            this.seen = seen;
        }

        void sent(long bytesOut) {
            while (!ends.isEmpty() && ends.getFirst() <= bytesOut) {
                ends.removeFirst();
                queue.removeFirst().holders.remove(this);
            }
        }

        void close() {
            closed = true;
            queue.forEach(held -> held.holders.remove(this));
            queue.clear();
            ends.clear();
        }
    }

    @Override
    public void run(TrialRun run) throws IOException {
        new Steps(run).perform();
    }

    private static final class Steps {
        final TrialRun run;
        final TrialNetwork network;
        final TrialNetwork otherNetwork;
        final TrialHandler handler = new TrialHandler();
        final TrialHandler otherHandler = new TrialHandler();
        final Server server;
        final Server other;
        final int loops;
        final Limits limits;
        final List<Peer> peers = new ArrayList<>();
        final Peer outsider;
        final List<Held> waiting = new ArrayList<>();
        /** How many buffers of each size are kept. */
        final int[] spare = new int[SIZES];
        private long messages;
        private byte nextFill = 'a';

        Steps(TrialRun run) throws IOException {
            this.run = run;
            network = run.readinessNetwork();
            run.sim.buffers(BUFFER_BYTES, BUFFER_BYTES);
            limits = LIMITS.withQueueBytesMax(1 << 20).withQueueMarks(1 << 20, 0).withWriteTimeout(Duration.ZERO)
                    .withQueueBudgetBytes(run.random.pick(64L << 20, 8L << 20));
            loops = run.random.number(1, 1, 2, 3);
            server = run.builder(network, handler, limits).overflow(Overflow.DISCONNECT).framing(Framing.lines())
                    .loops(loops).open();
            network.settle();
            otherNetwork = run.readinessNetwork();
            InetSocketAddress address = new InetSocketAddress(run.address.getAddress(), run.address.getPort() + 1);
            other = Server.builder().network(otherNetwork).listen(address).handler(otherHandler).limits(limits)
                    .framing(Framing.lines()).open();
            TrialClient client = TrialClient.connect(run, address);
            otherNetwork.settle();
            outsider = new Peer(client, otherHandler.all.getFirst());
        }

        void perform() throws IOException {
            int steps = run.random.between(4, 30);
            for (int i = 0; i < steps && !run.hasFailed(); i++) {
                step();
                settle();
                check();
            }
            otherNetwork.settle();
            outsider.client.readAll();
            run.same(Rule.DELIVERY, "bytes that a client of another server has received", outsider.client.count(), 0);
            outsider.client.close();
            for (Peer peer : peers) {
                if (!peer.closed && !run.hasFailed()) {
                    readAll(peer);
                }
            }
            check();
            run.close(network, server);
            other.close();
            run.same(Rule.LEAKS, "spare bytes of a closed server", server.stats().memory().spare(), 0L);
        }

        private void step() throws IOException {
            SeededRandom random = run.random;
            if (peers.isEmpty() || (peers.size() < 6 && random.chance(20))) {
                TrialClient client = TrialClient.connect(run, run.address);
                network.settle();
                peers.add(new Peer(client, handler.all.getLast()));
                return;
            }
            Peer peer = peers.get(random.below(peers.size()));
            switch (random.below(8)) {
                case 0, 1, 2, 3 -> broadcast();
                case 4 -> {
                    int count = random.between(2, 12); // of one size, so that the buffers to be kept are too many
                    int length = length();
                    for (int i = 0; i < count; i++) {
                        broadcast(length, openPeers(), true);
                    }
                }
                case 5 -> {
                    run.log("client " + peer.seen.number + " reads");
                    peer.client.read((int) random.logUniform(1, 20_000));
                }
                case 6 -> {
                    run.log("client " + peer.seen.number + " reads everything");
                    readAll(peer);
                }
                default -> {
                    if (!peer.closed && random.chance(30)) {
                        run.log("the connection of client " + peer.seen.number + " is closed");
                        peer.seen.connection.close();
                        network.settle();
                        List<Held> before = List.copyOf(waiting);
                        peer.close();
                        release(before);
                    }
                }
            }
        }

        private List<Peer> openPeers() {
            return new ArrayList<>(peers.stream().filter(each -> !each.closed).toList());
        }

        private int length() {
            return run.random.chance(30) ? run.random.number(512, 1023, 1024, 1025, 4096, 8191, 8192, 8193)
                    : (int) run.random.logUniform(SHARED_BYTES_MIN, 12_000);
        }

        private void broadcast() {
            boolean toAll = run.random.chance(30);
            List<Peer> receivers = toAll ? openPeers() : new ArrayList<>();
            for (int i = toAll ? 0 : run.random.between(0, 2 * peers.size()); i > 0; i--) {
                receivers.add(run.random.chance(10) ? outsider : peers.get(run.random.below(peers.size())));
            }
            broadcast(length(), receivers, toAll);
        }

        private void broadcast(int length, List<Peer> receivers, boolean toAll) {
            if (peers.stream().anyMatch(each -> each.queue.size() > QUEUED_MAX)) {
                return;
            }
            byte[] content = new byte[length];
            Arrays.fill(content, 0, length - 1, nextFill);
            content[length - 1] = '\n';
            nextFill = nextFill == 'z' ? (byte) 'a' : (byte) (nextFill + 1);
            ByteBuffer message = ByteBuffer.wrap(content, 0, length - 1);
            run.log("a message of " + length + " bytes to " + (toAll ? "all" : receivers.stream().map(each -> each.seen.number)
                    .toList()));
            List<Connection> connections = receivers.stream().map(each -> each.seen.connection).toList();
            if (toAll) {
                server.broadcast(message);
            } else {
                server.broadcast(message, new ArrayList<>(connections));
            }
            run.same(Rule.BYTES, "bytes of a broadcast that are left", message.remaining(), 0);
            List<Peer> holders = new ArrayList<>(receivers.stream().filter(each -> !each.closed && each != outsider).toList());
            int size = sizeOf(length);
            int capacity = size < SIZES ? SIZE_MIN << size : length;
            if (size < SIZES && spare[size] > 0) {
                spare[size]--;
            }
            Held held = new Held(capacity, holders);
            for (Peer each : List.copyOf(holders)) {
                each.queue.add(held);
                each.expected.writeBytes(content);
                each.ends.add(each.expected.size());
            }
            messages += holders.size();
            waiting.add(held);
            boolean isOnItsWay = loops > 1 && (toAll || receivers.stream().anyMatch(each -> each != outsider));
            if (holders.isEmpty() && !isOnItsWay) {
                release(List.of(held));
            }
        }

        private static int sizeOf(int length) {
            int size = 0;
            while (SIZE_MIN << size < length) {
                size++;
            }
            return size;
        }

        private void readAll(Peer peer) throws IOException {
            for (int i = 0; i < 2_000 && peer.client.readAll() > 0; i++) {
                settle();
            }
        }

        /** The buffers of messages that no connection holds any more are kept, up to a number of bytes of each size. */
        private void release(List<Held> before) {
            for (Held held : before) {
                if (held.holders.isEmpty() && waiting.remove(held)) {
                    int size = sizeOf(held.capacity);
                    long most = Math.min(SPARE_BYTES_MAX, limits.queueBudgetBytes() / 16) / SIZES;
                    if (size < SIZES && (spare[size] + 1L) * held.capacity <= most) {
                        spare[size]++;
                    }
                }
            }
        }

        private void settle() throws IOException {
            network.settle();
            List<Held> before = List.copyOf(waiting);
            server.connections().forEach(each -> peers.stream().filter(peer -> peer.seen.connection.id() == each.id())
                    .forEach(peer -> peer.sent(each.bytesOut())));
            release(before);
        }

        private void check() {
            long shared = waiting.stream().mapToLong(Held::capacity).sum();
            for (Peer peer : peers) {
                if (!peer.closed) {
                    Connection connection = peer.seen.connection;
                    run.same(Rule.ENDS, "the connection of client " + peer.seen.number + " is", peer.seen.end(), "open");
                    run.same(Rule.GAUGES, "messages that wait for client " + peer.seen.number, connection.queue().messages(),
                            peer.queue.size());
                }
                byte[] right = peer.expected.toByteArray();
                int count = peer.client.count();
                boolean same = count <= right.length && Arrays.equals(peer.client.received(), 0, count, right, 0, count);
                run.expect(Rule.BYTES, same, "client " + peer.seen.number + " has received other bytes");
            }
            MemoryStats memory = server.stats().memory();
            run.same(Rule.GAUGES, "messages sent", server.stats().total().messagesOut(), messages);
            run.same(Rule.GAUGES, "bytes of messages that wait", memory.queues(), shared);
            run.same(Rule.GAUGES, "bytes in the budget", server.stats().queueBytes(), shared);
            long kept = 0;
            for (int size = 0; size < SIZES; size++) {
                kept += (long) spare[size] * (SIZE_MIN << size);
            }
            run.same(Rule.GAUGES, "bytes of buffers that are kept", memory.spare(), kept);
            if (waiting.isEmpty()) {
                run.reached("BROADCASTS_DELIVERED");
            }
        }
    }
}
