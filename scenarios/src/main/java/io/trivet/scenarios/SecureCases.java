package io.trivet.scenarios;

import io.trivet.net.Cidr;
import io.trivet.net.Loop;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ConnectionState;
import io.trivet.observe.ReadState;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Server;
import io.trivet.server.ServerBuilder;
import io.trivet.tls.ClientAuthentication;
import io.trivet.tls.TlsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;

/**
 * One client of a server with TLS: its handshake, also behind a header of the PROXY protocol, with a certificate, or not completed
 * in time; what is no TLS or breaks it; and each way in which a connection can end.
 */
final class SecureCases {
    private static final long MILLI = 1_000_000;
    private static final long NEVER = Long.MAX_VALUE;
    private static final long PROXY_TIMEOUT_NANOS = 5_000 * MILLI;
    /** How late a handshake is closed if its loop has looked at it just before its end. */
    private static final long HANDSHAKE_PAUSE_NANOS = 10 * MILLI;
    private static final int ROUNDS_MAX = 500;
    private static final int HEADER_BYTES = 5;
    private static final int HANDSHAKE_BYTES_MAX = 64 * 1024;

    private final TrialRun run;
    private final SeededRandom random;
    private final TrialNetwork network;
    private final TrialHandler handler = new TrialHandler() {
        @Override
        public void onMessage(Connection connection, ByteBuffer message) throws Exception {
            super.onMessage(connection, message);
            connection.send(message);
        }
    };
    private final boolean isTls12;
    private final boolean usesProxy;
    private final ClientAuthentication authentication;
    private final boolean hasCertificate;
    private final long handshakeNanos;
    private final long firstMessageNanos;
    private final long lingerNanos;
    private final SSLEngine engine;
    private final Server server;
    private final TrialClient client;
    private final SecuredStream secured;
    private final InetSocketAddress address;
    private final byte[] proxyHeader;
    private final SecureEndings endings;
    /** When the handshake ends if it is not completed. */
    private long deadlineNanos;
    private final List<Long> deadlines = new ArrayList<>();
    private boolean draining;

    SecureCases(TrialRun run) throws IOException {
        this.run = run;
        random = run.random;
        network = run.anyNetwork();
        isTls12 = random.chance(30);
        usesProxy = random.chance(30);
        authentication = random.pick(ClientAuthentication.values());
        hasCertificate = random.chance(60);
        handshakeNanos = random.chance(15) ? 0 : random.logUniform(MILLI, 20_000 * MILLI);
        firstMessageNanos = random.chance(40) ? 0 : random.logUniform(MILLI, 20_000 * MILLI);
        lingerNanos = random.chance(15) ? 0 : random.logUniform(MILLI, 20_000 * MILLI);
        run.sim.buffers(random.number(2_000, 16_000), random.number(2_000, 16_000));
        SecureRandom randomness = run.sim.secureRandom();
        TlsServer tls = TlsServer.builder().context(SecuredContexts.ofServer(randomness))
                .clientAuthentication(authentication, (KeyStore) null).handshakeTimeout(Duration.ofNanos(handshakeNanos)).build();
        engine = (hasCertificate ? SecuredContexts.ofKnownClients(randomness) : SecuredContexts.ofClients(randomness))
                .createSSLEngine();
        engine.setEnabledProtocols(new String[]{isTls12 ? "TLSv1.2" : "TLSv1.3"});
        Limits limits = Trial.LIMITS.withFirstMessageTimeout(Duration.ofNanos(firstMessageNanos))
                .withLingerTimeout(Duration.ofNanos(lingerNanos));
        ServerBuilder builder = run.builder(network, handler, limits).framing(Framing.lines()).tls(tls)
                .loops(random.number(1, 1, 2));
        if (usesProxy) {
            builder.proxyProtocol(Cidr.of(run.clients.address().getHostAddress() + "/32"));
        }
        server = builder.open();
        client = TrialClient.connect(run, run.address);
        secured = new SecuredStream(client.stream(), engine);
        address = usesProxy ? new InetSocketAddress(InetAddress.ofLiteral("192.0.2.9"), 1 + random.below(65_535))
                : client.address();
        proxyHeader = usesProxy
                ? MessageContent.ascii("PROXY TCP4 192.0.2.9 10.0.4.1 " + address.getPort() + " 8080\r\n")
                : new byte[0];
        endings = new SecureEndings(run, network, server, handler, client, secured);
        run.log("a client with TLS " + (isTls12 ? "1.2" : "1.3") + (usesProxy ? " behind a proxy" : "")
                + ", certificates: " + authentication + ", " + hasCertificate + "; handshakes within "
                + ReportText.duration(handshakeNanos));
    }

    void perform() throws IOException {
        network.settle();
        checkWaiting(usesProxy ? ReadState.AWAITING_PROXY_HEADER : ReadState.HANDSHAKING);
        deadline(usesProxy ? PROXY_TIMEOUT_NANOS + network.now() : afterNow(handshakeNanos));
        checkDeadline();
        switch (random.below(10)) {
            case 0, 1 -> stall();
            case 2 -> foreign();
            case 3 -> longHandshake();
            default -> {
                if (handshake()) {
                    endings.perform();
                }
            }
        }
        client.close();
        network.settle();
        run.close(network, server);
        run.same(Rule.LEAKS, "bytes of TLS connections of a closed server", server.stats().memory().tls(), 0L);
    }

