package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code trivet serve} started by a service manager, which passes it sockets and waits for its notifications. */
@EnabledOnOs(OS.LINUX)
final class PassedSocketsProcessTest {
    private static final Path SOCKET_ACTIVATE = Path.of("/usr/bin/systemd-socket-activate");
    /** Starts a program as systemd does: two listening sockets, a socket for notifications, and SIGTERM after READY and a line. */
    private static final String LAUNCHER = """
            import os, signal, socket, sys
            address = sys.argv[1]
            notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            notify.bind("\\0" + address[1:] if address[0] == "@" else address)
            web = socket.create_server(("127.0.0.1", 0))
            admin = socket.create_server(("127.0.0.1", 0))
            pid = os.fork()
            if pid == 0:
                notify.set_inheritable(False)
                a, b = os.dup(web.fileno()), os.dup(admin.fileno())
                os.dup2(a, 20); os.dup2(b, 21); os.dup2(20, 3); os.dup2(21, 4)
                os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES="web:admin", NOTIFY_SOCKET=address)
                os.execvp(sys.argv[2], sys.argv[2:])
            notify.settimeout(60)
            print(notify.recv(4096).decode(), file=sys.stderr, flush=True)
            for listener in (web, admin):
                client = socket.create_connection(listener.getsockname())
                client.sendall(b"hello")
                print("answer", client.recv(5).decode(), file=sys.stderr, flush=True)
                client.close()
            os.kill(pid, signal.SIGTERM)
            print(notify.recv(4096).decode(), file=sys.stderr, flush=True)
            print("exit", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), file=sys.stderr, flush=True)
            """;

    @TempDir Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"path", "abstract"})
    void passedSocketsAreServedAndTheManagerIsNotified(String kind) throws Exception {
        Path launcher = directory.resolve("launcher.py");
        Files.writeString(launcher, LAUNCHER);
        String address = kind.equals("path") ? directory.resolve("notify").toString()
                : "@trivet-test-" + ProcessHandle.current().pid();
        List<String> command = new ArrayList<>(List.of("python3", launcher.toString(), address));
        command.addAll(Program.trivetCommand("serve", "--port", "1"));
        try (Program manager = Program.start(command)) {
            manager.awaitErr("exit 0"::equals);
            assertThat(manager.err()).containsSubsequence("passed by the service manager: descriptor 3 (web)",
                    "passed by the service manager: descriptor 4 (admin)");
            assertThat(manager.err()).containsSubsequence("READY=1", "answer hello", "answer hello", "STOPPING=1", "exit 0");
            assertThat(manager.err())
                    .contains("warning: --port has no effect: the service manager has opened the sockets (LISTEN_FDS)");
            assertThat(manager.err()).filteredOn(line -> line.startsWith("listening on 127.0.0.1:")).hasSize(2);
        }
    }

    @Test
    void systemdActivatesTheServerByTheFirstConnection() throws Exception {
        assumeTrue(Files.isExecutable(SOCKET_ACTIVATE), "systemd-socket-activate is not installed: apt-get install systemd");
        int port = freePort();
        List<String> command = new ArrayList<>(List.of(SOCKET_ACTIVATE.toString(), "-l", "127.0.0.1:" + port, "--fdname=web"));
        command.addAll(Program.trivetCommand("serve"));
        try (Program serve = Program.start(command); Socket client = connect(port)) { // waits in the backlog until it is served
            PlainSocket.send(client, "hello");
            assertThat(PlainSocket.receive(client, 5)).isEqualTo("hello");
            assertThat(serve.err()).contains("passed by the service manager: descriptor 3 (web)",
                    "listening on 127.0.0.1:" + port);
            client.shutdownOutput();
            assertThat(PlainSocket.receiveAll(client)).isEmpty();
            serve.signal("TERM");
            assertThat(serve.exitCode()).isZero();
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
            return free.getLocalPort();
        }
    }

    private static Socket connect(int port) {
        return await().atMost(Program.TIMEOUT_SECONDS, TimeUnit.SECONDS).ignoreExceptions().until(
                () -> PlainSocket.connect(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port)), _ -> true);
    }
}
