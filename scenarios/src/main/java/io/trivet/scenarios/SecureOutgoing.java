package io.trivet.scenarios;

import io.trivet.net.Loop;
import io.trivet.net.TcpListener;
import io.trivet.net.UnixAddress;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ConnectionState;
import io.trivet.observe.ReadState;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Protocol;
import io.trivet.server.ProxyHeader;
import io.trivet.server.SendResult;
import io.trivet.server.Server;
import io.trivet.server.ServerBuilder;
import io.trivet.tls.TlsClient;
import io.trivet.tls.TlsException;
import io.trivet.tls.TlsInfo;
import io.trivet.tls.TlsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Collectors;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * A connection that a server makes with TLS: the names that it asks for and accepts, what waits for the handshake, a header of the
 * PROXY protocol before it, and peers that do not complete it.
 */
final class SecureOutgoing {
    private static final long MILLI = 1_000_000;
    private static final int PORT = 9_300;
    private static final int ROUNDS_MAX = 500;
    /** The names of the certificate. */
    private static final String NAME = "sim.test";
    private static final String ADDRESS = "127.0.0.1";

    private enum Answer {
        COMPLETES, COMPLETES_AND_ENDS, COMPLETES_AND_CUTS, SILENT, FOREIGN, ENDS
    }

    private final TrialRun run;
    private final SeededRandom random;
    private final TrialNetwork network;
    private final TrialHandler handler = new TrialHandler();
    private final @Nullable String name;
    /** The address of the peer has the name of the certificate, which is used unless another one is set. */
    private final boolean isNamed;
    private final boolean verifies;
    private final boolean hasCertificate;
    private final boolean finishesFirst;
    private final Answer answer;
    private final long handshakeNanos;
    private final byte[] header;
    private final TlsClient tls;
    private final SSLEngine engine;
    private final TcpListener listener;
    private final Server server;
    private final StringBuilder expected = new StringBuilder();

    SecureOutgoing(TrialRun run) throws IOException {
        this.run = run;
        random = run.random;
        network = run.anyNetwork();
        String drawn = random.pick(NAME, NAME, NAME, ADDRESS, "other.test", "");
        name = drawn.isEmpty() ? null : drawn;
        isNamed = random.chance(40);
        verifies = random.chance(70);
        hasCertificate = random.chance(50);
        finishesFirst = random.chance(20);
        answer = random.pick(Answer.values());
        handshakeNanos = random.chance(15) ? 0 : random.logUniform(MILLI, 20_000 * MILLI);
        header = random.chance(30) ? MessageContent.ascii("PROXY TCP4 192.0.2.7 10.0.4.1 7777 8080\r\n") : new byte[0];
        run.sim.buffers(random.number(2_000, 16_000), random.number(2_000, 16_000));
        SecureRandom randomness = run.sim.secureRandom();
        TlsClient.Builder builder = TlsClient.builder().handshakeTimeout(Duration.ofNanos(handshakeNanos))
                .context(hasCertificate ? SecuredContexts.ofKnownClients(randomness) : SecuredContexts.ofClients(randomness));
        TlsClient settings = (verifies ? builder : builder.withoutHostNameVerification()).build();
        tls = name == null ? settings : settings.withServerName(name);
        engine = SecuredContexts.ofServer(randomness).createSSLEngine();
        engine.setUseClientMode(false);
        engine.setNeedClientAuth(hasCertificate);
        engine.setEnabledProtocols(new String[]{random.pick("TLSv1.2", "TLSv1.3")});
        listener = run.clients.listen(new InetSocketAddress(run.clients.address(), PORT), 8);
        refused(TlsServer.builder().context(SecuredContexts.ofServer(randomness)).build());
        server = run.builder(network, handler, Trial.LIMITS.withConnectTimeout(Duration.ofNanos(MILLI)))
                .framing(Framing.lines()).enableTls().loops(random.number(1, 1, 2)).open();
        run.log("a connection with TLS to " + name + ", " + answer + ", handshakes within "
                + ReportText.duration(handshakeNanos));
    }

    // ---- what is refused

