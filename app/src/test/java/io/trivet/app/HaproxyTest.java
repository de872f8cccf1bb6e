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
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code trivet serve --proxy-protocol} behind HAProxy. */
@EnabledOnOs(OS.LINUX)
final class HaproxyTest {
    private static final Path HAPROXY = Path.of("/usr/sbin/haproxy");

    @TempDir Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id"})
    void clientsAreKnownByTheirOwnAddressAndHealthChecksSucceed(String option) throws Exception {
        assumeTrue(Files.isExecutable(HAPROXY), "haproxy is not installed: apt-get install haproxy");
        try (Program serve = Program.trivet("serve", "-v", "--port", "0", "--framing", "lines", "--reply", "address",
                "--proxy-protocol", "127.0.0.0/8")) {
            int port = serve.awaitReady().getPort();
            int front = freePort();
            try (Program haproxy = Program.start(List.of(HAPROXY.toString(), "-db", "-f", config(front, port, option)));
                    Socket client = connect(front)) {
                String expected = "hello" + PlainSocket.pythonAddress(client) + "\n";
                PlainSocket.send(client, "hello\n");
                assertThat(PlainSocket.receive(client, expected.length())).isEqualTo(expected);
                client.shutdownOutput();
                assertThat(PlainSocket.receiveAll(client)).isEmpty();
                assertThat(haproxy.err()).noneMatch(line -> line.contains("is DOWN"));
            }
        }
    }

    private String config(int front, int back, String option) throws IOException {
        Path file = directory.resolve("haproxy.cfg");
        Files.writeString(file, """
                defaults
                    mode tcp
                    timeout connect 10s
                    timeout client 30s
                    timeout server 30s
                    unique-id-format %%ci:%%cp
                listen front
                    bind 127.0.0.1:%d
                    server one 127.0.0.1:%d %s check inter 100ms
                """.formatted(front, back, option));
        return file.toString();
    }

    private static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
            return free.getLocalPort();
        }
    }

    private static Socket connect(int port) {
        return await().atMost(Program.TIMEOUT_SECONDS, TimeUnit.SECONDS).ignoreExceptions().until(
                () -> PlainSocket.connect(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port)), socket -> true);
    }
}
