package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.SendResult;
import io.trivet.server.Server;
import io.trivet.server.ServerBuilder;
import io.trivet.server.Session;
import io.trivet.tls.TlsServer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLEngine;
import org.jspecify.annotations.Nullable;

/**
 * A connection that changes from plaintext to TLS (STARTTLS) or has TLS from its beginning, served by a handler or a session. What
 * was accepted for sending before the change arrives in plaintext, what was accepted later arrives encrypted, and nothing that the
 * client sends in plaintext behind its request is delivered. The buffers of the sockets are often shorter than a record, so that
 * any record has to wait for room, also the last one, close_notify. The FIN follows it without any time passing.
 */
final class SecureTrial implements Trial {
    private static final String REQUEST = "starttls";
    private static final String GO_AHEAD = "go ahead";
    private static final String QUIT = "quit";
    private static final int ROUNDS_MAX = 2_000;
    /** Maximum number of reads of one piece; after them, a client reads everything. */
    private static final int PIECES_MAX = 100;
    /** The first byte of a record that is an alert. */
    private static final char ALERT = 21;

    @Override
    public void run(TrialRun run) throws IOException {
        new Steps(run).perform();
        if (!run.hasFailed() && run.random.chance(70)) {
            switch (run.random.below(7)) {
                case 0, 1, 2, 3 -> new SecureCases(run).perform();
                case 4, 5 -> new SecureOutgoing(run).perform();
                default -> new SecureStorm(run).perform();
            }
        }
    }

    private static final class Steps {
        final TrialRun run;
        final TrialNetwork network;
        final boolean hasSession;
        final boolean isAtOnce;
        final boolean isTls12;
        final TlsServer tls;
        final SecuredNames names;
        final SSLEngine engine;
        final SecuredStream secured;
        final Server server;
        final TrialClient client;
        /** What the server sends in the callback or the session, before the answer and behind it. */
        final int[] before;
        final int[] behind;
        /** What the client must receive in plaintext, and encrypted. */
        final StringBuilder plain = new StringBuilder();
        final StringBuilder secret = new StringBuilder();
        final List<String> asked = new ArrayList<>();
        final List<String> received = new ArrayList<>();
        private @Nullable Connection accepted;
        private boolean changed;
        private boolean finished;
        private int opens;
        private int sessionEnds;
        private boolean inputEnded;
        private int sent;
        private int listened;
        private int notified;

        Steps(TrialRun run) throws IOException {
            this.run = run;
            network = run.anyNetwork();
            hasSession = run.random.chance(50);
            isAtOnce = run.random.chance(25);
            isTls12 = run.random.chance(25);
            boolean isNarrow = run.random.chance(50);
            int sendBytes = isNarrow ? run.random.between(40, 300) : run.random.number(2_000, 16_000);
            int receiveBytes = isNarrow ? run.random.between(40, 300) : run.random.number(2_000, 16_000);
            run.sim.buffers(sendBytes, receiveBytes);
            before = sizes();
            behind = sizes();
            SecureRandom randomness = run.sim.secureRandom();
            names = new SecuredNames(run.random);
            tls = names.addTo(TlsServer.builder().context(SecuredContexts.ofServer(randomness))).build();
            engine = SecuredContexts.ofClients(randomness).createSSLEngine();
            engine.setEnabledProtocols(new String[]{isTls12 ? "TLSv1.2" : "TLSv1.3"});
            names.addTo(engine);
            Limits limits = LIMITS.withQueueBytesMax(1 << 20).withQueueMarks(1 << 20, 0);
            ServerBuilder builder = Server.builder().network(network).listen(run.address).limits(limits).framing(Framing.lines())
                    .overflow(Overflow.DISCONNECT).loops(run.random.number(1, 1, 2));
            builder = hasSession ? builder.session(this::serve) : builder.handler(new Callbacks());
            server = (isAtOnce ? builder.tls(tls) : builder.enableTls()).open();
            run.log((hasSession ? "a session, " : "a handler, ") + (isAtOnce ? "TLS" : "STARTTLS with TLS")
                    + (isTls12 ? " 1.2" : " 1.3") + ", buffers of " + sendBytes + " and " + receiveBytes + " bytes");
            changed = isAtOnce;
            client = TrialClient.connect(run, run.address);
            secured = new SecuredStream(client.stream(), engine);
        }

