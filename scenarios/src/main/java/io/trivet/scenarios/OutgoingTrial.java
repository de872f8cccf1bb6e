package io.trivet.scenarios;

import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ConnectionState;
import io.trivet.observe.ReadState;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.Protocol;
import io.trivet.server.ProxyHeader;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Several connections that a server makes at the same time, on one to three loops: by address or by a name that is an address, with
 * settings of the server or of their own, some of them to peers that refuse or never answer. What each sends first, when each ends and
 * why, and what the server reports of it meanwhile, follows from what is drawn.
 */
final class OutgoingTrial implements Trial {
    private static final long MILLI = 1_000_000;
    private static final int PORT = 9_100;
    private static final int LOCAL_PORT = 7_000;
    private static final long NEVER = OutgoingConnection.NEVER;

    @Override
    public void run(TrialRun run) throws IOException {
        Steps steps = new Steps(run);
        steps.perform();
        steps.close();
    }

    private static final class Steps {
        final TrialRun run;
        final TrialNetwork network;
        final TcpListener listener;
        final TcpListener silent;
        final List<TcpStream> fillers = new ArrayList<>();
        final Limits limits;
        final Server server;
        final int loops;
        final Overflow overflow;
        final List<OutgoingConnection> all = new ArrayList<>();
        private long drainNanos = NEVER;

        Steps(TrialRun run) throws IOException {
            this.run = run;
            run.sim.buffers(1 << 16, 1 << 16);
            listener = run.clients.listen(new InetSocketAddress(run.clients.address(), PORT), 64);
            silent = run.clients.listen(new InetSocketAddress(run.clients.address(), PORT + 1), 1);
            for (int i = 0; i < 4; i++) {
                fillers.add(run.clients.connect(new InetSocketAddress(run.clients.address(), PORT + 1)));
            }
            network = run.anyNetwork();
            loops = run.random.number(1, 1, 2, 3);
            limits = LIMITS.withConnectTimeout(timeout()).withIdleTimeout(Duration.ZERO).withQueueBytesMax(4_800);
            overflow = run.random.pick(Overflow.DROP_OLDEST, Overflow.DROP_OLDEST, Overflow.DISCONNECT, Overflow.PAUSE_READING);
            server = run.builder(network, (connection, message) -> {}, limits).framing(Framing.lines())
                    .overflow(overflow).loops(loops).open();
            network.settle();
        }

        private Duration timeout() {
            return run.random.chance(20) ? Duration.ZERO : Duration.ofNanos(run.random.logUniform(MILLI, 1_000 * MILLI));
        }

        void perform() throws IOException {
            int steps = run.random.between(4, 20);
            for (int i = 0; i < steps && !run.hasFailed() && !server.isClosed(); i++) {
                if (all.isEmpty() || (drainNanos == NEVER && run.random.chance(40))) {
                    connect();
                } else {
                    step(all.get(run.random.below(all.size())));
                }
                checkCalls();
                network.settle();
                follow();
                check();
            }
        }

        void close() throws IOException {
            for (OutgoingConnection each : all) {
                TcpStream peer = each.peer;
                if (peer != null) {
                    peer.close();
                }
            }
            run.close(network, server);
            listener.close();
            silent.close();
            for (TcpStream filler : fillers) {
                filler.close();
            }
        }

        // ---- what happens

        private long load(int loop) {
            return all.stream().filter(each -> each.loop == loop && each.state != ConnectionState.CLOSED).count();
        }

