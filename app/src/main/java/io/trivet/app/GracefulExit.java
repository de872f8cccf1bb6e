package io.trivet.app;

import java.io.PrintStream;
import java.time.Duration;

/**
 * SIGINT and SIGTERM let a server drain, and the exit code is 0; a second signal does not wait. A JVM that ends by a signal gives 130
 * or 143 by itself, unless its shutdown hook halts it.
 */
final class GracefulExit implements AutoCloseable {
    private final ReplyServer server;
    private final Duration drainTimeout;
    private final PrintStream err;
    private final Thread hook = new Thread(this::drainAndHalt, "drain");

    private GracefulExit(ReplyServer server, Duration drainTimeout, PrintStream err) {
        this.server = server;
        this.drainTimeout = drainTimeout;
        this.err = err;
    }

    /** From now on signals drain the server; until this is closed. */
    static GracefulExit drains(ReplyServer server, Duration drainTimeout, PrintStream err) {
        GracefulExit exit = new GracefulExit(server, drainTimeout, err);
        Runtime.getRuntime().addShutdownHook(exit.hook);
        return exit;
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // A signal came first: the hook is at work, and ends the process.
        }
    }

    private void drainAndHalt() {
        Signals.haltAtNext(err);
        err.println("draining, for " + DurationText.of(drainTimeout) + " at most; Ctrl-C again stops at once");
        try {
            int cutOff = server.drain(drainTimeout);
            err.println(cutOff == 0 ? "drained"
                    : "cut off " + cutOff + " of the clients, which had not taken all that waited for them");
        } catch (InterruptedException e) {
            err.println("interrupted while draining");
        }
        Runtime.getRuntime().halt(0);
    }
}
