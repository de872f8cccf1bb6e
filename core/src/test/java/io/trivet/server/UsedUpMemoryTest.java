package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.EngineStatus;
import io.trivet.net.Network;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A server in a JVM whose direct memory others have used up. */
final class UsedUpMemoryTest {
    private static final String CLASSES = Path.of(System.getProperty("trivet.root", ".."), "core", "target", "classes")
            .toString();
    private static final int CLIENTS = 40;

    /** Replies to many in one turn, and to one beside one that hoards. Prints the connections that are left each time. */
    private static final String PROGRAM = """
            import io.trivet.net.Network;
            import io.trivet.server.*;
            import java.lang.management.ManagementFactory;
            import java.net.InetSocketAddress;
            import java.net.StandardSocketOptions;
            import java.nio.ByteBuffer;
            import java.nio.channels.SocketChannel;
            import java.time.Duration;
            import java.util.ArrayList;
            import java.util.List;

            class Program {
                static final int CLIENTS = 40;
                static final List<Object> used = new ArrayList<>();
                static Server server;

                public static void main(String[] args) throws Exception {
                    server = Server.builder().network(Network.named(args[0])).listen(new InetSocketAddress("127.0.0.1", 0))
                            .framing(Framing.lines()).limits(Limits.defaults().withQueueMarks(512 << 10, 256 << 10))
                            .onMessage((connection, message) -> connection.send("y".repeat(reply(message)))).open();
                    List<SocketChannel> clients = new ArrayList<>();
                    for (int i = 0; i < CLIENTS; i++) {
                        SocketChannel client = SocketChannel.open();
                        client.setOption(StandardSocketOptions.SO_RCVBUF, 4096);
                        client.connect(server.address());
                        clients.add(client);
                    }
                    turn(() -> server.stats().total().connections() == CLIENTS);
                    while (server.stats().queueBytes() < 150_000) { // a hoarder
                        ask(clients.getFirst(), "long");
                        server.turn(Duration.ZERO);
                    }
                    useUp();
                    for (SocketChannel client : clients.subList(1, CLIENTS)) {
                        ask(client, "x");
                    }
                    long before = server.stats().total().bytesOut();
                    long collectionsBefore = fullCollections();
                    turn(() -> server.stats().total().bytesOut() >= before + (CLIENTS - 1) * 8001);
                    System.out.println(server.stats().total().connections());
                    System.out.println(fullCollections() - collectionsBefore);
                    useUp();
                    ask(clients.getLast(), "long");
                    turn(() -> server.stats().total().connections() == CLIENTS - 1);
                    for (int i = 0; i < 10; i++) {
                        server.turn(Duration.ofMillis(1));
                    }
                    System.out.println(server.stats().total().connections());
                    System.exit(0);
                }

                static int reply(ByteBuffer message) {
                    return message.remaining() == 1 ? 8000 : 70_000;
                }

                static void ask(SocketChannel client, String what) throws Exception {
                    client.write(ByteBuffer.wrap((what + "\\n").getBytes()));
                }

                static void turn(java.util.function.BooleanSupplier until) throws Exception {
                    while (!until.getAsBoolean()) {
                        server.turn(Duration.ofSeconds(1));
                    }
                }

                static long fullCollections() {
                    return ManagementFactory.getGarbageCollectorMXBeans().stream()
                            .filter(collector -> collector.getName().equals("MarkSweepCompact")).findAny().orElseThrow()
                            .getCollectionCount();
                }

                static void useUp() {
                    for (int bytes = 1 << 20; bytes >= 256; bytes /= 16) {
                        try {
                            while (true) {
                                used.add(ByteBuffer.allocateDirect(bytes));
                            }
                        } catch (OutOfMemoryError e) {
                            // a smaller one may fit
                        }
                    }
                }
            }
            """;

    @TempDir private Path directory;

    static Stream<String> engines() {
        return Network.engines().stream().filter(EngineStatus::available).map(EngineStatus::name)
                .filter(name -> !name.equals("nio")); // the JDK itself copies each buffer of the heap to a direct one
    }

    @ParameterizedTest
    @MethodSource("engines")
    void repliesAreSentFromTheHeapAndOnlyTheHoarderIsClosed(String engine) throws Exception {
        Path program = Files.writeString(directory.resolve("Program.java"), PROGRAM);
        Process process = new ProcessBuilder(System.getProperty("java.home") + "/bin/java", "-XX:MaxDirectMemorySize=8m",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED", "-cp", CLASSES, program.toString(), engine)
                .redirectError(directory.resolve("errors").toFile()).start();
        List<String> lines = process.inputReader().lines().toList();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(lines).as(Files.readString(directory.resolve("errors")))
                .hasSize(3).startsWith(Integer.toString(CLIENTS)).endsWith(Integer.toString(CLIENTS - 1));
        assertThat(Long.parseLong(lines.get(1)))
                .as("collections of the JVM, each of which stops the loop for half a second, for %d replies", CLIENTS - 1)
                .isLessThan(CLIENTS / 4);
    }
}
