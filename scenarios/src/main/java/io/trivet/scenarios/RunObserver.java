package io.trivet.scenarios;

import io.trivet.net.Clock;
import io.trivet.server.Server;

/** Observes a {@link Run}, to show it. It is called on the thread that runs the scenario, and must not change anything. */
public interface RunObserver {
    /**
     * Called before anything runs.
     *
     * @param clock the clock of the simulated network
     */
    void begins(Clock clock);

    /**
     * Called when a server under test was opened, before its first turn. Servers that no client visits are left out.
     *
     * @param name the server's name
     * @param server the server
     */
    void opened(String name, Server server);

    /**
     * Called for each event.
     *
     * @param line the event with its time, as {@code trivet sim} prints it
     * @param event the event without its time
     */
    void happened(String line, String event);

    /**
     * Called at the moment at which the first check has failed.
     *
     * @param failure the failure
     */
    void failed(CheckFailure failure);
}
