package io.trivet.scenarios;

import io.trivet.net.NetworkException;
import io.trivet.net.TcpListener;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.observe.ListenerSnapshot;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.Protocol;
import io.trivet.server.Server;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimNetwork;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;

/**
 * More of the methods of a server and its builder: listeners that were opened elsewhere, a server without listeners, what a builder
 * sets if nothing is set, messages that do not fit into a frame, handlers of outgoing connections, and calls during a drain.
 */
final class ServerCallsCheck {
    private static final int PEER_PORT = 9_400;
    private static final Limits DEFAULTS = new Limits(Integer.MAX_VALUE, 0, 1 << 20, 64 << 10, 32 << 10,
            Limits.defaults().queueBudgetBytes(), 64 << 10, Duration.ofSeconds(10), Duration.ZERO, Duration.ZERO, Duration.ZERO,
            Duration.ofSeconds(10), Duration.ofSeconds(10), Duration.ofSeconds(5), 1 << 20, Duration.ofMillis(100));

    private final TrialRun run;
    private final SeededRandom random;
    private final TrialNetwork network;

    ServerCallsCheck(TrialRun run) {
        this.run = run;
        random = run.random;
        network = run.anyNetwork();
        run.sim.buffers(1 << 16, 1 << 16);
        run.forgetHandler();
    }

    void perform() throws IOException {
        switch (random.below(6)) {
            case 0 -> passedListeners();
            case 1 -> withoutListeners();
            case 2 -> defaults();
            case 3 -> broadcasts();
            case 4 -> outgoingHandlers();
            default -> draining();
        }
    }

    private InetSocketAddress address(int number) {
        return new InetSocketAddress(run.address.getAddress(), run.address.getPort() + number);
    }

    private TrialClient client(InetSocketAddress to) throws IOException {
        TrialClient client = TrialClient.connect(run, to);
        network.settle();
        return client;
    }

    // ---- listeners

    /** The server accepts from listeners that were opened before, also clients that wait there. Its own limit applies to all. */
    private void passedListeners() throws IOException {
        TrialHandler own = new TrialHandler();
        TrialHandler passed = new TrialHandler();
        int most = random.between(2, 5);
        TcpListener listener = network.host().listen(address(1), 16);
        TcpListener plain = network.host().listen(address(2), 16);
        try (TcpListener foreign = SimNetwork.of(1, FaultPlan.none()).host(InetAddress.ofLiteral("10.0.9.1"))
                .listen(new InetSocketAddress(InetAddress.ofLiteral("10.0.9.1"), 80), 1)) {
            run.refused("a listener of another network", IllegalArgumentException.class,
                    () -> Server.builder().network(network).listen(foreign).handler(own).open());
        }
        TrialClient waits = TrialClient.connect(run, address(1));
        Duration idle = random.chance(50) ? Duration.ZERO : Duration.ofHours(1);
        Protocol protocol = Protocol.of(Framing.lines(), passed)
                .withLimits(Trial.LIMITS.withConnectionsMax(1).withConnectionsPerAddressMax(1).withIdleTimeout(idle));
        Server server = Server.builder().network(network).listen(listener, protocol).listen(plain).listen(run.address)
                .handler(own).framing(Framing.delimited((byte) ';')).limits(Trial.LIMITS.withConnectionsMax(most))
                .loops(random.number(1, 2)).open();
        run.same(Rule.CALLBACKS, "addresses", server.addresses(), List.of(run.address, address(1), address(2)));
        run.same(Rule.CALLBACKS, "the first address", server.address(), run.address);
        network.settle();
        run.same(Rule.CALLBACKS, "clients that waited at a listener that was opened elsewhere", passed.all.size(), 1);
        int expectedOwn = 0;
        for (int i = 1; i < most; i++) {
            checkListeners(server, ListenerSnapshot.State.ACCEPTING);
            int at = random.below(3);
            client(address(at));
            expectedOwn += at == 1 ? 0 : 1;
        }
        run.same(Rule.CALLBACKS, "connections of the server's handler", own.all.size(), expectedOwn);
        run.same(Rule.CALLBACKS, "connections of the listener's handler", passed.all.size(), most - expectedOwn);
        checkListeners(server, ListenerSnapshot.State.AT_LIMIT);
        TrialClient further = client(address(random.below(3)));
        run.same(Rule.CAPS, "connections at the limit", server.stats().total().connections(), most);
        Connection first = passed.all.getFirst().connection;
        Object[] keepsAlive = new Object[1];
        first.execute(() -> {
            try {
                keepsAlive[0] = List.of(first.getOption(StandardSocketOptions.SO_KEEPALIVE),
                        first.getOption(StandardSocketOptions.TCP_NODELAY));
            } catch (IOException e) {
                keepsAlive[0] = e;
            }
        });
        waits.write("a;b\n");
        network.settle();
        run.same(Rule.CALLBACKS, "keep-alive and no delay", keepsAlive[0], List.of(!idle.isZero(), true));
        run.same(Rule.DELIVERY, "a message to the listener's handler", passed.all.getFirst().messages, List.of("a;b"));
        waits.close();
        network.settle();
        run.same(Rule.CAPS, "connections that have been opened", own.all.size() + passed.all.size(), most + 1);
        further.close();
        network.settle();
        checkListeners(server, ListenerSnapshot.State.ACCEPTING);
        run.close(network, server);
    }

