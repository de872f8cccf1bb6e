package io.trivet.scenarios;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.jspecify.annotations.Nullable;

/**
 * A failed check.
 *
 * @param rule the rule that is broken
 * @param atNanos the time of the failure, since the start of the run
 * @param text what happened
 * @param cause the exception, if there was one
 */
public record CheckFailure(Rule rule, long atNanos, String text, @Nullable Throwable cause) {
    @Override
    public String toString() {
        String line = rule.verdict() + ", " + rule + ", after " + ReportText.duration(atNanos) + ": " + text;
        if (cause == null) {
            return line;
        }
        StringWriter trace = new StringWriter();
        cause.printStackTrace(new PrintWriter(trace));
        return line + System.lineSeparator() + trace;
    }
}
