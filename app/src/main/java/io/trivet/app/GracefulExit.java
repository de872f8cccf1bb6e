package io.trivet.app;

import java.io.PrintStream;
import java.time.Duration;

/**
 * Makes SIGINT and SIGTERM drain the server and exit with 0; a second signal ends the process at once. This is a shutdown hook
 * that halts the JVM, which would otherwise exit with 130 or 143.
 */
final class GracefulExit implements AutoCloseable {
    private final ReplyServer server;
    private final Duration drainTimeout;
    private final Runnable beforeDrain;
    private final PrintStream err;
    private final Thread hook = new Thread(this::drainAndHalt, "drain");

    private GracefulExit(ReplyServer server, Duration drainTimeout, Runnable beforeDrain, PrintStream err) {
        this.server = server;
        this.drainTimeout = drainTimeout;
        this.beforeDrain = beforeDrain;
        this.err = err;
    }

    /** Installs the hook; closing the result removes it. */
    static GracefulExit install(ReplyServer server, Duration drainTimeout, Runnable beforeDrain, PrintStream err) {
        GracefulExit exit = new GracefulExit(server, drainTimeout, beforeDrain, err);
        Runtime.getRuntime().addShutdownHook(exit.hook);
        return exit;
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // A signal arrived first: the hook is running, and will halt the process.
        }
    }

    private void drainAndHalt() {
        Signals.haltOnNext(err);
        err.println("draining for at most " + DurationText.of(drainTimeout) + "; Ctrl-C again stops at once");
        long start = System.nanoTime();
        beforeDrain.run();
        Duration rest = drainTimeout.minusNanos(System.nanoTime() - start);
        try {
            int left = server.drain(rest.isNegative() ? Duration.ZERO : rest);
            err.println(left == 0 ? "drained"
                    : "drain timeout expired: " + left + (left == 1 ? " client was" : " clients were") + " still connected");
        } catch (InterruptedException e) {
            err.println("interrupted while draining");
        }
        StandardStreams.flushLog(); // halt runs no other shutdown hook to its end
        Runtime.getRuntime().halt(0);
    }
}
