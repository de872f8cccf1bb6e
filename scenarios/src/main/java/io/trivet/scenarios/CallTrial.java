package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ClosedConnection;
import io.trivet.observe.ConnectionState;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.SendResult;
import io.trivet.server.Server;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Several calls in one callback: an application sends, pauses, finishes, closes, resets and throws, in any order, and asks the
 * connection about itself. Each result, the bytes that the client receives, and the end of the connection follow from the calls.
 */
final class CallTrial implements Trial {
    /** The callback that makes the calls. */
    private enum Where {
        OPEN, MESSAGE, URGENT, END_OF_INPUT, TASK, TIMER, DRAINED, CLOSE
    }

    private enum Call {
        SEND, SEND_TEXT, SEND_FIRST, OFFER, EMPTY, FINISH, FINISH_OUTPUT, CLOSE, RESET, PAUSE, RESUME, EXECUTE, LIMITS, ASK, SEND_URGENT, THROW
    }

    @Override
    public void run(TrialRun run) throws IOException {
        new Steps(run).perform();
    }

    /** Fills a queue up to its high mark. */
    private static final int MUCH_BYTES = 70_000;

    private static final class Steps implements Handler {
        final TrialRun run;
        final TrialNetwork network;
        final Server server;
        final TrialClient client;
        final Where where;
        final Overflow overflow;
        final List<Call> calls = new ArrayList<>();
        final List<String> callbacks = new ArrayList<>();
        final List<String> expected = new ArrayList<>();
        @Nullable Connection connection;
        boolean called;

        // What must follow.
        ConnectionState state = ConnectionState.OPEN;
        @Nullable CloseReason reason;
        boolean refusesMessages;
        boolean inputEnded;
        boolean paused;
        boolean resets;
        /** Messages that are sent before others, and the others, in this callback. */
        final StringBuilder first = new StringBuilder();
        final StringBuilder ordinary = new StringBuilder();
        int tasks;
        int ran;
        boolean sentUrgent;
        long id = -1;
        /** The limit of messages that was set last. */
        int messageBytesMax = LIMITS.messageBytesMax();
        /** The urgent byte that the client sends. */
        private int urgentByte = 9;
        /** What the client sends after the calls, and is delivered when reading continues. */
        private boolean isMessageLeft;

        Steps(TrialRun run) throws IOException {
            this.run = run;
            network = run.readinessNetwork();
            where = run.random.pick(Where.values());
            int buffers = where == Where.DRAINED ? 2 * MUCH_BYTES : 4096;
            run.sim.buffers(buffers, buffers);
            int count = run.random.between(1, 7);
            for (int i = 0; i < count; i++) {
                Call call = run.random.pick(Call.values());
                if (call == Call.SEND_URGENT && calls.contains(call)) {
                    continue; // a second urgent byte would make the first an ordinary one
                }
                calls.add(call);
                if (call == Call.THROW) {
                    break;
                }
            }
            run.log("in " + ReportText.words(where) + ": " + calls);
            Limits limits = LIMITS;
            overflow = run.random.pick(Overflow.values());
            server = run.builder(network, this, limits).urgent(true).framing(Framing.lines()).overflow(overflow).open();
            client = TrialClient.connect(run, run.address);
        }

        void perform() throws IOException {
            expected.add("open");
            network.settle();
            switch (where) {
                case OPEN -> {
                    // It has made its calls.
                }
                case MESSAGE -> client.write("m\n");
                case URGENT -> client.sendUrgent(urgentByte);
                case END_OF_INPUT -> client.endOutput();
                case TASK -> connection().execute(this::makeCalls);
                case TIMER -> connection().schedule(Duration.ZERO, this::makeCalls);
                case DRAINED -> {
                    network.proactor(0).fill();
                    connection().execute(() -> connection().send("d".repeat(MUCH_BYTES)));
                    network.settle();
                    network.proactor(0).makeRoom();
                }
                case CLOSE -> connection().close();
            }
            network.settle();
            run.expect(Rule.CALLBACKS, called, "the callback " + where + " was not called");
            checkAfterCalls();
            sendLater();
            end();
            check();
            run.close(network, server);
        }

        private Connection connection() {
            Connection known = connection;
            if (known == null) {
                throw new IllegalStateException("the connection was not opened");
            }
            return known;
        }

        // ---- callbacks

        @Override
        public void onOpen(Connection opened) throws Exception {
            callbacks.add("open");
            connection = opened;
            id = opened.id();
            callsOf(Where.OPEN);
        }

        @Override
        public void onMessage(Connection of, ByteBuffer message) throws Exception {
            callbacks.add("message");
            callsOf(Where.MESSAGE);
        }

        @Override
        public void onUrgent(Connection of, byte b) throws Exception {
            callbacks.add("urgent");
            run.same(Rule.DELIVERY, "the urgent byte", b, (byte) urgentByte);
            callsOf(Where.URGENT);
        }