    /** One mixture of settings that do not fit together. */
    private void refused(TlsServer ofServer) throws IOException {
        Protocol plain = Protocol.of(Framing.lines(), handler);
        InetSocketAddress to = new InetSocketAddress(run.clients.address(), PORT);
        ServerBuilder builder = Server.builder().network(network).framing(Framing.lines()).limits(Trial.LIMITS);
        InetSocketAddress at = run.address;
        switch (random.below(6)) {
            case 0 -> run.refused("a listener with the TLS of a client", IllegalStateException.class,
                    () -> builder.listen(at, plain.withTls(tls)).open());
            case 1 -> run.refused("urgent data with TLS", UnsupportedOperationException.class,
                    () -> builder.listen(at, plain.withTls(ofServer).withUrgent(true)).open());
            case 2 -> {
                try (Server without = builder.open()) {
                    run.refused("a connection with TLS of a server without it", IllegalStateException.class,
                            () -> without.connect(to, plain.withTls(tls), null));
                }
            }
            default -> {
                try (Server with = random.chance(50) ? builder.enableTls().open()
                        : builder.listen(at, plain.withTls(ofServer)).open()) {
                    switch (random.below(4)) {
                        case 0 -> run.refused("a connection with the TLS of a server", IllegalStateException.class,
                                () -> with.connect(to, plain.withTls(ofServer), null));
                        case 1 -> run.refused("a connection with TLS and urgent data", UnsupportedOperationException.class,
                                () -> with.connect(to, plain.withTls(tls).withUrgent(true), null));
                        case 2 -> {
                            if (name == null) {
                                run.refused("TLS to a Unix address without a name", IllegalStateException.class,
                                        () -> with.connect(UnixAddress.ofPath("/x"), plain.withTls(tls), null));
                            }
                        }
                        default -> run.refused("an unresolved local address", IllegalArgumentException.class,
                                () -> plain.withLocalAddress(InetSocketAddress.createUnresolved(NAME, 0)));
                    }
                    run.same(Rule.GAUGES, "connections after what was refused", with.stats().total().connections(), 0);
                }
            }
        }
        run.same(Rule.LEAKS, "descriptors after what was refused", network.host().openDescriptors(), 0);
    }

    // ---- the run

    void perform() throws IOException {
        String attachment = "attached";
        Protocol protocol = Protocol.of(Framing.lines(), handler).withTls(tls);
        if (header.length > 0) {
            protocol = protocol.withProxyHeader(
                    ProxyHeader.v1(new InetSocketAddress(InetAddress.ofLiteral("192.0.2.7"), 7_777), run.address));
        }
        InetSocketAddress to = isNamed
                ? new InetSocketAddress(InetAddress.getByAddress(NAME, run.clients.address().getAddress()), PORT)
                : random.chance(30) ? InetSocketAddress.createUnresolved(run.clients.address().getHostAddress(), PORT)
                : new InetSocketAddress(run.clients.address(), PORT);
        Connection connection = server.connect(to, protocol, attachment);
        run.same(Rule.CALLBACKS, "the attachment", String.valueOf(connection.attachment()), attachment);
        connection.attachment(null); // for the handler
        handler.seen(connection);
        for (int i = random.between(0, 3); i > 0; i--) {
            send(connection, random.between(1, random.chance(20) ? 5_000 : 50));
        }
        boolean isEmpty = expected.isEmpty();
        if (finishesFirst) {
            connection.finish();
        }
        network.settle();
        if (finishesFirst && isEmpty) {
            checkEnd(CloseReason.FINISHED);
        } else {
            handshake(connection, TrialClient.of(run, Objects.requireNonNull(listener.accept())));
        }
        run.close(network, server);
        listener.close();
    }

    private void send(Connection connection, int size) {
        String line = "x".repeat(size);
        run.same(Rule.CALLBACKS, "a message", connection.send(line), SendResult.QUEUED);
        expected.append(line).append('\n');
    }

    private TrialHandler.Seen seen() {
        return handler.all.getFirst();
    }