        private void connect() {
            SeededRandom random = run.random;
            OutgoingConnection made = new OutgoingConnection(all.size(),
                    random.pick(OutgoingConnection.Target.ANSWERS, OutgoingConnection.Target.ANSWERS,
                            OutgoingConnection.Target.SILENT, OutgoingConnection.Target.SILENT,
                            OutgoingConnection.Target.REFUSES));
            int port = switch (made.target) {
                case ANSWERS -> PORT;
                case SILENT -> PORT + 1;
                case REFUSES -> PORT + 10;
            };
            made.byName = random.chance(40);
            InetSocketAddress to = made.byName
                    ? InetSocketAddress.createUnresolved(run.clients.address().getHostAddress(), port)
                    : new InetSocketAddress(run.clients.address(), port);
            for (int i = 1; i < loops; i++) {
                made.loop = load(i) < load(made.loop) ? i : made.loop;
            }
            Duration own = timeout();
            Duration used = limits.connectTimeout();
            made.queue = new QueueModel(limits, overflow, false);
            switch (random.below(4)) {
                case 0 -> made.connection = server.connect(to, made);
                case 1 -> {
                    made.connection = server.connect(to, made, own);
                    used = own;
                }
                case 2 -> {
                    made.hasAttachment = true;
                    made.connection = server.connect(to, made, made.attachment);
                }
                default -> {
                    made.hasAttachment = true;
                    List<UnaryOperator<Protocol>> settings = settings(made);
                    used = random.chance(50) ? own : limits.connectTimeout();
                    if (used.equals(own)) {
                        Limits others = limits.withConnectTimeout(own).withQueueBytesMax(4_000);
                        made.queue = new QueueModel(others, overflow, false);
                        settings.add(each -> each.withLimits(others));
                    }
                    Protocol protocol = AnyOrder.of(random, Protocol.of(Framing.lines(), made), settings);
                    made.connection = server.connect(to, protocol, made.attachment);
                }
            }
            made.deadlineNanos = used.isZero() ? NEVER : network.now() + used.toNanos();
            run.log("connect " + made.number + (made.byName ? " by name" : "") + " to a peer that " + made.target + ", within "
                    + used);
            all.add(made);
            run.same(Rule.CAPS, "its loop", made.connection().loop(), made.loop);
            beforeConnect(made);
            if (drainNanos == NEVER && random.chance(6)) {
                drainAtOnce(made);
            }
        }

        /** A drain that begins before the loop has started to connect: on the thread of the only loop, it begins at once. */
        private void drainAtOnce(OutgoingConnection made) {
            if (loops == 1 && made.state != ConnectionState.CLOSED) {
                made.ends(made.finished != null && made.queue.queue.isEmpty() ? made.finished : CloseReason.SERVER_CLOSED);
            }
            drain();
        }

        private void drain() {
            long timeout = run.random.logUniform(MILLI, 1_000 * MILLI);
            run.log("the server drains within " + ReportText.duration(timeout));
            server.drain(Duration.ofNanos(timeout));
            drainNanos = network.now() + timeout;
            for (OutgoingConnection each : all) {
                if (each.state != ConnectionState.CLOSED) {
                    finishes(each, CloseReason.DRAINED);
                }
            }
        }

        private List<UnaryOperator<Protocol>> settings(OutgoingConnection made) {
            SeededRandom random = run.random;
            List<UnaryOperator<Protocol>> settings = new ArrayList<>();
            if (random.chance(50)) {
                settings.add(each -> each.withUrgent(false));
            }
            if (random.chance(60)) {
                InetSocketAddress client = new InetSocketAddress(InetAddress.ofLiteral("192.0.2.7"), 1 + random.below(65_535));
                made.header = MessageContent.ascii("PROXY TCP4 192.0.2.7 10.0.4.1 " + client.getPort() + " 8080\r\n");
                settings.add(each -> each.withProxyHeader(ProxyHeader.v1(client, run.address)));
            }
            if (random.chance(60)) {
                made.localPort = random.chance(50) ? LOCAL_PORT + made.number : 0;
                InetSocketAddress local = new InetSocketAddress(run.address.getAddress(), made.localPort);
                settings.add(each -> each.withLocalAddress(local));
            }
            return settings;
        }

        /** What the application does at once. */
        private void beforeConnect(OutgoingConnection made) {
            int messages = run.random.number(0, 1, 4, 12);
            for (int i = 0; i < messages && made.state != ConnectionState.CLOSED; i++) {
                send(made);
            }
            if (run.random.chance(20)) {
                run.log("reading from peer " + made.number + " is paused");
                made.connection().pauseReading();
                made.paused = true;
            }
            if (run.random.chance(12)) {
                finish(made);
            }
        }

        private void send(OutgoingConnection made) {
            boolean isAccepted = drainNanos == NEVER && made.state != ConnectionState.CLOSED && made.finished == null;
            made.send(run, loops > 1, isAccepted);
        }

        private void finish(OutgoingConnection made) {
            if (made.state == ConnectionState.CLOSED) {
                return;
            }
            run.log("connection " + made.number + " is finished");
            made.connection().finish();
            finishes(made, CloseReason.FINISHED);
        }

        private static void finishes(OutgoingConnection made, CloseReason why) {
            if (made.finished == null) {
                made.finished = why;
                if (made.state == ConnectionState.CONNECTING && made.queue.queue.isEmpty()) {
                    made.ends(why);
                }
            }
        }

