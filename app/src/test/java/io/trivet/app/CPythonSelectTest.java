package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.select.Select;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the shortest of CPython's own tests of select on {@link Select}, in both forms and on each engine: see build/cpython-select. */
final class CPythonSelectTest {
    private static final Path SCRIPT = Path.of(System.getProperty("trivet.root"), "build", "cpython-select");
    private static final int PACKAGE_MISSING = 69;
    private static final long TIMEOUT_MINUTES = 10;

    @TempDir Path folder;

    @Test
    void outcomesAreThoseOfCPythonsSelect() throws Exception {
        Path python = Path.of("/usr/bin/python3");
        assumeTrue(Files.isExecutable(python), python + " is not installed");
        Path classes = Path.of(Select.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        Path report = folder.resolve("report");
        ProcessBuilder builder = new ProcessBuilder(List.of(python.toString(), SCRIPT.toString(), "--jobs", "4",
                "--trivet", classes.toString(), "--output", folder.resolve("output").toString(),
                "test_select", "test_selectors", "odd_arguments"))
                .redirectErrorStream(true).redirectOutput(report.toFile());
        builder.environment().put("TRIVET_JAVA_HOME", System.getProperty("java.home"));
        builder.environment().remove("JAVA_TOOL_OPTIONS"); // otherwise the JVM prints a line about it
        Process process = builder.start();
        try {
            boolean ended = process.waitFor(TIMEOUT_MINUTES, TimeUnit.MINUTES);
            String text = Files.readString(report, StandardCharsets.UTF_8);
            assertThat(ended).as("ended in time: %s", text).isTrue();
            assumeTrue(process.exitValue() != PACKAGE_MISSING, text.strip());
            assertThat(process.exitValue()).as("exit code: %s", text).isZero();
        } finally {
            process.destroy(); // it ends the tests that still run
        }
    }
}
