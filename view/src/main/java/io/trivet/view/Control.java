package io.trivet.view;

import io.trivet.server.Connection;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** What a reader who may control the server can do to it. Any thread. */
final class Control {
    private final Server server;
    private final PauseGate gate;
    private final Runnable onPause;
    private final TourClient tour;

    /**
     * Creates the controls of a server.
     *
     * @param onPause makes the loops turn, so that a pause begins at once
     */
    Control(Server server, PauseGate gate, Runnable onPause) {
        this.server = server;
        this.gate = gate;
        this.onPause = onPause;
        tour = new TourClient(server);
    }

    boolean pause() {
        gate.pause();
        onPause.run();
        return true;
    }

    /** If nothing is ready, the loop sleeps in the kernel until something is, as it does without a pause. */
    boolean step() {
        gate.step();
        return true;
    }

    boolean resume() {
        gate.resume();
        return true;
    }

    /** Closes a connection. Returns false if it is closed already. */
    boolean close(long id) {
        Connection connection = server.connection(id);
        if (connection != null) {
            connection.close();
        }
        return connection != null;
    }

    /** Does a step of the guided tour. Returns false if there is no such step. */
    boolean tour(String step) {
        try {
            return tour.run(step);
        } catch (IOException e) {
            throw new IllegalArgumentException("the tour's client failed: " + e.getMessage(), e);
        }
    }

    /** Returns the address from which the tour's client is connected, or null. */
    @Nullable
    SocketAddress tourAddress() {
        return tour.address();
    }

    /** Closes the tour's client, if it is connected. */
    void end() {
        tour.close();
    }
}
