package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** {@code trivet connect} as a process, against servers in this process. */
@EnabledOnOs(OS.LINUX)
final class ConnectProcessTest {
    private static final ServerSettings ADDRESS = RunningServer.settings(ReplyOption.ADDRESS, FramingOption.RAW);
    private static final ServerSettings ECHO = RunningServer.settings(ReplyOption.ECHO, FramingOption.RAW);

    private static String target(RunningServer running) throws IOException {
        return "localhost:" + running.server.addresses().getFirst().getPort();
    }

    @Test
    void twoConnectionsSendThreeMessagesEachWithItsIndex() throws Exception {
        try (RunningServer running = RunningServer.start(io.trivet.net.Network.system(), ADDRESS);
                Program connect = Program.trivet("connect", target(running), "--connections", "2", "--send",
                        "This is the message ",
                        "--send", "It will be sent ", "--send", "in parts ", "--append-index")) {
            assertThat(connect.exitCode()).as("errors: %s", connect.err()).isZero();
            List<String> lines = connect.out().lines().toList();
            assertThat(lines).hasSize(2).allSatisfy(line -> {
                String name = line.substring(0, line.indexOf(' '));
                String address = "('127.0.0.1', " + name.substring(name.indexOf(':') + 1) + ")";
                assertThat(line)
                        .isEqualTo(name + " \"This is the message 0" + address + "It will be sent 1" + address + "in parts 2"
                                + address + "\"");
            });
            assertThat(connect.err()).contains(lines.get(0).substring(0, lines.get(0).indexOf(' ')) + ": sending \"in parts 2\"");
        }
    }

    @Test
    void aSingleConnectionPrintsReceivedBytesUnchanged() throws Exception {
        try (RunningServer running = RunningServer.start(io.trivet.net.Network.system(), ECHO);
                Program connect = Program.trivet("connect", target(running), "-s", "tab\there, \"quotes\" and \\")) {
            assertThat(connect.exitCode()).isZero();
            assertThat(connect.out()).isEqualTo("tab\there, \"quotes\" and \\");
        }
    }

    @Test
    void connectsFromALocalAddress() throws Exception {
        try (RunningServer running = RunningServer.start(io.trivet.net.Network.system(), ADDRESS)) {
            String target = "127.0.0.1:" + running.server.addresses().getFirst().getPort();
            try (Program connect = Program.trivet("connect", target, "--from", "127.0.0.2", "-s", "x", "-x", "1")) {
                assertThat(connect.exitCode()).as("errors: %s", connect.err()).isZero();
                assertThat(connect.out()).startsWith("x('127.0.0.2', ");
            }
            fails("bind 192.0.2.1:0: EADDRNOTAVAIL, this machine has no such address", target, "192.0.2.1");
            fails("bind " + target + ": EADDRINUSE, this is the address to connect to", target, target);
            fails("bind [::1]:0: EAFNOSUPPORT, an IPv6 address cannot connect to an IPv4 address", target, "::1");
        }
    }

    private static void fails(String message, String target, String from) throws Exception {
        try (Program connect = Program.trivet("connect", target, "--from", from, "-s", "x")) {
            assertThat(connect.exitCode()).isEqualTo(1);
            assertThat(connect.err()).singleElement().asString().startsWith("trivet connect: " + message);
        }
    }

    @Test
    void reportsMissingRepliesAfterTheTimeout() throws Exception {
        try (RunningServer running = RunningServer.start(io.trivet.net.Network.system(),
                RunningServer.settings(ReplyOption.DISCARD, FramingOption.RAW));
                Program connect = Program.trivet("connect", target(running), "-s", "hello", "-w", Program.scaledMillis(300))) {
            assertThat(connect.exitCode()).isEqualTo(1);
            assertThat(connect.err()).last().asString()
                    .matches("trivet connect: 127\\.0\\.0\\.1:\\d+: received 0 of 5 bytes within --wait, 5 are missing");
        }
    }

    @Test
    void expectZeroSucceedsWithoutReplies() throws Exception {
        try (RunningServer running = RunningServer.start(io.trivet.net.Network.system(),
                RunningServer.settings(ReplyOption.DISCARD, FramingOption.RAW));
                Program connect = Program.trivet("connect", target(running), "-s", "one", "-s", "two", "--expect", "0")) {
            assertThat(connect.exitCode()).isZero();
            assertThat(connect.out()).isEmpty();
        }
    }

