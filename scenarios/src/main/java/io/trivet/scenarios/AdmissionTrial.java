package io.trivet.scenarios;

import io.trivet.net.Cidr;
import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ConnectionState;
import io.trivet.observe.ListenerSnapshot;
import io.trivet.observe.LoopStats;
import io.trivet.observe.ReadState;
import io.trivet.server.AccessList;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Server;
import io.trivet.sim.SimHost;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Access lists of ranges of any length, trusted proxies with headers of every kind, cut anywhere, and a limit per address: which
 * clients are served under which address, which are refused and why, and which places are free afterwards.
 */
final class AdmissionTrial implements Trial {
    private static final int HOSTS = 3;
    private static final int CLIENTS_MAX = 25;
    private static final int FAILS_PERCENT = 12;
    private static final long HEADER_NANOS = 5_000_000_000L;
    /** Addresses that differ in few bits. */
    private static final List<InetAddress> CLAIMED = List.of(InetAddress.ofLiteral("192.0.2.4"),
            InetAddress.ofLiteral("192.0.2.5"), InetAddress.ofLiteral("192.0.2.68"), InetAddress.ofLiteral("64.0.2.4"),
            InetAddress.ofLiteral("2001:db8::4"), InetAddress.ofLiteral("2001:db8::5"), InetAddress.ofLiteral("2001:db8:0:1::4"),
            InetAddress.ofLiteral("2001:db8:0:0:8000::4"), InetAddress.ofLiteral("3001:db8::4"));

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
        private final int loops;
        private final int connectionsMax;
        private int refused;
        private int accepted;
        /** The connections of which the handler knows. */
        private int known;
        private boolean failsAdopting;

        Steps(TrialRun run) throws IOException {
            this.run = run;
            network = run.anyNetwork();
            run.sim.buffers(1 << 14, 1 << 14); // for the longest headers
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
            connectionsMax = run.random.chance(40) ? run.random.between(1, 5) : Integer.MAX_VALUE;
            loops = run.random.number(1, 1, 2, 3);
            server = run.builder(network, handler,
                    LIMITS.withConnectionsPerAddressMax(perAddressMax).withConnectionsMax(connectionsMax))
                    .access(AccessList.all().allow(cidrs(allowed)).deny(cidrs(denied)))
                    .proxyProtocol(Cidr.of("10.0.9.0/" + run.random.between(24, 31))).framing(Framing.lines())
                    .loops(loops).open();
            run.log("allowed " + Arrays.toString(cidrs(allowed)) + ", denied " + Arrays.toString(cidrs(denied)) + ", at most "
                    + perAddressMax + " per address, and " + connectionsMax + " in all");
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
            drain();
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
            LoopStats total = server.stats().total();
            run.same(Rule.GAUGES, "refused connections in " + total, total.refused(), (long) refused);
            run.same(Rule.GAUGES, "accepted connections in " + total, total.accepted(), (long) accepted);
            for (Served each : served) {
                run.same(Rule.ENDS, "the connection of a client that is served is", each.seen.end(), "open");
            }
        }

        private void connect(int number) throws IOException {
            SeededRandom random = run.random;
            boolean isProxy = random.chance(60);
            SimHost host = isProxy ? proxy : hosts.get(random.below(HOSTS));
            TrialClient client = TrialClient.connect(run, host, run.address);
            awaitPlace();
            accepted++;
            if (isProxy) {
                InetSocketAddress claimed = new InetSocketAddress(CLAIMED.get(random.below(CLAIMED.size())),
                        random.number(1, 65_535, 20_000 + number));
                connectProxy(client, DrawnProxyHeader.draw(random, claimed, run.address), "line " + number + "\n");
            } else {
                connectDirectly(client, "line " + number + "\n");
            }
        }

        /** At the maximum of connections, a client waits until another one has left. */
        private void awaitPlace() throws IOException {
            boolean isFull = served.size() >= connectionsMax;
            run.same(Rule.CAPS, "the state of the listener", server.listeners().getFirst().state(),
                    isFull ? ListenerSnapshot.State.AT_LIMIT : ListenerSnapshot.State.ACCEPTING);
            if (isFull) {
                network.settle();
                run.same(Rule.CAPS, "accepted connections at the maximum", server.stats().total().accepted(), (long) accepted);
                failsAdopting = run.random.chance(FAILS_PERCENT);
                failAdopting();
                leave();
            } else {
                failsAdopting = run.random.chance(FAILS_PERCENT);
                failAdopting();
                network.settle();
            }
        }

