package io.trivet.scenarios;

import io.trivet.net.Cidr;
import io.trivet.observe.CloseReason;
import io.trivet.server.AccessList;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Server;
import io.trivet.sim.SimHost;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Access lists of ranges of any length, trusted proxies with headers of every kind, cut anywhere, and a limit per address: which
 * clients are served under which address, which are refused and why, and which places are free afterwards.
 */
final class AdmissionTrial implements Trial {
    private static final int HOSTS = 3;
    private static final int CLIENTS_MAX = 25;
    private static final long HEADER_NANOS = 5_000_000_000L;
    private static final byte[] SIGNATURE = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
    /** Addresses that differ in few bits. */
    private static final List<InetAddress> CLAIMED = List.of(InetAddress.ofLiteral("192.0.2.4"),
            InetAddress.ofLiteral("192.0.2.5"), InetAddress.ofLiteral("192.0.2.68"), InetAddress.ofLiteral("64.0.2.4"),
            InetAddress.ofLiteral("2001:db8::4"), InetAddress.ofLiteral("2001:db8::5"), InetAddress.ofLiteral("2001:db8:0:1::4"),
            InetAddress.ofLiteral("2001:db8:0:0:8000::4"), InetAddress.ofLiteral("3001:db8::4"));

    /** What a client sends before its line. */
    private enum Header {
        /** Nothing: the client is no proxy. */
        DIRECT, LINE, BINARY, BINARY_WITH_EXTENSIONS, WRONG_CHECKSUM, LINE_WITHOUT_ADDRESS, BINARY_WITHOUT_ADDRESS, LOCAL, GARBAGE, INCOMPLETE
    }

    /** A range of addresses, and a model of it that compares bit by bit. */
    private static final class Range {
        private final byte[] address;
        private final int bits;

        private Range(byte[] address, int bits) {
            this.address = address;
            this.bits = bits;
        }

        static Range draw(SeededRandom random, InetAddress near) {
            byte[] address = near.getAddress();
            int most = 8 * address.length;
            int bits = random.chance(30) ? most : random.chance(20) ? 0 : random.between(0, most);
            return new Range(address, bits);
        }

        boolean contains(InetAddress other) {
            byte[] bytes = other.getAddress();
            boolean equal = bytes.length == address.length;
            for (int i = 0; equal && i < bits; i++) {
                int mask = 0x80 >> (i % 8);
                equal = (bytes[i / 8] & mask) == (address[i / 8] & mask);
            }
            return equal;
        }

        Cidr toCidr() throws IOException {
            return Cidr.of(InetAddress.getByAddress(address), bits);
        }
    }

    /** A client that is served. */
    private record Served(TrialClient client, TrialHandler.Seen seen, InetAddress counted) {}

    @Override
    public void run(TrialRun run) throws IOException {
        new Steps(run).perform();
    }

    private static final class Steps {
        final TrialRun run;
        final TrialNetwork network;
        final TrialHandler handler;
        final List<SimHost> hosts = new ArrayList<>();
        final List<Range> allowed = new ArrayList<>();
        final List<Range> denied = new ArrayList<>();
        final SimHost proxy;
        final int perAddressMax;
        final Server server;
        final List<Served> served = new ArrayList<>();
        private int refused;
        private int accepted;

        Steps(TrialRun run) throws IOException {
            this.run = run;
            network = run.anyNetwork();
            handler = new TrialHandler() {
                @Override
                public void onMessage(Connection connection, ByteBuffer message) throws Exception {
                    super.onMessage(connection, message);
                    connection.send(message);
                }
            };
            for (int i = 0; i < HOSTS; i++) {
                hosts.add(run.sim.host(InetAddress.ofLiteral("10.0.7." + (4 + i))));
            }
            proxy = run.sim.host(InetAddress.ofLiteral("10.0.9.1"));
            draw(allowed, run.random.number(0, 0, 1, 3));
            draw(denied, run.random.number(0, 1, 2));
            perAddressMax = run.random.number(0, 1, 2, 3);
            server = run.builder(network, handler, LIMITS.withConnectionsPerAddressMax(perAddressMax))
                    .access(AccessList.all().allow(cidrs(allowed)).deny(cidrs(denied)))
                    .proxyProtocol(Cidr.of("10.0.9.0/" + run.random.between(24, 31))).framing(Framing.lines())
                    .loops(run.random.number(1, 1, 2)).open();
            run.log("allowed " + Arrays.toString(cidrs(allowed)) + ", denied " + Arrays.toString(cidrs(denied)) + ", at most "
                    + perAddressMax + " per address");
        }

        private void draw(List<Range> ranges, int count) {
            for (int i = 0; i < count; i++) {
                InetAddress near = run.random.chance(40) ? CLAIMED.get(run.random.below(CLAIMED.size()))
                        : run.random.chance(20) ? proxy.address() : hosts.get(run.random.below(HOSTS)).address();
                ranges.add(Range.draw(run.random, near));
            }
        }