        private int[] sizes() {
            int[] sizes = new int[run.random.between(0, 3)];
            for (int i = 0; i < sizes.length; i++) {
                sizes[i] = size();
            }
            return sizes;
        }

        private int size() {
            return (int) run.random.logUniform(1, run.random.chance(20) ? 20_000 : 300);
        }

        // ---- the server

        private final class Callbacks extends TrialHandler {
            @Override
            public void onOpen(Connection connection) throws Exception {
                super.onOpen(connection);
                opened(connection);
            }

            @Override
            public void onMessage(Connection connection, ByteBuffer message) throws Exception {
                String line = text(message);
                received.add(line);
                if (line.equals(REQUEST)) {
                    for (int size : before) {
                        send(size);
                    }
                    expect(GO_AHEAD);
                    connection.send(GO_AHEAD);
                    connection.startTls(tls);
                    changed = true;
                    for (int size : behind) {
                        send(size);
                    }
                } else if (finished) {
                    run.same(Rule.CALLBACKS, "a reply behind the end", connection.send(line), SendResult.CLOSED);
                } else {
                    run.same(Rule.CALLBACKS, "a reply", connection.send(expect(line)), SendResult.QUEUED);
                }
            }

            @Override
            public void onEndOfInput(Connection connection) throws Exception {
                inputEnded = true;
                super.onEndOfInput(connection);
            }
        }

        private void serve(Session session) throws IOException {
            opened(session.connection());
            try {
                for (ByteBuffer message = session.receive(); message != null; message = session.receive()) {
                    String line = text(message);
                    received.add(line);
                    if (line.equals(QUIT)) {
                        return;
                    }
                    if (line.equals(REQUEST)) {
                        for (int size : before) {
                            session.send(expect(line(size)));
                        }
                        expect(GO_AHEAD);
                        changed = true;
                        session.startTls(tls, GO_AHEAD);
                        for (int size : behind) {
                            session.send(expect(line(size)));
                        }
                    } else {
                        session.send(expect(line));
                    }
                }
                inputEnded = true;
            } finally {
                sessionEnds++;
            }
        }

        private void opened(Connection connection) {
            accepted = connection;
            opens++;
            if ((connection.tls() != null) != isAtOnce) {
                run.fail(Rule.GAUGES, "a connection that is opened reports the TLS " + connection.tls());
            }
        }

        private static String text(ByteBuffer message) {
            return StandardCharsets.ISO_8859_1.decode(message.duplicate()).toString();
        }

        private Connection connection() {
            Connection connection = accepted;
            if (connection == null) {
                throw new IllegalStateException("no connection was opened");
            }
            return connection;
        }

        /** Returns the next message of the server. */
        private String line(int size) {
            return sent + ":" + String.valueOf((char) ('a' + sent++ % 26)).repeat(size);
        }

        /** Adds a message of the server to what the client must receive. */
        private String expect(String line) {
            (changed ? secret : plain).append(line).append('\n');
            return line;
        }

        /** Sends a message of the server, sometimes with a listener. */
        private void send(int size) {
            String line = expect(line(size));
            SendResult result;
            if (run.random.chance(30)) {
                listened++;
                result = connection().send(StandardCharsets.ISO_8859_1.encode(line), (of, bytes, failure) -> notified++);
            } else {
                result = connection().send(line);
            }
            run.same(Rule.CALLBACKS, "a message of " + line.length() + " bytes", result, SendResult.QUEUED);
        }

        // ---- the run

        void perform() throws IOException {
            network.settle();
            if (isAtOnce || startTls()) {
                handshake();
                int steps = run.random.between(0, 8);
                for (int i = 0; i < steps && !run.hasFailed(); i++) {
                    step();
                }
                if (!run.hasFailed()) {
                    end();
                }
            }
            client.close();
            network.settle();
            run.same(Rule.CALLBACKS, "listeners that were notified", notified, listened);
            run.same(Rule.CALLBACKS, "connections that were opened", opens, 1);
            run.same(Rule.CALLBACKS, "sessions that have ended", sessionEnds, hasSession ? 1 : 0);
            run.close(network, server);
        }

