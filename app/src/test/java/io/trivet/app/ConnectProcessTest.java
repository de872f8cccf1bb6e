package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** {@code trivet connect} as a process, with servers of this one. */
@EnabledOnOs(OS.LINUX)
final class ConnectProcessTest {
    private static final ServerSettings ADDRESS = Serving.settings(Reply.ADDRESS, Framing.RAW);
    private static final ServerSettings ECHO = Serving.settings(Reply.ECHO, Framing.RAW);

    private static String target(Serving serving) throws IOException {
        return "localhost:" + serving.server.address().getPort();
    }

    @Test
    void twoConnectionsHoldTheSeedsConversation() throws Exception {
        try (Serving serving = Serving.on(io.trivet.net.Network.system(), ADDRESS);
                Program connect = Program.trivet("connect", target(serving), "--connections", "2", "--send",
                        "This is the message ",
                        "--send", "It will be sent ", "--send", "in parts ", "--append-index")) {
            assertThat(connect.exitCode()).as("it said %s", connect.err()).isZero();
            List<String> lines = connect.out().lines().toList();
            assertThat(lines).hasSize(2).allSatisfy(line -> {
                String name = line.substring(0, line.indexOf(' '));
                String me = "('127.0.0.1', " + name.substring(name.indexOf(':') + 1) + ")";
                assertThat(line)
                        .isEqualTo(name + " \"This is the message 0" + me + "It will be sent 1" + me + "in parts 2" + me + "\"");
            });
            assertThat(connect.err()).contains(lines.get(0).substring(0, lines.get(0).indexOf(' ')) + ": sending \"in parts 2\"");
        }
    }

    @Test
    void oneConnectionPrintsWhatCameAsItIs() throws Exception {
        try (Serving serving = Serving.on(io.trivet.net.Network.system(), ECHO);
                Program connect = Program.trivet("connect", target(serving), "-s", "tab\there, \"quotes\" and \\")) {
            assertThat(connect.exitCode()).isZero();
            assertThat(connect.out()).isEqualTo("tab\there, \"quotes\" and \\");
        }
    }

    @Test
    void repliesThatDoNotComeAreMissed() throws Exception {
        try (Serving serving = Serving.on(io.trivet.net.Network.system(), Serving.settings(Reply.DISCARD, Framing.RAW));
                Program connect = Program.trivet("connect", target(serving), "-s", "hello", "-w", "300ms")) {
            assertThat(connect.exitCode()).isEqualTo(1);
            assertThat(connect.err()).last().asString()
                    .matches("trivet connect: after the time of --wait 127\\.0\\.0\\.1:\\d+ got 0 of 5 bytes: 5 are missing");
        }
    }

    @Test
    void aServerThatDiscardsIsExpectedToSendNothing() throws Exception {
        try (Serving serving = Serving.on(io.trivet.net.Network.system(), Serving.settings(Reply.DISCARD, Framing.RAW));
                Program connect = Program.trivet("connect", target(serving), "-s", "one", "-s", "two", "--expect", "0")) {
            assertThat(connect.exitCode()).isZero();
            assertThat(connect.out()).isEmpty();
        }
    }

    @Test
    void aServerThatClosesTooEarlyIsNoticed() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Program connect = Program.trivet("connect", "127.0.0.1:" + server.getLocalPort(), "-s", "hello");
                Socket accepted = server.accept()) {
            assertThat(Wire.hear(accepted, 5)).isEqualTo("hello");
            Wire.say(accepted, "he");
            accepted.shutdownOutput();
            assertThat(connect.exitCode()).isEqualTo(1);
            assertThat(connect.out()).isEqualTo("he");
            assertThat(connect.err()).last().asString()
                    .matches("trivet connect: the server closed the connection of 127\\.0\\.0\\.1:\\d+ after 2 of 5 bytes");
        }
    }

    @Test
    void aPipeGoesThroughAndWhatStillComesIsRead() throws Exception {
        try (Serving serving = Serving.on(io.trivet.net.Network.system(), ECHO);
                Program connect = Program.trivet("connect", target(serving))) {
            connect.say("first line\n");
            connect.awaitOut("first line\n");
            String much = "0123456789abcde\n".repeat(100_000);
            connect.say(much);
            connect.endInput();
            assertThat(connect.exitCode()).as("it said %s", connect.err()).isZero();
            assertThat(connect.out()).isEqualTo("first line\n" + much);
        }
    }

    @Test
    void aPipeGoesThroughOnJavaNioToo() throws Exception {
        try (Serving serving = Serving.on(io.trivet.net.Network.system(), ECHO);
                Program connect = Program.java(List.of("--illegal-native-access=deny"), "io.trivet.app.Trivet", "connect",
                        target(serving))) {
            String much = "0123456789abcde\n".repeat(20_000);
            connect.say(much);
            connect.endInput();
            assertThat(connect.exitCode()).as("it said %s", connect.err()).isZero();
            assertThat(connect.out()).isEqualTo(much);
            assertThat(connect.err()).first().asString().contains("using nio");
        }
    }

    @Test
    void aServerThatGoesAwayEndsTheDialogue() throws Exception {
        try (Serving serving = Serving.on(io.trivet.net.Network.system(), ECHO);
                Program connect = Program.trivet("connect", target(serving))) {
            connect.say("hello\n");
            connect.awaitOut("hello\n");
            serving.server.drain(java.time.Duration.ofSeconds(5));
            assertThat(connect.exitCode()).isEqualTo(1);
            assertThat(connect.err()).last().asString().endsWith(": the server closed the connection");
        }
    }

    @Test
    void refusedAndUnknownAreOneLineEach() throws Exception {
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
            assertThat(connect.err()).singleElement().isEqualTo("trivet connect: unknown host 'no-such-host.invalid'");
        }
    }
}
