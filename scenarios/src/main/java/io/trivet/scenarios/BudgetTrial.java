package io.trivet.scenarios;

import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.Server;
import io.trivet.server.TransferListener;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The budget of all connections: how much they hold, and which are closed when they hold too much. Messages have the size of a
 * buffer, so that the memory of each connection is known exactly.
 */
final class BudgetTrial implements Trial {
    private static final int BUFFER_BYTES = 64 * 1024;
    /** A loop that does not hold the most closes connections of its own only if the budget is exceeded by more than this part. */
    private static final int FAR = 8;
    private static final int PIECE_BYTES = 4096;
    /** The views of more broadcasts count against the budget. */
    private static final int BROADCASTS_MAX = 8;

    /** How the memory of a message counts. */
    private enum Kind {
        /** It has a buffer of its own. */
        MESSAGE,
        /** It has a share of the buffer of a broadcast. */
        SHARED,
        /** It was sent with a listener, and is held on the heap until all of it was sent. It counts for its connection, but not for its loop. */
        LISTENED,
        /** It is streamed: it has a buffer for a piece from the time at which it is the first. */
        STREAM;

        /** Returns true if it is a transfer, before which the queue of the connection ends and behind which another one begins. */
        boolean isTransfer() {
            return this == LISTENED || this == STREAM;
        }
    }

    /** A message that a connection holds. */
    private static final class Held {
        final Kind kind;
        /** The connections that hold it, if it is shared. */
        final List<Holder> holders;
        /** The size of its buffer. */
        final int bytes;
        int left;

        Held(Kind kind, List<Holder> holders, int left, int bytes) {
            this.kind = kind;
            this.holders = holders;
            this.left = left;
            this.bytes = bytes;
        }

        static Held message(Kind kind) {
            return new Held(kind, new ArrayList<>(), BUFFER_BYTES, BUFFER_BYTES);
        }
    }

    /** What one connection holds. */
    private static final class Holder {
        final TrialHandler.Seen seen;
        final TrialClient client;
        final int loop;
        final Deque<Held> queue = new ArrayDeque<>();
        /** The buffer of input that cannot be delivered yet. */
        int inputBytes;
        boolean closed;

        Holder(TrialHandler.Seen seen, TrialClient client, int loop) {
            this.seen = seen;
            this.client = client;
            this.loop = loop;
        }

        long ownBytes() {
            return poolBytes() + heapBytes();
        }

        /** The buffers of its own. */
        long poolBytes() {
            long sum = inputBytes;
            for (Held held : queue) {
                boolean isBegun = held.kind == Kind.STREAM && held == queue.peekFirst();
                sum += held.kind == Kind.MESSAGE || isBegun ? held.bytes : 0;
            }
            return sum;
        }

        long heapBytes() {
            return queue.stream().filter(held -> held.kind == Kind.LISTENED).mapToLong(held -> held.bytes).sum();
        }

        /** What it has of its own, and of the broadcasts: the transfers divide its queue, and each part shares by its first broadcast. */
        long heldBytes() {
            long sum = ownBytes();
            long shared = 0;
            int holdersOfFirst = 1;
            for (Held held : queue) {
                if (held.kind.isTransfer()) {
                    sum += Math.ceilDiv(shared, holdersOfFirst);
                    shared = 0;
                } else if (held.kind == Kind.SHARED) {
                    holdersOfFirst = shared == 0 ? held.holders.size() : holdersOfFirst;
                    shared += BUFFER_BYTES;
                }
            }
            return sum + Math.ceilDiv(shared, holdersOfFirst);
        }

        void close() {
            closed = true;
            queue.forEach(held -> held.holders.remove(this));
            queue.clear();
            inputBytes = 0;
        }

        void sent(long bytes) {
            long left = bytes;
            while (left > 0 && !queue.isEmpty()) {
                Held first = queue.getFirst();
                int part = (int) Math.min(left, first.left);
                left -= part;
                first.left -= part;
                if (first.left == 0) {
                    queue.removeFirst();
                    first.holders.remove(this);
                }
            }
        }
    }

    @Override
    public void run(TrialRun run) throws IOException {
        new Steps(run).perform();
    }

    private static final class Steps {
        final TrialRun run;
        final TrialNetwork network;
        final TrialHandler handler = new TrialHandler();
        final Server server;
        final int loops;
        final long budgetBytes;
        final List<Holder> holders = new ArrayList<>();
        final List<Held> shared = new ArrayList<>();
        private long sentBytes;
        private int transfers;
        private int ended;