        @Override
        public void onEndOfInput(Connection of) throws Exception {
            callbacks.add("end of input");
            if (where == Where.END_OF_INPUT) {
                inputEnded = true;
                state = ConnectionState.INPUT_ENDED;
                callsOf(Where.END_OF_INPUT);
            } else {
                of.finish();
            }
        }

        @Override
        public void onDrained(Connection of) throws Exception {
            callbacks.add("drained");
            if (where == Where.DRAINED) {
                callsOf(Where.DRAINED);
            }
        }

        @Override
        public void onClose(Connection of, CloseReason why) throws Exception {
            callbacks.add("close " + why);
            if (where == Where.CLOSE) {
                state = ConnectionState.CLOSED;
                reason = CloseReason.CLOSED;
                callsOf(Where.CLOSE);
            }
        }

        private void callsOf(Where callback) throws Exception {
            if (where == callback && !called) {
                switch (callback) {
                    case MESSAGE -> expected.add("message");
                    case URGENT -> expected.add("urgent");
                    case END_OF_INPUT -> expected.add("end of input");
                    case DRAINED -> expected.add("drained");
                    default -> {
                        // Recorded elsewhere.
                    }
                }
                makeCalls();
            }
        }

        private void makeCalls() {
            called = true;
            int number = 0;
            for (Call call : calls) {
                if (call == Call.THROW) {
                    if (where != Where.TASK) { // the exception of a task ends nothing
                        breakOff();
                    }
                    TestExceptions.throwUndeclared(run.random.below(2));
                }
                make(call, (char) ('a' + number++));
            }
        }

        private void breakOff() {
            if (state == ConnectionState.CLOSED) {
                return;
            }
            reason = CloseReason.HANDLER_FAILED;
            state = ConnectionState.DRAINING;
        }

        private void make(Call call, char letter) {
            Connection of = connection();
            String text = String.valueOf(letter).repeat(1 + run.random.below(40));
            switch (call) {
                case SEND -> sent(call, of.send(ByteBuffer.wrap(MessageContent.ascii(text))), ordinary, text);
                case SEND_TEXT -> sent(call, of.send(text), ordinary, text);
                case OFFER -> sent(call, of.offer(MessageContent.ascii(text)), ordinary, text);
                case SEND_FIRST -> sent(call, of.sendFirst(MessageContent.ascii(text)), first, text);
                case EMPTY -> sent(call, of.send(new byte[0]), ordinary, "");
                case FINISH -> {
                    of.finish();
                    finish();
                }
                case FINISH_OUTPUT -> {
                    of.finishOutput();
                    if (state == ConnectionState.OPEN) {
                        refusesMessages = true;
                    } else {
                        finish();
                    }
                }
                case CLOSE -> {
                    of.close();
                    close();
                }
                case RESET -> {
                    of.reset();
                    resets |= where != Where.CLOSE; // then it is too late
                    close();
                }
                case PAUSE -> {
                    of.pauseReading();
                    paused = true;
                }
                case RESUME -> {
                    of.resumeReading();
                    paused = false;
                }
                case EXECUTE -> {
                    tasks++;
                    of.execute(() -> ran++);
                }
                case LIMITS -> {
                    of.limits(of.limits().withMessageBytesMax(100 + letter));
                    messageBytesMax = state == ConnectionState.CLOSED ? messageBytesMax : 100 + letter;
                }
                case ASK -> ask(of);
                case SEND_URGENT -> {
                    of.sendUrgent((byte) 201);
                    sentUrgent = state != ConnectionState.CLOSED;
                }
                case THROW -> throw new AssertionError("handled by the caller");
            }
            run.same(Rule.CALLBACKS, "the state after " + call, of.state(), state);
        }

        private void sent(Call call, SendResult result, StringBuilder to, String text) {
            boolean takes = !refusesMessages && (state == ConnectionState.OPEN || state == ConnectionState.INPUT_ENDED);
            run.same(Rule.CALLBACKS, "the result of " + call + " in state " + state, result,
                    takes ? SendResult.QUEUED : SendResult.CLOSED);
            if (takes) {
                to.append(text).append('\n');
            }
        }

        private void finish() {
            if (state == ConnectionState.OPEN || state == ConnectionState.INPUT_ENDED) {
                reason = inputEnded ? CloseReason.PEER_FINISHED : CloseReason.FINISHED;
                state = ConnectionState.DRAINING;
            }
        }

        private void close() {
            if (state == ConnectionState.CLOSED) {
                return;
            }
            reason = CloseReason.CLOSED;
            state = ConnectionState.CLOSED;
            resets |= first.length() + ordinary.length() > 0;
        }

