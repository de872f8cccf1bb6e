package io.trivet.scenarios;

import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Limits;
import io.trivet.server.SendResult;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Connections that the server makes: the connect timeout, to the nanosecond; messages that wait for the connect, whose write timeout
 * starts when it is established; refused connects; and what is left of a connection that is closed or finished before.
 */
final class ConnectTrial implements Trial {
    private static final long MILLI = 1_000_000;
    private static final int PORT = 9_000;

    @Override
    public void run(TrialRun run) throws IOException {
        switch (run.random.below(10)) {
            case 0 -> neverAnswered(run);
            case 1 -> refused(run);
            case 2, 3 -> answeredLate(run);
            default -> new OutgoingTrial().run(run);
        }
    }

    private static Limits limits(TrialRun run) {
        return LIMITS.withConnectTimeout(Duration.ofNanos(run.random.logUniform(MILLI, 1_000 * MILLI)))
                .withWriteTimeout(Duration.ofNanos(run.random.logUniform(MILLI, 1_000 * MILLI)))
                .withFirstMessageTimeout(Duration.ofNanos(1)).withIdleTimeout(Duration.ZERO);
    }

    /** The backlog of the peer is full: nothing answers. */
    private static void neverAnswered(TrialRun run) throws IOException {
        InetSocketAddress to = new InetSocketAddress(run.clients.address(), PORT);
        TcpListener listener = run.clients.listen(to, 1);
        List<TcpStream> fillers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            fillers.add(run.clients.connect(to));
        }
        TrialNetwork network = run.anyNetwork();
        TrialHandler handler = new TrialHandler();
        Limits limits = limits(run);
        try (Server server = run.builder(network, handler, limits).open()) {
            network.settle();
            boolean own = run.random.chance(50);
            Duration timeout = own ? Duration.ofNanos(run.random.logUniform(MILLI, 1_000 * MILLI)) : limits.connectTimeout();
            TrialHandler.Seen seen = handler.seen(own ? server.connect(to, handler, timeout) : server.connect(to, handler));
            Connection connection = seen.connection;
            connection.send(new byte[10]);
            run.log("the server connects, within " + ReportText.duration(timeout.toNanos()) + ", and nothing answers");
            network.settle();
            network.pass(timeout.toNanos() - 1);
            network.settle();
            run.same(Rule.DEADLINES, "a nanosecond before its connect timeout the connection is", seen.end(), "open");
            network.pass(1);
            network.settle();
            run.same(Rule.DEADLINES, "at its connect timeout the connection is", seen.end(), "CONNECT_TIMEOUT");
            run.expect(Rule.ENDS, connection.failure() != null, "failure() returns null after a connect timeout");
            run.same(Rule.CALLBACKS, "onOpen was called this often", seen.opens, 0);
            run.same(Rule.GAUGES, "bytes in the queue of a closed connection", connection.queue().bytes(), 0);
            run.close(network, server);
        }
        listener.close();
        for (TcpStream filler : fillers) {
            filler.close();
        }
    }

    private static void refused(TrialRun run) throws IOException {
        InetSocketAddress to = new InetSocketAddress(run.clients.address(), PORT + 1);
        TrialNetwork network = run.anyNetwork();
        TrialHandler handler = new TrialHandler();
        try (Server server = run.builder(network, handler, limits(run)).open()) {
            network.settle();
            TrialHandler.Seen seen = handler.seen(server.connect(to, handler));
            boolean finishes = run.random.chance(30);
            boolean waits = run.random.chance(50);
            run.log("the server connects, and is refused");
            if (waits) {
                run.same(Rule.CALLBACKS, "a message before the connect", seen.connection.send(new byte[10]), SendResult.QUEUED);
            }
            if (finishes) {
                seen.connection.finish();
                run.same(Rule.CALLBACKS, "a message after finish", seen.connection.send(new byte[10]), SendResult.CLOSED);
            }
            network.settle();
            run.same(Rule.ENDS, "the refused connection is", seen.end(), finishes && !waits ? "FINISHED" : "CONNECT_FAILED");
            run.same(Rule.ENDS, "failure() is set", seen.connection.failure() != null, !finishes || waits);
            run.close(network, server);
        }
    }

    private static void answeredLate(TrialRun run) throws IOException {
        InetSocketAddress to = new InetSocketAddress(run.clients.address(), PORT + 2);
        TcpListener listener = run.clients.listen(to, 4);
        TrialNetwork network = run.readinessNetwork();
        TrialHandler handler = new TrialHandler();
        Limits limits = limits(run);
        try (Server server = run.builder(network, handler, limits).open()) {
            network.settle();
            TrialHandler.Seen seen = handler.seen(server.connect(to, handler));
            int bytes = run.random.number(0, 1, 1000);
            if (bytes > 0) {
                seen.connection.send(new byte[bytes]);
            }
            network.turn(0);
            run.same(Rule.CALLBACKS, "the state of a connecting connection", seen.connection.state().name(), "CONNECTING");
            long late = run.random.logUniform(1, 3_000 * MILLI);
            network.pass(late);
            network.proactor(0).fill();
            run.log("it is connected " + ReportText.duration(late) + " later, and its socket is full");
            network.settle();
            run.same(Rule.ENDS, "the connection, which was established before the loop found it overdue, is", seen.end(), "open");
            run.same(Rule.CALLBACKS, "onOpen was called this often", seen.opens, 1);
            if (bytes == 0) {
                network.pass(limits.connectTimeout().toNanos());
                network.settle();
                run.same(Rule.DEADLINES, "a connect timeout after it was established, the connection is", seen.end(), "open");
            }
            if (bytes > 0) {
                network.pass(limits.writeTimeout().toNanos() - 1);
                network.settle();
                run.same(Rule.DEADLINES, "a nanosecond before its write timeout the connection is", seen.end(), "open");
                if (run.random.chance(50)) {
                    network.proactor(0).makeRoom();
                    network.settle();
                    run.same(Rule.DELIVERY, "bytes in the queue, once there is room", seen.connection.queue().bytes(), 0);
                    network.pass(limits.writeTimeout().toNanos());
                    network.settle();
                    run.same(Rule.DEADLINES, "without anything to send, the connection is", seen.end(), "open");
                } else {
                    network.pass(1);
                    network.settle();
                    run.same(Rule.DEADLINES, "at its write timeout the connection is", seen.end(),
                            CloseReason.WRITE_TIMEOUT.name());
                }
            }
            run.close(network, server);
        }
        listener.close();
    }
}