        Steps(TrialRun run) throws IOException {
            this.run = run;
            network = run.readinessNetwork();
            loops = run.random.number(1, 2, 2, 3);
            budgetBytes = (long) BUFFER_BYTES * run.random.between(3, 16) + run.random.number(0, 1, BUFFER_BYTES / 2);
            run.sim.buffers(4096, 4096);
            Limits limits = LIMITS.withQueueBytesMax(64 << 20).withQueueMarks(64 << 20, 0)
                    .withQueueBudgetBytes(budgetBytes).withWriteTimeout(Duration.ZERO).withMessageBytesMax(64 << 10)
                    .withMessageTimeout(Duration.ZERO);
            server = run.builder(network, handler, limits).overflow(Overflow.DISCONNECT).loops(loops)
                    .framing(Framing.lines()).open();
            run.log(loops + " loops, budget of " + budgetBytes + " bytes");
            int count = run.random.between(2, 6);
            for (int i = 0; i < count; i++) {
                TrialClient client = TrialClient.connect(run, run.address);
                network.settle();
                TrialHandler.Seen seen = handler.all.getLast();
                run.same(Rule.CAPS, "the loop of connection " + i, seen.connection.loop(), i % loops);
                holders.add(new Holder(seen, client, seen.connection.loop()));
            }
        }

        void perform() throws IOException {
            int steps = run.random.between(8, 40);
            for (int i = 0; i < steps && !run.hasFailed(); i++) {
                step();
                check();
            }
            run.close(network, server);
            run.same(Rule.CALLBACKS, "streams and messages with a listener that have ended", ended, transfers);
        }

        private @Nullable Holder pick() {
            Holder picked = holders.get(run.random.below(holders.size()));
            return picked.closed ? null : picked;
        }

        private void step() throws IOException {
            Holder holder = pick();
            if (holder == null) {
                return;
            }
            switch (run.random.below(12)) {
                case 0, 1, 2, 3 -> send(holder, Kind.MESSAGE, run.random.number(1, 1, 1, 2, 3));
                case 4, 8, 9 -> broadcast();
                case 10 -> send(holder, Kind.STREAM, run.random.number(1, 1, 2));
                case 11 -> send(holder, Kind.LISTENED, run.random.number(1, 1, 2));
                case 5, 6 -> {
                    run.log("client " + holder.seen.number + " reads");
                    int reads = run.random.number(1, 8, 17, 34);
                    for (int i = 0; i < reads && holder.client.read(BUFFER_BYTES) > 0; i++) {
                        settle(holder);
                    }
                }
                default -> receivePart(holder);
            }
        }

        /** Sends messages from the connection's own loop. */
        private void send(Holder holder, Kind kind, int count) throws IOException {
            run.log("server sends " + count + " times " + kind + " to client " + holder.seen.number + ", which holds "
                    + holder.heldBytes());
            Connection connection = holder.seen.connection;
            for (int i = 0; i < count && !holder.closed; i++) {
                Held held = kind == Kind.STREAM ? stream() : Held.message(kind);
                connection.execute(() -> send(connection, held));
                network.turn(holder.loop);
                holder.queue.add(held);
                enforce(holder);
                settle(holder);
            }
        }

        private void send(Connection connection, Held held) {
            byte[] content = new byte[held.kind == Kind.STREAM ? held.left : held.left - 1]; // a message gets the end of its line
            TransferListener listener = (of, bytes, failure) -> ended++;
            switch (held.kind) {
                case MESSAGE, SHARED -> connection.send(content);
                case LISTENED -> connection.send(ByteBuffer.wrap(content), listener);
                case STREAM ->
                    connection.sendFrom(Channels.newChannel(new ByteArrayInputStream(content, 0, content.length)), content.length,
                            listener);
            }
            transfers += held.kind.isTransfer() ? 1 : 0;
        }

        /** A stream that is longer than what the socket accepts. Its buffer has the size of a piece, or of the next power of two. */
        private Held stream() {
            int length = run.random.number(20_000, 33_000, BUFFER_BYTES, 100_000, 3 * BUFFER_BYTES);
            long piece = Math.min(length, Math.min(BUFFER_BYTES, budgetBytes / 8));
            return new Held(Kind.STREAM, new ArrayList<>(), length, Math.toIntExact(Long.highestOneBit(2 * piece - 1)));
        }

