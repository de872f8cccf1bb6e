package io.trivet.scenarios;

import io.trivet.net.Loop;
import io.trivet.server.Connection;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.Protocol;
import io.trivet.server.ProxyHeader;
import io.trivet.server.SendResult;
import io.trivet.server.Server;
import io.trivet.server.ServerBuilder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Listeners with protocols of their own, beside one with the settings of the server: each connection has the framing, the handler, the
 * limits, the policy and the urgent data of the listener that has accepted it. A broadcast reaches each in its own frame.
 */
final class ListenerTrial implements Trial {
    private static final long MILLI = 1_000_000;
    private static final ClientFraming[] FRAMINGS = {ClientFraming.LINES, ClientFraming.DELIMITED, ClientFraming.PREFIXED_2,
        ClientFraming.PREFIXED_4, ClientFraming.NETSTRINGS};

    /** What the connections of one listener must have. */
    private record Kind(TrialHandler handler, ClientFraming framing, Limits limits, Overflow overflow, boolean urgent) {
        /** Returns the same settings, with another handler and framing. */
        Kind like(TrialRun run, List<TrialHandler.Seen> closed) {
            return new Kind(new TrialHandler(closed), run.random.pick(FRAMINGS), limits, overflow, urgent);
        }
    }

    @Override
    public void run(TrialRun run) throws IOException {
        TrialNetwork network = run.readinessNetwork();
        run.sim.buffers(512, 512);
        List<Kind> kinds = new ArrayList<>();
        List<TrialHandler.Seen> closed = new ArrayList<>();
        int listeners = run.random.between(2, 4);
        for (int i = 0; i < listeners; i++) {
            kinds.add(i > 0 && run.random.chance(20) ? kinds.getFirst().like(run, closed) : kind(run, closed));
        }
        Kind own = kinds.getFirst();
        ServerBuilder builder = run.builder(network, own.handler, own.limits).framing(own.framing.toFraming())
                .overflow(own.overflow).urgent(own.urgent).loops(run.random.number(1, 1, 2));
        for (int i = 1; i < listeners; i++) {
            Kind kind = kinds.get(i);
            Protocol protocol = protocol(run, kind, own);
            builder.listen(new InetSocketAddress(run.address.getAddress(), run.address.getPort() + i), protocol);
        }
        try (Server server = builder.open()) {
            run.same(Rule.CALLBACKS, "addresses", server.addresses().size(), listeners);
            List<TrialClient> clients = new ArrayList<>();
            for (int i = 0; i < listeners; i++) {
                clients.add(TrialClient.connect(run, server.addresses().get(i)));
                network.settle();
                run.same(Rule.CALLBACKS, "connections of listener " + i, kinds.get(i).handler.all.size(), 1);
            }
            for (int i = 0; i < listeners && !run.hasFailed(); i++) {
                receive(run, network, kinds.get(i), clients.get(i));
            }
            if (!run.hasFailed()) {
                broadcast(run, network, server, kinds, clients);
            }
            for (int i = 0; i < listeners && !run.hasFailed(); i++) {
                overflow(run, network, kinds.get(i), clients.get(i));
            }
            run.close(network, server);
        }
    }

    /** Returns the protocol of a listener. Leaves out each setting that equals the server's. */
    private static Protocol protocol(TrialRun run, Kind kind, Kind server) {
        SeededRandom random = run.random;
        List<UnaryOperator<Protocol>> settings = new ArrayList<>();
        if (!kind.limits.equals(server.limits) || random.chance(50)) {
            settings.add(protocol -> protocol.withLimits(kind.limits));
        }
        if (kind.overflow != server.overflow || random.chance(50)) {
            settings.add(protocol -> protocol.withOverflow(kind.overflow));
        }
        if (kind.urgent != server.urgent || random.chance(50)) {
            settings.add(protocol -> protocol.withUrgent(kind.urgent));
        }
        if (random.chance(30)) { // accepted connections are not affected
            settings.add(protocol -> protocol.withLocalAddress(new InetSocketAddress(run.clients.address(), 7)));
        }
        if (random.chance(30)) {
            settings.add(protocol -> protocol.withProxyHeader(ProxyHeader.v1(run.address, run.address)));
        }
        return AnyOrder.of(random, Protocol.of(kind.framing.toFraming(), kind.handler), settings);
    }