    private void checkListeners(Server server, ListenerSnapshot.State state) {
        List<ListenerSnapshot> right = server.addresses().stream().map(each -> new ListenerSnapshot(each, state)).toList();
        run.same(Rule.GAUGES, "the listeners", server.listeners(), right);
    }

    private void withoutListeners() throws IOException {
        Server server = Server.builder().network(network).loops(random.number(1, 3)).open();
        run.refused("the address of a server that listens nowhere", IllegalStateException.class, server::address);
        run.same(Rule.CALLBACKS, "its addresses and listeners", List.of(server.addresses(), server.listeners()),
                List.of(List.of(), List.of()));
        TrialHandler handler = new TrialHandler();
        try (TcpListener peer = run.clients.listen(new InetSocketAddress(run.clients.address(), PEER_PORT), 4)) {
            server.connect(peer.localAddress(), handler);
            network.settle();
            run.same(Rule.CALLBACKS, "connections that it has made", handler.all.size(), 1);
            handler.all.getFirst().connection.send("x");
            network.settle();
            TrialClient accepted = TrialClient.of(run, Objects.requireNonNull(peer.accept()));
            accepted.readAll();
            run.same(Rule.BYTES, "what its peer has received", accepted.text(), "x");
            long id = handler.all.getFirst().connection.id();
            run.expect(Rule.GAUGES, server.connection(id) == handler.all.getFirst().connection, "it is not found by its id");
            for (long wrong : new long[]{id + 1, id ^ 1L << 40, -1, Long.MAX_VALUE, id | 0x7f00_0000L}) {
                run.expect(Rule.GAUGES, wrong == id || server.connection(wrong) == null, "a connection has the id " + wrong);
            }
            checkEnded(server);
            accepted.close();
            run.close(network, server);
        }
        run.refused("a server that listens twice at an address", NetworkException.class, () -> {
            try {
                Server.builder().network(network).listen(address(1)).listen(address(1)).handler(handler).open();
            } catch (NetworkException e) {
                run.expect(Rule.CALLBACKS, String.valueOf(e.getMessage()).contains("this server itself already listens at"),
                        "the message is " + e.getMessage());
                throw e;
            }
        });
        run.same(Rule.LEAKS, "descriptors of a server that cannot listen", network.host().openDescriptors(), 0);
    }

