package io.trivet.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.net.Capability;
import io.trivet.net.Network;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Server;
import io.trivet.server.ServerBuilder;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The page in a real Chromium: src/test/browser/browser.mjs looks at it and uses it, while this class plays the clients. Pictures are
 * in target/pictures.
 */
final class BrowserTest {
    private static final Path SCRIPTS = Path.of("src", "test", "browser").toAbsolutePath();
    private static final Path PICTURES = Path.of("target", "pictures").toAbsolutePath();
    private static final String TOKEN = "a-token-that-stays-the-same";
    private static final String MARKUP = "<img src=x onerror=window.hit=1>";
    private static final long TIMEOUT_SECONDS = 180;

    private final List<Socket> clients = new ArrayList<>();
    private final CountDownLatch released = new CountDownLatch(1);
    private volatile Panel relay = relay("", 3);
    private Server server;
    private View view;

    @BeforeAll
    static void findChromium() throws IOException {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/chromium")), "Chromium is not installed: apt-get install chromium");
        assumeTrue(Files.isDirectory(SCRIPTS.resolve("node_modules")),
                "playwright-core is not installed: npm ci --prefix view/src/test/browser");
        Files.createDirectories(PICTURES);
    }

    @AfterEach
    void close() throws IOException {
        released.countDown();
        if (view != null) {
            view.close();
        }
        if (server != null) {
            server.close();
        }
        for (Socket client : clients) {
            client.close();
        }
    }

