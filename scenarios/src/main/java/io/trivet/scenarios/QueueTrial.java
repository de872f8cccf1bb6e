package io.trivet.scenarios;

import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.SendResult;
import io.trivet.server.Server;
import io.trivet.sim.SimEngine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The queue of one connection, whose peer reads now and then: every result, every gauge, the age of the oldest message, the
 * messages that are dropped, and the bytes that arrive.
 */
final class QueueTrial implements Trial {
    private static final int STEPS_MAX = 40;
    /** Room for more broadcasts than one call passes to the kernel. */
    private static final int CROWD_BYTES = 128 * 1024;
    /** A message of this size has a buffer of its own, so that its age is exact. */
    private static final int BUFFER_BYTES = 64 * 1024;

    @Override
    public void run(TrialRun run) throws IOException {
        new Steps(run).perform();
    }

    /** The callback that throws, if any. */
    private enum Thrower {
        NONE, DRAINED, DROPPED, LISTENER
    }

    /** Throws once, in a callback of one kind. */
    private static final class ThrowingHandler extends TrialHandler {
        final Thrower thrower;
        private final int exception;
        private int callsBefore;
        boolean hasThrown;
        /** onDropped was called after onClose, or with nothing. */
        boolean isDroppedLate;
        boolean isDroppedEmpty;

        ThrowingHandler(SeededRandom random) {
            thrower = random.chance(85) ? Thrower.NONE : random.pick(Thrower.DRAINED, Thrower.DROPPED, Thrower.LISTENER);
            callsBefore = random.number(0, 0, 1, 2);
            exception = random.below(2);
        }

        void called(Thrower callback) {
            if (callback == thrower && callsBefore-- == 0) {
                hasThrown = true;
                TestExceptions.throwUndeclared(exception);
            }
        }

        @Override
        public void onDrained(Connection connection) throws Exception {
            super.onDrained(connection);
            called(Thrower.DRAINED);
        }

        @Override
        public void onDropped(Connection connection, int messages, long bytes) throws Exception {
            super.onDropped(connection, messages, bytes);
            isDroppedLate |= !seen(connection).isOpen();
            isDroppedEmpty |= messages < 1 || bytes < messages;
            called(Thrower.DROPPED);
        }
    }

    private static final class Steps {
        final TrialRun run;
        final TrialNetwork network;
        final ThrowingHandler handler;
        final boolean aligned;
        /**
         * True on a ring. It accepts bytes before the socket does, so which of them the peer has is known only when the send has
         * completed.
         */
        final boolean isRing;
        /** True if one thread turns two loops: outside of a turn, its calls count as calls from another thread. */
        final boolean foreign;
        final QueueModel model;
        final Server server;
        final TrialClient client;
        final Connection connection;
        /** True if there may be more messages than one gathering send has parts, each with a buffer of its own. */
        private final boolean isCrowded;
        private final int sendBytes;
        private byte nextFill = 'a';
        private int checkedBytes;
        /** The loop has turned since the last message. */
        private boolean flushed;
        private int listeners;
        private int listenersCalled;
        private int listenersFailed;

        Steps(TrialRun run) throws IOException {
            this.run = run;
            SeededRandom random = run.random;
            handler = new ThrowingHandler(random);
            isRing = random.chance(25);
            network = isRing ? run.network(SimEngine.URING) : run.readinessNetwork();
            aligned = random.chance(50);
            int unit = aligned ? BUFFER_BYTES : random.number(1, 100, 1024);
            boolean huge = aligned && random.chance(20); // more than one flush sends
            isCrowded = !aligned && random.chance(30);
            sendBytes = isCrowded ? CROWD_BYTES / random.number(1, 1, 2, 4) : unit * (huge ? 80 : random.number(1, 1, 2, 3));
            run.sim.buffers(sendBytes, unit * random.number(1, 1, 2));
            int cap = isCrowded ? CROWD_BYTES : unit * (huge ? random.between(20, 60) : random.between(2, 8));
            int high = unit * random.between(1, Math.max(1, cap / unit));
            Limits limits = LIMITS.withQueueBytesMax(cap).withQueueMarks(high, random.number(0, high, high / 2))
                    .withWriteTimeout(Duration.ZERO);
            Overflow overflow = isRing ? random.pick(Overflow.PAUSE_READING, Overflow.DISCONNECT) // a ring's messages are not dropped
                    : random.pick(Overflow.DROP_OLDEST, Overflow.DROP_OLDEST, Overflow.PAUSE_READING, Overflow.DISCONNECT);
            model = new QueueModel(limits, overflow, isRing);
            foreign = random.chance(25);
            server = run.builder(network, handler, limits).overflow(overflow).framing(Framing.lines()).loops(foreign ? 2 : 1)
                    .open();
            run.log((foreign ? "from another thread, " : "") + (handler.thrower == Thrower.NONE ? ""
                    : handler.thrower + " will throw, ") + overflow + ", queue of " + cap + " bytes, high " + high + ", low "
                    + limits.queueLowBytes());
            client = TrialClient.connect(run, run.address);
            network.settle();
            connection = handler.all.getFirst().connection;
        }

