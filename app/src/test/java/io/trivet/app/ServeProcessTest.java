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

/** {@code trivet serve} as a process: how it starts, what it says, how it ends. */
@EnabledOnOs(OS.LINUX)
final class ServeProcessTest {
    @TempDir Path folder;

    @Test
    void startsWithItsVersionEngineLimitsAddressAndReady() throws Exception {
        Path readyFile = folder.resolve("ready");
        try (Program serve = Program.trivet("serve", "--port", "0", "--ready-file", readyFile.toString(), "-m", "123",
                "--queue-budget", "100MiB")) {
            InetSocketAddress address = serve.awaitReady();

            assertThat(serve.err()).hasSize(5);
            assertThat(serve.err().get(0)).matches("trivet .*\\(commit [0-9a-z]+\\), Java \\d+");
            String engine = Network.system().name();
            assertThat(serve.err().get(1)).startsWith("engine " + engine + ", the best one here");
            if (!engine.equals("uring")) {
                assertThat(serve.err().get(1)).contains(": uring is not available: ");
            }
            assertThat(serve.err().get(2)).isEqualTo(
                    "limits 123 clients, 64KiB a message, 1MiB a queue, 100MiB all queues, then pause; message 10s, idle 5m, write 10s");
            assertThat(serve.err().get(3)).isEqualTo("listening on 127.0.0.1:" + address.getPort());
            assertThat(Files.readString(readyFile)).isEqualTo("127.0.0.1:" + address.getPort() + "\n");
            try (var files = Files.list(folder)) {
                assertThat(files).containsExactly(readyFile);
            }
        }
    }

    @Test
    void sigtermDeliversWhatIsOwedAndExitsWith0() throws Exception {
        try (Program serve = Program.trivet("serve", "-v", "-p", "0", "-r", "address");
                Socket client = Wire.connect(serve.awaitReady())) {
            Wire.say(client, "last question");
            serve.awaitErr(line -> line.startsWith("data ")); // who was not heard yet when the draining begins is owed nothing
            serve.signal("TERM");

            assertThat(Wire.hearAll(client)).isEqualTo("last question" + Wire.python(client));
            client.shutdownOutput();
            assertThat(serve.exitCode()).isZero();
            assertThat(serve.err()).endsWith("drained");
        }
    }

    @Test
    void aShortQueueHoldsAClientBackAndDoesNotLoseIt() throws Exception {
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
        // A shell that started the build in the background may have told it, and so its children, to ignore SIGINT.
        List<String> command = new ArrayList<>(List.of("env", "--default-signal=INT"));
        command.addAll(Program.trivetCommand("serve", "-p", "0", "-d", "1h", "-w", "0"));
        try (Program serve = Program.start(command); Socket deaf = new Socket()) {
            deaf.setReceiveBufferSize(8 * 1024);
            deaf.connect(serve.awaitReady());
            sayUntilItBlocks(deaf);
            serve.signal("INT");
            serve.awaitErr(line -> line.startsWith("draining, for 1h at most"));
            assertThat(serve.isAlive()).isTrue();
            serve.signal("INT");
            assertThat(serve.exitCode()).isEqualTo(130);
        }
    }

    /** The replies are not read, so in the end nothing more is taken: until no byte has moved for a while. */
    private static void sayUntilItBlocks(Socket socket) throws InterruptedException {
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
    void aTakenPortIsNamedAlsoWhenTheOtherServerIsOurs() throws Exception {
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
    void aReadyFileThatCannotBeWrittenIsAFailure() throws Exception {
        Path nowhere = folder.resolve("missing").resolve("ready");
        try (Program serve = Program.trivet("serve", "-p", "0", "-F", nowhere.toString())) {
            assertThat(serve.exitCode()).isEqualTo(1);
            assertThat(serve.err()).last().asString().isEqualTo(
                    "trivet serve: --ready-file " + nowhere + ": there is no folder " + nowhere.getParent());
        }
    }

    @Test
    void anUrgentByteFromAForeignPeerIsTold() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/python3")), "python3 is not installed");
        try (Program serve = Program.trivet("serve", "-p", "0", "--urgent", "-v")) {
            InetSocketAddress address = serve.awaitReady();
            String script = "import socket; s = socket.create_connection(('127.0.0.1', " + address.getPort() + ")); "
                    + "s.send(b'!', socket.MSG_OOB); s.send(b'abc'); assert s.recv(10) == b'abc'; print(s.getsockname()[1])";
            try (Program peer = Program.start(List.of("/usr/bin/python3", "-c", script))) {
                assertThat(peer.exitCode()).as("it said %s", peer.err()).isZero();
                String name = "127.0.0.1:" + peer.out().strip();
                assertThat(serve.awaitErr(line -> line.startsWith("urgent"))).isEqualTo("urgent " + name + " \"!\"");
                assertThat(serve.awaitErr(line -> line.startsWith("data"))).isEqualTo("data " + name + " 3 bytes \"abc\"");
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.trivet.app.ReplyServerTest#engines")
    void outOfDescriptorsNewClientsWaitAndTheOthersDoNotNotice(String engine) throws Exception {
        List<String> command = new ArrayList<>(List.of("sh", "-c", "ulimit -Sn 80 && ulimit -Hn 80 && exec \"$@\"", "sh"));
        command.addAll(Program.trivetCommand("serve", "-p", "0", "-m", "1000", "-t", "1h", "-v", "-e", engine));
        List<Socket> clients = new ArrayList<>();
        try (Program serve = Program.start(command)) {
            InetSocketAddress address = serve.awaitReady();
            assertThat(serve.err()).anyMatch(line -> line.startsWith("warning: 1000 clients need more than the 80 descriptors"));
            clients.add(Wire.connect(address));
            for (int i = 0; i < 100; i++) {
                clients.add(Wire.connect(address));
            }
            serve.awaitErr(line -> line.contains("WARNING") && line.contains("EMFILE"));
            Wire.say(clients.getFirst(), "established");
            assertThat(Wire.hear(clients.getFirst(), 11)).isEqualTo("established");
            // It backs off to a second: what would spin goes round thousands of times.
            assertThat(serve.err().stream().filter(line -> line.startsWith("select again")).count()).isLessThan(300);

            for (Socket client : clients.subList(1, 60)) {
                client.close();
            }
            Wire.say(clients.getLast(), "at last");
            assertThat(Wire.hear(clients.getLast(), 7)).isEqualTo("at last");
            assertThat(serve.err()).filteredOn(line -> line.contains("WARNING")).hasSize(1);
        } finally {
            for (Socket client : clients) {
                client.close();
            }
        }
    }

    @Test
    void withoutNativeAccessItServesOnNioAndSaysSo() throws Exception {
        try (Program serve = Program.java(List.of("--illegal-native-access=deny"), "io.trivet.app.Trivet", "serve", "-p", "0");
                Socket client = Wire.connect(serve.awaitReady())) {
            Wire.say(client, "hello");
            assertThat(Wire.hear(client, 5)).isEqualTo("hello");
            assertThat(serve.err()).contains("engine nio, the best one here",
                    "the third list is not watched: nio cannot see urgent data");
            assertThat(serve.err()).filteredOn(line -> line.contains("--enable-native-access=ALL-UNNAMED")).hasSize(1);
        }
    }
}
