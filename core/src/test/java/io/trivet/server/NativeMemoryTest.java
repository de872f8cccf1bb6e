package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.EngineStatus;
import io.trivet.net.Network;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Compares the gauge of native memory with the JVM's native memory tracking (jcmd VM.native_memory). */
final class NativeMemoryTest {
    private static final String CLASSES = Path.of(System.getProperty("trivet.root", ".."), "core", "target", "classes")
            .toString();

    /** A server whose clients make it hold input and output. Prints the growth in bytes by the gauge and by the JVM. */
    private static final String PROGRAM = """
            import io.trivet.net.Network;
            import io.trivet.observe.MemoryStats;
            import io.trivet.server.*;
            import java.net.InetSocketAddress;
            import java.nio.ByteBuffer;
            import java.nio.channels.SocketChannel;
            import java.util.ArrayList;
            import java.util.List;
            import java.util.regex.*;

            class Program {
                static final int CLIENTS = 100;

                public static void main(String[] args) throws Exception {
                    Limits limits = Limits.defaults().withQueueBudgetBytes(64 << 20);
                    try (Server server = Server.builder().network(Network.named(args[0])).listen(new InetSocketAddress("127.0.0.1", 0))
                            .framing(Framing.lines()).limits(limits).onMessage((connection, message) -> connection.send(new byte[1 << 20]))
                            .start()) {
                        ByteBuffer unfinished = ByteBuffer.allocateDirect(40_000);
                        ByteBuffer request = ByteBuffer.allocateDirect(2).put("x\\n".getBytes()).flip();
                        List<SocketChannel> clients = new ArrayList<>();
                        long gaugeBefore = gauge(server);
                        long jvmBefore = jvm();
                        for (int i = 0; i < CLIENTS; i++) {
                            SocketChannel client = SocketChannel.open(server.address());
                            clients.add(client);
                            ByteBuffer data = (i % 5 == 0 ? request : unfinished).duplicate();
                            while (data.hasRemaining()) {
                                client.write(data);
                            }
                        }
                        while (server.stats().total().bytesIn() < CLIENTS / 5 * 4L * 40_000 + CLIENTS / 5 * 2) {
                            Thread.onSpinWait();
                        }
                        long jvm = jvm();
                        long gauge = gauge(server);
                        for (int tries = 0; tries < 50 && Math.abs(jvm - jvmBefore - gauge + gaugeBefore) > gauge / 50; tries++) {
                            System.gc(); // frees buffers that the pool did not keep
                            jvm = jvm();
                            gauge = gauge(server);
                        }
                        System.out.println(gauge - gaugeBefore);
                        System.out.println(jvm - jvmBefore);
                        for (SocketChannel client : clients) {
                            client.close();
                        }
                    }
                }

                static long gauge(Server server) {
                    MemoryStats memory = server.stats().memory();
                    return memory.total() - memory.rings(); // the JVM does not account for memory that a program maps itself
                }

                static long jvm() throws Exception {
                    Process jcmd = new ProcessBuilder(System.getProperty("java.home") + "/bin/jcmd",
                            Long.toString(ProcessHandle.current().pid()), "VM.native_memory", "summary", "scale=B").start();
                    String report = new String(jcmd.getInputStream().readAllBytes());
                    Matcher other = Pattern.compile("Other \\\\(reserved=\\\\d+, committed=(\\\\d+)").matcher(report);
                    if (!other.find()) {
                        throw new IllegalStateException(report);
                    }
                    return Long.parseLong(other.group(1));
                }
            }
            """;

    @TempDir private Path directory;

    static Stream<String> engines() {
        return Network.engines().stream().filter(EngineStatus::available).map(EngineStatus::name);
    }

    @ParameterizedTest
    @MethodSource("engines")
    void gaugeAgreesWithTheJvmWithinFivePercent(String engine) throws Exception {
        Path program = Files.writeString(directory.resolve("Program.java"), PROGRAM);
        Process process = new ProcessBuilder(System.getProperty("java.home") + "/bin/java", "-XX:NativeMemoryTracking=summary",
                "--enable-native-access=ALL-UNNAMED", "-cp", CLASSES, program.toString(), engine)
                .redirectError(directory.resolve("errors").toFile()).start();
        List<String> lines = process.inputReader().lines().toList();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(lines).as(Files.readString(directory.resolve("errors"))).hasSize(2);
        long gauge = Long.parseLong(lines.getFirst());
        assertThat(gauge).as("80 unfinished lines of 40 kB").isGreaterThan(80 * 65_536);
        assertThat(Long.parseLong(lines.getLast())).isCloseTo(gauge, Percentage.withPercentage(5));
    }
}
