package io.trivet.app;

import java.text.MessageFormat;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ResourceBundle;
import org.jspecify.annotations.Nullable;

/**
 * Writes log messages of the library and the JDK to standard error, one line each: {@code 2025-11-21T20:15:03.120Z WARNING
 * io.trivet.net: …}. Public only for {@link java.util.ServiceLoader}. Avoids java.util.logging, which would slow down the start.
 */
public final class StderrLoggerFinder extends System.LoggerFinder {
    private static volatile boolean silent;

    /** Called by {@link java.util.ServiceLoader}. */
    public StderrLoggerFinder() {}

    /** Discards all further log messages. */
    static void silence() {
        silent = true;
    }

    @Override
    public System.Logger getLogger(String name, Module module) {
        return new StderrLogger(name);
    }

    private record StderrLogger(String name) implements System.Logger {
        @Override
        public String getName() {
            return name;
        }

        @Override
        public boolean isLoggable(Level level) {
            return !silent && level != Level.OFF && level.getSeverity() >= Level.INFO.getSeverity();
        }

        @Override
        public void log(Level level, @Nullable ResourceBundle bundle, @Nullable String message, @Nullable Throwable thrown) {
            if (isLoggable(level)) {
                write(level, thrown == null ? String.valueOf(message) : message + ": " + thrown);
            }
        }

        @Override
        public void log(Level level, @Nullable ResourceBundle bundle, @Nullable String format, @Nullable Object... parameters) {
            if (isLoggable(level)) {
                boolean plain = parameters == null || parameters.length == 0 || format == null;
                write(level, plain ? String.valueOf(format) : MessageFormat.format(format, parameters));
            }
        }

        private void write(Level level, String message) {
            String time = Instant.now().truncatedTo(ChronoUnit.MILLIS).toString();
            // An exception may quote bytes from the network: they must not start a line or move the cursor.
            System.err.println(time + " " + level + " " + name + ": " + EscapedText.line(message.replace('\n', ' ')));
        }
    }
}
