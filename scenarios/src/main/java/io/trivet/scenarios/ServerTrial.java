package io.trivet.scenarios;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import io.trivet.net.TcpOptions;
import io.trivet.net.TcpStream;
import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Overflow;
import io.trivet.server.Server;
import io.trivet.server.ServerBuilder;
import io.trivet.sim.SimEngine;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * The methods of a server and of its builder: what they refuse, the handlers that a factory makes, the options of accepted sockets,
 * broadcasts to some connections, a server that is closed by a handler, and loops that are turned by their caller.
 */
final class ServerTrial implements Trial {
    @Override
    public void run(TrialRun run) throws IOException {
        new LimitsCheck(run).perform();
        switch (run.random.below(7)) {
            case 0 -> refusedSettings(run);
            case 1 -> factory(run);
            case 2 -> socketOptions(run);
            case 3 -> someReceivers(run);
            case 4 -> closedByHandler(run);
            case 5 -> turned(run);
            default -> backlog(run);
        }
        if (!run.hasFailed()) {
            new ServerCallsCheck(run).perform();
        }
    }

    // ---- what a builder refuses

    private static void refusedSettings(TrialRun run) throws IOException {
        TrialNetwork network = run.readinessNetwork();
        TrialHandler handler = new TrialHandler();
        run.refused("a server without loops", IllegalArgumentException.class, () -> Server.builder().loops(0));
        run.refused("a server with 128 loops", IllegalArgumentException.class, () -> Server.builder().loops(128));
        run.refused("a backlog of 0", IllegalArgumentException.class, () -> Server.builder().backlog(0));
        run.refused("a server without a handler", IllegalStateException.class,
                () -> Server.builder().network(network).listen(run.address).open());
        run.refused("dropping messages with raw framing", IllegalStateException.class,
                () -> run.builder(network, handler, LIMITS).overflow(Overflow.DROP_OLDEST).open());
        int port = run.random.number(0, run.address.getPort());
        InetSocketAddress first = new InetSocketAddress(run.address.getAddress(), port);
        if (port != 0) {
            run.refused("an address that occurs twice", NetworkException.class,
                    () -> run.builder(network, handler, LIMITS).listen(run.address).open());
            run.same(Rule.LEAKS, "descriptors of a server that cannot listen", network.host().openDescriptors(), 0);
        }
        TrialNetwork other = run.network(run.random.pick(SimEngine.EPOLL, SimEngine.POLL));
        Server server = Server.builder().network(other).listen(first)
                .listen(new InetSocketAddress(run.address.getAddress(), run.address.getPort() + 1)).handler(handler)
                .limits(LIMITS.withConnectionsMax(77)).overflow(Overflow.DISCONNECT).open();
        run.same(Rule.CALLBACKS, "the first address", server.address(), server.addresses().getFirst());
        run.same(Rule.CALLBACKS, "addresses", server.addresses().size(), 2);
        run.expect(Rule.CALLBACKS, server.address().getPort() == port || (port == 0 && server.address().getPort() > 0),
                "port " + port + " has become " + server.address().getPort());
        run.same(Rule.CALLBACKS, "its limits", server.limits(), LIMITS.withConnectionsMax(77));
        run.same(Rule.CALLBACKS, "its policy", server.overflow(), Overflow.DISCONNECT);
        run.expect(Rule.CALLBACKS, server.network() == other, "the network of the server is another one");
        run.refused("a negative timeout of a connect", IllegalArgumentException.class,
                () -> server.connect(run.address, handler, Duration.ofNanos(-1)));
        run.close(other, server);
    }

    // ---- handlers

    /** Each connection has the handler that the factory has made for it. A factory that fails ends one connection only. */
    private static void factory(TrialRun run) throws IOException {
        TrialNetwork network = run.anyNetwork();
        if (run.random.chance(20)) {
            factoryReplaced(run, network);
            return;
        }
        if (run.random.chance(40)) {
            new DecoderFactoryCheck(run, network).perform();
            return;
        }
        FailingFactory factory = new FailingFactory(run.random, 4);
        ServerBuilder builder = Server.builder().network(network).listen(run.address).framing(Framing.lines()).limits(LIMITS);
        TrialHandler replaced = new TrialHandler();
        try (Server server = builder.handler(replaced).handlers(factory).loops(run.random.number(1, 2)).open()) {
            for (int i = 0; i < 5; i++) {
                TrialClient client = TrialClient.connect(run, run.address);
                network.settle();
                client.write("line " + i + "\n");
                network.settle();
                client.readAll();
                if (i == factory.failingCall) {
                    run.same(Rule.ENDS, "the client without a handler has read", client.end(), "ended");
                    client.close();
                    network.settle();
                    run.same(Rule.GAUGES, "connections that have ended", server.stats().closed().toString(),
                            "{HANDLER_FAILED=1}");
                    continue;
                }
                run.same(Rule.CALLBACKS, "connections of handler " + i, factory.made.getLast().all.size(), 1);
                run.same(Rule.DELIVERY, "messages of handler " + i, factory.made.getLast().all.getFirst().messages,
                        List.of("line " + i));
            }
            run.same(Rule.CALLBACKS, "handlers that were made", factory.made.size(), 4);
            run.same(Rule.CALLBACKS, "connections of a handler that was replaced", replaced.all.size(), 0);
            run.same(Rule.GAUGES, "connections", server.stats().total().connections(), 4);
            run.close(network, server);
        }
    }