        void perform() throws IOException {
            int steps = run.random.between(5, STEPS_MAX);
            for (int i = 0; i < steps && !run.hasFailed() && isUsable(); i++) {
                network.pass(run.random.logUniform(1, 50_000_000));
                step();
                check();
            }
            finish();
        }

        private boolean isUsable() {
            return handler.all.getFirst().isOpen() && !handler.hasThrown;
        }

        private void step() throws IOException {
            SeededRandom random = run.random;
            switch (random.below(8)) {
                case 0, 1, 2 -> send(size(), random.below(5));
                case 5 -> broadcast(size());
                case 6 -> changeLimits();
                case 3 -> {
                    int read = client.read(aligned && random.chance(80) ? BUFFER_BYTES * random.between(1, 3) : size());
                    run.log("the client reads " + read + " bytes");
                    turn();
                }
                case 4 -> sendMany();
                default -> turn();
            }
        }

        /** Several messages at once. Broadcasts have buffers of their own, of which a call passes at most 64 to the kernel. */
        private void sendMany() throws IOException {
            boolean many = sendBytes > 8 * BUFFER_BYTES;
            boolean broadcasts = (many || isCrowded) && run.random.chance(50);
            int count = broadcasts ? run.random.between(60, many ? 110 : 200) : run.random.between(1, many ? 40 : 12);
            for (int i = 0; i < count && isUsable(); i++) {
                if (broadcasts) {
                    int length = many ? run.random.between(18_000, 24_000) : run.random.between(512, 700);
                    if (model.fits(length) || run.random.chance(5)) {
                        broadcast(length);
                    }
                } else {
                    send(size(), 0);
                }
            }
        }

        /** Broadcasts to all connections; there is only one. If the message does not fit, that connection is closed. */
        private void broadcast(int length) throws IOException {
            byte fill = nextFill;
            byte[] content = new byte[length - 1];
            Arrays.fill(content, fill);
            nextFill = nextFill == 'z' ? (byte) 'a' : (byte) (nextFill + 1);
            if (model.overflow == Overflow.DROP_OLDEST && !model.fits(length) && length <= model.limits.queueBytesMax()) {
                model.makeRoom(length);
            }
            boolean fits = model.fits(length);
            run.log("a broadcast of " + length + " bytes of '" + (char) fill + "'");
            server.broadcast(ByteBuffer.wrap(content));
            flushed = false;
            if (fits) {
                model.add(new QueueModel.Waiting(fill, length, network.now(), false, false));
                if (foreign) {
                    turn();
                }
            } else {
                turn();
                run.same(Rule.ENDS, "after a broadcast that does not fit the connection is", handler.all.getFirst().end(),
                        "QUEUE_FULL");
            }
        }

        private void changeLimits() throws IOException {
            int cap = model.limits.queueBytesMax();
            boolean isReached = model.bytes() > 0 && run.random.chance(30); // exactly, without a byte to spare
            int high = isReached ? (int) Math.min(cap, model.bytes()) : run.random.between(1, cap);
            int low = run.random.number(0, high, high / 2);
            run.log("new marks: high " + high + ", low " + low);
            model.limits = model.limits.withQueueMarks(high, low);
            model.high |= model.bytes() >= high;
            connection.limits(model.limits);
            turn();
        }

        private int size() {
            int cap = model.limits.queueBytesMax();
            return aligned ? BUFFER_BYTES * run.random.number(1, 1, 1, 2) : (int) run.random.logUniform(1, cap + cap / 4);
        }

