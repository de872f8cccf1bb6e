package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** {@code trivet top} in a terminal: what its keys do, and how it leaves the terminal. */
@EnabledOnOs(OS.LINUX)
final class TopTerminalTest {
    private static final String ESCAPE = "\u001b";
    /** Each frame begins at the upper left corner. */
    private static final String FRAME = ESCAPE + "[H";

    private final List<Socket> clients = new ArrayList<>();
    private Program serve;
    private Program top;

    @BeforeEach
    void start() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/python3")), "Python is not installed: apt-get install python3");
        serve = Program.trivet("serve", "--port", "0", "--framing", "lines", "--view", "0");
        String view = serve.awaitErr(line -> line.startsWith("view http://")).substring("view ".length());
        InetSocketAddress address = serve.awaitReady();
        for (int i = 0; i < 12; i++) {
            Socket client = new Socket(InetAddress.getLoopbackAddress(), address.getPort());
            clients.add(client);
            String line = "x".repeat(i) + "\n";
            client.getOutputStream().write(line.getBytes(StandardCharsets.US_ASCII));
            assertThat(client.getInputStream().readNBytes(line.length())).hasSize(line.length());
        }
        List<String> command = new ArrayList<>(List.of("python3",
                Path.of(TopTerminalTest.class.getResource("terminal.py").toURI()).toString()));
        command.addAll(Program.trivetCommand("top", view, "--interval", "100ms"));
        top = Program.start(command);
    }

    @AfterEach
    void close() throws IOException {
        for (Socket client : clients) {
            client.close();
        }
        if (top != null) {
            top.close();
        }
        if (serve != null) {
            serve.close();
        }
    }

    private void type(String keys) throws IOException {
        top.write("key " + keys + "\n");
    }

    /** Returns the lines of the last complete frame. */
    private List<String> frame() {
        String out = top.out();
        int end = out.lastIndexOf(FRAME);
        int start = end < 0 ? -1 : out.lastIndexOf(FRAME, end - 1);
        // The terminal adds a return before each line feed.
        return start < 0 ? List.of() : out.substring(start + FRAME.length(), end).replace("\r", "").lines()
                .map(line -> line.replace(ESCAPE + "[K", "").replace(ESCAPE + "[J", "")).toList();
    }

    private List<String> awaitFrame(Predicate<List<String>> matches) {
        await().atMost(Duration.ofSeconds(Program.TIMEOUT_SECONDS)).until(() -> matches.test(frame()));
        return frame();
    }

    private static Predicate<List<String>> has(String text) {
        return lines -> lines.stream().anyMatch(line -> line.contains(text));
    }

    /** Returns the addresses of the clients that a frame shows, in its order. */
    private static List<String> shown(List<String> frame) {
        return frame.stream().filter(line -> line.startsWith("127.0.0.1:")).map(line -> line.split(" ", -1)[0]).toList();
    }

    private String address(int client) {
        return "127.0.0.1:" + clients.get(client).getLocalPort();
    }

    @Test
    void keysSortFilterPauseAndQuit() throws Exception {
        awaitFrame(has("sorted by queue, highest first"));
        assertThat(top.out()).startsWith(ESCAPE + "[?1049h" + ESCAPE + "[?25l");
        assertThat(shown(awaitFrame(lines -> shown(lines).size() == 12))).contains(address(0), address(11));

        type("ss");
        List<String> byIn = awaitFrame(
                has("sorted by in, highest first").and(lines -> shown(lines).getFirst().equals(address(11))));
        assertThat(shown(byIn).getLast()).isEqualTo(address(0));
        type("r");
        awaitFrame(has("sorted by in, lowest first").and(lines -> shown(lines).getFirst().equals(address(0))));

        type("/" + clients.get(5).getLocalPort());
        awaitFrame(has("filter: " + clients.get(5).getLocalPort() + "_").and(lines -> shown(lines).equals(List.of(address(5)))));
        type("q\\x7f"); // while the filter is written, q is a letter
        awaitFrame(has("filter: " + clients.get(5).getLocalPort() + "_"));
        type("\\n");
        awaitFrame(has("filter: " + clients.get(5).getLocalPort()).and(has("_").negate()));
        type("/nothing");
        awaitFrame(has("No client matches the filter."));
        type("\\x1b");
        awaitFrame(lines -> shown(lines).size() == 12 && has("filter:").negate().test(lines));

        type("p");
        awaitFrame(has("SCREEN PAUSED"));
        clients.removeLast().close();
        await().during(Duration.ofMillis(400)).until(() -> shown(frame()).size() == 12);
        type("p");
        awaitFrame(lines -> shown(lines).size() == 11 && has("SCREEN PAUSED").negate().test(lines));

        type("q");
        assertThat(top.exitCode()).isZero();
        assertThat(top.err()).containsExactly("exit 0, echo True, lines True");
        assertThat(top.out()).endsWith(ESCAPE + "[?25h" + ESCAPE + "[?1049l");
    }

    @Test
    void screenFollowsTheSizeOfTheWindow() throws Exception {
        awaitFrame(lines -> shown(lines).size() == 12);
        top.write("size 10 60\n");
        List<String> small = awaitFrame(lines -> lines.size() == 10);
        assertThat(small).allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(60));
        top.write("size 40 200\n");
        assertThat(awaitFrame(lines -> shown(lines).size() == 12)).anyMatch(line -> line.contains("read") && line.length() > 100);
    }

    @Test
    void ctrlCRestoresTheTerminal() throws Exception {
        awaitFrame(has("sorted by"));
        type("\\x03");
        top.exitCode();
        assertThat(top.err().getLast()).contains("exit 130, echo True, lines True");
        assertThat(top.out()).contains(ESCAPE + "[?1049l");
    }

    @Test
    void endOfTheServerIsOneClearLineOnARestoredTerminal() throws Exception {
        awaitFrame(has("sorted by"));
        serve.signal("TERM");
        top.exitCode();
        assertThat(top.err().getLast()).contains("exit 1, echo True, lines True");
        assertThat(top.out().substring(top.out().lastIndexOf(ESCAPE + "[?1049l"))).contains("no view at 127.0.0.1:")
                .doesNotContain("Exception");
    }
}