        private void step(OutgoingConnection made) throws IOException {
            switch (run.random.below(9)) {
                case 0, 1 -> {
                    run.log("a message to peer " + made.number);
                    send(made);
                }
                case 2 -> {
                    TcpStream peer = made.peer;
                    if (peer != null && made.state == ConnectionState.OPEN && made.finished == null) {
                        run.log("peer " + made.number + " sends a message");
                        peer.write(ByteBuffer.wrap(MessageContent.ascii("hi\n")));
                        network.settle();
                        if (made.paused) {
                            run.same(Rule.CALLBACKS, "what connection " + made.number + " receives while it is paused",
                                    made.received, "");
                            made.connection().resumeReading();
                            made.paused = false;
                            network.settle();
                        }
                        run.expect(Rule.DELIVERY, made.received.endsWith("hi"), "connection " + made.number + " received "
                                + made.received);
                        made.received = "";
                    }
                }
                case 3 -> {
                    if (run.random.chance(50)) {
                        finish(made);
                    }
                }
                case 4 -> {
                    if (made.state != ConnectionState.CLOSED && run.random.chance(50)) {
                        run.log("connection " + made.number + " is closed");
                        made.connection().close();
                        made.ends(CloseReason.CLOSED);
                    }
                }
                case 5 -> {
                    if (drainNanos == NEVER && run.random.chance(40)) {
                        drain();
                    }
                }
                default -> pass();
            }
        }

        private void pass() {
            long next = drainNanos;
            for (OutgoingConnection each : all) {
                next = each.state == ConnectionState.CONNECTING ? Math.min(next, each.deadlineNanos) : next;
            }
            long by = next == NEVER || run.random.chance(30) ? run.random.logUniform(1, 100 * MILLI)
                    : Math.max(0, next - network.now() - run.random.number(0, 0, 1));
            run.log(ReportText.duration(by) + " pass");
            network.pass(by);
        }

        // ---- what must follow

        private void follow() throws IOException {
            for (TcpStream stream = listener.accept(); stream != null; stream = listener.accept()) {
                attribute(stream);
            }
            for (OutgoingConnection each : all) {
                if (each.state == ConnectionState.CONNECTING) {
                    followConnecting(each);
                }
                each.settled();
                if (each.finished != null && each.state == ConnectionState.OPEN) {
                    each.state = ConnectionState.LINGERING; // its output has ended
                }
                if (each.state != ConnectionState.CLOSED && drainNanos <= network.now()) {
                    each.ends(CloseReason.SERVER_CLOSED);
                }
            }
            network.settle();
        }

        private void followConnecting(OutgoingConnection made) {
            switch (made.target) {
                case ANSWERS -> made.state = ConnectionState.OPEN;
                case REFUSES -> made.ends(CloseReason.CONNECT_FAILED);
                case SILENT -> {
                    if (made.deadlineNanos <= network.now()) {
                        made.ends(CloseReason.CONNECT_TIMEOUT);
                    }
                }
            }
        }

        /** Finds out which connection a peer belongs to. */
        private void attribute(TcpStream stream) throws IOException {
            for (OutgoingConnection each : all) {
                if (each.peer == null && each.target == OutgoingConnection.Target.ANSWERS && each.opens > 0
                        && portOf(each) == stream.remoteAddress().getPort()) {
                    each.peer = stream;
                    run.expect(Rule.ENDS, each.localPort == 0 || each.localPort == stream.remoteAddress().getPort(),
                            "connection " + each.number + " was made from port " + stream.remoteAddress().getPort()
                                    + " instead of " + each.localPort);
                    return;
                }
            }
            stream.close(); // its connection was closed meanwhile
        }

        private static int portOf(OutgoingConnection made) {
            InetSocketAddress local = made.connection().localAddress();
            return local == null ? -1 : local.getPort();
        }

        /** Checks what the calls say before the loops have turned. */
        private void checkCalls() {
            run.same(Rule.GAUGES, "connections in the statistics", (long) server.stats().total().connections(), countOpen());
        }

        private long countOpen() {
            return all.stream().filter(each -> each.reason == null).count();
        }

