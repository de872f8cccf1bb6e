package io.trivet.select;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.contract.Lab;
import io.trivet.net.Network;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A user's program with Trivet on the class path or the module path, with and without the JVM's flags for native access. */
class UserProgramTest {
    private static final String CLASSES = Path.of(System.getProperty("trivet.root", ".."), "core", "target", "classes")
            .toString();

    private static final String PROGRAM = """
            import io.trivet.net.Network;
            import io.trivet.net.Pipe;
            import io.trivet.select.Ready;
            import io.trivet.select.Select;
            import java.nio.ByteBuffer;
            import java.time.Duration;
            import java.util.List;

            class Program {
                public static void main(String[] args) throws Exception {
                    System.out.println(Network.system().name());
                    try (Pipe pipe = Network.system().pipe()) {
                        pipe.sink().write(ByteBuffer.wrap(new byte[1]));
                        Ready<Pipe.Source> ready = Select.select(List.of(pipe.source()), List.of(), List.of(), Duration.ofSeconds(10));
                        System.out.println(ready.readable().size());
                    }
                }
            }
            """;

    @TempDir private Path directory;

    @BeforeEach
    void writeProgram() throws IOException {
        Files.writeString(directory.resolve("Program.java"), PROGRAM);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-cp", "-p"})
    void usesTheKernelWithoutAFlag(String path) throws Exception {
        Result result = run(path, List.of());
        assertThat(result.output).containsExactly(kernelNetwork(), "1");
        assertThat(result.errors).as("only the JVM's own warning about native access")
                .isNotEmpty().allMatch(line -> line.isBlank() || line.startsWith("WARNING: "));
    }

    @ParameterizedTest
    @ValueSource(strings = {"-cp", "-p"})
    void usesTheKernelWithTheFlagAndNoWarning(String path) throws Exception {
        Result result = run(path, List.of("--enable-native-access=" + module(path), "--illegal-native-access=deny"));
        assertThat(result.output).containsExactly(kernelNetwork(), "1");
        assertThat(result.errors).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"-cp", "-p"})
    void fallsBackToJavaNioIfNativeAccessIsDenied(String path) throws Exception {
        Result result = run(path, List.of("--illegal-native-access=deny"));
        assertThat(result.output).containsExactly("nio", "1");
        assertThat(result.errors).as("one log record: a header line and the message").hasSize(2);
        assertThat(result.errors.getLast()).contains("nio", "--enable-native-access=" + module(path));
    }

    @Test
    void flagNamedInTheLogIsNecessary() throws Exception {
        Result result = run("-p", List.of("--enable-native-access=ALL-UNNAMED", "--illegal-native-access=deny"));
        assertThat(result.output).as("on the module path io.trivet is a named module").containsExactly("nio", "1");
    }

    /** Returns the network that is expected: io_uring if it is available, otherwise epoll. */
    private static String kernelNetwork() {
        boolean hasRing = Network.engines().stream().anyMatch(engine -> engine.name().equals("uring") && engine.available());
        return hasRing ? "uring" : "epoll";
    }

    private static String module(String path) {
        return path.equals("-p") ? "io.trivet" : "ALL-UNNAMED";
    }

    private Result run(String path, List<String> flags) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", path, CLASSES));
        if (path.equals("-p")) {
            command.addAll(List.of("--add-modules", "io.trivet"));
        }
        command.addAll(flags);
        command.add(directory.resolve("Program.java").toString());
        Path errors = directory.resolve("errors");
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
        builder.environment().remove("JAVA_TOOL_OPTIONS"); // otherwise the JVM prints a line about it
        Process process = builder.start();
        try {
            List<String> output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList();
            assertThat(process.waitFor(Lab.PATIENCE.toSeconds(), TimeUnit.SECONDS)).as("the program has ended").isTrue();
            return new Result(output, Files.readAllLines(errors));
        } finally {
            process.destroyForcibly();
        }
    }

    private record Result(List<String> output, List<String> errors) {}
}
