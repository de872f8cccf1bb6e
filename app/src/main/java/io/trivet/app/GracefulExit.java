package io.trivet.app;

import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
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
        haltAtSignal("INT", 130);
        haltAtSignal("TERM", 143);
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

    /** sun.misc.Signal, which every JDK has, is the only way to a second signal; by name, as javac warns of it by name. */
    private void haltAtSignal(String name, int exitCode) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object halt = Proxy.newProxyInstance(handler.getClassLoader(), new Class<?>[]{handler},
                    (proxy, method, arguments) -> {
                        Runtime.getRuntime().halt(exitCode);
                        return null;
                    });
            signal.getMethod("handle", signal, handler).invoke(null, signal.getConstructor(String.class).newInstance(name), halt);
        } catch (ClassNotFoundException | NoSuchMethodException | InstantiationException | IllegalAccessException
                | InvocationTargetException e) {
            err.println("a second " + name + " will not be noticed: " + e);
        }
    }
}