        private void send(int length, int how) throws IOException {
            byte fill = nextFill;
            nextFill = nextFill == 'z' ? (byte) 'a' : (byte) (nextFill + 1);
            byte[] content = new byte[length - 1];
            Arrays.fill(content, fill);
            boolean urgent = how == 1 && !isRing; // which messages a ring has begun is not known
            boolean offer = how == 2;
            boolean listens = how == 4;
            if (foreign) {
                sendFromOtherThread(content, fill, urgent, offer, listens);
                return;
            }
            if (!listens && model.overflow == Overflow.DROP_OLDEST && !model.fits(length)
                    && length <= model.limits.queueBytesMax()) {
                model.makeRoom(length);
            }
            boolean fits = model.fits(length);
            SendResult result = call(content, urgent, offer, listens);
            run.log((urgent ? "sendFirst" : offer ? "offer" : listens ? "send with a listener" : "send") + " of " + length
                    + " bytes of '" + (char) fill + "': "
                    + result);
            run.same(Rule.CAPS, "a message of " + length + " bytes with " + model.bytes() + " queued", result,
                    fits ? SendResult.QUEUED : SendResult.FULL);
            flushed = false;
            if (fits) {
                model.add(new QueueModel.Waiting(fill, length, network.now(), urgent, listens));
            } else if (!offer) {
                turn();
                run.same(Rule.ENDS, "after a send that was FULL the connection is", handler.all.getFirst().end(), "QUEUE_FULL");
            }
        }

        private SendResult call(byte[] content, boolean urgent, boolean offer, boolean listens) {
            if (!listens && (content.length > 10_000 || run.random.chance(30))) {
                return urgent ? connection.sendFirst(content) : offer ? connection.offer(content) : connection.send(content);
            }
            // It is surrounded by other bytes.
            ByteBuffer message = (run.random.chance(50) ? ByteBuffer.allocate(content.length + 5)
                    : ByteBuffer.allocateDirect(content.length + 5)).put(0, new byte[]{'#', '#'}).put(2, content).position(2);
            message.limit(2 + content.length);
            SendResult result = listens ? listened(content, message)
                    : urgent ? connection.sendFirst(message)
                    : offer ? connection.offer(message) : connection.send(message);
            run.same(Rule.CALLBACKS, "the bytes that are left in the buffer of a message that was " + result, message.remaining(),
                    result == SendResult.QUEUED ? 0 : content.length);
            run.same(Rule.CALLBACKS, "its limit", message.limit(), 2 + content.length);
            message.clear().put(new byte[message.limit()]); // it can be used again at once
            return result;
        }

        private SendResult listened(byte[] content, ByteBuffer message) {
            SendResult result = connection.send(message, (of, bytes, failure) -> {
                listenersCalled++;
                run.expect(Rule.CALLBACKS, failure == null ? bytes == content.length + 1 : bytes <= content.length,
                        "a listener of " + (content.length + 1) + " bytes is called with " + bytes + " and " + failure);
                listenersFailed += failure == null ? 0 : 1;
                handler.called(Thrower.LISTENER);
            });
            listeners += result == SendResult.QUEUED ? 1 : 0;
            return result;
        }

        /** With DROP_OLDEST up to twice the cap is accepted, until the loop drops what is too much. */
        private void sendFromOtherThread(byte[] content, byte fill, boolean urgent, boolean offer, boolean listens)
                throws IOException {
            int length = content.length + 1;
            boolean drops = model.overflow == Overflow.DROP_OLDEST;
            boolean fits = model.bytes() + length <= (drops && !listens ? 2L : 1L) * model.limits.queueBytesMax();
            SendResult result = call(content, urgent, offer, listens);
            run.log("a message of " + length + " bytes of '" + (char) fill + "' from another thread: " + result);
            run.same(Rule.CAPS, "a message of " + length + " bytes with " + model.bytes() + " queued, from another thread",
                    result,
                    fits ? SendResult.QUEUED : SendResult.FULL);
            if (fits) {
                model.add(new QueueModel.Waiting(fill, length, network.now(), urgent, listens));
                if (drops && !listens) {
                    model.makeRoom(0);
                }
            }
            turn();
            if (!fits && !offer && !handler.hasThrown) {
                run.same(Rule.ENDS, "after a send that was FULL the connection is", handler.all.getFirst().end(), "QUEUE_FULL");
            }
        }

        /** Turns the loop, and tells the model how many bytes the socket has accepted. */
        private void turn() throws IOException {
            long before = server.stats().total().bytesOut();
            network.settle();
            flushed = true;
            model.sent(server.stats().total().bytesOut() - before);
        }

