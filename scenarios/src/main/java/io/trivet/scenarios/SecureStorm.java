package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Server;
import io.trivet.tls.TlsServer;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLEngine;

/**
 * Steps of handshakes that wait for each other: a turn performs up to 64 of them, and none while they have taken more than a quarter
 * of the time. The steps are those of clients whose first message is wrong, so that each is visible by the end of its connection.
 */
final class SecureStorm {
    private static final long MILLI = 1_000_000;
    private static final int PER_TURN_MAX = 64;
    /** Maximum time that steps owe, and how much other time pays it back. */
    private static final long OWED_NANOS_MAX = 10 * MILLI;
    private static final long PAID_BACK_NANOS = 3 * OWED_NANOS_MAX;
    /** A record with a message of the handshake that no client sends. */
    private static final byte[] WRONG_HELLO = {22, 3, 3, 0, 4, 77, 0, 0, 0};
    private static final int ROUNDS_MAX = 100;

    private final TrialRun run;
    private final TrialNetwork network;
    private final SSLEngine engine;
    private final Server server;
    private final List<TrialClient> clients = new ArrayList<>();
    private long openTakesNanos;
    private final TrialHandler handler = new TrialHandler() {
        @Override
        public void onOpen(Connection connection) throws Exception {
            super.onOpen(connection);
            network.pass(openTakesNanos);
        }
    };

    SecureStorm(TrialRun run) throws IOException {
        this.run = run;
        network = run.readinessNetwork();
        run.sim.buffers(16_000, 16_000);
        SecureRandom randomness = run.sim.secureRandom();
        TlsServer tls = TlsServer.builder().context(SecuredContexts.ofServer(randomness)).handshakeTimeout(Duration.ZERO).build();
        engine = SecuredContexts.ofClients(randomness).createSSLEngine();
        server = run.builder(network, handler, Trial.LIMITS).framing(Framing.lines()).tls(tls).open();
    }

    void perform() throws IOException {
        many();
        if (!run.hasFailed()) {
            owed();
        }
        for (TrialClient each : clients) {
            each.close();
        }
        network.settle();
        run.close(network, server);
    }

    private TrialClient connect() throws IOException {
        clients.add(TrialClient.connect(run, run.address));
        return clients.getLast();
    }

    /** Many first messages arrive at once, while no time passes. */
    private void many() throws IOException {
        int count = run.random.chance(30) ? PER_TURN_MAX + run.random.between(-1, 20) : run.random.between(1, 10);
        run.log(count + " wrong first messages at once");
        for (int i = 0; i < count; i++) {
            connect();
        }
        network.settle();
        for (TrialClient each : clients) {
            each.write(WRONG_HELLO);
        }
        network.turn(0);
        run.same(Rule.CALLBACKS, "handshakes that fail in one turn", handler.closed.size(), Math.min(count, PER_TURN_MAX));
        if (count > PER_TURN_MAX) {
            run.same(Rule.DEADLINES, "until when a loop waits that has steps of handshakes", network.nextDeadline(0),
                    network.now());
        }
        network.turn(0);
        run.same(Rule.CALLBACKS, "handshakes that fail in two turns", handler.closed.size(), count);
        for (TrialHandler.Seen each : handler.closed) {
            run.same(Rule.ENDS, "the end of a handshake", each.end(), CloseReason.HANDSHAKE_FAILED.name());
        }
    }

    /** A step that takes long is followed by none until three times its time has passed, of which at most 30 ms. */
    private void owed() throws IOException {
        SecuredStream secured = new SecuredStream(connect().stream(), engine);
        network.settle();
        openTakesNanos = run.random.between(20, 1_000) * MILLI;
        secured.beginHandshake();
        for (int i = 0; i < ROUNDS_MAX && (!secured.isConnected() || secured.hasUnsent()); i++) {
            secured.progress(true);
            network.settle();
        }
        if (!secured.isConnected()) {
            run.fail(Rule.LIVENESS, "the handshake is not completed");
            return;
        }
        int before = handler.closed.size();
        TrialClient next = connect();
        network.settle();
        long passes = run.random.number(0, 1, 2) * PAID_BACK_NANOS / 2 + run.random.number(-1, 0, 1, 1_000);
        network.pass(Math.max(0, passes));
        next.write(WRONG_HELLO);
        network.turn(0);
        boolean isPaid = passes >= PAID_BACK_NANOS;
        run.same(Rule.CALLBACKS, "handshakes that fail " + ReportText.duration(Math.max(0, passes)) + " after a long step",
                handler.closed.size() - before, isPaid ? 1 : 0);
        network.pass(PAID_BACK_NANOS);
        network.turn(0);
        run.same(Rule.CALLBACKS, "handshakes that fail afterwards", handler.closed.size() - before, 1);
    }
}