        /** The proactor refuses the next socket, of whichever loop. */
        private void failAdopting() {
            for (int i = 0; i < loops; i++) {
                if (failsAdopting) {
                    network.proactor(i).failNext(TrialProactor.Call.ADOPT, new NetworkException("adopt", null, ErrorCode.ENOMEM));
                } else {
                    network.proactor(i).succeed(TrialProactor.Call.ADOPT);
                }
            }
        }

        /** A socket that was refused leaves nothing behind. Returns true if it was. */
        private boolean wasRefusedByProactor(TrialClient client) throws IOException {
            if (!failsAdopting) {
                return false;
            }
            failsAdopting = false;
            run.reached("ADOPT_FAILED");
            failAdopting();
            client.readAll();
            run.same(Rule.ENDS, "a client whose socket could not be used has read", client.end(), "ended");
            client.close();
            return true;
        }

        private void connectDirectly(TrialClient client, String line) throws IOException {
            InetAddress address = client.address().getAddress();
            boolean isDenied = isDenied(address);
            boolean isRefused = isDenied || isTooMany(address);
            run.log("a client of " + address + " connects" + (isRefused ? ", and is to be refused" : ""));
            if (isRefused) {
                failsAdopting = false;
                failAdopting();
                client.readAll();
                run.same(Rule.ENDS, "a client that is refused has read", client.end(), isDenied ? "ECONNRESET" : "ended");
                run.same(Rule.CALLBACKS, "connections with callbacks", handler.all.size(), known);
                refused++;
                client.close();
            } else if (!wasRefusedByProactor(client)) {
                run.same(Rule.CALLBACKS, "connections with callbacks", handler.all.size(), known + 1);
                sendInPieces(client, MessageContent.ascii(line));
                serve(client, client.address(), address, line, line.length());
            }
        }

        private void connectProxy(TrialClient client, DrawnProxyHeader header, String line) throws IOException {
            run.log("a proxy connects, with a header that means " + header.meaning() + ' ' + header.client());
            if (wasRefusedByProactor(client)) {
                return;
            }
            checkAwaitsHeader(client);
            InetAddress counted = header.counted(proxy.address());
            CloseReason refusal = switch (header.meaning()) {
                case WRONG, INCOMPLETE -> CloseReason.PROTOCOL_ERROR;
                case LOCAL -> isTooMany(counted) ? CloseReason.TOO_MANY_FROM_ADDRESS : null;
                case CLIENT, UNKNOWN ->
                    isDenied(counted) ? CloseReason.ADDRESS_DENIED : isTooMany(counted) ? CloseReason.TOO_MANY_FROM_ADDRESS
                            : null;
            };
            if (header.meaning() == DrawnProxyHeader.Meaning.INCOMPLETE) {
                sendInPieces(client, header.bytes());
                refusal = leaveIncomplete(client);
            } else {
                byte[] all = Arrays.copyOf(header.bytes(), header.bytes().length + line.length());
                System.arraycopy(MessageContent.ascii(line), 0, all, header.bytes().length, line.length());
                sendInPieces(client, all);
            }
            run.same(Rule.CALLBACKS, "connections with callbacks", handler.all.size(), known + 1);
            if (run.hasFailed()) {
                return;
            }
            if (refusal != null) {
                refuse(client, handler.all.getLast(), refusal);
                return;
            }
            InetSocketAddress from = header.client();
            serve(client, from == null ? client.address() : from, counted, line, header.bytes().length + line.length());
        }

        private void checkAwaitsHeader(TrialClient client) throws IOException {
            int waiting = 0;
            for (ConnectionSnapshot each : server.connections()) {
                if (each.state() == ConnectionState.CONNECTING) {
                    waiting++;
                    run.same(Rule.GAUGES, "what is read of a proxy", each.readState(), ReadState.AWAITING_PROXY_HEADER);
                    run.same(Rule.GAUGES, "the address of a proxy", String.valueOf(each.remoteAddress()),
                            String.valueOf(client.address()));
                }
            }
            run.same(Rule.GAUGES, "connections that wait for a header", waiting, 1);
        }

