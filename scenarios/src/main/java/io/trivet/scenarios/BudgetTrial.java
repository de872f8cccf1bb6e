package io.trivet.scenarios;

import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.Server;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
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

    /** A message of which a connection holds a buffer of its own, or a share. */
    private static final class Held {
        final boolean isShared;
        /** The connections that hold it, if it is shared. */
        final List<Holder> holders;
        int left = BUFFER_BYTES;

        Held(boolean isShared, List<Holder> holders) {
            this.isShared = isShared;
            this.holders = holders;
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
            return inputBytes + (long) BUFFER_BYTES * queue.stream().filter(held -> !held.isShared).count();
        }

        long heldBytes() {
            long shared = (long) BUFFER_BYTES * queue.stream().filter(held -> held.isShared).count();
            for (Held held : queue) {
                if (held.isShared) {
                    return ownBytes() + Math.ceilDiv(shared, held.holders.size());
                }
            }
            return ownBytes();
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
            switch (run.random.below(10)) {
                case 0, 1, 2, 3 -> send(holder, run.random.number(1, 1, 1, 2, 3));
                case 4, 8, 9 -> broadcast();
                case 5, 6 -> {
                    run.log("client " + holder.seen.number + " reads");
                    int reads = run.random.number(1, 8, 17, 34);
                    for (int i = 0; i < reads && holder.client.read(BUFFER_BYTES) > 0; i++) {
                        settle();
                    }
                }
                default -> receivePart(holder);
            }
        }

        /** Sends messages from the connection's own loop. */
        private void send(Holder holder, int count) throws IOException {
            run.log("server sends " + count + " messages to client " + holder.seen.number + ", which holds "
                    + holder.heldBytes());
            Connection connection = holder.seen.connection;
            for (int i = 0; i < count && !holder.closed; i++) {
                connection.execute(() -> connection.send(new byte[BUFFER_BYTES - 1]));
                network.turn(holder.loop);
                holder.queue.add(new Held(false, new ArrayList<>()));
                enforce(holder);
                settle();
            }
        }

        private void broadcast() throws IOException {
            run.log("server broadcasts a message");
            List<Holder> all = new ArrayList<>(holders.stream().filter(each -> !each.closed).toList());
            Held message = new Held(true, all);
            long total = held() + BUFFER_BYTES;
            if (all.isEmpty() || total > budgetBytes || shared.size() == BROADCASTS_MAX) {
                return; // if it exceeded the budget, it would matter which loop gets it first
            }
            server.broadcast(ByteBuffer.allocate(BUFFER_BYTES - 1));
            shared.add(message);
            for (Holder each : all) {
                each.queue.add(new Held(true, all));
            }
            settle();
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
                settle();
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
            return holders.stream().filter(each -> !each.closed && each.loop == loop).mapToLong(Holder::ownBytes).sum();
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

        /** Lets all loops work, and tells the model what the sockets have accepted. */
        private void settle() throws IOException {
            network.settle();
            for (Holder each : holders) {
                if (!each.closed && each.seen.isOpen()) {
                    long waiting = each.queue.stream().mapToLong(held -> held.left).sum();
                    each.sent(waiting - each.seen.connection.queue().bytes());
                }
            }
        }

        private void check() {
            for (Holder each : holders) {
                run.same(Rule.CAPS, "the connection of client " + each.seen.number, each.seen.end(),
                        each.closed ? "BUDGET_EXCEEDED" : "open");
            }
            run.same(Rule.GAUGES, "bytes in the budget", server.stats().queueBytes(), held());
            run.same(Rule.GAUGES, "bytes of queues", server.stats().memory().queues(),
                    held() - holders.stream().mapToLong(each -> each.inputBytes).sum());
        }
    }
}