    private void checkEnd(CloseReason reason) {
        run.same(Rule.ENDS, "the end of an outgoing connection with TLS", seen().end(), reason.name());
        run.same(Rule.CALLBACKS, "calls of its onClose", seen().closes, 1);
        run.same(Rule.CALLBACKS, "connections of the handler", handler.all.size(), 1);
    }

    private void checkFailed(CloseReason reason, TrialClient peer) {
        checkEnd(reason);
        run.same(Rule.CALLBACKS, "calls of its onOpen", seen().opens, 0);
        peer.readAll();
        run.same(Rule.ENDS, "the peer has read", peer.end(), expected.isEmpty() ? "ended" : "ECONNRESET");
    }

    private void handshake(Connection connection, TrialClient peer) throws IOException {
        ConnectionSnapshot snapshot = server.connections().getFirst();
        run.same(Rule.GAUGES, "the state in the handshake", snapshot.state(), ConnectionState.CONNECTING);
        run.same(Rule.GAUGES, "what is read in the handshake", snapshot.readState(), ReadState.HANDSHAKING);
        run.same(Rule.CALLBACKS, "calls of onOpen in the handshake", seen().opens, 0);
        peer.read(header.length);
        run.same(Rule.BYTES, "what the peer receives before TLS", peer.text(), new String(header, StandardCharsets.US_ASCII));
        switch (answer) {
            case SILENT -> {
                if (handshakeNanos == 0) {
                    network.pass(1_000_000 * MILLI);
                    network.settle();
                    run.same(Rule.DEADLINES, "calls of onClose without a timeout", seen().closes, 0);
                    run.same(Rule.DEADLINES, "the next deadline", network.nextDeadline(connection.loop()), Loop.NO_DEADLINE);
                    return;
                }
                network.pass(MILLI); // the timeout of a connect, which does not run any more
                network.settle();
                if (handshakeNanos > MILLI) {
                    network.pass(handshakeNanos - MILLI - 1);
                    network.settle();
                    run.same(Rule.DEADLINES, "calls of onClose before the timeout of the handshake", seen().closes, 0);
                    network.pass(1 + 10 * MILLI);
                    network.settle();
                }
                checkFailed(CloseReason.HANDSHAKE_TIMEOUT, peer);
            }
            case FOREIGN -> {
                peer.write("SSH-2.0-x\r\n");
                network.settle();
                checkFailed(CloseReason.HANDSHAKE_FAILED, peer);
                checkFailure("the peer does not speak TLS: it began with \"SSH-2.0-x\\x0D\\x0A\"");
            }
            case ENDS -> {
                peer.endOutput();
                network.settle();
                checkFailed(CloseReason.HANDSHAKE_FAILED, peer);
                checkFailure("the peer has closed the connection during the handshake");
            }
            case COMPLETES, COMPLETES_AND_ENDS, COMPLETES_AND_CUTS -> complete(connection, peer);
        }
        peer.close();
        network.settle();
    }

    private void checkFailure(String right) {
        IOException failure = seen().connection.failure();
        run.expect(Rule.ENDS, failure instanceof TlsException && right.equals(failure.getMessage()), "the failure is " + failure);
    }

    // ---- peers that complete the handshake

    private void complete(Connection connection, TrialClient peer) throws IOException {
        SecuredStream secured = SecuredStream.ofServer(peer.stream(), engine);
        secured.beginHandshake();
        boolean isAccepted = !verifies || (isNamed && name == null) || NAME.equals(name) || ADDRESS.equals(name);
        try {
            turn(secured, 0);
        } catch (SSLException e) {
            run.expect(Rule.ENDS, !isAccepted, "the peer's handshake fails: " + e);
            run.reached("SECURED_NAME_REFUSED");
            checkEnd(CloseReason.HANDSHAKE_FAILED);
            run.same(Rule.CALLBACKS, "calls of onOpen", seen().opens, 0);
            run.expect(Rule.ENDS, connection.failure() instanceof TlsException, "the failure is " + connection.failure());
            return;
        }
        run.expect(Rule.ENDS, isAccepted && secured.isConnected(), "the peer has completed the handshake: "
                + secured.isConnected() + ", with the name " + name);
        run.same(Rule.CALLBACKS, "calls of onOpen", seen().opens, 1);
        if (!run.hasFailed()) {
            checkNames(connection);
            talk(connection, secured);
            end(connection, peer, secured);
        }
    }

