package io.trivet.scenarios;

import io.trivet.net.Interest;
import io.trivet.net.Socket;
import io.trivet.server.Server;
import java.io.IOException;

/**
 * Sockets that are reported as ready although there is nothing to do. After 1,024 such events in a row, and not before, the
 * connection is closed. Events in a row are at most 16 polls apart. Another connection in the same slot starts at zero.
 */
final class SpinTrial implements Trial {
    private static final int EVENTS_MAX = 1024;
    private static final int POLLS_APART_MAX = 16;

    @Override
    public void run(TrialRun run) throws IOException {
        TrialNetwork network = run.readinessNetwork();
        network.useStuckPoller();
        TrialHandler handler = new TrialHandler();
        try (Server server = run.builder(network, handler, LIMITS).open()) {
            int connections = run.random.between(1, 3);
            for (int i = 0; i < connections && !run.hasFailed(); i++) {
                spin(run, network, handler);
            }
            run.close(network, server);
        }
    }

    private static void spin(TrialRun run, TrialNetwork network, TrialHandler handler) throws IOException {
        TrialClient client = TrialClient.connect(run, run.address);
        network.settle();
        TrialHandler.Seen seen = handler.all.getLast();
        Socket socket = network.stuckPoller().latest();
        int events = run.random.pick(Interest.READ, Interest.WRITE, Interest.READ | Interest.WRITE, Interest.PRIORITY);
        int before = run.random.number(0, 1, 500, EVENTS_MAX - 1);
        run.log("its socket is reported as " + Interest.toString(events) + " " + before + " times");
        stick(network, socket, events, before);
        int counted = before;
        switch (run.random.below(4)) {
            case 0 -> { // something to do starts the count again
                client.write("x");
                network.turn(0);
                counted = 0;
                run.log("a byte arrives");
            }
            case 1 -> {
                int apart = POLLS_APART_MAX + run.random.number(-2, -1, 0, 1, 5);
                for (int i = 0; i < apart - 1; i++) {
                    network.turn(0);
                }
                counted = apart > POLLS_APART_MAX ? 0 : before;
                run.log("the next such event is " + apart + " polls later");
            }
            case 2 -> {
                seen.connection.close();
                network.turn(0);
                network.turn(0);
                client.close();
                run.log("the connection is closed, and another one takes its slot");
                client = TrialClient.connect(run, run.address);
                network.turn(0); // few turns, so that the events would count as events in a row
                network.turn(0);
                seen = handler.all.getLast();
                socket = network.stuckPoller().latest();
                counted = 0;
            }
            default -> {
                // The events continue.
            }
        }
        stick(network, socket, events, EVENTS_MAX - 1 - counted);
        run.same(Rule.SPIN, "after " + (EVENTS_MAX - 1) + " events without anything to do the connection is", seen.end(), "open");
        stick(network, socket, events, 1);
        run.same(Rule.SPIN, "after " + EVENTS_MAX + " events without anything to do the connection is", seen.end(), "SPINNING");
        client.readAll();
        run.same(Rule.ENDS, "the client of a connection that spun", client.end(), "ended");
        client.close();
        network.settle();
        run.reached("SPINNING");
    }

    private static void stick(TrialNetwork network, Socket socket, int events, int times) throws IOException {
        network.stuckPoller().stick(socket, events);
        for (int i = 0; i < times; i++) {
            network.turn(0);
        }
        network.stuckPoller().stick(null, 0);
    }
}