        /** Changes to TLS. Returns false if injected plaintext has ended the connection. */
        private boolean startTls() throws IOException {
            for (int i = run.random.between(0, 2); i > 0; i--) {
                ask("before " + i);
                client.write("before " + i + "\n");
                network.settle();
                readPlain(false);
            }
            PlaintextInjection injection = run.random.chance(50) ? PlaintextInjection.NONE
                    : run.random.pick(PlaintextInjection.values());
            run.log("the client requests TLS; injected: " + injection);
            String with = switch (injection) {
                case WITH_REQUEST -> run.random.pick("x\n", "x\ny\n", "\n", REQUEST + "\n");
                case PART_WITH_REQUEST -> run.random.pick("x", "\r", REQUEST);
                case NONE, BEHIND_ANSWER -> "";
            };
            asked.add(REQUEST);
            client.write(REQUEST + "\n" + with);
            network.settle();
            if (with.isEmpty()) {
                sendMany();
                network.settle();
            }
            readPlain(!with.isEmpty() && !hasSession && behind.length > 0);
            if (injection == PlaintextInjection.NONE) {
                return !run.hasFailed();
            }
            run.reached("PLAINTEXT_INJECTED");
            if (injection == PlaintextInjection.BEHIND_ANSWER) {
                client.write(run.random.pick("x\n", REQUEST + "\n"));
            }
            network.settle();
            client.readAll();
            String more = client.text().substring(Math.min(client.count(), plain.length()));
            boolean isAlert = injection == PlaintextInjection.BEHIND_ANSWER && !more.isEmpty() && more.charAt(0) == ALERT;
            run.expect(Rule.BYTES, more.isEmpty() || isAlert,
                    "behind the answer to " + REQUEST + ", and before a handshake, the client"
                            + " receives " + more.length() + " bytes");
            checkReason(
                    injection == PlaintextInjection.BEHIND_ANSWER ? CloseReason.HANDSHAKE_FAILED : CloseReason.PROTOCOL_ERROR);
            checkAsked();
            return false;
        }

        private void ask(String line) {
            run.log("the client sends " + line.length() + " bytes");
            asked.add(line);
        }

        private void sendMany() {
            for (int i = run.random.between(0, 2); i > 0; i--) {
                send(size());
            }
        }

        /**
         * Reads what must arrive in plaintext, and checks that nothing else does.
         *
         * @param mayBeCut true if messages that were accepted behind the answer have been dropped, so that the connection was reset
         */
        private void readPlain(boolean mayBeCut) throws IOException {
            int piece = piece();
            for (int i = 0; i < ROUNDS_MAX && client.count() < plain.length() && client.end().equals("open"); i++) {
                client.read(i < PIECES_MAX ? piece : Integer.MAX_VALUE);
                network.settle();
            }
            network.settle();
            client.readAll();
            run.expect(Rule.BYTES, mayBeCut ? plain.indexOf(client.text()) == 0 : client.text().contentEquals(plain),
                    "in plaintext the client has received " + client.count() + " bytes, which are not the " + plain.length()
                            + " bytes that were sent before TLS");
            checkAsked();
        }

        private int piece() {
            return run.random.chance(50) ? Integer.MAX_VALUE : run.random.number(1, 7, 23, 24, 100, 1_000) + run.random.below(20);
        }

        private void checkAsked() {
            run.same(Rule.DELIVERY, "messages that were delivered", received, asked);
        }

        private void checkReason(CloseReason... right) {
            Set<CloseReason> closed = server.stats().closed().isEmpty() ? EnumSet.noneOf(CloseReason.class)
                    : EnumSet.copyOf(server.stats().closed().keySet());
            run.expect(Rule.ENDS, closed.size() == 1 && List.of(right).containsAll(closed),
                    "the connection has ended with " + closed + " instead of " + List.of(right));
        }

        // ---- over TLS

        private void handshake() throws IOException {
            secured.beginHandshake();
            for (int i = 0; i < ROUNDS_MAX && (!secured.isConnected() || secured.hasUnsent()); i++) {
                secured.progress(true);
                network.settle();
            }
            run.expect(Rule.LIVENESS, secured.isConnected(), "the handshake is not completed");
            if (!run.hasFailed()) {
                run.same(Rule.CALLBACKS, "connections after the handshake", opens, 1);
                names.check(run, connection().tls(), engine);
            }
        }

        private void step() throws IOException {
            switch (run.random.below(4)) {
                case 0 -> {
                    String line = line(size());
                    ask(line);
                    sendSecret(line);
                    checkAsked();
                }
                case 1 -> sendMany();
                case 2 -> readSlowly();
                default -> read(piece(), run.random.between(1, 8));
            }
            network.settle();
        }

