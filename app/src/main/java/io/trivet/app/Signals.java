package io.trivet.app;

import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.function.IntConsumer;

/** SIGINT and SIGTERM, and the exit codes of who ends by them. */
final class Signals {
    private static final int INTERRUPTED = 130;
    private static final int TERMINATED = 143;

    private Signals() {}

    /** From now on the first signal is told to somebody, with its exit code, on a thread of its own; the second one ends the process at once. */
    static void onFirst(IntConsumer told, PrintStream err) {
        handle("INT", () -> first(INTERRUPTED, told, err), err);
        handle("TERM", () -> first(TERMINATED, told, err), err);
    }

    private static void first(int exitCode, IntConsumer told, PrintStream err) {
        haltAtNext(err);
        told.accept(exitCode);
    }

    /** From now on each signal ends the process at once. */
    static void haltAtNext(PrintStream err) {
        handle("INT", () -> Runtime.getRuntime().halt(INTERRUPTED), err);
        handle("TERM", () -> Runtime.getRuntime().halt(TERMINATED), err);
    }

    /** sun.misc.Signal, which every JDK has, is the only way to a second signal; by name, as javac warns of it by name. */
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
            err.println("a signal " + name + " will not be noticed: " + e);
        }
    }
}