    private void deadline(long nanos) {
        deadlines.add(nanos);
        deadlineNanos = nanos;
    }

    private long afterNow(long nanos) {
        return nanos == 0 ? NEVER : network.now() + nanos;
    }

    // ---- before it is open

    private ConnectionSnapshot snapshot() {
        return server.connections().getFirst();
    }

    private void checkWaiting(ReadState state) {
        run.same(Rule.GAUGES, "connections before the handshake", server.connections().size(), 1);
        run.same(Rule.GAUGES, "the state before the end of the handshake", snapshot().state(), ConnectionState.CONNECTING);
        run.same(Rule.GAUGES, "what is read", snapshot().readState(), state);
        run.same(Rule.GAUGES, "the TLS before the end of the handshake", String.valueOf(snapshot().tls()), "null");
        run.same(Rule.CALLBACKS, "connections that were opened before the end of the handshake", handler.all.size(), 0);
    }

    private void checkDeadline() {
        long next = NEVER;
        for (int i = 0; i < server.stats().loops().size(); i++) {
            long due = network.nextDeadline(i);
            next = due == Loop.NO_DEADLINE ? next : Math.min(next, due);
        }
        // A loop may wake up at a deadline that was replaced by a later one.
        run.expect(Rule.DEADLINES, next == deadlineNanos || (next < deadlineNanos && deadlines.contains(next)),
                "the next deadline is " + next + " instead of " + deadlineNanos);
    }

    /** Sends the beginning of what the client would send first, also all of it. */
    private void sendFirst(byte[] hello, boolean isWhole) throws IOException {
        byte[] all = Arrays.copyOf(proxyHeader, proxyHeader.length + hello.length);
        System.arraycopy(hello, 0, all, proxyHeader.length, hello.length);
        int length = isWhole ? all.length : random.below(all.length);
        int cut = random.chance(50) ? 0 : random.below(length + 1);
        for (int[] part : new int[][]{{0, cut}, {cut, length}}) {
            if (part[0] < part[1]) {
                secured.sendRaw(Arrays.copyOfRange(all, part[0], part[1]));
                secured.flushAll(network);
                if (usesProxy && part[0] < proxyHeader.length && part[1] >= proxyHeader.length) {
                    deadline(afterNow(handshakeNanos));
                }
                if (part[1] < all.length) {
                    checkWaiting(part[1] < proxyHeader.length ? ReadState.AWAITING_PROXY_HEADER : ReadState.HANDSHAKING);
                    checkDeadline();
                    passWithin();
                    if (isGone()) {
                        return;
                    }
                }
            }
        }
    }

    /** Lets some time pass, less than what is left. */
    private void passWithin() throws IOException {
        long left = deadlineNanos == NEVER ? 100 * MILLI : deadlineNanos - network.now();
        network.pass(left / 4);
        network.settle();
        if (!draining && random.chance(15)) {
            drain();
        }
    }

    /** Before the handshake is over, a drain limits its time; a connection that waits for a header is closed. */
    private void drain() throws IOException {
        ReadState before = snapshot().readState();
        server.drain(Duration.ofHours(1));
        draining = true;
        network.settle();
        if (before == ReadState.HANDSHAKING) {
            deadline(Math.min(deadlineNanos, afterNow(lingerNanos)));
        }
        run.log("a drain in the state " + before);
    }

    private boolean isGone() {
        return handler.all.size() == 1 && !handler.all.getFirst().isOpen();
    }

    private void stall() throws IOException {
        sendFirst(secured.hello(), random.chance(20));
        if (isGone()) {
            return; // a drain, before the header of a proxy
        }
        boolean awaitsHeader = snapshot().readState() == ReadState.AWAITING_PROXY_HEADER;
        if (deadlineNanos == NEVER) {
            network.pass(1_000_000 * MILLI);
            network.settle();
            run.same(Rule.DEADLINES, "connections without a timeout of the handshake", server.stats().total().connections(), 1);
            return;
        }
        boolean isLate = deadlines.stream().anyMatch(each -> each > network.now() && each < deadlineNanos);
        network.pass(deadlineNanos - network.now() - 1);
        network.settle();
        checkWaiting(awaitsHeader ? ReadState.AWAITING_PROXY_HEADER : ReadState.HANDSHAKING);
        network.pass(isLate ? 1 + HANDSHAKE_PAUSE_NANOS : 1);
        network.settle();
        checkFailed(awaitsHeader ? CloseReason.PROTOCOL_ERROR : CloseReason.HANDSHAKE_TIMEOUT);
    }