        private void serve(TrialClient client, InetSocketAddress from, InetAddress counted, String line, long bytesIn) {
            TrialHandler.Seen seen = handler.all.getLast();
            known = handler.all.size();
            client.readAll();
            run.same(Rule.ENDS, "the connection of a client that is not refused is", seen.end(), "open");
            run.same(Rule.GAUGES, "its address", seen.connection.remoteAddress(), from);
            run.same(Rule.DELIVERY, "its messages", seen.messages, List.of(line.substring(0, line.length() - 1)));
            run.same(Rule.DELIVERY, "what it receives", client.text(), line);
            for (ConnectionSnapshot each : server.connections()) {
                if (each.id() == seen.connection.id()) {
                    run.same(Rule.GAUGES, "the address of its snapshot", String.valueOf(each.remoteAddress()), from.toString());
                    run.same(Rule.GAUGES, "bytes that it has sent", each.bytesIn(), bytesIn);
                    run.same(Rule.GAUGES, "bytes that were sent to it", each.bytesOut(), (long) line.length());
                }
            }
            served.add(new Served(client, seen, counted));
        }

        private void refuse(TrialClient client, TrialHandler.Seen seen, CloseReason refusal) throws IOException {
            known = handler.all.size();
            run.same(Rule.CALLBACKS, "onOpen of a client that is refused was called this often", seen.opens, 0);
            run.same(Rule.ENDS, "the connection of a client that is refused is", seen.end(), refusal.name());
            run.same(Rule.ENDS, "its failure is set", seen.connection.failure() != null,
                    refusal == CloseReason.PROTOCOL_ERROR || refusal == CloseReason.RESET);
            if (refusal == CloseReason.ADDRESS_DENIED || refusal == CloseReason.TOO_MANY_FROM_ADDRESS) {
                client.readAll();
                boolean isReset = client.end().equals("ECONNRESET") || client.end().equals("EPIPE"); // while it sent the rest
                run.expect(Rule.ENDS, isReset, "a client that is refused is not reset: " + client.end());
                refused++;
            }
            client.close();
            network.settle();
        }

        /** Sends bytes, cut anywhere. */
        private void sendInPieces(TrialClient client, byte[] bytes) throws IOException {
            int sent = 0;
            boolean whole = run.random.chance(30);
            while (sent < bytes.length) {
                int length = whole ? bytes.length : (int) run.random.logUniform(1, 60);
                client.write(Arrays.copyOfRange(bytes, sent, Math.min(bytes.length, sent + length)));
                sent += length;
                network.settle();
            }
        }

        /** The rest of a header does not arrive: it is overdue, or the proxy ends or resets the connection. Returns the reason. */
        private CloseReason leaveIncomplete(TrialClient client) throws IOException {
            return switch (run.random.below(4)) {
                case 0 -> {
                    client.endOutput();
                    network.settle();
                    yield CloseReason.PROTOCOL_ERROR;
                }
                case 1 -> {
                    client.reset();
                    network.settle();
                    yield CloseReason.RESET;
                }
                default -> {
                    network.pass(HEADER_NANOS - 1);
                    network.settle();
                    run.same(Rule.CALLBACKS, "connections, a nanosecond before the header is overdue",
                            server.stats().total().connections(), served.size() + 1);
                    network.pass(1);
                    network.settle();
                    yield CloseReason.PROTOCOL_ERROR;
                }
            };
        }

        /** A drain ends the connections whose headers are incomplete at once. */
        private void drain() throws IOException {
            if (served.size() >= connectionsMax || run.hasFailed() || !run.random.chance(25)) {
                return;
            }
            run.log("the server drains, while a proxy has yet to send its header");
            TrialClient client = TrialClient.connect(run, proxy, run.address);
            network.settle();
            client.write("PROXY ");
            network.settle();
            server.drain(Duration.ofSeconds(1));
            network.settle();
            TrialHandler.Seen last = handler.all.getLast();
            run.same(Rule.ENDS, "the connection of the proxy is", last.end(), "DRAINED");
            run.same(Rule.CALLBACKS, "its onOpen was called this often", last.opens, 0);
            client.close();
        }
    }
}