        private void sendSecret(String line) throws IOException {
            ByteBuffer message = StandardCharsets.ISO_8859_1.encode(line + "\n");
            for (int i = 0; i < ROUNDS_MAX && (message.hasRemaining() || secured.hasUnsent()); i++) {
                secured.send(message);
                secured.progress(false);
                network.settle();
            }
        }

        private void read(int piece, int times) throws IOException {
            for (int i = 0; i < times && !secured.hasStreamEnded(); i++) {
                secured.receiveAtMost(piece);
                secured.progress(true);
                network.settle();
            }
            secured.receiveAtMost(Integer.MAX_VALUE);
        }

        /** Reads everything that has arrived, now and then: what the server can send in between restarts its write timeout. */
        private void readSlowly() throws IOException {
            if (run.random.chance(50)) {
                send(run.random.between(1_000, 20_000));
                network.settle();
            }
            for (int i = run.random.between(1, 5); i > 0; i--) {
                network.pass(LIMITS.writeTimeout().toNanos() / 10 * 6);
                network.settle();
                run.expect(Rule.DEADLINES, server.stats().total().closed() == 0,
                        "the connection is closed, although its client reads what arrives: " + server.stats().closed());
                read(Integer.MAX_VALUE, 1);
            }
        }

        private void readSecret() throws IOException {
            int piece = piece();
            for (int i = 0; i < ROUNDS_MAX && !secured.hasStreamEnded() && secured.receivedBytes() < secret.length(); i++) {
                read(i < PIECES_MAX ? piece : Integer.MAX_VALUE, 1);
            }
        }

        private void end() throws IOException {
            SecuredEnd end = run.random.pick(SecuredEnd.values());
            if (isTls12) { // where a close_notify ends both directions
                end = SecuredEnd.FINISH;
            }
            run.log("the end: " + end + ", after " + secret.length() + " bytes, of which the client has "
                    + secured.receivedBytes());
            run.reached("SECURED_" + end);
            switch (end) {
                case FINISH -> {
                    if (hasSession) {
                        ask(QUIT);
                        sendSecret(QUIT);
                    } else {
                        connection().finish();
                    }
                    network.settle();
                    awaitEnd();
                    endOutput();
                    checkReason(CloseReason.FINISHED);
                }
                case FINISH_OUTPUT -> {
                    finished = true;
                    connection().finishOutput();
                    network.settle();
                    awaitEnd();
                    checkStillReceived();
                    endOutput();
                    checkReason(CloseReason.FINISHED, CloseReason.PEER_FINISHED);
                }
                case CLIENT_ENDS -> {
                    endOutput();
                    awaitEnd();
                    run.expect(Rule.ENDS, inputEnded, "the end of the input was not delivered");
                    checkReason(CloseReason.FINISHED, CloseReason.PEER_FINISHED);
                }
                case CLIENT_CUTS -> {
                    client.endOutput();
                    network.settle();
                    readSecret();
                    read(Integer.MAX_VALUE, ROUNDS_MAX);
                    run.expect(Rule.ENDS, !inputEnded, "a truncated stream is delivered as complete");
                    checkReason(CloseReason.TRUNCATED);
                }
            }
            checkReceived();
            checkAsked();
        }

        /** A handler still receives, and cannot send. A session would end with the attempt. */
        private void checkStillReceived() throws IOException {
            for (int i = hasSession ? 0 : run.random.between(0, 2); i > 0; i--) {
                String line = line(size());
                ask(line);
                sendSecret(line);
            }
            checkAsked();
        }

        private void endOutput() throws IOException {
            secured.endOutput();
            for (int i = 0; i < ROUNDS_MAX && secured.hasUnsent(); i++) {
                network.settle();
                secured.progress(false);
            }
            client.endOutput();
            network.settle();
        }

        /** Reads everything. Then the server has sent its close_notify and its FIN, although no time has passed. */
        private void awaitEnd() throws IOException {
            readSecret();
            read(run.random.number(1, 23, 24, 100), ROUNDS_MAX);
            run.expect(Rule.ENDS, secured.hasReceivedNotify(), "the client has received no close_notify");
            run.expect(Rule.ENDS, secured.hasStreamEnded(), "the TCP stream has not ended behind the close_notify");
        }

        private void checkReceived() {
            String actual = new String(secured.received(), StandardCharsets.ISO_8859_1);
            run.expect(Rule.DELIVERY, actual.contentEquals(secret), "over TLS the client has received " + actual.length()
                    + " bytes, which are not the " + secret.length() + " bytes that were sent");
        }
    }
}