    @Test
    void reportsAServerThatClosesBeforeAllRepliesHaveArrived() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Program connect = Program.trivet("connect", "127.0.0.1:" + server.getLocalPort(), "-s", "hello");
                Socket accepted = server.accept()) {
            assertThat(PlainSocket.receive(accepted, 5)).isEqualTo("hello");
            PlainSocket.send(accepted, "he");
            accepted.shutdownOutput();
            assertThat(connect.exitCode()).isEqualTo(1);
            assertThat(connect.out()).isEqualTo("he");
            assertThat(connect.err()).last().asString()
                    .matches("trivet connect: 127\\.0\\.0\\.1:\\d+: the server closed the connection after 2 of 5 bytes");
        }
    }

    @Test
    void forwardsPipedInputAndReadsRepliesAfterItsEnd() throws Exception {
        try (RunningServer running = RunningServer.start(io.trivet.net.Network.system(), ECHO);
                Program connect = Program.trivet("connect", target(running))) {
            connect.write("first line\n");
            connect.awaitOut("first line\n");
            String input = "0123456789abcde\n".repeat(100_000);
            connect.write(input);
            connect.endInput();
            assertThat(connect.exitCode()).as("errors: %s", connect.err()).isZero();
            assertThat(connect.out()).isEqualTo("first line\n" + input);
        }
    }

    @Test
    void forwardsPipedInputOnJavaNio() throws Exception {
        try (RunningServer running = RunningServer.start(io.trivet.net.Network.system(), ECHO);
                Program connect = Program.java(List.of("--illegal-native-access=deny"), "io.trivet.app.Trivet", "connect",
                        target(running))) {
            String input = "0123456789abcde\n".repeat(20_000);
            connect.write(input);
            connect.endInput();
            assertThat(connect.exitCode()).as("errors: %s", connect.err()).isZero();
            assertThat(connect.out()).isEqualTo(input);
            assertThat(connect.err()).first().asString().contains("using nio");
        }
    }

    @Test
    void failsWhenTheServerClosesTheConnection() throws Exception {
        try (RunningServer running = RunningServer.start(io.trivet.net.Network.system(), ECHO);
                Program connect = Program.trivet("connect", target(running))) {
            connect.write("hello\n");
            connect.awaitOut("hello\n");
            running.server.drain(java.time.Duration.ofSeconds(5));
            assertThat(connect.exitCode()).isEqualTo(1);
            assertThat(connect.err()).last().asString().endsWith(": the server closed the connection");
        }
    }

    /** Starts {@code trivet connect} with a resolver that reads names from a file. */
    private static Program connectWith(Path hosts, String... arguments) throws IOException {
        String[] all = new String[arguments.length + 1];
        all[0] = "connect";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        return Program.java(List.of("--enable-native-access=ALL-UNNAMED", "-Djdk.net.hosts.file=" + hosts),
                "io.trivet.app.Trivet",
                all);
    }

    /** Fills the backlog of a listener, so that further connects get no answer. */
    private static List<SocketChannel> fillBacklog(ServerSocket full) throws IOException {
        List<SocketChannel> connecting = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            SocketChannel channel = SocketChannel.open();
            channel.configureBlocking(false);
            channel.connect(full.getLocalSocketAddress());
            connecting.add(channel);
        }
        return connecting;
    }

    @Test
    void addressThatHangsDoesNotDelayTheNextOne(@TempDir Path dir) throws Exception {
        try (RunningServer running = RunningServer.start(io.trivet.net.Network.system(), ECHO);
                ServerSocket full = new ServerSocket(running.server.addresses().getFirst().getPort(), 1,
                        InetAddress.ofLiteral("127.0.0.2"))) {
            List<SocketChannel> connecting = fillBacklog(full);
            Path hosts = Files.writeString(dir.resolve("hosts"), "127.0.0.2 two.test\n127.0.0.1 two.test\n");
            try (Program connect = connectWith(hosts, "two.test:" + full.getLocalPort(), "-s", "ping", "-w",
                    Program.scaledMillis(20_000))) {
                assertThat(connect.exitCode()).as("errors: %s", connect.err()).isZero();
                assertThat(connect.out()).isEqualTo("ping");
            }
            try (Program connect = connectWith(
                    Files.writeString(dir.resolve("hosts"), "127.0.0.2 one.test\n127.0.0.3 one.test\n"),
                    "one.test:" + full.getLocalPort(), "-s", "ping", "-w", Program.scaledMillis(1000))) {
                assertThat(connect.exitCode()).isEqualTo(1);
                assertThat(connect.err()).singleElement().asString()
                        .startsWith("trivet connect: connect one.test:" + full.getLocalPort() + ": ETIMEDOUT")
                        .contains("127.0.0.2:" + full.getLocalPort() + ": no answer in time",
                                "127.0.0.3:" + full.getLocalPort() + ": ECONNREFUSED, refused")
                        .endsWith("--wait)");
            }
            for (SocketChannel channel : connecting) {
                channel.close();
            }
        }
    }

    @Test
    void resolverThatHangsEndsAtTheDeadlineInOneLine(@TempDir Path dir) throws Exception {
        Path hanging = dir.resolve("hosts"); // a FIFO without a writer blocks its reader
        assertThat(new ProcessBuilder("mkfifo", hanging.toString()).start().waitFor()).isZero();
        try (Program connect = connectWith(hanging, "slow.test:80", "-s", "x", "-w", "500ms")) {
            assertThat(connect.exitCode()).isEqualTo(1);
            assertThat(connect.err()).singleElement()
                    .isEqualTo("trivet connect: connect slow.test:80: ETIMEDOUT, its name could not "
                            + "be looked up in time (the limit is --wait)");
        }
    }

    @Test
    void reportsARefusedConnectAndAnUnknownHostInOneLine() throws Exception {
        int port;
        try (ServerSocket server = new ServerSocket(0)) {
            port = server.getLocalPort();
        }
        try (Program connect = Program.trivet("connect", "127.0.0.1:" + port, "-s", "x")) {
            assertThat(connect.exitCode()).isEqualTo(1);
            assertThat(connect.err()).singleElement().asString().startsWith("trivet connect: connect 127.0.0.1:" + port)
                    .contains("refused");
        }
        try (Program connect = Program.trivet("connect", "no-such-host.invalid:80", "-s", "x")) {
            assertThat(connect.exitCode()).isEqualTo(1);
            assertThat(connect.err()).singleElement().asString()
                    .startsWith("trivet connect: unknown host 'no-such-host.invalid'");
        }
    }
}