    private static void factoryReplaced(TrialRun run, TrialNetwork network) throws IOException {
        int[] calls = new int[1];
        TrialHandler handler = new TrialHandler();
        try (Server server = Server.builder().network(network).listen(run.address).limits(LIMITS).handlers(() -> {
            calls[0]++;
            return new TrialHandler();
        }).handler(handler).open()) {
            TrialClient.connect(run, run.address);
            network.settle();
            run.same(Rule.CALLBACKS, "connections of the handler that has replaced a factory", handler.all.size(), 1);
            run.same(Rule.CALLBACKS, "calls of the factory", calls[0], 0);
            run.close(network, server);
        }
    }

    /** Accepted sockets have no delay, and keep-alive in proportion to the idle timeout. */
    private static void socketOptions(TrialRun run) throws IOException {
        TrialNetwork network = run.anyNetwork();
        TrialHandler handler = new TrialHandler();
        Duration idle = run.random.chance(15) ? Duration.ZERO : Duration.ofMillis(run.random.logUniform(1, 200_000_000));
        run.log("an idle timeout of " + idle);
        try (Server server = run.builder(network, handler, LIMITS.withIdleTimeout(idle)).open()) {
            TrialClient.connect(run, run.address);
            network.settle();
            Connection connection = handler.all.getFirst().connection;
            List<Object> options = new ArrayList<>();
            connection.execute(() -> {
                try {
                    options.add(connection.getOption(StandardSocketOptions.TCP_NODELAY));
                    options.add(connection.getOption(StandardSocketOptions.SO_KEEPALIVE));
                    options.add(connection.getOption(TcpOptions.KEEP_ALIVE_IDLE_SECONDS));
                    options.add(connection.getOption(TcpOptions.KEEP_ALIVE_INTERVAL_SECONDS));
                    options.add(connection.getOption(TcpOptions.USER_TIMEOUT_MILLIS));
                } catch (IOException e) {
                    options.add(e);
                }
            });
            network.settle();
            long seconds = Math.clamp(idle.toSeconds() / 2, 1, 32_767);
            long interval = Math.max(1, seconds / 4);
            long user = Math.max(idle.toMillis(), 1_000 * (seconds + 4 * interval));
            run.same(Rule.CALLBACKS, "the options without delay and with keep-alive", options.subList(0, 2),
                    List.of(true, !idle.isZero()));
            if (!idle.isZero()) {
                run.same(Rule.CALLBACKS, "the times of keep-alive", options.subList(2, 5).toString(),
                        "[" + seconds + ", " + interval + ", " + user + "]");
            }
            run.close(network, server);
        }
    }

    // ---- broadcasts to some

    private static void someReceivers(TrialRun run) throws IOException {
        TrialNetwork network = run.readinessNetwork();
        run.sim.buffers(1 << 16, 1 << 16);
        TrialHandler handler = new TrialHandler();
        Server server = run.builder(network, handler, LIMITS).framing(Framing.lines()).loops(run.random.number(1, 2, 3)).open();
        List<TrialClient> clients = new ArrayList<>();
        int count = run.random.between(1, 7);
        for (int i = 0; i < count; i++) {
            clients.add(TrialClient.connect(run, run.address));
            network.settle();
        }
        if (run.random.chance(40)) {
            handler.all.getFirst().connection.close();
            network.settle();
        }
        StringBuilder[] expected = new StringBuilder[count];
        for (int i = 0; i < count; i++) {
            expected[i] = new StringBuilder();
        }
        for (int round = run.random.between(1, 4); round > 0; round--) {
            List<Connection> receivers = new ArrayList<>();
            String text = "round " + round;
            for (int k = run.random.between(0, 2 * count); k > 0; k--) {
                int chosen = run.random.below(count);
                receivers.add(handler.all.get(chosen).connection);
                expected[chosen].append(handler.all.get(chosen).isOpen() ? text + '\n' : "");
            }
            ByteBuffer message = ByteBuffer.wrap(MessageContent.ascii(text));
            server.broadcast(message, receivers);
            run.same(Rule.CALLBACKS, "bytes that a broadcast has left in its buffer", message.remaining(), 0);
            receivers.clear(); // it was copied
            network.settle();
        }
        for (int i = 0; i < count; i++) {
            clients.get(i).readAll();
            run.same(Rule.DELIVERY, "what client " + i + " has received", clients.get(i).text(), expected[i].toString());
        }
        run.same(Rule.GAUGES, "messages sent", server.stats().total().messagesOut(), Arrays.stream(expected)
                .mapToLong(each -> each.chars().filter(c -> c == '\n').count()).sum());
        run.close(network, server);
    }

    // ---- the end

