package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** {@code trivet serve --relay}, and the example RelayChat, with a real nats-server. */
@EnabledOnOs(OS.LINUX)
final class RelayProcessTest {
    private static final Pattern NATS_PORT = Pattern.compile("Listening for client connections on .*:(\\d+)");
    private static final int ATTEMPT_MILLIS = 200;

    @TempDir static Path directory;
    private static Program nats;
    private static String url;

    /** Starts nats-server once; skips the test if it is not installed. */
    private static synchronized String url() throws Exception {
        if (url == null) {
            String executable = natsServer();
            assumeTrue(!executable.isEmpty(), "nats-server is not installed");
            nats = Program.start(List.of(executable, "-a", "127.0.0.1", "-p", "-1"));
            url = urlOf(nats);
        }
        return url;
    }

    /** Returns the path of nats-server, or "". */
    static String natsServer() {
        return Stream.concat(Stream.of(System.getenv("PATH").split(File.pathSeparator)), Stream.of("/usr/sbin"))
                .map(folder -> Path.of(folder, "nats-server")).filter(Files::isExecutable).map(Path::toString).findFirst()
                .orElse("");
    }

    /** Returns the URL of a nats-server that has been started. */
    static String urlOf(Program started) throws InterruptedException {
        Matcher matcher = NATS_PORT.matcher(started.awaitErr(line -> NATS_PORT.matcher(line).find()));
        assertThat(matcher.find()).isTrue();
        return "nats://127.0.0.1:" + matcher.group(1);
    }

    @AfterAll
    static void endNats() {
        if (nats != null) {
            nats.close();
        }
    }

    private static Program serve(String... more) throws IOException {
        return Program.trivet(Stream.concat(
                Stream.of("serve", "--port", "0", "--reply", "broadcast", "--framing", "lines"), Stream.of(more))
                .toArray(String[]::new));
    }

    static void send(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Sends a text on one socket until a text has arrived on another. */
    private static void sendUntil(Socket from, String text, Socket to, String expected) throws IOException {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(Program.TIMEOUT_SECONDS);
        StringBuilder received = new StringBuilder();
        to.setSoTimeout(ATTEMPT_MILLIS);
        while (received.indexOf(expected) < 0) {
            assertThat(System.nanoTime() - until).as("received: %s", received).isNegative();
            send(from, text);
            try {
                byte[] bytes = new byte[1000];
                int count = to.getInputStream().read(bytes);
                assertThat(count).as("open").isPositive();
                received.append(new String(bytes, 0, count, StandardCharsets.UTF_8));
            } catch (SocketTimeoutException e) {
                // Again: what was sent before the other server had subscribed was not for it.
            }
        }
    }

    @Test
    void twoServersAreOneChat() throws Exception {
        try (Program first = serve("--relay", url(), "--topic", "two are one");
                Program second = serve("--relay", url(), "--topic", "two are one");
                Program other = serve("--relay", url(), "--topic", "another");
                Socket ann = new Socket();
                Socket bob = new Socket();
                Socket eve = new Socket()) {
            ann.connect(first.awaitReady());
            bob.connect(second.awaitReady());
            eve.connect(other.awaitReady());
            first.awaitErr(line -> line.contains("Z relay: connected to NATS at nats://127.0.0.1:"));
            second.awaitErr(line -> line.contains("Z relay: connected to NATS at nats://127.0.0.1:"));
            sendUntil(ann, "hello from ann\n", bob, "hello from ann\n");
            sendUntil(bob, "hello from bob\n", ann, "hello from bob\n");
            sendUntil(eve, "hello from eve\n", eve, "hello from eve\n");
            second.signal("TERM");
            assertThat(second.exitCode()).as("%s", second.err()).isZero();
            first.awaitErr(line -> line.matches(".* relay: server [0-9a-f]+ has left"));
            send(eve, "only eve\n");
            sendUntil(ann, "last\n", ann, "last\n");
            assertThat(first.err()).noneMatch(line -> line.contains("lost"));
        }
    }

    @Test
    void withoutNatsTheClientsOfTheServerAreServed() throws Exception {
        int port;
        try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = closed.getLocalPort();
        }
        try (Program server = serve("--relay", "nats://me:secret@127.0.0.1:" + port);
                Socket ann = new Socket();
                Socket bob = new Socket()) {
            InetSocketAddress address = server.awaitReady();
            server.awaitErr(line -> line
                    .matches(".*Z relay: NATS cannot be reached at nats://127.0.0.1:" + port + ", trying again; meanwhile, .*"));
            ann.connect(address);
            bob.connect(address);
            sendUntil(ann, "hello\n", bob, "hello\n");
            server.signal("TERM");
            assertThat(server.err()).noneMatch(line -> line.contains("secret"));
        }
    }

