package io.trivet.scenarios;

import io.trivet.net.Cidr;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.server.Framing;
import io.trivet.server.Protocol;
import io.trivet.server.ProxyHeader;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Headers of the PROXY protocol. Received: of every kind, right or wrong in one place, at their longest, and cut anywhere. Sent: before
 * anything else, byte for byte, also if the socket has room for a few bytes only; the connection opens behind the header.
 */
final class ProxyHeaderTrial implements Trial {
    private static final int PORT = 7_100;
    private static final int ROUNDS_MAX = 400;

    @Override
    public void run(TrialRun run) throws IOException {
        if (run.random.chance(65)) {
            receive(run);
        } else {
            send(run);
        }
    }

    // ---- received

    private static void receive(TrialRun run) throws IOException {
        TrialNetwork network = run.anyNetwork();
        run.sim.buffers(1 << 16, 1 << 16);
        TrialHandler handler = new TrialHandler();
        Server server = run.builder(network, handler, LIMITS).framing(Framing.lines())
                .proxyProtocol(Cidr.of(run.clients.address(), 32)).open();
        int clients = run.random.between(2, 12);
        for (int i = 0; i < clients && !run.hasFailed(); i++) {
            receive(run, network, handler, i);
        }
        network.settle();
        run.same(Rule.GAUGES, "connections in the end", server.stats().total().connections(), 0);
        run.close(network, server);
    }

    private static void receive(TrialRun run, TrialNetwork network, TrialHandler handler, int number) throws IOException {
        SeededRandom random = run.random;
        RandomProxyHeader header = RandomProxyHeader.draw(random);
        String what = "a header of " + header.bytes().length + " bytes, "
                + (header.isValid() ? "from " + header.source() : "which is wrong") + ": " + shown(header.bytes());
        run.log(what);
        TrialClient client = TrialClient.connect(run, run.address);
        network.settle();
        byte[] bytes = RandomProxyHeader.concat(header.bytes(), MessageContent.ascii("line " + number + "\n"));
        boolean whole = random.chance(30);
        for (int at = 0; at < bytes.length;) {
            int left = bytes.length - at;
            int length = whole ? left : at == 0 && random.chance(30) ? Math.min(left, header.decidedAt())
                    : (int) random.logUniform(1, Math.min(left, header.bytes().length > 200 ? left : 60));
            client.write(Arrays.copyOfRange(bytes, at, at + length));
            at += length;
            network.settle();
            if (!header.isValid() && at >= header.decidedAt()) {
                run.same(Rule.ENDS, "connections with callbacks after " + at + " bytes of " + what, handler.all.size(),
                        number + 1);
            }
        }
        run.same(Rule.CALLBACKS, "connections with callbacks", handler.all.size(), number + 1);
        if (run.hasFailed()) {
            return;
        }
        TrialHandler.Seen seen = handler.all.getLast();
        run.same(Rule.CALLBACKS, "onOpen was called, after " + what, seen.opens, header.isValid() ? 1 : 0);
        run.same(Rule.ENDS, "the end, after " + what, seen.end(), header.isValid() ? "open" : "PROTOCOL_ERROR");
        if (header.isValid()) {
            InetSocketAddress source = header.source();
            run.same(Rule.GAUGES, "the address, after " + what, seen.connection.remoteAddress(),
                    source == null ? client.address() : source);
            run.same(Rule.DELIVERY, "the messages, after " + what, seen.messages, List.of("line " + number));
        } else {
            run.expect(Rule.ENDS, seen.connection.failure() instanceof ProtocolException,
                    "the failure is " + seen.connection.failure() + ", after " + what);
        }
        client.close();
        network.settle();
    }

    private static String shown(byte[] bytes) {
        return MessageContent.latin(bytes, 0, Math.min(bytes.length, 120)).replace("\r", "\\r").replace("\n", "\\n");
    }

    // ---- sent

