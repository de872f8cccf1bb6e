package io.trivet.scenarios;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.jspecify.annotations.Nullable;

/**
 * What a judge has found.
 *
 * @param rule what was broken
 * @param atNanos when, from the beginning
 * @param text what happened, in a sentence or two
 * @param cause what was thrown, if it was that
 */
public record Finding(Rule rule, long atNanos, String text, @Nullable Throwable cause) {
    @Override
    public String toString() {
        String line = rule.verdict() + ", " + rule + ", after " + Words.time(atNanos) + ": " + text;
        if (cause == null) {
            return line;
        }
        StringWriter trace = new StringWriter();
        cause.printStackTrace(new PrintWriter(trace));
        return line + System.lineSeparator() + trace;
    }
}
