package io.trivet.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/**
 * Checks values in Java against C's headers with a C compiler. Every value becomes a static assertion, so a mismatch is a
 * compiler error. Nothing is run, so a cross compiler can check the values for another architecture.
 */
public final class CHeaders {
    private final StringBuilder source = new StringBuilder();

    public CHeaders(List<String> headers) {
        source.append("#define _GNU_SOURCE\n#include <stddef.h>\n");
        headers.forEach(header -> source.append("#include <").append(header).append(">\n"));
    }

    /** Expects a constant expression of C to have the value in Java. */
    public CHeaders value(String expression, long java) {
        source.append("_Static_assert((").append(expression).append(") == ").append(java).append(", \"").append(expression)
                .append(" is not ").append(java).append("\");\n");
        return this;
    }

    /** Like {@link #value}, for a macro that older headers lack. */
    CHeaders valueIfKnown(String macro, long java) {
        source.append("#ifdef ").append(macro).append('\n');
        value(macro, java);
        source.append("#endif\n");
        return this;
    }

    public CHeaders size(String type, long java) {
        return value("sizeof(" + type + ")", java);
    }

    /** Expects a field of a structure to have an offset and a size. */
    public CHeaders field(String type, String field, long offset, long size) {
        value("offsetof(" + type + ", " + field + ")", offset);
        return value("sizeof(((" + type + "*)0)->" + field + ")", size);
    }

    /** Returns the mismatches for an architecture by Java's name. Aborts the test if there is no compiler for it. */
    public List<String> mismatchesOn(String architecture) throws IOException, InterruptedException {
        String machine = architecture.equals("amd64") ? "x86_64" : architecture;
        for (String compiler : List.of(machine + "-linux-gnu-gcc", "gcc")) {
            if (answer(compiler, "", "-dumpmachine").startsWith(machine)) {
                String errors = answer(compiler, source.toString(), "-std=gnu11", "-fsyntax-only", "-x", "c", "-");
                Assumptions.assumeFalse(errors.contains("fatal error"), () -> "C headers for " + machine + ": " + errors);
                return errors.lines().filter(line -> line.contains("error:")).toList();
            }
        }
        return Assumptions.abort("no C compiler for " + machine + " is installed");
    }

    private static String answer(String compiler, String input, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(compiler));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("LC_ALL", "C");
        Process process;
        try {
            process = builder.start();
        } catch (IOException e) {
            return ""; // not installed
        }
        try {
            process.getOutputStream().write(input.getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                throw new IOException(compiler + " does not end");
            }
            return output;
        } finally {
            process.destroyForcibly();
        }
    }
}