        private void check() {
            TrialHandler.Seen seen = handler.all.getFirst();
            if (!seen.isOpen()) {
                return;
            }
            run.same(Rule.GAUGES, "bytes in the queue", (long) connection.queue().bytes(), model.bytes());
            run.same(Rule.GAUGES, "messages in the queue", connection.queue().messages(), model.queue.size());
            run.same(Rule.GAUGES, "the queue is high", connection.queue().isHigh(),
                    model.bytes() >= model.limits.queueHighBytes());
            run.same(Rule.CALLBACKS, "listeners that were called", listenersCalled, model.listenedEnds);
            run.same(Rule.CALLBACKS, "listeners that were called with a failure", listenersFailed, 0);
            if (flushed && !handler.hasThrown) {
                run.same(Rule.CALLBACKS, "calls of onDrained until now", seen.drained, model.drained);
                run.same(Rule.CALLBACKS, "messages reported as dropped until now", seen.droppedMessages, model.droppedMessages);
                run.same(Rule.CALLBACKS, "bytes reported as dropped until now", seen.droppedBytes, model.droppedBytes);
            }
            checkAge();
            if (model.queue.isEmpty() || connection.queue().bytes() == 0) {
                run.same(Rule.GAUGES, "the age of no message", connection.queue().oldestAge(), Duration.ZERO);
            }
            checkReceived();
            checkRoom();
        }

        /** Bytes must not wait while two thirds of the send buffer are free: the socket is writable from a third on. */
        private void checkRoom() {
            long unread = server.stats().total().bytesOut() - client.count();
            if (flushed && !isRing && !model.queue.isEmpty() && 3 * unread <= sendBytes) {
                run.fail(Rule.LIVENESS, model.bytes() + " bytes wait, although the client has yet to read only " + unread
                        + " bytes, and the socket's buffer has " + sendBytes);
            }
        }

        /** Messages that share a buffer have the age of the first in it, so only those with buffers of their own are exact. */
        private void checkAge() {
            if (model.queue.isEmpty()) {
                return;
            }
            long age = connection.queue().oldestAge().toNanos();
            long exact = network.now() - model.oldestNanos();
            if (age < exact || (aligned && !isRing && !model.hasListened && age != exact)) {
                run.fail(Rule.GAUGES, "the age of the oldest message is " + age + " ns instead of " + exact);
            }
        }

        /** Compares what the client has read with what was sent, in order. */
        private void checkReceived() {
            byte[] received = client.received();
            while (checkedBytes < client.count()) {
                QueueModel.Part next = model.sent.peek();
                if (next == null) {
                    run.fail(Rule.ORDER, "the client has received more than the " + checkedBytes + " bytes that were sent");
                    return;
                }
                int to = Math.min(next.to, next.at + client.count() - checkedBytes);
                for (; next.at < to; next.at++) {
                    byte was = received[checkedBytes++];
                    byte right = next.at == next.of.length - 1 ? (byte) '\n' : next.of.fill;
                    if (was != right) {
                        run.fail(Rule.ORDER, "the client has received '" + (char) was + "' at offset " + (checkedBytes - 1)
                                + " instead of '" + (char) right + "'");
                        return;
                    }
                }
                if (next.at == next.to) {
                    model.sent.remove();
                }
            }
        }

        private void finish() throws IOException {
            if (run.random.chance(60)) { // otherwise it is finished in the turn of its last messages
                turn();
            }
            TrialHandler.Seen seen = handler.all.getFirst();
            if (seen.isOpen() && !run.hasFailed()) {
                run.expect(Rule.CALLBACKS, seen.drained == model.drained || (handler.hasThrown && seen.drained < model.drained),
                        "onDrained was called " + seen.drained + " instead of " + model.drained + " times");
                drain();
                run.same(Rule.CALLBACKS, "messages reported as dropped", seen.droppedMessages, model.droppedMessages);
                run.same(Rule.CALLBACKS, "bytes reported as dropped", seen.droppedBytes, model.droppedBytes);
                run.same(Rule.GAUGES, "dropped", server.stats().total().dropped(), model.droppedMessages);
                run.same(Rule.DELIVERY, "bytes received", (long) client.count(), model.acceptedBytes - model.droppedBytes);
                run.same(Rule.ENDS, "the connection", seen.end(), handler.hasThrown ? "HANDLER_FAILED" : "FINISHED");
                run.same(Rule.ENDS, "the client's connection", client.end(), "ended");
            }
            run.close(network, server);
            run.same(Rule.CALLBACKS, "listeners that were called in the end", listenersCalled, listeners);
            run.expect(Rule.CALLBACKS, !handler.isDroppedLate && !handler.isDroppedEmpty,
                    "onDropped was called after onClose, or without messages");
        }

        private void drain() throws IOException {
            connection.finish();
            @Nullable String last = null;
            for (int i = 0; i < 1000 && !client.hasEnded(); i++) {
                turn();
                client.readAll();
                last = client.end();
            }
            run.log("the client has read everything: " + last);
            client.endOutput();
            turn();
            checkReceived();
        }
    }
}