        private static Cidr[] cidrs(List<Range> ranges) throws IOException {
            Cidr[] cidrs = new Cidr[ranges.size()];
            for (int i = 0; i < cidrs.length; i++) {
                cidrs[i] = ranges.get(i).toCidr();
            }
            return cidrs;
        }

        private boolean isDenied(InetAddress address) {
            return denied.stream().anyMatch(range -> range.contains(address))
                    || (!allowed.isEmpty() && allowed.stream().noneMatch(range -> range.contains(address)));
        }

        private boolean isTooMany(InetAddress address) {
            return perAddressMax > 0
                    && served.stream().filter(each -> each.counted.equals(address)).count() >= perAddressMax;
        }

        void perform() throws IOException {
            int clients = run.random.between(3, CLIENTS_MAX);
            for (int i = 0; i < clients && !run.hasFailed(); i++) {
                if (!served.isEmpty() && run.random.chance(35)) {
                    leave();
                }
                connect(i);
                check();
            }
            run.close(network, server);
        }

        private void leave() throws IOException {
            Served leaving = served.remove(run.random.below(served.size()));
            run.log("the client of " + leaving.counted + " leaves");
            leaving.client.close();
            network.settle();
            run.same(Rule.ENDS, "the connection of a client that has left is", leaving.seen.end(), "PEER_FINISHED");
        }

        private void check() {
            run.same(Rule.GAUGES, "connections", server.stats().total().connections(), served.size());
            run.same(Rule.GAUGES, "refused connections", server.stats().total().refused(), (long) refused);
            run.same(Rule.GAUGES, "accepted connections", server.stats().total().accepted(), (long) accepted);
            for (Served each : served) {
                run.same(Rule.ENDS, "the connection of a client that is served is", each.seen.end(), "open");
            }
        }

        private void connect(int number) throws IOException {
            SeededRandom random = run.random;
            Header header = random.chance(40) ? Header.DIRECT : random.pick(Header.values());
            SimHost host = header == Header.DIRECT ? hosts.get(random.below(HOSTS)) : proxy;
            InetAddress claimed = CLAIMED.get(random.below(CLAIMED.size()));
            boolean isClaimed = switch (header) {
                case LINE, BINARY, BINARY_WITH_EXTENSIONS -> true;
                default -> false;
            };
            InetAddress counted = isClaimed ? claimed : host.address();
            boolean isDenied = header != Header.LOCAL && isDenied(counted);
            CloseReason refusal = switch (header) {
                case GARBAGE, INCOMPLETE, WRONG_CHECKSUM -> CloseReason.PROTOCOL_ERROR;
                default -> isDenied ? CloseReason.ADDRESS_DENIED : isTooMany(counted) ? CloseReason.TOO_MANY_FROM_ADDRESS : null;
            };
            run.log("a client of " + host.address() + " connects, header " + ReportText.words(header)
                    + (isClaimed ? " of " + claimed : "") + (refusal == null ? "" : ", and is to be refused: " + refusal));
            accepted++;
            int before = handler.all.size();
            TrialClient client = TrialClient.connect(run, host, run.address);
            network.settle();
            if (header == Header.DIRECT && refusal != null) {
                client.readAll();
                run.same(Rule.ENDS, "a client that is refused has read", client.end(), isDenied ? "ECONNRESET" : "ended");
                run.same(Rule.CALLBACKS, "connections with callbacks", handler.all.size(), before);
                refused++;
                client.close();
                return;
            }
            InetSocketAddress from = isClaimed ? new InetSocketAddress(claimed, 20_000 + number) : client.address();
            sendInPieces(client, header, from, "line " + number + "\n");
            run.same(Rule.CALLBACKS, "connections with callbacks", handler.all.size(), before + 1);
            if (run.hasFailed()) {
                return;
            }
            TrialHandler.Seen seen = handler.all.getLast();
            if (refusal != null) {
                refuse(client, seen, refusal);
                return;
            }
            client.readAll();
            run.same(Rule.ENDS, "the connection of a client that is not refused is", seen.end(), "open");
            run.same(Rule.GAUGES, "its address", seen.connection.remoteAddress(), from);
            run.same(Rule.DELIVERY, "its messages", seen.messages, List.of("line " + number));
            run.same(Rule.DELIVERY, "what it receives", client.text(), "line " + number + "\n");
            served.add(new Served(client, seen, counted));
        }

