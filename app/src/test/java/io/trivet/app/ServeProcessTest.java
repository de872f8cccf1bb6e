package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.net.Network;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** {@code trivet serve} as a process: start-up lines, messages, signals and exit codes. */
@EnabledOnOs(OS.LINUX)
final class ServeProcessTest {
    @TempDir Path directory;

    @Test
    void printsVersionEngineLimitsAndAddressBeforeReady() throws Exception {
        Path readyFile = directory.resolve("ready");
        try (Program serve = Program.trivet("serve", "--port", "0", "--ready-file", readyFile.toString(), "-m", "123",
                "--queue-budget", "64MiB")) {
            InetSocketAddress address = serve.awaitReady();

            assertThat(serve.err()).hasSize(5);
            assertThat(serve.err().get(0)).matches("trivet .*\\(commit [0-9a-z]+\\), Java \\d+");
            String engine = Network.system().name();
            assertThat(serve.err().get(1)).startsWith("engine " + engine + ", chosen automatically");
            if (!engine.equals("uring")) {
                assertThat(serve.err().get(1)).contains("; uring is not available: ");
            }
            assertThat(serve.err().get(2)).isEqualTo(
                    "limits: 123 clients, 64KiB per message, 1MiB per queue, 64MiB for all queues; overflow pause; "
                            + "timeouts: message 10s, idle 5m, write 10s");
            assertThat(serve.err().get(3)).isEqualTo("listening on 127.0.0.1:" + address.getPort());
            assertThat(Files.readString(readyFile)).isEqualTo("127.0.0.1:" + address.getPort() + "\n");
            try (var files = Files.list(directory)) {
                assertThat(files).containsExactly(readyFile);
            }
        }
    }

    @Test
    void sigtermDeliversPendingRepliesAndExitsWith0() throws Exception {
        try (Program serve = Program.trivet("serve", "-v", "-p", "0", "-r", "address");
                Socket client = PlainSocket.connect(serve.awaitReady())) {
            PlainSocket.send(client, "last question");
            serve.awaitErr(line -> line.startsWith("data ")); // draining answers only messages that have arrived
            serve.signal("TERM");

            assertThat(PlainSocket.receiveAll(client)).isEqualTo("last question" + PlainSocket.pythonAddress(client));
            client.shutdownOutput();
            assertThat(serve.exitCode()).isZero();
            assertThat(serve.err()).endsWith("drained");
        }
    }

    @Test
    void aBrokenProtocolIsExplainedInTheGoneLine() throws Exception {
        try (Program serve = Program.trivet("serve", "-v", "-p", "0", "--proxy-protocol", "127.0.0.1");
                Socket client = PlainSocket.connect(serve.awaitReady())) {
            PlainSocket.send(client, "GET / HTTP/1.0\r\n\r\n");
            assertThat(serve.awaitErr(line -> line.startsWith("gone ")))
                    .contains(": the protocol was broken: ").contains("PROXY header");
        }
    }

    @Test
    void aClientThatBeginsTlsIsReportedOnce() throws Exception {
        try (Program serve = Program.trivet("serve", "-v", "-p", "0", "--framing", "lines");
                Socket client = PlainSocket.connect(serve.awaitReady())) {
            PlainSocket.send(client, "\u0016\u0003\u0001\n\u0016\u0003\u0001\u0000\u0001\u0001...\nhello\n");
            serve.awaitErr(line -> line.startsWith("data ") && line.contains("hello"));
            assertThat(serve.err().stream().filter(line -> line.contains(" has begun a TLS handshake"))).singleElement()
                    .asString()
                    .contains(" WARNING io.trivet.app: 127.0.0.1:", "or the server needs --tls-cert and --tls-key");
        }
    }

    @Test
    void aSmallQueuePausesAClientWithoutDisconnectingIt() throws Exception {
        try (Program serve = Program.trivet("serve", "-p", "0", "--queue-limit", "70KiB", "--write-timeout", "0");
                TcpStream client = Network.system().connect(serve.awaitReady())) {
            List<Flow> flows = List.of(new Flow(client, client, 32 << 20));
            Flow.writeUntilStuck(flows);
            assertThat(flows.getFirst().writtenBytes()).isLessThan(32 << 20);
            Flow.exchange(flows);
        }
    }

    @Test
    void aSecondSigintDoesNotWaitForASlowClient() throws Exception {
        // A shell that runs the build in the background may make it, and so its children, ignore SIGINT.
        List<String> command = new ArrayList<>(List.of("env", "--default-signal=INT"));
        command.addAll(Program.trivetCommand("serve", "-p", "0", "-d", "1h", "-w", "0"));
        try (Program serve = Program.start(command); Socket slow = new Socket()) {
            slow.setReceiveBufferSize(8 * 1024);
            slow.connect(serve.awaitReady());
            sendUntilBlocked(slow);
            serve.signal("INT");
            serve.awaitErr(line -> line.startsWith("draining for at most 1h"));
            assertThat(serve.isAlive()).isTrue();
            serve.signal("INT");
            assertThat(serve.exitCode()).isEqualTo(130);
        }
    }

