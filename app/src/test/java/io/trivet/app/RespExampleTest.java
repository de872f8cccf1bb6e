package io.trivet.app;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Checks the example RespServer with Redis' own clients, and compares its replies with those of a Redis server. */
@EnabledOnOs(OS.LINUX)
final class RespExampleTest {
    private static final List<String> NATIVE = List.of("--enable-native-access=ALL-UNNAMED");
    private static final int PIPELINES = 1_000;
    private static final String MARKER = "the-end-of-this-pipeline";

    @TempDir static Path directory;
    private static Program example;
    private static InetSocketAddress exampleAddress;

    @BeforeAll
    static void startExample() throws Exception {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("trivet.root"), "examples"))) {
            ExamplesTest.compile(files.filter(file -> file.getFileName().toString().startsWith("Resp")).toList(), directory);
        }
        String classPath = directory + File.pathSeparator + System.getProperty("java.class.path");
        example = Program.start(Program.javaCommand(NATIVE, classPath, "RespServer", "127.0.0.1", "0"));
        example.awaitOut("\n");
        exampleAddress = loopback(Integer.parseInt(example.out().substring(example.out().lastIndexOf(' ') + 1).trim()));
    }

    @AfterAll
    static void endExample() throws Exception {
        example.close();
    }

    private static InetSocketAddress loopback(int port) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    private static boolean isInstalled(String program) {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(path -> Files.isExecutable(Path.of(path, program)));
    }

    /** Runs a program of Redis against the example. Returns its output and errors. */
    private static String run(String input, String... command) throws Exception {
        assumeTrue(isInstalled(command[0]), command[0] + " is not installed");
        List<String> all = new ArrayList<>(
                List.of(command[0], "-h", "127.0.0.1", "-p", Integer.toString(exampleAddress.getPort())));
        all.addAll(List.of(command).subList(1, command.length));
        Path in = Files.writeString(directory.resolve("input"), input, ISO_8859_1);
        Process process = new ProcessBuilder(all).redirectInput(in.toFile()).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), ISO_8859_1);
        assertThat(process.waitFor(Program.TIMEOUT_SECONDS, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as("%s; the example: %s", out, example.err()).isZero();
        return out;
    }

    @Test
    void redisCliTalksToIt() throws Exception {
        assertThat(run("", "redis-cli", "set", "greeting", "hello")).isEqualTo("OK\n");
        assertThat(run("", "redis-cli", "get", "greeting")).isEqualTo("hello\n");
        assertThat(run("", "redis-cli", "get", "nothing")).isEqualTo("\n");
        assertThat(run("rpush words a b c\nlrange words 0 -1\n", "redis-cli")).isEqualTo("3\na\nb\nc\n");
    }

    @Test
    void redisCliPipesAMassInsert() throws Exception {
        StringBuilder commands = new StringBuilder();
        for (int i = 0; i < 10_000; i++) {
            commands.append("SET mass").append(i).append(' ').append(i).append("\r\n");
        }
        assertThat(run(commands.toString(), "redis-cli", "--pipe")).contains("errors: 0, replies: 10000");
        assertThat(run("", "redis-cli", "get", "mass9999")).isEqualTo("9999\n");
    }

    @Test
    void storesAValueOfTenMegabytes() throws Exception {
        String value = "v".repeat(10_000_000);
        assertThat(run(value, "redis-cli", "-x", "set", "large")).isEqualTo("OK\n");
        assertThat(run("", "redis-cli", "get", "large").trim()).hasSize(value.length()).isEqualTo(value);
    }

    @Test
    void redisBenchmarkRunsThrough() throws Exception {
        String out = run("", "redis-benchmark", "-q", "-n", "2000", "-P", "16", "-t", "ping,set,get,incr,lpush,rpop,lrange_100");
        assertThat(out).contains("GET: ", "LRANGE_100").doesNotContain("Error");
    }

    @Test
    void publishesToSubscribers() throws Exception {
        try (Socket subscriber = PlainSocket.connect(exampleAddress); Socket publisher = PlainSocket.connect(exampleAddress)) {
            PlainSocket.send(subscriber, command("SUBSCRIBE", "news"));
            String subscribed = "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n";
            assertThat(PlainSocket.receive(subscriber, subscribed.length())).isEqualTo(subscribed);
            PlainSocket.send(publisher, command("PUBLISH", "news", "rain"));
            assertThat(PlainSocket.receive(publisher, 4)).isEqualTo(":1\r\n");
            String message = "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$4\r\nrain\r\n";
            assertThat(PlainSocket.receive(subscriber, message.length())).isEqualTo(message);
        }
    }

    @Test
    void aMalformedRequestIsAnsweredAfterThoseBeforeIt() throws Exception {
        try (Socket client = PlainSocket.connect(exampleAddress)) {
            PlainSocket.send(client, command("PING") + "*1\r\n:what\r\n" + command("PING"));
            assertThat(PlainSocket.receiveAll(client)).isEqualTo("+PONG\r\n-ERR Protocol error: expected '$', got ':'\r\n");
        }
    }

    @Test
    void aLineWithoutAnEndIsRefused() throws Exception {
        try (Socket client = PlainSocket.connect(exampleAddress)) {
            PlainSocket.send(client, command("PING") + "x".repeat(70_000));
            client.shutdownOutput();
            assertThat(PlainSocket.receiveAll(client)).isEqualTo("+PONG\r\n-ERR Protocol error: too big inline request\r\n");
        }
    }

    // ---- the replies of Redis itself

    @Test
    void repliesAsRedisDoesHoweverThePipelinesAreCut() throws Exception {
        assumeTrue(isInstalled("redis-server"), "redis-server is not installed");
        int port = freePort();
        Process redis = new ProcessBuilder("redis-server", "--port", Integer.toString(port), "--bind", "127.0.0.1", "--save", "",
                "--appendonly", "no", "--dir", directory.toString()).redirectErrorStream(true)
                .redirectOutput(directory.resolve("redis.log").toFile()).start();
        try {
            InetSocketAddress redisAddress = loopback(port);
            awaitPort(redisAddress);
            long seed = new Random().nextLong();
            Random random = new Random(seed);
            for (int i = 0; i < PIPELINES; i++) {
                String pipeline = pipeline(random);
                String expected = replies(redisAddress, pipeline, random);
                assertThat(replies(exampleAddress, pipeline, random)).as("pipeline %d of seed %d: %s", i, seed, pipeline)
                        .isEqualTo(expected);
            }
        } finally {
            redis.destroy();
            redis.waitFor();
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    @SuppressWarnings("try") // connecting is the test
    private static void awaitPort(InetSocketAddress address) throws Exception {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(Program.TIMEOUT_SECONDS);
        while (true) {
            try (Socket socket = PlainSocket.connect(address)) {
                return;
            } catch (IOException e) {
                assertThat(System.nanoTime()).as("redis-server does not listen").isLessThan(until);
                Thread.sleep(20);
            }
        }
    }

    private static String command(String... words) {
        StringBuilder request = new StringBuilder("*" + words.length + "\r\n");
        for (String word : words) {
            request.append('$').append(word.length()).append("\r\n").append(word).append("\r\n");
        }
        return request.toString();
    }

    /** Returns random commands on a few keys, so that they meet values of both types. The last one marks the end. */
    private static String pipeline(Random random) {
        StringBuilder pipeline = new StringBuilder(command("FLUSHALL"));
        for (int i = random.nextInt(40); i >= 0; i--) {
            String key = "key" + random.nextInt(4);
            String number = Integer.toString(random.nextInt(9) - 4);
            pipeline.append(switch (random.nextInt(22)) {
                case 0 -> command("PING");
                case 1 -> command("ECHO", value(random));
                case 2, 3, 4 -> command("SET", key, value(random));
                case 5 -> command("SET", key, number, random.nextBoolean() ? "NX" : "xx");
                case 6 -> command("SET", key, value(random), random.nextBoolean() ? "EX" : "px", "100000");
                case 7 -> command("SET", key, value(random), "EX", random.nextBoolean() ? "0" : "soon");
                case 8, 9, 10 -> command("GET", key);
                case 11 -> command("INCR", key);
                case 12 -> command("INCRBY", key, random.nextInt(8) == 0 ? "9223372036854775807" : number);
                case 13 -> command("DEL", key, "key0");
                case 14 -> command("EXISTS", key, key, "key1");
                case 15 -> command("LPUSH", key, value(random), number);
                case 16 -> command("RPUSH", key, value(random));
                case 17 -> command(random.nextBoolean() ? "LPOP" : "rpop", key);
                case 18 -> command("LRANGE", key, number, Integer.toString(random.nextInt(9) - 4));
                case 19 -> command(random.nextBoolean() ? "LLEN" : "TTL", key);
                case 20 -> command("EXPIRE", key, random.nextBoolean() ? "-1" : "1000");
                default -> random.nextBoolean() ? command("GET", key, key) : command("NOSUCH", key, number);
            });
        }
        return pipeline.append(command("ECHO", MARKER)).toString();
    }

    /** Returns a number, or any bytes, those of the protocol among them. */
    private static String value(Random random) {
        return switch (random.nextInt(4)) {
            case 0 -> Integer.toString(random.nextInt(100) - 50);
            case 1 -> "\r\n$3\r\n*".substring(random.nextInt(7));
            case 2 -> "0" + random.nextInt(10);
            default -> {
                byte[] bytes = new byte[random.nextInt(random.nextInt(20) == 0 ? 5_000 : 50)];
                random.nextBytes(bytes);
                yield new String(bytes, ISO_8859_1);
            }
        };
    }

    /** Sends a pipeline in random pieces, and returns the replies. */
    private static String replies(InetSocketAddress server, String pipeline, Random random) throws IOException {
        try (Socket client = PlainSocket.connect(server)) {
            client.setTcpNoDelay(true);
            for (int at = 0; at < pipeline.length();) {
                int to = Math.min(pipeline.length(), at + 1 + random.nextInt(random.nextBoolean() ? 20 : 2_000));
                PlainSocket.send(client, pipeline.substring(at, to));
                at = to;
            }
            String end = "$" + MARKER.length() + "\r\n" + MARKER + "\r\n";
            ByteArrayOutputStream replies = new ByteArrayOutputStream();
            byte[] piece = new byte[8192];
            while (!replies.toString(ISO_8859_1).endsWith(end)) {
                int count = client.getInputStream().read(piece);
                assertThat(count).as("the connection ended after %s", replies).isPositive();
                replies.write(piece, 0, count);
            }
            return replies.toString(ISO_8859_1);
        }
    }
}
