package io.trivet.app;

import java.text.MessageFormat;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ResourceBundle;
import org.jspecify.annotations.Nullable;

/**
 * Log messages of the library and of the JDK as one line each on standard error: {@code 2025-11-21T20:15:03.120Z WARNING
 * io.trivet.net: …}. Public for {@link java.util.ServiceLoader} alone; java.util.logging would take its time at the start.
 */
public final class StderrLoggerFinder extends System.LoggerFinder {
    private static volatile boolean silent;

    /** For {@link java.util.ServiceLoader}. */
    public StderrLoggerFinder() {}

    /** Nothing is logged any more. */
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
            StringBuilder line = new StringBuilder(time + " " + level + " " + name + ": ");
            // An exception may quote what came from the net: it must not begin a line, or move the cursor.
            String oneLine = message.replace('\n', ' ');
            for (int i = 0; i < oneLine.length(); i++) {
                char c = oneLine.charAt(i);
                line.append(Character.isISOControl(c) ? '?' : c);
            }
            System.err.println(line);
        }
    }
}
