package io.trivet.sim;

import java.text.MessageFormat;
import java.util.ResourceBundle;
import org.jspecify.annotations.Nullable;

/** Makes each line that is logged an event of the trace, an exception with the part of its stack above the library. */
final class SimLogger implements System.Logger {
    private static final int FRAMES_MAX = 20;
    private static final String LIBRARY = "io.trivet.server.";

    private final Kernel kernel;
    private final String name;

    SimLogger(Kernel kernel, String name) {
        this.kernel = kernel;
        this.name = name;
    }

    @Override
    public String getName() {
        return name;
    }

    @Override
    public boolean isLoggable(Level level) {
        return kernel.isTraced() && level != Level.OFF;
    }

    @Override
    public void log(Level level, @Nullable ResourceBundle bundle, @Nullable String message, @Nullable Throwable thrown) {
        if (isLoggable(level)) {
            kernel.trace("log " + level + ": " + message);
            if (thrown != null) {
                traceStack(thrown);
            }
        }
    }

    @Override
    public void log(Level level, @Nullable ResourceBundle bundle, @Nullable String format,
            @Nullable Object @Nullable... parameters) {
        boolean plain = format == null || parameters == null || parameters.length == 0;
        log(level, bundle, plain ? format : MessageFormat.format(format, parameters), (Throwable) null);
    }

    private void traceStack(Throwable thrown) {
        StackTraceElement[] stack = thrown.getStackTrace();
        for (int i = 0; i < Math.min(stack.length, FRAMES_MAX) && !stack[i].getClassName().startsWith(LIBRARY); i++) {
            kernel.trace("log     at " + stack[i]);
        }
        Throwable cause = thrown.getCause();
        if (cause != null) {
            kernel.trace("log     caused by " + cause);
        }
    }
}