    /** A handler closes its server: it ends with the turn, nothing more is delivered, and every handler is notified once. */
    private static void closedByHandler(TrialRun run) throws IOException {
        TrialNetwork network = run.readinessNetwork();
        int loops = run.random.number(1, 1, 2);
        Server[] self = new Server[1];
        boolean[] wasClosed = new boolean[1];
        TrialHandler handler = new TrialHandler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) throws Exception {
                super.onMessage(connection, message);
                if (message.get(0) == 'q') {
                    connection.send("last");
                    self[0].close();
                    self[0].close(); // does nothing more
                    wasClosed[0] = self[0].isClosed();
                    run.refused("a task of a server that its handler has closed", RejectedExecutionException.class,
                            () -> self[0].schedule(Duration.ZERO, () -> {}));
                }
            }
        };
        Server server = run.builder(network, handler, LIMITS).framing(Framing.lines()).loops(loops).open();
        self[0] = server;
        List<TrialClient> clients = new ArrayList<>();
        for (int i = run.random.between(1, 4); i > 0; i--) {
            clients.add(TrialClient.connect(run, run.address));
            network.settle();
        }
        int chosen = run.random.below(clients.size());
        run.log("the handler of connection " + chosen + " closes the server");
        clients.get(chosen).write("q\n");
        network.turn(handler.all.get(chosen).connection.loop());
        run.same(Rule.CALLBACKS, "the handler finds its server closed", wasClosed[0], true);
        for (TrialHandler.Seen each : handler.all) {
            if (each.connection.loop() == handler.all.get(chosen).connection.loop()) {
                run.same(Rule.ENDS, "connection " + each.number + ", after the turn", each.end(),
                        CloseReason.SERVER_CLOSED.name());
            }
        }
        network.settle();
        for (TrialHandler.Seen each : handler.all) {
            run.same(Rule.ENDS, "connection " + each.number, each.end(), CloseReason.SERVER_CLOSED.name());
            run.same(Rule.CALLBACKS, "calls of onClose", each.closes, 1);
        }
        run.close(network, server);
    }

    /** The caller turns the loop, if there is one: it waits for a time, and not within a handler. */
    private static void turned(TrialRun run) throws IOException {
        TrialNetwork network = run.anyNetwork();
        int loops = run.random.number(1, 1, 1, 2);
        Server[] self = new Server[1];
        List<@Nullable Exception> thrown = new ArrayList<>();
        TrialHandler handler = new TrialHandler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) throws Exception {
                super.onMessage(connection, message);
                try {
                    self[0].turn(Duration.ZERO);
                    thrown.add(null);
                } catch (IllegalStateException e) {
                    thrown.add(e);
                }
            }
        };
        Server server = run.builder(network, handler, LIMITS).loops(loops).open();
        self[0] = server;
        if (loops > 1) {
            run.refused("a turn of one of several loops", IllegalStateException.class, () -> server.turn(Duration.ZERO));
        } else {
            TrialClient client = TrialClient.connect(run, run.address);
            network.settle();
            run.same(Rule.CALLBACKS, "what a turn without anything to do has done", server.turn(Duration.ZERO), 0);
            client.write("x");
            network.settle();
            run.same(Rule.DELIVERY, "messages", handler.all.getFirst().messages, List.of("x"));
            run.expect(Rule.CALLBACKS, thrown.size() == 1 && thrown.getFirst() != null, "a handler can turn the loop");
            run.refused("a turn with a negative timeout", IllegalArgumentException.class,
                    () -> server.turn(Duration.ofNanos(-1)));
            server.drain(Duration.ofSeconds(1));
            client.endOutput();
            for (int i = 0; i < 8 && !server.isClosed(); i++) {
                network.settle();
            }
            run.same(Rule.ENDS, "the server has drained", server.isClosed(), true);
        }
        run.close(network, server);
        run.refused("a turn of a closed server", IllegalStateException.class, () -> server.turn(null));
    }

    /** As many clients as the backlog holds wait to be accepted, and one more, as on Linux. */
    private static void backlog(TrialRun run) throws IOException {
        TrialNetwork network = run.anyNetwork();
        TrialHandler handler = new TrialHandler();
        int backlog = run.random.between(1, 6);
        Server server = run.builder(network, handler, LIMITS).backlog(backlog).open();
        int connected = 0;
        List<TcpStream> clients = new ArrayList<>();
        for (int i = 0; i < backlog + 3; i++) {
            clients.add(run.clients.connect(run.address));
            try {
                connected += clients.getLast().finishConnect() ? 1 : 0;
            } catch (NetworkException e) {
                run.same(Rule.CAPS, "the failure of a client beyond the backlog", e.code(), ErrorCode.ETIMEDOUT);
            }
        }
        run.same(Rule.CAPS, "clients that wait at a backlog of " + backlog, connected, backlog + 1);
        network.settle();
        run.expect(Rule.CAPS, handler.all.size() >= connected, "only " + handler.all.size() + " of " + connected
                + " clients that waited are served");
        run.close(network, server);
    }
}
