package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.net.Network;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The command line as a supervisor or a script starts it: odd standard streams, arguments, ready files and hosts. */
@EnabledOnOs(OS.LINUX)
final class SupervisedProcessTest {
    private static final ServerSettings ECHO = RunningServer.settings(ReplyOption.ECHO, FramingOption.RAW);
    private static final int PIPE_BYTES = 64 * 1024;

    @TempDir Path directory;

    private static String target(RunningServer running) {
        return "localhost:" + running.server.addresses().getFirst().getPort();
    }

    /** Starts trivet from a shell that changes its descriptors, or its environment, first. */
    private static List<String> shell(String script, String... arguments) {
        List<String> command = new ArrayList<>(List.of("sh", "-c", script, "sh"));
        command.addAll(Program.trivetCommand(arguments));
        return command;
    }

    private static byte[] manyBytes() {
        byte[] bytes = new byte[1 << 20];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) ((i * 31) >> 3);
        }
        return bytes;
    }

    // ---- closed descriptors

    @Test
    void aClosedInputIsAnErrorAndSendsNothing() throws Exception {
        try (RunningServer running = RunningServer.start(Network.system(), ECHO);
                Program connect = Program.start(shell("exec \"$@\" <&-", "connect", target(running)))) {
            assertThat(connect.exitCode()).isEqualTo(1);
            assertThat(connect.err()).singleElement().asString().startsWith("trivet connect: standard input is closed");
            assertThat(running.log()).noneMatch(line -> line.startsWith("data"));
        }
    }

    /** A directory can be opened, and read(2) fails with EISDIR. */
    @Test
    void anInputThatFailsResetsTheConnectionAndExitsWith1() throws Exception {
        try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Program connect = Program.start(shell("exec \"$@\" </", "connect", "localhost:" + listener.getLocalPort()));
                Socket server = listener.accept()) {
            server.setSoTimeout(20_000);
            assertThatThrownBy(() -> PlainSocket.receiveAll(server)).isInstanceOf(SocketException.class)
                    .hasMessageContaining("reset");
            assertThat(connect.exitCode()).isEqualTo(1);
            assertThat(connect.err()).last().asString().startsWith("trivet connect: standard input: ");
            assertThat(connect.err()).as("the address, and the reason").hasSize(2);
        }
    }

    /** The reader of standard output ends before the input does. A truncated input must not look complete to the server. */
    @Test
    void anOutputThatFailsBeforeTheEndOfTheInputResetsTheConnection() throws Exception {
        try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Program connect = Program
                        .start(shell("exec \"$@\" >/dev/full", "connect", "localhost:" + listener.getLocalPort()));
                Socket server = listener.accept()) {
            server.setSoTimeout(20_000);
            connect.write("a part\n");
            assertThat(PlainSocket.receive(server, 7)).isEqualTo("a part\n");
            PlainSocket.send(server, "a reply\n");
            assertThatThrownBy(() -> PlainSocket.receiveAll(server)).isInstanceOf(SocketException.class)
                    .hasMessageContaining("reset");
            assertThat(connect.exitCode()).isEqualTo(1);
        }
    }

    @Test
    void aClosedOutputIsAnErrorWhenSomethingIsPrinted() throws Exception {
        try (RunningServer running = RunningServer.start(Network.system(), ECHO);
                Program connect = Program.start(shell("exec \"$@\" >&-", "connect", target(running), "-s", "hello"))) {
            assertThat(connect.exitCode()).isEqualTo(1);
            assertThat(connect.err()).last().isEqualTo("trivet connect: standard output: it is closed");
        }
    }

    @Test
    void withAllStreamsClosedNoSocketGetsTheirNumbers() throws Exception {
        Path ready = directory.resolve("ready");
        Process serve = new ProcessBuilder(
                shell("exec \"$@\" <&- >&- 2>&-", "serve", "-v", "-p", "0", "-F", ready.toString())).start();
        try {
            await().until(() -> Files.exists(ready));
            try (Socket client = PlainSocket.connect(address(Files.readString(ready).strip()))) {
                for (int i = 0; i < 3; i++) {
                    PlainSocket.send(client, "hello");
                    assertThat(PlainSocket.receive(client, 5)).isEqualTo("hello");
                    Path link = Path.of("/proc/" + serve.pid() + "/fd/" + i);
                    assertThat(Files.readSymbolicLink(link).toString()).doesNotStartWith("socket:");
                }
                client.shutdownOutput();
                assertThat(PlainSocket.receiveAll(client)).isEmpty();
            }
        } finally {
            serve.destroyForcibly().waitFor();
        }
    }

    // ---- full, non-blocking and abandoned streams

    @ParameterizedTest
    @ValueSource(strings = {"connect", "connect -s hello", "engines", "--version", "--help", "serve --help"})
    void exitsWith1IfTheOutputIsFull(String line) throws Exception {
        List<String> arguments = new ArrayList<>(Arrays.asList(line.split(" ")));
        try (RunningServer running = RunningServer.start(Network.system(), ECHO)) {
            if (arguments.getFirst().equals("connect")) {
                arguments.add(1, target(running));
            }
            try (Program trivet = Program.start(shell("echo hello | \"$@\" >/dev/full", arguments.toArray(new String[0])))) {
                assertThat(trivet.exitCode()).isEqualTo(1);
                assertThat(trivet.err()).last().asString().endsWith("standard output: No space left on device");
            }
        }
    }

    @Test
    void waitsForRoomAndInputIfTheStreamsAreNonBlocking() throws Exception {
        Path python = Path.of("/usr/bin/python3");
        assumeTrue(Files.isExecutable(python), "python3 is not installed");
        try (RunningServer running = RunningServer.start(Network.system(), ECHO)) {
            List<String> command = new ArrayList<>(List.of(python.toString(), "-c",
                    "import os, sys; [os.set_blocking(fd, False) for fd in range(3)]; os.execv(sys.argv[1], sys.argv[1:])"));
            command.addAll(Program.trivetCommand("connect", target(running)));
            Process connect = new ProcessBuilder(command).start();
            try {
                byte[] bytes = manyBytes();
                feed(connect, bytes);
                await().until(() -> connect.getInputStream().available() >= PIPE_BYTES); // the pipe is full
                assertThat(connect.getInputStream().readAllBytes()).isEqualTo(bytes);
                assertThat(connect.waitFor()).isZero();
            } finally {
                connect.destroyForcibly().waitFor();
            }
        }
    }

    private static void feed(Process process, byte[] bytes) {
        Thread.ofPlatform().daemon().start(() -> {
            try (var input = process.getOutputStream()) {
                input.write(bytes);
            } catch (IOException e) {
                // The process has ended.
            }
        });
    }

    @Test
    void endsWhenTheReaderOfItsOutputHasGone() throws Exception {
        try (RunningServer running = RunningServer.start(Network.system(), ECHO)) {
            Process connect = new ProcessBuilder(Program.trivetCommand("connect", target(running))).start();
            try {
                connect.getOutputStream().write("one".getBytes(StandardCharsets.US_ASCII));
                connect.getOutputStream().flush();
                assertThat(connect.getInputStream().readNBytes(3)).hasSize(3);
                connect.getInputStream().close();
                connect.getOutputStream().write("two".getBytes(StandardCharsets.US_ASCII));
                connect.getOutputStream().flush(); // the input stays open
                assertThat(connect.waitFor(Program.TIMEOUT_SECONDS, TimeUnit.SECONDS)).isTrue();
                assertThat(connect.exitValue()).isEqualTo(1);
                assertThat(new String(connect.getErrorStream().readAllBytes(), StandardCharsets.UTF_8))
                        .endsWith("trivet connect: standard output: the reader has closed it\n");
            } finally {
                connect.destroyForcibly().waitFor();
            }
        }
    }

    @Test
    void aReaderThatDoesNotReadDoesNotOutlastTheWait() throws Exception {
        try (RunningServer running = RunningServer.start(Network.system(), ECHO)) {
            Process connect = new ProcessBuilder(Program.trivetCommand("connect", target(running), "--wait",
                    Program.SLOWNESS + "s", "--send", "y".repeat(100_000))).start();
            try {
                assertThat(connect.waitFor(Program.TIMEOUT_SECONDS, TimeUnit.SECONDS)).isTrue();
                assertThat(connect.exitValue()).isEqualTo(1);
                assertThat(new String(connect.getErrorStream().readAllBytes(), StandardCharsets.UTF_8))
                        .contains("trivet connect: standard output: ").endsWith("not read within --wait\n");
            } finally {
                connect.destroyForcibly().waitFor();
            }
        }
    }

    @Test
    void aLogThatIsNotReadHoldsUpNeitherClientsNorTheDrain() throws Exception {
        Path ready = directory.resolve("ready");
        Process serve = new ProcessBuilder(
                Program.trivetCommand("serve", "-v", "-p", "0", "-d", "2s", "-F", ready.toString())).start();
        try {
            await().until(() -> Files.exists(ready));
            try (Socket client = PlainSocket.connect(address(Files.readString(ready).strip()))) {
                String message = "y".repeat(100);
                for (int i = 0; i < 2000; i++) { // some 700 kB of log, of which the pipe takes 64
                    PlainSocket.send(client, message);
                    assertThat(PlainSocket.receive(client, message.length())).isEqualTo(message);
                }
            }
            assertThat(serve.getErrorStream().available()).as("bytes in the pipe, whose pages need not be full")
                    .isGreaterThan(PIPE_BYTES / 2);
            serve.destroy(); // SIGTERM
            assertThat(serve.waitFor(Program.TIMEOUT_SECONDS, TimeUnit.SECONDS)).isTrue();
            assertThat(serve.exitValue()).isZero();
        } finally {
            serve.destroyForcibly().waitFor();
        }
    }

    // ---- texts

    @ParameterizedTest
    @ValueSource(strings = {"@bob", "@@bob", "@", "-x", "--expect", "-s", "${user.home}", "'quoted'", "\"\\n\""})
    void sendsATextAsItIs(String text) throws Exception {
        Path file = Files.writeString(directory.resolve("bob"), "private");
        try (RunningServer running = RunningServer.start(Network.system(), ECHO);
                Program connect = Program
                        .start(shell("cd \"" + file.getParent() + "\" && exec \"$@\"", "connect", target(running),
                                "--send", text))) {
            assertThat(connect.exitCode()).as("errors: %s", connect.err()).isZero();
            assertThat(connect.out()).isEqualTo(text);
        }
    }

    @ParameterizedTest
    @CsvSource({"C", "C.UTF-8", "POSIX", "en_US.ISO-8859-1"})
    void sendsEveryByteOfATextInEveryLocale(String locale) throws Exception {
        String script = "LC_ALL=" + locale
                + "; export LC_ALL; exec \"$@\" --send \"$(printf 'a\\377\\303\\251\\303(\\342\\202\\254\\233')\"";
        try (RunningServer running = RunningServer.start(Network.system(), ECHO);
                Program connect = Program.start(shell(script, "connect", target(running)))) {
            assertThat(connect.exitCode()).as("errors: %s", connect.err()).isZero();
            assertThat(running.log()).anyMatch(line -> line.startsWith("data ")
                    && line.endsWith(" 10 bytes \"a\\xff\\xc3\\xa9\\xc3(\\xe2\\x82\\xac\\x9b\""));
        }
    }

    // ---- ready files

    @Test
    void writesAReadyFileThatIsAFifoWithoutReplacingIt() throws Exception {
        Path fifo = fifo();
        try (Program serve = Program.trivet("serve", "-p", "0", "-F", fifo.toString());
                Program reader = Program.start(List.of("cat", fifo.toString()))) {
            InetSocketAddress address = serve.awaitReady();
            assertThat(reader.exitCode()).isZero();
            assertThat(reader.out()).isEqualTo("127.0.0.1:" + address.getPort() + "\n");
            assertThat(Files.isRegularFile(fifo)).isFalse();
        }
    }

    @Test
    void aFifoWithoutAReaderDoesNotHoldUpTheStart() throws Exception {
        Path fifo = fifo();
        try (Program serve = Program.trivet("serve", "-p", "0", "-F", fifo.toString())) {
            InetSocketAddress address = serve.awaitReady();
            assertThat(serve.err()).contains("--ready-file " + fifo + ": waiting for its reader");
            try (Program reader = Program.start(List.of("cat", fifo.toString()))) {
                assertThat(reader.exitCode()).isZero();
                assertThat(reader.out()).isEqualTo("127.0.0.1:" + address.getPort() + "\n");
            }
        }
    }

    private Path fifo() throws IOException, InterruptedException {
        Path fifo = directory.resolve("fifo");
        assertThat(new ProcessBuilder("mkfifo", fifo.toString()).inheritIO().start().waitFor()).isZero();
        return fifo;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void followsASymbolicLinkOfTheReadyFileAndKeepsIt(boolean exists) throws Exception {
        Path subdirectory = Files.createDirectory(directory.resolve("real"));
        Path file = subdirectory.resolve("file");
        if (exists) {
            Files.writeString(file, "an older and longer content of the file\n");
        }
        Path link = Files.createSymbolicLink(directory.resolve("link"), Path.of("real/file"));
        try (Program serve = Program.trivet("serve", "-p", "0", "-F", link.toString())) {
            String expected = "127.0.0.1:" + serve.awaitReady().getPort() + "\n";
            assertThat(link).isSymbolicLink();
            assertThat(file).isRegularFile().hasContent(expected);
            try (var files = Files.list(subdirectory)) {
                assertThat(files).containsExactly(file);
            }
        }
    }

    @Test
    void writesTheReadyLineToStandardOutput() throws Exception {
        try (Program serve = Program.trivet("serve", "-p", "0", "-F", "/dev/stdout")) {
            serve.awaitOut("127.0.0.1:" + serve.awaitReady().getPort() + "\n");
            assertThat(Files.exists(Path.of("/dev/stdout"), LinkOption.NOFOLLOW_LINKS)).isTrue();
        }
    }

    @ParameterizedTest
    @CsvSource({"/tmp, it is a directory", "/dev/full, No space left on device", "'', is not a file name"})
    void failsIfTheReadyFileCannotBeWritten(String file, String reason) throws Exception {
        try (Program serve = Program.trivet("serve", "-p", "0", "-F", file)) {
            assertThat(serve.exitCode()).isNotZero();
            assertThat(serve.err()).anyMatch(line -> line.contains("--ready-file") && line.contains(reason));
        }
    }

    // ---- hosts

    private static InetSocketAddress address(String text) throws IOException {
        int colon = text.lastIndexOf(':');
        return new InetSocketAddress(InetAddress.ofLiteral(text.substring(0, colon)),
                Integer.parseInt(text.substring(colon + 1)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"auto", "epoll", "nio"})
    void listensAtBothWildcardsOnOnePort(String engine) throws Exception {
        assumeTrue(hasIpv6(), "no IPv6 here");
        Path ready = directory.resolve("ready");
        try (Program serve = Program.trivet("serve", "-H", "0.0.0.0", "-H", "::", "-p", "0", "-e", engine, "-F",
                ready.toString())) {
            int port = serve.awaitReady().getPort();
            List<String> lines = Files.readAllLines(ready);
            assertThat(lines)
                    .isEqualTo(engine.equals("nio") ? List.of("[::]:" + port) : List.of("0.0.0.0:" + port, "[::]:" + port));
            for (String host : List.of("127.0.0.1", "::1")) {
                try (Socket client = PlainSocket.connect(new InetSocketAddress(InetAddress.ofLiteral(host), port))) {
                    PlainSocket.send(client, "hello");
                    assertThat(PlainSocket.receive(client, 5)).isEqualTo("hello");
                }
            }
        }
    }

    private static boolean hasIpv6() {
        try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.ofLiteral("::1"))) {
            return probe.isBound();
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void listensAtEveryAddressOfANameOnce() throws Exception {
        Path ready = directory.resolve("ready");
        try (Program serve = Program.trivet("serve", "-H", "localhost", "-H", "127.0.0.1", "-H", "127.0.0.2", "-p", "0", "-F",
                ready.toString())) {
            int port = serve.awaitReady().getPort();
            assertThat(Files.readAllLines(ready)).doesNotHaveDuplicates().contains("127.0.0.1:" + port, "127.0.0.2:" + port)
                    .hasSize(InetAddress.getAllByName("localhost").length + 1).allMatch(line -> line.endsWith(":" + port));
        }
    }

    @Test
    void namesTheListenerOfItsOwnThatHasThePort() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        try (Program serve = Program.trivet("serve", "-H", "0.0.0.0", "-H", "127.0.0.1", "-p", Integer.toString(port))) {
            assertThat(serve.exitCode()).isEqualTo(1);
            assertThat(serve.err()).last().isEqualTo("trivet serve: bind 127.0.0.1:" + port
                    + ": EADDRINUSE, this server itself already listens at 0.0.0.0:" + port);
        }
    }
}
