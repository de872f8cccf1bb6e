package io.trivet.select;

import static org.assertj.core.api.Assertions.assertThat;

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

/** A program of somebody who put Trivet on the class path or the module path, and knows of no flag. */
class UsersProgramTest {
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
    void writeTheProgram() throws IOException {
        Files.writeString(directory.resolve("Program.java"), PROGRAM);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-cp", "-p"})
    void getsTheKernelWithoutAFlag(String path) throws Exception {
        Result result = run(path, List.of());
        assertThat(result.output).containsExactly(ofTheKernel(), "1");
        assertThat(result.errors).as("the JVM's own warning about native access, and nothing else")
                .isNotEmpty().allMatch(line -> line.isBlank() || line.startsWith("WARNING: "));
    }

    @ParameterizedTest
    @ValueSource(strings = {"-cp", "-p"})
    void getsTheKernelInSilenceWithTheFlag(String path) throws Exception {
        Result result = run(path, List.of("--enable-native-access=" + module(path), "--illegal-native-access=deny"));
        assertThat(result.output).containsExactly(ofTheKernel(), "1");
        assertThat(result.errors).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"-cp", "-p"})
    void fallsBackToJavaNioWhereNativeAccessIsDenied(String path) throws Exception {
        Result result = run(path, List.of("--illegal-native-access=deny"));
        assertThat(result.output).containsExactly("nio", "1");
        assertThat(result.errors).as("one line of the log below the line that says when and where it was logged").hasSize(2);
        assertThat(result.errors.getLast()).contains("nio", "--enable-native-access=" + module(path));
    }

    @Test
    void theFlagThatTheLogNamesIsTheRightOne() throws Exception {
        Result result = run("-p", List.of("--enable-native-access=ALL-UNNAMED", "--illegal-native-access=deny"));
        assertThat(result.output).as("io.trivet is a named module here").containsExactly("nio", "1");
    }

    /** The ring, where there is one. */
    private static String ofTheKernel() {
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
        builder.environment().remove("JAVA_TOOL_OPTIONS"); // of which the JVM would tell
        Process process = builder.start();
        try {
            List<String> output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList();
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).as("it ends").isTrue();
            return new Result(output, Files.readAllLines(errors));
        } finally {
            process.destroyForcibly();
        }
    }

    private record Result(List<String> output, List<String> errors) {}
}
