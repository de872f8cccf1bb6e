package io.trivet.app;

import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.function.IntConsumer;

/** Handles SIGINT, SIGTERM and SIGHUP, and knows the exit codes that belong to them. */
final class Signals {
    private static final int INTERRUPTED = 130;
    private static final int TERMINATED = 143;

    private Signals() {}

    /**
     * Installs handlers for SIGINT and SIGTERM. The first signal calls the consumer with its exit code, on a thread of its own;
     * the second one ends the process at once.
     */
    static void onFirst(IntConsumer onSignal, PrintStream err) {
        handle("INT", () -> first(INTERRUPTED, onSignal, err), err);
        handle("TERM", () -> first(TERMINATED, onSignal, err), err);
    }

    /** Calls an action on each SIGHUP, on a thread of its own, instead of ending the process. */
    static void onHangUp(Runnable action, PrintStream err) {
        handle("HUP", action, err);
    }

    private static void first(int exitCode, IntConsumer onSignal, PrintStream err) {
        haltOnNext(err);
        onSignal.accept(exitCode);
    }

    /** Makes the next signal end the process at once. */
    static void haltOnNext(PrintStream err) {
        handle("INT", () -> Runtime.getRuntime().halt(INTERRUPTED), err);
        handle("TERM", () -> Runtime.getRuntime().halt(TERMINATED), err);
    }

    /** Uses sun.misc.Signal, the JDK's only way to a second signal; by reflection, because javac warns about the direct use. */
    private static void handle(String name, Runnable action, PrintStream err) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object proxy = Proxy.newProxyInstance(handler.getClassLoader(), new Class<?>[]{handler},
                    (_, method, arguments) -> {
                        action.run();
                        return null;
                    });
            signal.getMethod("handle", signal, handler).invoke(null, signal.getConstructor(String.class).newInstance(name),
                    proxy);
        } catch (ClassNotFoundException | NoSuchMethodException | InstantiationException | IllegalAccessException
                | InvocationTargetException e) {
            err.println("cannot handle SIG" + name + ": " + e);
        }
    }
}