    @Test
    void aServerThatWasReplacedLeavesTheOthers() throws Exception {
        String handover = directory.resolve("handover.sock").toString();
        try (Program other = serve("--relay", url(), "--topic", "replaced")) {
            other.awaitReady();
            other.awaitErr(line -> line.contains("Z relay: connected to NATS at nats://127.0.0.1:"));
            try (Program old = serve("--relay", url(), "--topic", "replaced", "--handover", handover)) {
                old.awaitReady();
                String id = old.awaitErr(line -> line.contains(" relay: topic ")).replaceFirst(".* ", "");
                other.awaitErr(line -> line.endsWith(" relay: server " + id + " has appeared"));
                try (Program successor = serve("--relay", url(), "--topic", "replaced", "--handover", handover)) {
                    successor.awaitReady();
                    assertThat(old.exitCode()).as("%s", old.err()).isZero();
                    assertThat(other.awaitErr(line -> line.matches(".* server " + id + " (has left|for .*)")))
                            .endsWith(" relay: server " + id + " has left");
                }
            }
        }
    }

    @Test
    void optionsThatDoNotBelongTogetherAreRefused() throws Exception {
        try (Program echo = Program.trivet("serve", "--port", "0", "--relay", "nats://127.0.0.1:4222");
                Program topic = serve("--topic", "news");
                Program history = serve("--relay-history", "CHAT");
                Program name = serve("--relay", "nats://127.0.0.1:4222", "--relay-history", "A.B");
                Program url = serve("--relay", "nats://127.0.0.1:4222", "--relay", "http://me:secret@127.0.0.1:4222")) {
            assertThat(echo.exitCode()).isEqualTo(2);
            assertThat(echo.err()).anyMatch(line -> line.contains("--relay needs --reply broadcast"));
            assertThat(topic.exitCode()).isEqualTo(2);
            assertThat(topic.err()).anyMatch(line -> line.contains("--topic needs --relay"));
            assertThat(history.exitCode()).isEqualTo(2);
            assertThat(history.err()).anyMatch(line -> line.contains("--relay-history needs --relay"));
            assertThat(name.exitCode()).isEqualTo(2);
            assertThat(name.err()).anyMatch(line -> line.contains("--relay-history: stream must be letters, digits, _ and -"));
            assertThat(url.exitCode()).isEqualTo(2);
            assertThat(url.err()).anyMatch(
                    line -> line.contains("--relay must be nats://HOST:PORT or tls://HOST:PORT, not http://127.0.0.1:4222"));
            assertThat(url.err()).as("the server has not started").noneMatch(line -> line.contains("listening on"));
        }
    }

    @Test
    void aHistoryThatCannotBeUsedIsReported() throws Exception {
        try (Program server = serve("--relay", url(), "--relay-history", "CHAT")) {
            server.awaitErr(line -> line.endsWith(
                    " relay: gaps cannot be filled: JetStream is not enabled, or does not answer: start nats-server with --jetstream"));
        }
    }

    @Test
    void theExampleIsAChatOverTwoServers() throws Exception {
        ExamplesTest.compile(List.of(Path.of(System.getProperty("trivet.root"), "examples", "RelayChat.java")), directory);
        String classPath = directory + File.pathSeparator + System.getProperty("java.class.path");
        List<String> command = Program.javaCommand(List.of("--enable-native-access=ALL-UNNAMED"), classPath, "RelayChat", "0",
                url());
        try (Program first = Program.start(command);
                Program second = Program.start(command);
                Socket ann = new Socket();
                Socket bob = new Socket()) {
            ann.connect(port(first));
            bob.connect(port(second));
            sendUntil(bob, "bob is here\n", bob, "bob is here\n"); // which makes it a member
            sendUntil(ann, "hello from ann\n", bob, ": hello from ann\n");
        }
    }

    private static InetSocketAddress port(Program server) throws InterruptedException {
        server.awaitOut("\n");
        return new InetSocketAddress(InetAddress.getLoopbackAddress(),
                Integer.parseInt(server.out().trim().replaceFirst(".* ", "")));
    }
}