    private static void send(TrialRun run) throws IOException {
        SeededRandom random = run.random;
        int roomOfSender = random.number(5, 11, 40, 1_000);
        int roomOfPeer = random.number(5, 13, 1_000);
        run.sim.buffers(roomOfSender, roomOfPeer);
        InetSocketAddress source = address(random);
        InetSocketAddress destination = address(random);
        int kind = random.below(5);
        ProxyHeader header = kind < 2 ? ProxyHeader.v1(source, destination) : kind < 4 ? ProxyHeader.v2(source, destination)
                : ProxyHeader.local();
        byte[] right = kind < 2 ? line(source, destination) : binary(kind < 4 ? source : null, destination);
        run.log("sends " + header + ", room for " + roomOfSender + " and " + roomOfPeer + " bytes");
        InetSocketAddress to = new InetSocketAddress(run.clients.address(), PORT);
        TcpListener listener = run.clients.listen(to, 4);
        TrialNetwork network = run.anyNetwork();
        TrialHandler handler = new TrialHandler();
        Server server = run.builder(network, handler, LIMITS).open();
        network.settle();
        Protocol protocol = Protocol.of(Framing.lines(), handler).withLimits(LIMITS).withProxyHeader(header);
        TrialHandler.Seen seen = handler.seen(server.connect(to, protocol, null));
        StringBuilder text = new StringBuilder();
        if (random.chance(50)) {
            seen.connection.send("early");
            text.append("early\n");
        }
        network.settle();
        TcpStream peer = listener.accept();
        if (peer == null) {
            run.fail(Rule.LIVENESS, "nothing connects");
            return;
        }
        ByteBuffer received = ByteBuffer.allocate(300);
        boolean hasSent = false;
        int quiet = 0;
        for (int i = 0; i < ROUNDS_MAX && quiet < 3 && !run.hasFailed(); i++) {
            received.limit(Math.min(received.capacity(), received.position() + random.between(1, 30)));
            int bytes = peer.read(received);
            quiet = bytes > 0 ? 0 : quiet + 1;
            network.settle();
            boolean mayBeOpen = received.position() + roomOfSender + roomOfPeer >= right.length;
            run.expect(Rule.CALLBACKS, seen.opens == 0 || mayBeOpen, "onOpen is called before the header was sent");
            if (seen.opens > 0 && !hasSent) {
                hasSent = true;
                seen.connection.send("late");
                text.append("late\n");
            }
        }
        run.same(Rule.CALLBACKS, "onOpen was called behind the header " + header, seen.opens, 1);
        byte[] all = RandomProxyHeader.concat(right, MessageContent.ascii(text.toString()));
        run.expect(Rule.BYTES, Arrays.equals(all, Arrays.copyOf(received.array(), received.position())),
                "instead of " + header + " and " + text.length() + " bytes the peer receives "
                        + shown(Arrays.copyOf(received.array(), received.position())));
        peer.write(ByteBuffer.wrap(MessageContent.ascii("m\n")));
        network.settle();
        run.same(Rule.DELIVERY, "the messages from the peer", seen.messages, List.of("m"));
        run.same(Rule.GAUGES, "its address", seen.connection.remoteAddress(), to);
        peer.close();
        network.settle();
        run.same(Rule.ENDS, "the connection is", seen.end(), "PEER_FINISHED");
        listener.close();
        run.close(network, server);
    }

    private static InetSocketAddress address(SeededRandom random) {
        InetAddress ip = InetAddress.ofLiteral(random.pick("192.0.2.1", "10.1.2.255", "2001:db8::1", "fe80:1::ffff"));
        return new InetSocketAddress(ip, random.number(0, 1, 255, 256, 65_535));
    }

    private static boolean isFour(InetSocketAddress address) {
        return address.getAddress() instanceof Inet4Address;
    }

    private static byte[] line(InetSocketAddress source, InetSocketAddress destination) {
        boolean four = isFour(source) && isFour(destination);
        return MessageContent
                .ascii("PROXY " + (four ? "TCP4 " : "TCP6 ") + text(source, four) + " " + text(destination, four) + " "
                        + source.getPort() + " " + destination.getPort() + "\r\n");
    }

    private static String text(InetSocketAddress address, boolean four) {
        return (!four && isFour(address) ? "::ffff:" : "") + address.getAddress().getHostAddress();
    }

    private static byte[] binary(@Nullable InetSocketAddress source, InetSocketAddress destination) {
        ByteBuffer bytes = ByteBuffer.allocate(60).put(RandomProxyHeader.SIGNATURE);
        if (source == null) {
            bytes.put((byte) 0x20).put((byte) 0).putShort((short) 0);
        } else {
            boolean four = isFour(source) && isFour(destination);
            bytes.put((byte) 0x21).put((byte) (four ? 0x11 : 0x21)).putShort((short) (four ? 12 : 36));
            for (InetSocketAddress each : List.of(source, destination)) {
                if (!four && isFour(each)) {
                    bytes.put(new byte[10]).put((byte) 0xff).put((byte) 0xff);
                }
                bytes.put(each.getAddress().getAddress());
            }
            bytes.putShort((short) source.getPort()).putShort((short) destination.getPort());
        }
        return Arrays.copyOf(bytes.array(), bytes.position());
    }
}