    /** Sends without reading the replies, until no byte has been accepted for a while. */
    private static void sendUntilBlocked(Socket socket) throws InterruptedException {
        AtomicLong written = new AtomicLong();
        Thread writer = Thread.ofPlatform().daemon().start(() -> {
            try {
                while (true) {
                    socket.getOutputStream().write(new byte[4096]);
                    written.addAndGet(4096);
                }
            } catch (IOException e) {
                // The server has ended.
            }
        });
        long before;
        do {
            before = written.get();
            writer.join(300);
        } while (written.get() != before || before == 0);
    }

    @Test
    void namesThePortInUseEvenIfAnotherTrivetHoldsIt() throws Exception {
        try (Program first = Program.trivet("serve", "-p", "0")) {
            int port = first.awaitReady().getPort();
            try (Program second = Program.trivet("serve", "-p", Integer.toString(port))) {
                assertThat(second.exitCode()).isEqualTo(1);
                assertThat(second.err()).last().asString()
                        .startsWith("trivet serve: ").contains("127.0.0.1:" + port).contains("in use");
            }
        }
    }

    @Test
    void failsIfTheReadyFileCannotBeWritten() throws Exception {
        Path nowhere = directory.resolve("missing").resolve("ready");
        try (Program serve = Program.trivet("serve", "-p", "0", "-F", nowhere.toString())) {
            assertThat(serve.exitCode()).isEqualTo(1);
            assertThat(serve.err()).last().asString().isEqualTo(
                    "trivet serve: --ready-file " + nowhere + " cannot be written: the directory " + nowhere.getParent()
                            + " does not exist");
        }
    }

    @Test
    void logsAnUrgentByteFromPython() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/python3")), "python3 is not installed");
        try (Program serve = Program.trivet("serve", "-p", "0", "--urgent", "-v")) {
            InetSocketAddress address = serve.awaitReady();
            String script = "import socket; s = socket.create_connection(('127.0.0.1', " + address.getPort() + ")); "
                    + "s.send(b'!', socket.MSG_OOB); s.send(b'abc'); assert s.recv(10) == b'abc'; print(s.getsockname()[1])";
            try (Program peer = Program.start(List.of("/usr/bin/python3", "-c", script))) {
                assertThat(peer.exitCode()).as("errors: %s", peer.err()).isZero();
                String name = "127.0.0.1:" + peer.out().strip();
                assertThat(serve.awaitErr(line -> line.startsWith("urgent"))).isEqualTo("urgent " + name + " \"!\"");
                assertThat(serve.awaitErr(line -> line.startsWith("data"))).isEqualTo("data " + name + " 3 bytes \"abc\"");
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.trivet.app.ReplyServerTest#engines")
    void whenDescriptorsRunOutNewClientsWaitAndConnectedOnesAreServed(String engine) throws Exception {
        List<String> command = new ArrayList<>(List.of("sh", "-c", "ulimit -Sn 80 && ulimit -Hn 80 && exec \"$@\"", "sh"));
        command.addAll(Program.trivetCommand("serve", "-p", "0", "-m", "1000", "-t", "1h", "-v", "-e", engine));
        List<Socket> clients = new ArrayList<>();
        try (Program serve = Program.start(command)) {
            InetSocketAddress address = serve.awaitReady();
            assertThat(serve.err())
                    .anyMatch(line -> line.startsWith("warning: 1000 clients need more than this process's 80 descriptors"));
            clients.add(PlainSocket.connect(address));
            for (int i = 0; i < 100; i++) {
                clients.add(PlainSocket.connect(address));
            }
            serve.awaitErr(line -> line.contains("WARNING") && line.contains("EMFILE"));
            PlainSocket.send(clients.getFirst(), "established");
            assertThat(PlainSocket.receive(clients.getFirst(), 11)).isEqualTo("established");
            // accept backs off for up to a second; a spinning loop would turn thousands of times.
            assertThat(serve.err().stream().filter(line -> line.startsWith("select again")).count()).isLessThan(300);

            for (Socket client : clients.subList(1, 60)) {
                client.close();
            }
            PlainSocket.send(clients.getLast(), "at last");
            assertThat(PlainSocket.receive(clients.getLast(), 7)).isEqualTo("at last");
            assertThat(serve.err()).filteredOn(line -> line.contains("WARNING")).hasSize(1);
        } finally {
            for (Socket client : clients) {
                client.close();
            }
        }
    }

    @Test
    void withoutNativeAccessServesOnNioWithAWarning() throws Exception {
        try (Program serve = Program.java(List.of("--illegal-native-access=deny"), "io.trivet.app.Trivet", "serve", "-p", "0");
                Socket client = PlainSocket.connect(serve.awaitReady())) {
            PlainSocket.send(client, "hello");
            assertThat(PlainSocket.receive(client, 5)).isEqualTo("hello");
            assertThat(serve.err()).contains("engine nio, chosen automatically",
                    "urgent data is not watched: nio does not support it");
            assertThat(serve.err()).filteredOn(line -> line.contains("--enable-native-access=ALL-UNNAMED")).hasSize(1);
        }
    }
}
