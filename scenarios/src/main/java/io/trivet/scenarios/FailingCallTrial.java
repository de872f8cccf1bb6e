package io.trivet.scenarios;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import io.trivet.server.Connection;
import io.trivet.server.Server;
import java.io.IOException;
import java.util.Objects;

/**
 * A single call of the proactor fails, as on a ring that refuses a submission. Exactly the connection that it concerns ends, with the
 * reason and the failure of that call. Nothing leaks, and another connection is served as before.
 */
final class FailingCallTrial implements Trial {
    private static final byte[] MESSAGE = MessageContent.ascii("hello");

    @Override
    public void run(TrialRun run) throws IOException {
        TrialNetwork network = run.anyNetwork();
        TrialProactor.Call call = run.random.pick(TrialProactor.Call.ADOPT, TrialProactor.Call.RECEIVE,
                TrialProactor.Call.STOP_RECEIVING, TrialProactor.Call.WATCH_URGENT, TrialProactor.Call.SEND_URGENT,
                TrialProactor.Call.SEND, TrialProactor.Call.SHUTDOWN_OUTPUT, TrialProactor.Call.CONNECT);
        ErrorCode code = run.random.pick(ErrorCode.ENOMEM, ErrorCode.EIO, ErrorCode.ENOBUFS, ErrorCode.ECONNRESET,
                ErrorCode.EPIPE,
                ErrorCode.ETIMEDOUT, ErrorCode.ENOTCONN);
        NetworkException failure = new NetworkException("call", null, code);
        String expected = switch (code) {
            case ECONNRESET, EPIPE, ETIMEDOUT, ENOTCONN -> "RESET";
            default -> "FAILED";
        };
        run.log(call + " fails with " + code);
        TrialHandler handler = new TrialHandler();
        try (Server server = run.builder(network, handler, LIMITS).urgent(true).open()) {
            TrialClient other = TrialClient.connect(run, run.address);
            network.settle();
            TrialProactor proactor = network.proactor(0);
            boolean atFirst = switch (call) {
                case ADOPT, RECEIVE, WATCH_URGENT -> true;
                default -> false;
            };
            if (call == TrialProactor.Call.CONNECT) {
                connect(run, network, server, handler, failure);
            } else {
                if (atFirst) {
                    proactor.failNext(call, failure);
                }
                TrialClient client = TrialClient.connect(run, run.address);
                network.settle();
                if (call == TrialProactor.Call.ADOPT) {
                    run.same(Rule.CALLBACKS, "connections that were opened", handler.all.size(), 1);
                    run.same(Rule.GAUGES, "connections", server.stats().total().connections(), 1);
                } else {
                    TrialHandler.Seen seen = handler.all.getLast();
                    if (!atFirst) {
                        proactor.failNext(call, failure);
                        act(network, seen, call);
                    }
                    check(run, seen, call, expected, failure);
                }
                client.readAll();
                client.close();
            }
            run.expect(Rule.COMPLETIONS, !proactor.stillFails(call), "the server has not made the call " + call);
            serve(run, network, handler, other);
            run.close(network, server);
        }
    }

    /** Makes the server call the proactor. */
    private static void act(TrialNetwork network, TrialHandler.Seen seen, TrialProactor.Call call)
            throws IOException {
        Connection connection = seen.connection;
        switch (call) {
            case STOP_RECEIVING -> connection.pauseReading();
            case SEND_URGENT -> connection.sendUrgent((byte) 7);
            case SEND -> connection.send(MESSAGE);
            case SHUTDOWN_OUTPUT -> connection.finishOutput();
            default -> throw new AssertionError(call);
        }
        network.settle();
    }

    private static void check(TrialRun run, TrialHandler.Seen seen, TrialProactor.Call call, String expected,
            NetworkException failure) {
        run.same(Rule.ENDS, "the connection after the failure of " + call + " is", seen.end(), expected);
        run.same(Rule.CALLBACKS, "onClose was called this often", seen.closes, 1);
        run.expect(Rule.ENDS, Objects.equals(seen.connection.failure(), failure),
                "failure() returns " + seen.connection.failure());
    }

    private static void connect(TrialRun run, TrialNetwork network, Server server, TrialHandler handler, NetworkException failure)
            throws IOException {
        network.proactor(0).failNext(TrialProactor.Call.CONNECT, failure);
        TrialHandler.Seen seen = handler.seen(server.connect(run.address, handler));
        network.settle();
        run.same(Rule.ENDS, "the connection whose connect has failed is", seen.end(), "CONNECT_FAILED");
        run.expect(Rule.ENDS, Objects.equals(seen.connection.failure(), failure),
                "failure() returns " + seen.connection.failure());
        run.same(Rule.GAUGES, "connections", server.stats().total().connections(), 1);
    }

    private static void serve(TrialRun run, TrialNetwork network, TrialHandler handler, TrialClient other) throws IOException {
        TrialHandler.Seen seen = handler.all.getFirst();
        other.write(MESSAGE);
        network.settle();
        run.same(Rule.DELIVERY, "the messages of another connection", seen.messages.toString(), "[hello]");
        seen.connection.send(MESSAGE);
        network.settle();
        other.readAll();
        run.same(Rule.DELIVERY, "what the client of another connection has received", other.text(), "hello");
        run.same(Rule.ENDS, "another connection is", seen.end(), "open");
    }
}