        private void check() throws IOException {
            for (OutgoingConnection each : all) {
                String of = " of connection " + each.number + ", whose peer " + each.target;
                run.same(Rule.ENDS, "the end" + of, String.valueOf(each.reason), String.valueOf(each.end));
                run.same(Rule.CALLBACKS, "the state" + of, each.connection().state(), each.state);
                run.same(Rule.CALLBACKS, "calls of onClose" + of, each.closes, each.end == null ? 0 : 1);
                run.same(Rule.GAUGES, "messages in the queue" + of, each.connection().queue().messages(),
                        each.state == ConnectionState.CLOSED ? 0 : each.queue.queue.size());
                run.same(Rule.GAUGES, "bytes in the queue" + of, (long) each.connection().queue().bytes(),
                        each.state == ConnectionState.CLOSED ? 0 : each.queue.bytes());
                each.checkCallbacks(run);
                checkFailure(each, of);
                if (each.opens > 0) {
                    run.same(Rule.CALLBACKS, "the attachment in onOpen" + of, String.valueOf(each.attachmentSeen),
                            String.valueOf(each.hasAttachment ? each.attachment : null));
                    run.same(Rule.CALLBACKS, "calls of onOpen" + of, each.opens, 1);
                }
                if (each.state == ConnectionState.OPEN) {
                    run.same(Rule.CALLBACKS, "calls of onOpen" + of, each.opens, 1);
                    checkPeer(each, of);
                }
            }
            run.same(Rule.GAUGES, "dropped messages in the statistics", server.stats().total().dropped(),
                    all.stream().mapToLong(each -> each.queue.droppedMessages).sum());
            checkSnapshots();
        }

        private void checkFailure(OutgoingConnection made, String of) {
            CloseReason end = made.end;
            boolean isFailed = end == CloseReason.CONNECT_FAILED || end == CloseReason.CONNECT_TIMEOUT;
            IOException failure = made.connection().failure();
            String address = run.clients.address().getHostAddress();
            run.same(Rule.ENDS, "whether failure() is set" + of, failure != null, isFailed);
            if (failure != null && isFailed) {
                String code = end == CloseReason.CONNECT_FAILED ? "ECONNREFUSED" : "ETIMEDOUT";
                String message = String.valueOf(failure.getMessage());
                run.expect(Rule.ENDS, message.contains(code) && message.contains(address), "the failure" + of + ": " + message);
            }
        }

        private void checkPeer(OutgoingConnection made, String of) throws IOException {
            TcpStream peer = made.peer;
            if (peer == null) {
                run.fail(Rule.ENDS, "no peer has accepted the connection" + of);
                return;
            }
            run.same(Rule.GAUGES, "the remote address" + of, made.connection().remoteAddress(),
                    new InetSocketAddress(run.clients.address(), PORT));
            ByteBuffer bytes = ByteBuffer.allocate(1 << 14);
            peer.read(bytes);
            String text = new String(made.header, StandardCharsets.ISO_8859_1) + made.expected;
            made.header = new byte[0];
            made.expected = "";
            run.same(Rule.ORDER, "what the peer has received" + of,
                    StandardCharsets.ISO_8859_1.decode(bytes.flip()).toString(), text);
        }

        private void checkSnapshots() {
            List<ConnectionSnapshot> snapshots = server.connections();
            for (OutgoingConnection each : all) {
                if (each.state == ConnectionState.CLOSED || each.connection().id() < 0) {
                    continue;
                }
                for (ConnectionSnapshot snapshot : snapshots) {
                    if (snapshot.id() == each.connection().id()) {
                        checkSnapshot(each, snapshot);
                    }
                }
            }
            run.same(Rule.GAUGES, "connections in the statistics, after the turns", (long) server.stats().total().connections(),
                    countOpen());
        }

        private void checkSnapshot(OutgoingConnection made, ConnectionSnapshot snapshot) {
            String of = " of connection " + made.number;
            run.same(Rule.GAUGES, "the loop in the snapshot" + of, snapshot.loop(), made.loop);
            run.same(Rule.GAUGES, "the state in the snapshot" + of, snapshot.state(), made.state);
            run.same(Rule.GAUGES, "the maximum of its queue" + of, snapshot.queueBytesMax(),
                    (long) made.queue.limits.queueBytesMax());
            run.same(Rule.GAUGES, "messages in the snapshot" + of, snapshot.queueMessages(), made.queue.queue.size());
            run.same(Rule.GAUGES, "the reason in the snapshot" + of, String.valueOf(snapshot.closeReason()),
                    String.valueOf(made.finished));
            ReadState read = switch (made.state) {
                case CONNECTING -> made.byName ? ReadState.CONNECTING_BY_NAME : ReadState.CONNECTING;
                case OPEN -> made.paused ? ReadState.PAUSED_BY_APPLICATION : ReadState.READING;
                default -> ReadState.READING_TO_END;
            };
            run.same(Rule.GAUGES, "what is read" + of, snapshot.readState(), read);
        }
    }
}