    /** An opened server has no threads to wait for. */
    private void checkEnded(Server server) {
        try {
            server.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        run.same(Rule.CALLBACKS, "the failure of an opened server", String.valueOf(server.failure()), "null");
    }

    // ---- settings that were left out

    private void defaults() throws IOException {
        run.same(Rule.CALLBACKS, "the default limits", Limits.defaults(), DEFAULTS);
        TrialHandler handler = new TrialHandler();
        Server server = Server.builder().network(network).listen(run.address).handler(handler).open();
        run.same(Rule.CALLBACKS, "the limits of a builder that sets none", server.limits(), DEFAULTS);
        run.same(Rule.CALLBACKS, "the policy of a builder that sets none", server.overflow(), Overflow.PAUSE_READING);
        run.same(Rule.CALLBACKS, "its loops", server.stats().loops().size(), 1);
        TrialClient client = client(run.address);
        client.write("a\nb");
        network.settle();
        client.sendUrgent(7);
        network.settle();
        run.same(Rule.DELIVERY, "messages without a framing", handler.all.getFirst().messages, List.of("a\nb"));
        run.same(Rule.DELIVERY, "urgent bytes that are not watched for", handler.all.getFirst().urgents, 0);
        // Any number of seconds is allowed, and the longest ones are as good as no timeout.
        Duration endless = Duration.ofSeconds(Long.MAX_VALUE);
        handler.all.getFirst().connection.limits(DEFAULTS.withIdleTimeout(endless).withReadIdleTimeout(endless)
                .withMessageTimeout(endless).withWriteTimeout(endless).withLingerTimeout(endless));
        network.settle();
        network.pass(Duration.ofDays(10_000).toNanos());
        network.settle();
        client.write("c");
        network.settle();
        run.same(Rule.DEADLINES, "the end of a connection with timeouts that never pass", handler.all.getFirst().end(), "open");
        client.write("d");
        network.settle();
        run.same(Rule.DELIVERY, "all messages", handler.all.getFirst().messages, List.of("a\nb", "c", "d"));
        run.close(network, server);
    }

    // ---- messages

    /** A broadcast that does not fit into the frame of any listener is refused, and sent to no connection. */
    private void broadcasts() throws IOException {
        TrialHandler lines = new TrialHandler();
        TrialHandler prefixed = new TrialHandler();
        TrialHandler made = new TrialHandler();
        boolean hasShort = random.chance(50);
        Protocol second = Protocol.of(hasShort ? Framing.lengthPrefixed(1) : Framing.lengthPrefixed(2), prefixed);
        Server server = Server.builder().network(network).listen(run.address).handler(lines).framing(Framing.lines())
                .listen(address(1), second).limits(Trial.LIMITS).loops(random.number(1, 2)).open();
        TrialClient one = client(run.address);
        TrialClient two = client(address(1));
        try (TcpListener listener = run.clients.listen(new InetSocketAddress(run.clients.address(), PEER_PORT), 4)) {
            server.connect(listener.localAddress(), Protocol.of(Framing.lengthPrefixed(1), made), null);
            network.settle();
            TrialClient peer = TrialClient.of(run, Objects.requireNonNull(listener.accept()));
            int size = random.number(255, 256, random.between(1, 400));
            byte[] content = new byte[size];
            Arrays.fill(content, (byte) 'q');
            ByteBuffer message = ByteBuffer.wrap(content);
            List<Connection> all = List.of(lines.all.getFirst().connection, prefixed.all.getFirst().connection,
                    made.all.getFirst().connection);
            boolean isToAll = random.chance(50);
            TrialRun.Call call = () -> {
                if (isToAll) {
                    server.broadcast(message);
                } else {
                    server.broadcast(message, all);
                }
            };
            boolean isRefused = hasShort && size > 255;
            if (isRefused) {
                run.refused("a broadcast that does not fit into a frame", IllegalArgumentException.class, call);
            } else {
                call.run();
            }
            network.settle();
            run.same(Rule.CALLBACKS, "bytes left in the buffer of the broadcast", message.remaining(), isRefused ? size : 0);
            one.readAll();
            two.readAll();
            peer.readAll();
            run.same(Rule.BYTES, "bytes in lines", one.count(), isRefused ? 0 : size + 1);
            run.same(Rule.BYTES, "bytes in frames of a listener", two.count(), isRefused ? 0 : size + (hasShort ? 1 : 2));
            run.same(Rule.BYTES, "bytes to the peer", peer.count(), isRefused || size > 255 ? 0 : size + 1);
            boolean isBroken = !isRefused && size > 255;
            if (isBroken) {
                peer.close();
                network.settle();
            }
            run.same(Rule.ENDS, "the connection whose own frame cannot hold the broadcast", made.all.getFirst().end(),
                    isBroken ? CloseReason.PROTOCOL_ERROR.name() : "open");
            run.same(Rule.ENDS, "the others", lines.all.getFirst().end() + prefixed.all.getFirst().end(), "openopen");
            run.same(Rule.GAUGES, "messages out", server.stats().total().messagesOut(),
                    isRefused ? 0L : size > 255 ? 2L : 3L);
            peer.close();
            run.close(network, server);
        }
    }

    // ---- connections that the server makes

    /** A protocol makes a handler for each connection. If it fails, only that connection is closed. */
    private void outgoingHandlers() throws IOException {
        Server server = Server.builder().network(network).limits(Trial.LIMITS).loops(random.number(1, 2)).open();
        FailingFactory factory = new FailingFactory(random, 3);
        Protocol protocol = Protocol.perConnection(Framing.lines(), factory);
        try (TcpListener listener = run.clients.listen(new InetSocketAddress(run.clients.address(), PEER_PORT), 8)) {
            for (int i = 0; i < 4; i++) {
                Connection connection = server.connect(listener.localAddress(), protocol, "attachment");
                run.same(Rule.CALLBACKS, "handlers that were made by connect", factory.calls, i + 1);
                run.expect(Rule.CALLBACKS, "attachment".equals(connection.attachment()), "the attachment is "
                        + connection.attachment());
                connection.attachment(null); // for the handler
                network.settle();
                run.expect(Rule.CALLBACKS, (connection.state() == ConnectionState.OPEN) != (i == factory.failingCall),
                        "connection " + i + " is " + connection.state());
            }
            network.pass(Trial.LIMITS.lingerTimeout().toNanos());
            network.settle();
            run.same(Rule.GAUGES, "connections that have ended", server.stats().closed().toString(), "{HANDLER_FAILED=1}");
            run.same(Rule.CALLBACKS, "handlers", factory.made.size(), 3);
            for (TrialHandler each : factory.made) {
                run.same(Rule.CALLBACKS, "connections of a handler", each.all.size(), 1);
            }
            run.close(network, server);
        }
    }

    // ---- a drain

    /** What a server does while it drains; it does not wait for tasks that are scheduled. */
    private void draining() throws IOException {
        TrialHandler handler = new TrialHandler();
        Server server = run.builder(network, handler, Trial.LIMITS).framing(Framing.lines()).loops(random.number(1, 2)).open();
        TrialClient client = client(run.address);
        List<String> ran = new ArrayList<>();
        server.schedule(Duration.ofSeconds(5), () -> ran.add("late"));
        server.schedule(Duration.ofSeconds(-1), () -> ran.add("negative"));
        server.execute(() -> {
            ran.add("first");
            throw new IllegalStateException("drawn");
        });
        server.execute(() -> ran.add("second"));
        network.settle();
        run.expect(Rule.CALLBACKS, ran.size() == 3 && ran.contains("negative") && ran.indexOf("first") < ran.indexOf("second"),
                "the tasks that have run are " + ran);
        server.drain(Duration.ofSeconds(10));
        network.settle();
        run.same(Rule.ENDS, "a server with a connection is closed", server.isClosed(), false);
        checkListeners(server, ListenerSnapshot.State.CLOSED);
        run.refused("a connect of a server that drains", RejectedExecutionException.class,
                () -> server.connect(run.address, handler));
        run.refused("a connect of a server that drains", RejectedExecutionException.class,
                () -> server.connect(run.address, Protocol.of(Framing.lines(), handler), null));
        Connection connection = handler.all.getFirst().connection;
        run.refused("a connect of a connection whose server drains", RejectedExecutionException.class,
                () -> connection.connect(run.address, Protocol.of(Framing.lines(), handler), null));
        server.broadcast(ByteBuffer.wrap(MessageContent.ascii("to none")));
        client.write("a line\n");
        network.settle();
        client.readAll();
        run.same(Rule.DELIVERY, "bytes to, and messages from a client of a server that drains",
                client.count() + handler.all.getFirst().messages.size(), 0);
        boolean endsBefore = random.chance(50);
        network.pass(endsBefore ? Duration.ofSeconds(1).toNanos() : Duration.ofSeconds(4).toNanos());
        network.settle();
        client.endOutput();
        network.settle();
        run.same(Rule.ENDS, "the end of the connection", handler.all.getFirst().end(), CloseReason.DRAINED.name());
        for (int i = 0; i < 8 && !server.isClosed(); i++) {
            network.settle();
        }
        run.same(Rule.ENDS, "the server has drained", server.isClosed(), true);
        network.pass(Duration.ofSeconds(20).toNanos());
        network.settle();
        run.same(Rule.CALLBACKS, "tasks that have run", ran.size(), 3);
        run.close(network, server);
    }
}