        private void ask(Connection of) {
            new ConnectionCallCheck(run, of).perform(overflow, where == Where.MESSAGE, where == Where.CLOSE);
            run.same(Rule.CALLBACKS, "its limit of messages", of.limits().messageBytesMax(), messageBytesMax);
            run.same(Rule.CALLBACKS, "its number", of.id(), id);
            run.same(Rule.CALLBACKS, "its loop", of.loop(), 0);
            run.same(Rule.CALLBACKS, "its server is this one", of.server() == server, true);
            run.same(Rule.CALLBACKS, "its remote address", of.remoteAddress().getAddress(), run.clients.address());
            run.same(Rule.CALLBACKS, "its failure", String.valueOf(of.failure()), "null");
            int queued = where == Where.CLOSE ? 0 : first.length() + ordinary.length();
            run.same(Rule.GAUGES, "the bytes of its queue", of.queue().bytes(), queued);
            run.same(Rule.GAUGES, "connections in the statistics", server.stats().total().connections(),
                    where == Where.CLOSE ? 0 : 1);
            if (state != ConnectionState.CLOSED) {
                run.same(Rule.CALLBACKS, "its local address", of.localAddress(), run.address);
                run.same(Rule.GAUGES, "snapshots", server.connections().size(), 1);
                run.same(Rule.GAUGES, "the state of its snapshot", server.connections().getFirst().state(), state);
                run.same(Rule.GAUGES, "the queue of its snapshot", server.connections().getFirst().queueBytes(), (long) queued);
            }
        }

        // ---- the end

        /** What the client sends is delivered also after our output has ended, but not to a connection that is finished. */
        private void sendLater() throws IOException {
            boolean delivers = state == ConnectionState.OPEN;
            if (run.hasFailed() || where == Where.END_OF_INPUT || state == ConnectionState.CLOSED || run.random.chance(50)) {
                return;
            }
            if (!paused && run.random.chance(30)) {
                urgentByte = run.random.number(0, 127, 128, 255);
                client.sendUrgent(urgentByte);
                if (delivers) {
                    expected.add("urgent");
                }
                network.settle();
            }
            client.write("later\n");
            network.settle();
            if (delivers && !paused) {
                expected.add("message");
            }
            isMessageLeft = delivers && paused;
            run.same(Rule.CALLBACKS, "the callbacks after the client has sent more", callbacks, expected);
        }

        private void checkAfterCalls() {
            run.same(Rule.CALLBACKS, "tasks that have run", ran, tasks);
            boolean ends = state == ConnectionState.CLOSED;
            checkUrgent(ends);
            client.readAll();
            String text = ends && resets ? "" : first.toString() + ordinary;
            int before = where == Where.DRAINED ? MUCH_BYTES + 1 : 0; // what has filled the queue
            String received = client.text();
            run.same(Rule.ORDER, "bytes that the client has received first", Math.min(before, received.length()), before);
            run.same(Rule.ORDER, "what the client has received", received.substring(Math.min(before, received.length())), text);
            boolean outputEnds = refusesMessages || state == ConnectionState.DRAINING;
            if (where == Where.URGENT && ends) {
                return; // the kernel has yet to pass the urgent byte, which counts as unread
            }
            run.same(Rule.ENDS, "the client has read", client.end(),
                    resets ? "ECONNRESET" : ends || outputEnds ? "ended" : "open");
        }

        private void checkUrgent(boolean ends) {
            if (ends || !calls.contains(Call.SEND_URGENT)) {
                return; // a close may destroy it
            }
            int urgent;
            try {
                urgent = client.stream().receiveUrgent();
            } catch (IOException e) {
                urgent = -1;
            }
            run.same(Rule.DELIVERY, "the urgent byte that the client has received", urgent, sentUrgent ? 201 : -1);
        }

        /** The client finishes. A connection that is open then is finished by the application. */
        private void end() throws IOException {
            if (state != ConnectionState.CLOSED) {
                boolean delivers = state == ConnectionState.OPEN;
                if (paused && delivers) {
                    connection().resumeReading();
                    network.settle();
                    if (isMessageLeft) {
                        expected.add("message");
                    }
                }
                if (where == Where.END_OF_INPUT && state == ConnectionState.INPUT_ENDED) {
                    connection().finish();
                    reason = CloseReason.PEER_FINISHED;
                } else if (where != Where.END_OF_INPUT) {
                    client.endOutput();
                    if (delivers) {
                        expected.add("end of input");
                        reason = CloseReason.PEER_FINISHED;
                    }
                }
                network.settle();
            }
            expected.add("close " + reason);
        }

        private void check() throws IOException {
            run.same(Rule.CALLBACKS, "the callbacks", callbacks, expected);
            client.close();
            network.settle();
            List<ClosedConnection> ends = server.recentlyClosed();
            run.same(Rule.GAUGES, "ends that the server keeps", ends.size(), 1);
            if (!run.hasFailed()) {
                ClosedConnection closed = ends.getFirst();
                run.same(Rule.GAUGES, "the reason that the server keeps", closed.reason().name(), String.valueOf(reason));
                run.same(Rule.GAUGES, "whether the server says that the peer was reset", closed.reset(), resets);
                run.same(Rule.GAUGES, "closed connections by reason", server.stats().closed(), Map.of(closed.reason(), 1L));
            }
        }
    }
}