    private static Kind kind(TrialRun run, List<TrialHandler.Seen> closed) {
        SeededRandom random = run.random;
        int cap = random.number(2_000, 3_000, 5_000);
        Limits limits = LIMITS.withQueueBytesMax(cap).withQueueMarks(cap, 0).withQueueBudgetBytes(64 << 20)
                .withMessageBytesMax(random.number(64, 200, 300))
                .withMessageTimeout(Duration.ofNanos(random.between(1, 100) * MILLI))
                .withWriteTimeout(Duration.ZERO);
        return new Kind(new TrialHandler(closed),
                random.pick(FRAMINGS),
                limits,
                random.pick(Overflow.DROP_OLDEST, Overflow.DISCONNECT),
                random.chance(50));
    }

    private static void receive(TrialRun run, TrialNetwork network, Kind kind, TrialClient client) throws IOException {
        TrialHandler.Seen seen = kind.handler.all.getFirst();
        int longest = kind.limits.messageBytesMax();
        String message = "a".repeat(longest);
        client.write(kind.framing.frame(MessageContent.ascii(message), false));
        network.settle();
        run.same(Rule.DELIVERY, "a message of the longest length, with " + kind.framing, seen.messages, List.of(message));
        client.sendUrgent(200);
        network.settle();
        run.same(Rule.DELIVERY, "urgent bytes", seen.urgents, kind.urgent ? 1 : 0);
        if (!run.random.chance(40) || kind.urgent) {
            return;
        }
        byte[] framed = kind.framing.frame(MessageContent.ascii("bcdef"), false);
        client.write(Arrays.copyOf(framed, framed.length - 1));
        network.settle();
        long timeout = kind.limits.messageTimeout().toNanos();
        run.log("a message of listener " + seen.connection.localAddress() + " is incomplete for its timeout of "
                + ReportText.duration(timeout));
        boolean deadline = false;
        for (int loop = 0; loop <= seen.connection.loop(); loop++) {
            deadline |= network.nextDeadline(loop) != Loop.NO_DEADLINE && network.nextDeadline(loop) - network.now() <= timeout;
        }
        run.expect(Rule.DEADLINES, deadline, "no loop waits for the message timeout of " + timeout + " ns");
        client.write(Arrays.copyOfRange(framed, framed.length - 1, framed.length));
        network.settle();
        run.same(Rule.DELIVERY, "the next message", seen.messages.getLast(), "bcdef");
    }

    private static void broadcast(TrialRun run, TrialNetwork network, Server server, List<Kind> kinds, List<TrialClient> clients)
            throws IOException {
        byte[] content = MessageContent.ascii("b0:" + "q".repeat(run.random.number(1, 100, 600)));
        run.log("the server broadcasts " + content.length + " bytes");
        server.broadcast(ByteBuffer.wrap(content));
        network.settle();
        for (int i = 0; i < kinds.size(); i++) {
            TrialClient client = clients.get(i);
            while (client.readAll() > 0) {
                network.settle();
            }
            run.same(Rule.BYTES, "the broadcast for listener " + i, client.text(),
                    new String(kinds.get(i).framing.frame(content, false), StandardCharsets.ISO_8859_1));
        }
        run.same(Rule.GAUGES, "bytes in the budget after a broadcast", server.stats().queueBytes(), 0L);
    }

    private static void overflow(TrialRun run, TrialNetwork network, Kind kind, TrialClient client) throws IOException {
        TrialHandler.Seen seen = kind.handler.all.getFirst();
        Connection connection = seen.connection;
        byte[] content = new byte[600];
        SendResult[] result = new SendResult[1];
        for (int i = 0; i < 20 && seen.isOpen() && seen.droppedMessages == 0; i++) {
            connection.execute(() -> result[0] = connection.send(content));
            network.settle();
        }
        run.log("the queue of a connection with the policy " + kind.overflow + " is full");
        run.same(Rule.ENDS, "the connection with a full queue is", seen.end(),
                kind.overflow == Overflow.DISCONNECT ? "QUEUE_FULL" : "open");
        run.same(Rule.CALLBACKS, "the last message", result[0],
                kind.overflow == Overflow.DISCONNECT ? SendResult.FULL : SendResult.QUEUED);
        client.close();
        network.settle();
    }
}
