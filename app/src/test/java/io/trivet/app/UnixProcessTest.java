package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Unix domain sockets and handover at the command line, with socat as the peer. */
@EnabledOnOs(OS.LINUX)
final class UnixProcessTest {
    private static final Path SOCAT = Path.of("/usr/bin/socat");

    @TempDir Path directory;

    private String path() {
        return directory.resolve("app.sock").toString();
    }

    private static Program serve(String... arguments) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of("serve", "-p", "0"));
        all.addAll(List.of(arguments));
        Program serve = Program.trivet(all.toArray(String[]::new));
        serve.awaitErr("ready"::equals);
        return serve;
    }

    /** Sends a text with socat, ends the output, and returns the answer. */
    private static String ask(String socatAddress, String text) throws IOException, InterruptedException {
        assumeTrue(Files.isExecutable(SOCAT), "socat is not installed: apt-get install socat");
        Process socat = new ProcessBuilder(SOCAT.toString(), "-t", "30", "-", socatAddress)
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try {
            socat.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
            socat.getOutputStream().close();
            String answer = new String(socat.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(socat.waitFor(Program.TIMEOUT_SECONDS, TimeUnit.SECONDS)).isTrue();
            return answer;
        } finally {
            socat.destroyForcibly();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"auto", "epoll", "nio"})
    void socatIsServedAtAPath(String engine) throws Exception {
        Path ready = directory.resolve("ready");
        try (Program serve = serve("-H", "unix:" + path(), "-H", "127.0.0.1", "-e", engine, "-r", "address", "-v", "--ready-file",
                ready.toString())) {
            assertThat(ask("UNIX-CONNECT:" + path(), "hello")).isEqualTo("hello"); // Python prints an empty address
            assertThat(serve.err()).contains("listening on unix:" + path()).anyMatch(line -> line.contains("unix:#"));
            assertThat(Files.readAllLines(ready)).first().isEqualTo("unix:" + path());
            assertThat(Files.readAllLines(ready)).hasSize(2);
            serve.signal("TERM");
            assertThat(serve.exitCode()).isZero();
            assertThat(Path.of(path())).doesNotExist();
        }
    }

    @Test
    void abstractNamesAndModes() throws Exception {
        String name = "trivet-test-" + ProcessHandle.current().pid();
        try (Program _ = serve("-H", "unix:@" + name, "-H", "unix:" + path(), "--socket-mode", "660", "--socket-owner",
                ":" + Files.getAttribute(directory, "unix:gid"))) {
            assertThat(ask("ABSTRACT-CONNECT:" + name, "hello")).isEqualTo("hello");
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(Path.of(path())))).isEqualTo("rw-rw----");
            try (Program connect = Program.trivet("connect", "unix:@" + name, "-c", "2", "--send", "x")) {
                assertThat(connect.exitCode()).isZero();
                assertThat(connect.err().getFirst()).matches("connection [0-9a-f]+: connected to unix:@" + name);
            }
        }
    }

    @Test
    void connectTalksToSocat() throws Exception {
        assumeTrue(Files.isExecutable(SOCAT), "socat is not installed: apt-get install socat");
        try (Program _ = Program.start(List.of(SOCAT.toString(), "UNIX-LISTEN:" + path() + ",fork", "EXEC:cat"))) {
            long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(Program.TIMEOUT_SECONDS);
            while (!Files.exists(Path.of(path())) && System.nanoTime() - until < 0) {
                Thread.onSpinWait();
            }
            try (Program connect = Program.trivet("connect", "unix:" + path(), "--send", "hello", "--send", " world")) {
                assertThat(connect.exitCode()).isZero();
                assertThat(connect.out()).isEqualTo("hello world");
            }
        }
    }

    @Test
    void aStaleFileIsReplacedAndALiveServerIsNot() throws Exception {
        try (Program killed = serve("-H", "unix:" + path())) {
            killed.signal("KILL");
            killed.exitCode();
        }
        assertThat(Path.of(path())).exists();
        try (Program _ = serve("-H", "unix:" + path()); Program second = Program.trivet("serve", "-H", "unix:" + path())) {
            assertThat(second.exitCode()).isEqualTo(1);
            assertThat(second.err().getLast()).endsWith("bind unix:" + path() + ": EADDRINUSE, a server listens there");
            assertThat(ask("UNIX-CONNECT:" + path(), "hello")).isEqualTo("hello");
        }
    }

    @Test
    void errorsAreOneClearLine() throws Exception {
        String longPath = "/" + "x".repeat(107);
        assertFailure("the address of a Unix domain socket has 1 to 107 bytes, not 108: unix:" + longPath, "serve", "-H",
                "unix:" + longPath);
        assertFailure("--host: unix: has no name: write unix:PATH, or unix:@NAME for an abstract name", "serve", "-H", "unix:");
        assertFailure("connect unix:" + path() + ": ENOENT, it does not exist", "connect", "unix:" + path(), "--send", "x");
        assertFailure("--tls with unix:" + path() + " requires --tls-server-name", "connect", "unix:" + path(), "--tls", "--send",
                "x");
        assertFailure("--handover: nio cannot pass descriptors; the networks of Linux can: epoll, poll, select, uring", "serve",
                "-e",
                "nio", "--handover", path());
        assertFailure("trivet serve: --engine nio: ", "serve", "-e", "nio", "-H", "unix:" + path(), "--socket-mode", "600");
        assertFailure("trivet serve: --engine nio: ", "serve", "-e", "nio", "-H", "unix:@trivet-test");
        assertFailure("'999' is not a mode: write 660 or rw-rw----", "serve", "--socket-mode", "999");
    }

    private static void assertFailure(String message, String... arguments) throws Exception {
        try (Program program = Program.trivet(arguments)) {
            assertThat(program.exitCode()).isNotZero();
            assertThat(program.err()).anyMatch(line -> line.contains(message)).noneMatch(line -> line.startsWith("\tat "));
        }
    }

    @Test
    void optionsOfASocketFileWithoutAPathAreReported() throws Exception {
        try (Program serve = serve("-H", "127.0.0.1", "--socket-mode", "660", "--socket-owner", ":root", "--handover",
                directory.resolve("handover.sock").toString())) {
            String reason = " has no effect: no --host is a Unix domain socket, unix:PATH";
            assertThat(serve.err()).contains("warning: --socket-mode" + reason, "warning: --socket-owner" + reason,
                    "no server at unix:" + directory.resolve("handover.sock") + ": starting without taking over");
        }
    }

    /** A FIFO without a reader: until it has one, the new process has not acknowledged. */
    @Test
    void aReadyFileThatIsNotReadYetDelaysTheHandover() throws Exception {
        String handover = directory.resolve("handover.sock").toString();
        Path fifo = directory.resolve("ready");
        assertThat(new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor()).isZero();
        try (Program old = serve("-H", "unix:" + path(), "--handover", handover)) {
            try (Program killed = Program.trivet("serve", "--handover", handover, "-F", fifo.toString())) {
                killed.awaitErr(("--ready-file " + fifo + ": waiting for its reader")::equals);
                assertThat(ask("UNIX-CONNECT:" + path(), "hello")).isEqualTo("hello");
                killed.signal("KILL");
                assertThat(killed.exitCode()).isNotZero();
            }
            old.awaitErr(line -> line.contains("has failed, and this process continues to serve: it has "));
            assertThat(ask("UNIX-CONNECT:" + path(), "hello")).isEqualTo("hello");
            try (Program next = Program.trivet("serve", "--handover", handover, "-F", fifo.toString())) {
                next.awaitErr(("--ready-file " + fifo + ": waiting for its reader")::equals);
                assertThat(Files.readString(fifo)).contains("unix:" + path());
                next.awaitErr("ready"::equals);
                assertThat(old.exitCode()).isZero();
                assertThat(ask("UNIX-CONNECT:" + path(), "hello")).isEqualTo("hello");
            }
        }
    }

    /** Each process takes over from the one before, and notifies the service manager as one service. */
    @Test
    void handoverReplacesAProcess() throws Exception {
        Path notify = directory.resolve("notify.py");
        Files.writeString(notify, """
                import os, socket, sys
                s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                s.bind(sys.argv[1])
                print("bound", file=sys.stderr, flush=True)
                while True:
                    print(s.recv(4096).decode(), file=sys.stderr, flush=True)
                """);
        String socket = directory.resolve("notify.sock").toString();
        List<String> command = new ArrayList<>(List.of("env", "NOTIFY_SOCKET=" + socket));
        command.addAll(Program.trivetCommand("serve", "-p", "0", "-H", "127.0.0.1", "-H", "unix:" + path(), "--handover",
                directory.resolve("handover.sock").toString()));
        try (Program manager = Program.start(List.of("python3", notify.toString(), socket))) {
            manager.awaitErr("bound"::equals);
            Program current = Program.start(command);
            try {
                current.awaitErr("ready"::equals);
                for (int i = 0; i < 3; i++) {
                    Program next = Program.start(command);
                    next.awaitErr("ready"::equals);
                    assertThat(next.err()).contains("taking over the listening sockets of the server at unix:"
                            + directory.resolve("handover.sock"), "listening on unix:" + path(),
                            "warning: --host has no effect: the server that is replaced has opened the sockets (--handover)");
                    assertThat(ask("UNIX-CONNECT:" + path(), "hello")).isEqualTo("hello");
                    assertThat(current.exitCode()).as("the old process ends by itself").isZero();
                    manager.awaitErr(("MAINPID=" + next.pid())::equals);
                    current = next;
                }
                current.signal("TERM");
                assertThat(current.exitCode()).isZero();
                manager.awaitErr("STOPPING=1"::equals);
                assertThat(manager.err()).filteredOn("READY=1"::equals).hasSize(4);
                assertThat(manager.err()).filteredOn("STOPPING=1"::equals).hasSize(1);
                assertThat(Path.of(path())).doesNotExist();
                assertThat(directory.resolve("handover.sock")).doesNotExist();
            } finally {
                current.close();
            }
        }
    }

    /** The old process has no descriptor for the connection of the new one, for a while: it says so once, and then hands over. */
    @Test
    void aLackOfDescriptorsDelaysAHandover() throws Exception {
        Path prlimit = Path.of("/usr/bin/prlimit");
        assumeTrue(Files.isExecutable(prlimit), "prlimit is not installed: apt-get install util-linux");
        String handover = directory.resolve("handover.sock").toString();
        try (Program old = serve("-H", "unix:" + path(), "--handover", handover)) {
            long before = sockets(old);
            assertThat(ask("UNIX-CONNECT:" + path(), "hello")).as("its loop turns").isEqualTo("hello");
            await("the socket of that client is closed").ignoreExceptions().until(() -> sockets(old) == before);
            long lowestFree = 0;
            while (Files.exists(Path.of("/proc", String.valueOf(old.pid()), "fd", String.valueOf(lowestFree)),
                    LinkOption.NOFOLLOW_LINKS)) {
                lowestFree++;
            }
            limitDescriptors(prlimit, old, lowestFree);
            try (Program next = Program.trivet("serve", "--handover", handover)) {
                old.awaitErr(line -> line.contains("no process can take over at present: accept") && line.contains("EMFILE"));
                limitDescriptors(prlimit, old, 1024);
                next.awaitErr("ready"::equals);
                assertThat(ask("UNIX-CONNECT:" + path(), "hello")).isEqualTo("hello");
                assertThat(old.exitCode()).isZero();
                assertThat(old.err()).filteredOn(line -> line.contains("no process can take over")).hasSize(1);
            }
        }
    }

    private static long sockets(Program program) throws IOException {
        long sockets = 0;
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(
                Path.of("/proc", String.valueOf(program.pid()), "fd"))) {
            for (Path descriptor : descriptors) {
                sockets += Files.readSymbolicLink(descriptor).toString().startsWith("socket:") ? 1 : 0;
            }
        }
        return sockets;
    }

    private static void limitDescriptors(Path prlimit, Program program, long limit) throws Exception {
        Process process = new ProcessBuilder(prlimit.toString(), "--pid", String.valueOf(program.pid()),
                "--nofile=" + limit + ":")
                .inheritIO().start();
        assertThat(process.waitFor()).isZero();
    }

    /** A process is terminated while it takes over: it exits, and the old one continues. */
    @Test
    void sigtermToTheNewProcessLeavesTheOldOneInPlace() throws Exception {
        String handover = directory.resolve("handover.sock").toString();
        Path fifo = directory.resolve("ready");
        assertThat(new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor()).isZero();
        try (Program old = serve("-H", "unix:" + path(), "--handover", handover);
                Program next = Program.trivet("serve", "--handover", handover, "-F", fifo.toString())) {
            next.awaitErr(("listening on unix:" + path())::equals); // it writes to the FIFO now, which blocks until it has a reader
            old.signal("STOP"); // it does not answer
            assertThat(Files.readString(fifo)).contains("unix:" + path()); // the next step is to acknowledge
            next.signal("TERM");
            assertThat(next.exitCode()).isZero();
            old.signal("CONT");
            old.awaitErr(line -> line.contains("has failed, and this process continues to serve: it has "));
            assertThat(ask("UNIX-CONNECT:" + path(), "hello")).isEqualTo("hello");
            assertThat(old.isAlive()).isTrue();
        }
    }

    /** The old process is terminated while it hands over: it either has handed over, or refuses. */
    @Test
    void sigtermToTheOldProcessEndsTheHandoverOrComesTooLate() throws Exception {
        for (int i = 0; i < 4; i++) {
            boolean acknowledges = i > 0;
            try (Program old = serve("-H", "unix:" + path(), "--handover", directory.resolve("handover.sock").toString());
                    SocketChannel peer = SocketChannel
                            .open(UnixDomainSocketAddress.of(directory.resolve("handover.sock")))) {
                peer.write(ByteBuffer.wrap("take 1\n".getBytes(StandardCharsets.US_ASCII)));
                assertThat(line(peer)).isEqualTo("offer 1 1");
                if (acknowledges) {
                    peer.write(ByteBuffer.wrap("ready\n".getBytes(StandardCharsets.US_ASCII)));
                }
                old.signal("TERM");
                assertThat(line(peer)).matches(
                        (acknowledges ? "done[ 01]*|" : "") + "refused its server is being closed");
                assertThat(old.exitCode()).isZero();
            }
        }
    }

    private static String line(SocketChannel peer) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(200);
        while (bytes.position() == 0 || bytes.get(bytes.position() - 1) != '\n') {
            bytes.limit(bytes.position() + 1);
            if (peer.read(bytes) < 0) {
                break;
            }
        }
        return new String(bytes.array(), 0, bytes.position(), StandardCharsets.US_ASCII).strip();
    }

    @Test
    void aProcessThatCannotWriteItsReadyFileLeavesTheOldOneInPlace() throws Exception {
        String handover = directory.resolve("handover.sock").toString();
        try (Program old = Program.trivet("serve", "-H", "unix:" + path(), "--handover", handover)) {
            old.awaitErr("ready"::equals);
            assertFailure("cannot be written", "serve", "--handover", handover, "-b", "7", "-F",
                    directory.resolve("missing").resolve("ready").toString());
            assertThat(ask("UNIX-CONNECT:" + path(), "hello")).isEqualTo("hello");
            assertThat(old.isAlive()).isTrue();
        }
    }
}