    /** The connection has ended before it was open: only onClose was called. */
    private void checkFailed(CloseReason reason) {
        run.same(Rule.CALLBACKS, "connections whose handler was notified", handler.all.size(), 1);
        if (!run.hasFailed()) {
            TrialHandler.Seen seen = handler.all.getFirst();
            run.same(Rule.ENDS, "the end of a connection whose handshake is not over", seen.end(), reason.name());
            run.same(Rule.CALLBACKS, "calls of its onOpen", seen.opens, 0);
            run.same(Rule.CALLBACKS, "calls of its onClose", seen.closes, 1);
            run.same(Rule.DELIVERY, "its messages", seen.messages, List.of());
            client.readAll();
            run.same(Rule.ENDS, "the client has read", endings.streamEnd(), "ended");
        }
    }

    private void checkFailure(String right) {
        IOException failure = handler.all.getFirst().connection.failure();
        run.same(Rule.ENDS, "the failure", failure == null ? "none" : String.valueOf(failure.getMessage()), right);
    }

    /** What the client sends is no TLS from its first byte on. */
    private void foreign() throws IOException {
        String first = random.pick("GET / HTTP/1.1\r\n\r\n", "hello\n", "\"x\"", "\u0017\u0003\u0003\u0000\u0001a", "\u0080");
        String quoted = switch (first.charAt(0)) {
            case 'G' -> "GET / HTTP/1.1\\x0D\\x0A";
            case 'h' -> "hello\\x0A";
            case '"' -> "\\x22x\\x22";
            case '\u0080' -> "\\x80";
            default -> "\\x17\\x03\\x03\\x00\\x01a";
        };
        client.write(proxyHeader);
        client.write(first);
        network.settle();
        checkFailed(CloseReason.HANDSHAKE_FAILED);
        checkFailure("the peer does not speak TLS: it began with \"" + quoted + '"');
    }

    /** A first message in records of three bytes, which are longer together than a handshake may be. */
    private void longHandshake() throws IOException {
        if (!random.chance(15)) {
            stall();
            return;
        }
        run.reached("SECURED_LONG_HANDSHAKE");
        client.write(proxyHeader);
        network.settle();
        ByteBuffer records = ByteBuffer.allocate(HANDSHAKE_BYTES_MAX);
        byte[] begin = {1, 0, 0x7f}; // a ClientHello, of 32,512 bytes
        while (records.hasRemaining()) {
            records.put(new byte[]{22, 3, 3, 0, 3}).put(records.position() < 3 * HEADER_BYTES ? begin : new byte[3]);
        }
        secured.sendRaw(records.array());
        secured.flushAll(network);
        checkWaiting(ReadState.HANDSHAKING);
        client.write(new byte[]{22, 3, 3, 0, 3, 0, 0, 0});
        network.settle();
        checkFailed(CloseReason.HANDSHAKE_FAILED);
        checkFailure("the peer's handshake is longer than 65536 bytes");
    }

    /** Returns true if the connection is open afterwards. */
    private boolean handshake() throws IOException {
        boolean isAlerted = false;
        sendFirst(secured.hello(), true);
        if (isGone()) {
            run.same(Rule.ENDS, "the end of a drain before the header of a proxy", draining, true);
            return false;
        }
        try {
            for (int i = 0; i < ROUNDS_MAX && (!secured.isConnected() || secured.hasUnsent()); i++) {
                secured.progress(true);
                network.settle();
            }
            secured.progress(true);
        } catch (SSLException e) {
            run.log("the client fails: " + e);
            isAlerted = true;
        }
        if (authentication == ClientAuthentication.REQUIRED && !hasCertificate) {
            run.reached("SECURED_WITHOUT_CERTIFICATE");
            checkFailed(CloseReason.HANDSHAKE_FAILED);
            run.expect(Rule.ENDS, isAlerted, "a client without a certificate gets no alert");
            return false;
        }
        if (draining) {
            run.reached("SECURED_WHILE_DRAINING");
            endings.readToEnd();
            endings.endOutput();
            endings.checkClosed(CloseReason.DRAINED, "ended", true);
            run.same(Rule.ENDS, "the server has drained", server.isClosed(), true);
            return false;
        }
        if (handler.all.size() != 1 || !secured.isConnected()) {
            run.fail(Rule.LIVENESS, "the handshake is not completed");
            return false;
        }
        Connection connection = connection();
        run.same(Rule.CALLBACKS, "the address of the client", connection.remoteAddress(), address);
        int certificates = Objects.requireNonNull(connection.tls()).peerCertificates().size();
        run.same(Rule.GAUGES, "certificates of the client", certificates,
                hasCertificate && authentication != ClientAuthentication.NONE ? 1 : 0);
        ConnectionSnapshot snapshot = snapshot();
        run.same(Rule.GAUGES, "the TLS of the snapshot", String.valueOf(snapshot.tls()),
                engine.getSession().getProtocol() + " " + engine.getSession().getCipherSuite());
        run.same(Rule.GAUGES, "the state after the handshake", snapshot.state(), ConnectionState.OPEN);
        run.same(Rule.GAUGES, "what is read after the handshake", snapshot.readState(), ReadState.READING);
        deadline(afterNow(firstMessageNanos));
        checkDeadline();
        return true;
    }

    private Connection connection() {
        return handler.all.getFirst().connection;
    }
}