    private void checkNames(Connection connection) throws IOException {
        String asked = engine.getSession() instanceof ExtendedSSLSession session
                ? session.getRequestedServerNames().stream().map(each -> ((SNIHostName) each).getAsciiName())
                        .collect(Collectors.joining(","))
                : "";
        String right = name == null ? isNamed ? NAME : "" : name.equals(ADDRESS) ? "" : name;
        run.same(Rule.BYTES, "the name that the peer was asked for", asked, right);
        if (hasCertificate) {
            run.same(Rule.BYTES, "the certificates that the peer has got", engine.getSession().getPeerCertificates().length, 1);
        }
        TlsInfo info = Objects.requireNonNull(connection.tls());
        run.same(Rule.GAUGES, "the certificates of the peer", info.peerCertificates().size(), 1);
        run.same(Rule.GAUGES, "the version of TLS", info.protocol(), engine.getSession().getProtocol());
        run.same(Rule.GAUGES, "the cipher suite", info.cipherSuite(), engine.getSession().getCipherSuite());
    }

    /** Continues until the peer has received that many bytes. */
    private void turn(SecuredStream secured, int bytes) throws IOException {
        for (int i = 0; i < ROUNDS_MAX; i++) {
            secured.progress(true);
            network.settle();
            if (secured.isConnected() && !secured.hasUnsent() && secured.receivedBytes() >= bytes && i > 3) {
                return;
            }
        }
    }

    private void checkReceived(SecuredStream secured) {
        run.same(Rule.BYTES, "what the peer has received", new String(secured.received(), StandardCharsets.US_ASCII),
                expected.toString());
    }

    private void talk(Connection connection, SecuredStream secured) throws IOException {
        turn(secured, expected.length());
        checkReceived(secured);
        for (int i = random.between(0, 2); i > 0 && !finishesFirst; i--) {
            String line = "y".repeat(random.between(1, 1_000));
            secured.send(ByteBuffer.wrap(MessageContent.ascii(line + "\n")));
            send(connection, random.between(1, 100));
            turn(secured, expected.length());
            checkReceived(secured);
            run.same(Rule.DELIVERY, "the last message of the peer", seen().messages.getLast(), line);
        }
    }

    private void end(Connection connection, TrialClient peer, SecuredStream secured) throws IOException {
        if (finishesFirst) {
            run.expect(Rule.ENDS, secured.hasReceivedNotify(), "a connection that was finished has sent no close_notify");
        }
        switch (answer) {
            case COMPLETES_AND_CUTS -> {
                peer.endOutput();
                network.settle();
                run.expect(Rule.ENDS, finishesFirst || !seen().inputEnded, "a truncated stream is delivered as complete");
                checkEnd(finishesFirst ? CloseReason.FINISHED : CloseReason.TRUNCATED);
            }
            case COMPLETES_AND_ENDS -> {
                secured.endOutput();
                secured.flushAll(network);
                peer.endOutput();
                network.settle();
                run.same(Rule.ENDS, "the end of the input was delivered", seen().inputEnded, !finishesFirst);
                checkEnd(finishesFirst ? CloseReason.FINISHED : CloseReason.PEER_FINISHED);
            }
            default -> {
                connection.close();
                network.settle();
                secured.progress(true);
                run.expect(Rule.ENDS, secured.hasReceivedNotify(), "a connection that was closed has sent no close_notify");
                // In TLS 1.2 the peer answers a close_notify with its own, and the connection ends by that.
                boolean hasEnded = finishesFirst && engine.getSession().getProtocol().equals("TLSv1.2");
                checkEnd(hasEnded ? CloseReason.FINISHED : CloseReason.CLOSED);
            }
        }
        run.expect(Rule.BYTES, Arrays.equals(secured.received(), MessageContent.ascii(expected.toString())),
                "the peer has received " + secured.receivedBytes() + " of " + expected.length() + " bytes");
        run.same(Rule.CALLBACKS, "calls of onOpen until the end", seen().opens, 1);
    }
}