        private void refuse(TrialClient client, TrialHandler.Seen seen, CloseReason refusal) throws IOException {
            run.same(Rule.CALLBACKS, "onOpen of a client that is refused was called this often", seen.opens, 0);
            run.same(Rule.ENDS, "the connection of a client that is refused is", seen.end(), refusal.name());
            if (refusal != CloseReason.PROTOCOL_ERROR) {
                client.readAll();
                boolean isReset = client.end().equals("ECONNRESET") || client.end().equals("EPIPE"); // while it sent the rest
                run.expect(Rule.ENDS, isReset, "a client that is refused is not reset: " + client.end());
                refused++;
            }
            client.close();
            network.settle();
        }

        /** Sends a header, and the line behind it, cut anywhere. An incomplete header is waited for. */
        private void sendInPieces(TrialClient client, Header kind, InetSocketAddress from, String line) throws IOException {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            all.writeBytes(header(kind, from));
            boolean incomplete = kind == Header.INCOMPLETE;
            if (!incomplete) {
                all.writeBytes(MessageContent.ascii(line));
            }
            byte[] bytes = all.toByteArray();
            int sent = 0;
            boolean whole = run.random.chance(30);
            while (sent < bytes.length) {
                int length = whole ? bytes.length : (int) run.random.logUniform(1, 60);
                client.write(Arrays.copyOfRange(bytes, sent, Math.min(bytes.length, sent + length)));
                sent += length;
                network.settle();
            }
            if (incomplete) {
                network.pass(HEADER_NANOS - 1);
                network.settle();
                run.same(Rule.CALLBACKS, "connections, a nanosecond before the header is overdue",
                        server.stats().total().connections(), served.size() + 1);
                network.pass(1);
                network.settle();
            }
        }

        private byte[] header(Header kind, InetSocketAddress from) throws IOException {
            InetSocketAddress to = run.address;
            boolean six = !(from.getAddress() instanceof Inet4Address);
            return switch (kind) {
                case DIRECT -> new byte[0];
                case LINE -> MessageContent.ascii("PROXY " + (six ? "TCP6 " : "TCP4 ") + from.getAddress().getHostAddress() + " "
                        + (six ? "2001:db8::1" : to.getAddress().getHostAddress()) + " " + from.getPort() + " " + to.getPort()
                        + "\r\n");
                case LINE_WITHOUT_ADDRESS -> MessageContent
                        .ascii("PROXY UNKNOWN" + (run.random.chance(50) ? " ffff:f...f:ffff 1 2" : "") + "\r\n");
                case BINARY -> binary(0x21, from, null, 0);
                case BINARY_WITH_EXTENSIONS -> binary(0x21, from, extensions(), 0);
                case WRONG_CHECKSUM -> binary(0x21, from, extensions(), 1 << run.random.below(31));
                case BINARY_WITHOUT_ADDRESS -> binary(0x21, null, null, 0);
                case LOCAL -> binary(0x20, null, null, 0);
                case GARBAGE ->
                    MessageContent.ascii(run.random.pick("GET / HTTP/1.1\n", "PROXX TCP4 1 2 3 4\r\n", "\r\n\r\nQUIT\n"));
                case INCOMPLETE -> {
                    byte[] whole = binary(0x21, from, null, 0);
                    yield Arrays.copyOf(whole, run.random.below(whole.length));
                }
            };
        }

        /** Returns extensions of any type and length. */
        private byte[] extensions() {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            int count = run.random.between(0, 3);
            for (int i = 0; i < count; i++) {
                int length = (int) run.random.logUniform(0, 400);
                bytes.write(run.random.number(1, 2, 4, 5, 0x20, 0xe0));
                bytes.write(length >> 8);
                bytes.write(length);
                bytes.writeBytes(new byte[length]);
            }
            return bytes.toByteArray();
        }

        /** Returns a header of version 2: with a checksum if there are extensions, in which these bits are wrong. */
        private static byte[] binary(int command, @Nullable InetSocketAddress from, byte @Nullable [] extensions, int wrongBits) {
            byte[] ip = from == null ? new byte[0] : from.getAddress().getAddress();
            int addresses = from == null ? 0 : 2 * ip.length + 4;
            int more = extensions == null ? 0 : extensions.length + 7;
            ByteBuffer bytes = ByteBuffer.allocate(16 + addresses + more);
            bytes.put(SIGNATURE).put((byte) command).put((byte) (from == null ? 0 : ip.length == 4 ? 0x11 : 0x21))
                    .putShort((short) (addresses + more));
            if (from != null) {
                bytes.put(ip).put(new byte[ip.length]).putShort((short) from.getPort()).putShort((short) 80);
            }
            if (extensions != null) {
                bytes.put((byte) 3).putShort((short) 4).putInt(0).put(extensions);
                CRC32C crc = new CRC32C();
                crc.update(bytes.array());
                bytes.putInt(16 + addresses + 3, (int) crc.getValue() ^ wrongBits);
            }
            return bytes.array();
        }
    }
}