        private void broadcast() throws IOException {
            run.log("server broadcasts a message");
            List<Holder> all = new ArrayList<>(holders.stream().filter(each -> !each.closed).toList());
            Held message = new Held(Kind.SHARED, all, BUFFER_BYTES, BUFFER_BYTES);
            long total = held() + BUFFER_BYTES;
            if (all.isEmpty() || total > budgetBytes || shared.size() == BROADCASTS_MAX) {
                return; // if it exceeded the budget, it would matter which loop gets it first
            }
            Map<Long, Long> before = sentBytes();
            server.broadcast(ByteBuffer.allocate(BUFFER_BYTES - 1));
            shared.add(message);
            for (Holder each : all) {
                each.queue.add(new Held(Kind.SHARED, all, BUFFER_BYTES, BUFFER_BYTES));
            }
            network.settle();
            Map<Long, Long> after = sentBytes();
            for (Holder each : List.copyOf(all)) {
                long id = each.seen.connection.id();
                each.sent(after.getOrDefault(id, 0L) - before.getOrDefault(id, 0L));
            }
            sentBytes = server.stats().total().bytesOut();
        }

        /** A line without its end, in pieces. It is held in a buffer whose size is a power of two. */
        private void receivePart(Holder holder) throws IOException {
            int pieces = holder.inputBytes > 0 ? 0 : run.random.number(1, 2, 4, 8, 15);
            for (int i = 1; i <= pieces && !holder.closed; i++) {
                run.log("client " + holder.seen.number + " sends " + PIECE_BYTES + " bytes of a line");
                holder.client.write("x".repeat(PIECE_BYTES));
                network.turn(holder.loop);
                holder.inputBytes = Math.max(PIECE_BYTES, Integer.highestOneBit(2 * i * PIECE_BYTES - 1));
                enforce(holder);
                settle(holder);
            }
        }

        /** The memory that counts: of each connection, and of each broadcast once. */
        private long held() {
            long sum = 0;
            for (Holder each : holders) {
                sum += each.closed ? 0 : each.ownBytes();
            }
            for (Held message : shared) {
                sum += message.holders.isEmpty() ? 0 : BUFFER_BYTES;
            }
            return sum;
        }

        private long heldByLoop(int loop) {
            return holders.stream().filter(each -> !each.closed && each.loop == loop).mapToLong(Holder::poolBytes).sum();
        }

        /** Closes the connections that must be closed after one has got more memory. */
        private void enforce(Holder adding) {
            if (held() <= budgetBytes) {
                return;
            }
            run.reached("BUDGET_EXCEEDED");
            int greediest = 0;
            for (int i = 1; i < loops; i++) {
                greediest = heldByLoop(i) > heldByLoop(greediest) ? i : greediest;
            }
            boolean far = held() > budgetBytes + budgetBytes / FAR;
            if (greediest != adding.loop && !far) {
                releaseFrom(greediest, null);
            } else {
                releaseFrom(adding.loop, adding);
            }
        }

        private void releaseFrom(int loop, @Nullable Holder adding) {
            while (held() > budgetBytes) {
                Holder most = adding == null || adding.closed ? null : adding;
                for (Holder each : holders) {
                    boolean more = !each.closed && each.loop == loop && each.heldBytes() > 0
                            && (most == null || each.heldBytes() > most.heldBytes()
                                    || (adding == null && each.heldBytes() == most.heldBytes()));
                    most = more ? each : most;
                }
                if (most == null) {
                    return;
                }
                run.log("client " + most.seen.number + " holds the most of loop " + loop + ", " + most.heldBytes());
                most.close();
            }
        }

        /** Lets all loops work. Only the sockets of one connection can accept anything, and it may be closed meanwhile. */
        private void settle(Holder busy) throws IOException {
            network.settle();
            long sent = server.stats().total().bytesOut() - sentBytes;
            sentBytes += sent;
            if (!busy.closed && sent > 0) {
                busy.sent(sent);
                enforce(busy); // a stream that has become the first has got a buffer
            }
        }

        private Map<Long, Long> sentBytes() {
            Map<Long, Long> bytes = new HashMap<>();
            server.connections().forEach(each -> bytes.put(each.id(), each.bytesOut()));
            return bytes;
        }

        private void check() {
            for (Holder each : holders) {
                run.same(Rule.CAPS, "the connection of client " + each.seen.number, each.seen.end(),
                        each.closed ? "BUDGET_EXCEEDED" : "open");
            }
            run.same(Rule.GAUGES, "bytes in the budget", server.stats().queueBytes(), held());
            run.same(Rule.GAUGES, "bytes of queues", server.stats().memory().queues(),
                    held() - holders.stream().filter(each -> !each.closed).mapToLong(each -> each.inputBytes + each.heapBytes())
                            .sum());
        }
    }
}