    private static ServerBuilder builder() throws IOException {
        return Server.builder().listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)).framing(Framing.lines())
                .urgent(Network.system().supports(Capability.URGENT_DATA))
                .limits(Limits.defaults().withConnectionsMax(20_000).withIdleTimeout(Duration.ofMinutes(5))
                        .withWriteTimeout(Duration.ofMinutes(1)).withHandlerTimeout(Duration.ofSeconds(1)))
                .onMessage((connection, message) -> connection.send(message));
    }

    private void serve(ServerBuilder builder, int port, String token) throws IOException {
        server = builder.start();
        view = View.of(server).allowControl(true).token(token).engine(server.network().name() + ", chosen automatically")
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), port)).start();
    }

    // ---- cases

    @Test
    void socketsAppearInTheListsAndMoveAndLeave() throws Exception {
        serve(builder().urgent(false), 0, TOKEN);
        run("lists");
    }

    @Test
    void fifteenThousandClientsAreSortedAndFilteredAtOnce() throws Exception {
        serve(builder(), 0, TOKEN);
        // Each of these is two connections of the server: the client's end, and its own.
        for (int i = 0; i < 7500; i++) {
            Connection connection = server.connect(server.address(), (_, _) -> {});
            connection.send("hello " + "x".repeat(i % 500));
            if (i % 100 == 99) {
                int expected = 2 * (i + 1);
                await().atMost(Duration.ofSeconds(60)).until(() -> server.stats().total().connections() == expected);
            }
        }
        run("many");
    }

    @Test
    void loopIsPausedAndSteppedByKeyboard() throws Exception {
        serve(builder(), 0, TOKEN);
        run("step");
    }

    @Test
    void heldLoopIsShown() throws Exception {
        serve(builder().onMessage((_, _) -> released.await()), 0, TOKEN);
        run("held");
    }

    @Test
    void listeningSocketAtTheLimitIsShownWithItsReason() throws Exception {
        serve(builder().limits(Limits.defaults().withConnectionsMax(1)), 0, TOKEN);
        run("full");
    }

    @Test
    void pageFindsTheServerAfterARestart() throws Exception {
        serve(builder(), 0, TOKEN);
        run("restart");
    }

    @Test
    void tourIsFollowedToItsEndOnAPhone() throws Exception {
        serve(builder(), 0, TOKEN);
        run("tour");
    }

    @Test
    void chartsAndLimitsAreShown() throws Exception {
        serve(builder(), 0, TOKEN);
        run("server");
    }

    /** A panel of the program: its tab, its values and tables, a problem that comes and goes, and markup in its names. */
    @Test
    void panelOfTheProgramIsShown() throws Exception {
        server = builder().start();
        view = View.of(server).token(TOKEN).panel("relay", new Panel.Text("Relay", "中继"), () -> relay).start();
        run("panel");
    }

    /** Returns what a relay could show. */
    private static Panel relay(String problem, int topics) {
        Panel.Text label = Panel.Text.of("label");
        return new Panel(new Panel.Text("Shares messages with other servers.", "与其他服务器共享消息。"), Panel.Text.of(problem),
                List.of(Panel.Value.gauge("connected", new Panel.Text("link", "连接"), Panel.Unit.COUNT, 1)
                        .withText(problem.isEmpty() ? new Panel.Text("connected", "已连接") : new Panel.Text("not connected", "未连接"))
                        .withMark(!problem.isEmpty()),
                        Panel.Value.gauge("queued", new Panel.Text("waits", "等待"), Panel.Unit.BYTES, 1536).withMax(4 << 20),
                        Panel.Value.gauge("lag", new Panel.Text("lag", "滞后"), Panel.Unit.SECONDS, 0.0123),
                        Panel.Value.counter("missed", new Panel.Text("missed", "错过"), Panel.Unit.COUNT, 1234567).withMark(true)),
                List.of(new Panel.Table("servers", new Panel.Text("Servers", "服务器"), new Panel.Text("Lag: a delay.", "滞后：延迟。"),
                        new Panel.Text("None.", "无。"),
                        List.of(new Panel.Column("server", label, Panel.Unit.COUNT),
                                new Panel.Column("state", label, Panel.Unit.COUNT),
                                new Panel.Column("lag", new Panel.Text("lag", "滞后"), Panel.Unit.SECONDS)),
                        List.of(new Panel.Row(List.of(Panel.Cell.of("99eab11f54105b72"),
                                Panel.Cell.of(new Panel.Text("present", "在线")), Panel.Cell.of(0.004)), false),
                                new Panel.Row(List.of(Panel.Cell.of("1abe0818ba8f8386"),
                                        Panel.Cell.of(new Panel.Text("lost", "失联")), Panel.Cell.of(Double.NaN)), true)),
                        0),
                        new Panel.Table("topics", new Panel.Text("Topics", "主题"), Panel.Text.NONE,
                                new Panel.Text("No topics.", "没有主题。"),
                                List.of(new Panel.Column("topic", new Panel.Text("topic", "主题"), Panel.Unit.COUNT),
                                        new Panel.Column("members", new Panel.Text("members", "成员"), Panel.Unit.COUNT)),
                                IntStream.range(0, topics)
                                        .mapToObj(i -> new Panel.Row(
                                                List.of(Panel.Cell.of(MARKUP + i + "x".repeat(i == 0 ? 300 : 0)),
                                                        Panel.Cell.of(i)),
                                                false))
                                        .toList(),
                                0)),
                List.of(Panel.Value.counter("sent", new Panel.Text("sent", "已发送"), Panel.Unit.COUNT, 40)
                        .withNote(new Panel.Text("what NATS has taken", "NATS 已收下的")),
                        Panel.Value.text("note", Panel.Text.of(MARKUP), Panel.Text.of(MARKUP)).withNote(Panel.Text.of(MARKUP))));
    }

    @Test
    void whatAPeerSendsStaysText() throws Exception {
        serve(Server.builder().listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .framing(Framing.of((in, from, to, frame) -> {
                    if (to > from) {
                        byte[] bytes = new byte[to - from];
                        in.duplicate().position(from).limit(to).get(bytes);
                        throw new ProtocolException("unknown command: " + new String(bytes, StandardCharsets.UTF_8));
                    }
                })).onMessage((_, _) -> {}), 0, TOKEN);
        run("markup");
    }

    @Test
    void recordedRunIsScrubbedByMouseAndKeyboard() throws Exception {
        try (Replay replay = Replay.start(new RecordedRun(7, true, true, 30).recording(),
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            run("replay", replay.url());
        }
    }

    // ---- what the script asks for

    private void run(String name) throws IOException, InterruptedException {
        run(name, view.url());
    }

    private void run(String name, URI address) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("node", "browser.mjs", name, address.toString(), PICTURES.toString())
                .directory(SCRIPTS.toFile()).redirectErrorStream(true).start();
        StringBuilder output = new StringBuilder();
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8);
                Writer answers = process.outputWriter(StandardCharsets.UTF_8)) {
            Thread killer = Thread.ofVirtual().start(() -> {
                try {
                    if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
                        process.descendants().forEach(ProcessHandle::destroyForcibly);
                        process.destroyForcibly();
                    }
                } catch (InterruptedException e) {
                    process.destroyForcibly();
                }
            });
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                output.append(line).append('\n');
                if (line.startsWith("do: ")) {
                    perform(line.substring("do: ".length()));
                    answers.write("done\n");
                    answers.flush();
                }
            }
            killer.join(Duration.ofSeconds(10));
        }
        System.out.println("[" + name + "] " + output.toString().strip().replace("\n", "; "));
        assertThat(output.toString().lines().toList()).as(output.toString()).contains("passed");
        assertThat(process.waitFor()).isZero();
    }

    private void perform(String what) throws IOException {
        switch (what) {
            case "stop" -> {
                view.close();
                server.close();
            }
            case "start" -> serve(builder(), view.address().getPort(), TOKEN);
            case "start with another token" -> serve(builder(), view.address().getPort(), TOKEN + "-or-not");
            case "flood" -> flood(clients.getLast());
            case "talk" -> talk();
            case "leave" -> {
                Socket leaving = clients.removeFirst();
                leaving.getInputStream().readNBytes("hello\n".length()); // a close with unread bytes would be a reset
                leaving.close();
            }
            case "hold" -> {
                Socket client = client();
                await().until(() -> server.stats().total().turns() > 0);
                send(client, "hello\n");
                await().until(() -> server.stats().total().bytesIn() > 0);
            }
            case "release" -> released.countDown();
            case "relay in trouble" -> relay = relay("NATS cannot be reached: " + MARKUP, 150);
            case "relay idle" -> relay = relay("", 0);
            case "start without panel" -> serve(builder(), view.address().getPort(), TOKEN);
            case "markup" -> send(client(), MARKUP);
            default -> {
                int count = Integer.parseInt(what.substring("connect ".length()));
                for (int i = 0; i < count; i++) {
                    send(client(), "hello\n");
                }
            }
        }
    }

    private Socket client() throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(4096);
        socket.connect(server.address());
        clients.add(socket);
        return socket;
    }

    private static void send(Socket client, String text) throws IOException {
        client.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Sends without reading until the server has to queue replies, and pauses reading. */
    private void flood(Socket client) throws IOException {
        Thread.ofVirtual().start(() -> {
            try {
                String lines = ("x".repeat(1023) + "\n").repeat(64);
                while (!client.isClosed()) {
                    send(client, lines);
                }
            } catch (IOException e) {
                // The test is over.
            }
        });
        await().until(() -> server.connections().stream().anyMatch(now -> now.writable() && !now.readable()));
    }

    /** Some clients talk for a while, so that the charts have something to show. */
    private void talk() {
        for (Socket client : clients) {
            Thread.ofVirtual().start(() -> {
                try {
                    BufferedReader replies = new BufferedReader(
                            new InputStreamReader(client.getInputStream(), StandardCharsets.UTF_8));
                    for (int i = 0; i < 2_000_000 && !client.isClosed(); i++) {
                        send(client, "hello " + i + "\n");
                        replies.readLine();
                        if (i % 50 == 0) {
                            Thread.sleep((i / 50) % 7);
                        }
                    }
                } catch (IOException | InterruptedException e) {
                    // The test is over.
                }
            });
        }
    }
}
