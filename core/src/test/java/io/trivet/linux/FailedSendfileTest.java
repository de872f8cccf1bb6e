package io.trivet.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.contract.Tools;
import io.trivet.net.Network;
import io.trivet.server.Server;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The kernel refuses a sendfile(2): the transfer goes on, or the peer can tell that it was cut. strace injects the errors. */
final class FailedSendfileTest {
    private static final int BYTES = 5_000_000;

    @TempDir Path directory;

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "epoll | error=EINTR:when=2  | 5000000 received, 5000000 sent: null",
        "epoll | error=EAGAIN:when=2 | 5000000 received, 5000000 sent: null",
        "epoll | error=EINVAL:when=2+ | 5000000 received, 5000000 sent: null",
        "epoll | error=EPERM:when=1+ | 5000000 received, 5000000 sent: null",
        "epoll | error=EIO:when=2    | reset, cut: sendfile stream",
        "uring | error=EINTR:when=2  | 5000000 received, 5000000 sent: null",
        "uring | error=EAGAIN:when=2 | 5000000 received, 5000000 sent: null",
        "uring | error=EINVAL:when=2+ | 5000000 received, 5000000 sent: null",
        "uring | error=EIO:when=2    | reset, cut: sendfile stream",
        "nio   | error=EIO:when=2    | reset, cut: sendfile stream"})
    void transferGoesOnOrIsVisiblyCut(String engine, String injection, String outcome) throws Exception {
        assumeTrue(Network.engines().stream().anyMatch(each -> each.name().equals(engine) && each.available()),
                engine + " is not available here");
        Path file = Files.write(directory.resolve("file"), new byte[BYTES]);
        Path trace = directory.resolve("trace");
        List<String> command = new ArrayList<>(List.of(Tools.require("strace"), "-f", "-o", trace.toString(),
                "-e", "trace=sendfile", "-e", "inject=sendfile:" + injection));
        command.addAll(Tools.java(SendOnce.class, engine, file.toString()));
        try (Tools.Peer child = Tools.start(command.toArray(String[]::new))) {
            String printed = child.line();
            assumeTrue(printed != null || (Files.exists(trace) && Files.size(trace) > 0), "strace may not trace here");
            assertThat(Files.readString(trace)).contains("(INJECTED)");
            assertThat(printed).startsWith(outcome);
        }
    }

    /** Sends a file to a client of the JDK, and prints what each side has seen. */
    static final class SendOnce {
        private SendOnce() {}

        public static void main(String[] args) throws Exception {
            AtomicReference<String> outcome = new AtomicReference<>();
            CountDownLatch done = new CountDownLatch(1);
            try (Server server = Server.builder()
                    .network(Network.named(args[0]))
                    .listen(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0))
                    .onMessage((connection, message) -> {
                        connection.sendFile(Path.of(args[1]), 0, -1, (of, bytes, failure) -> {
                            outcome.set(failure == null ? bytes + " sent: null" : "cut: " + failure.getMessage());
                            done.countDown();
                        });
                        connection.finish();
                    })
                    .start();
                    Socket client = new Socket(server.address().getAddress(), server.address().getPort())) {
                client.getOutputStream().write('\n');
                String seen = receive(client.getInputStream());
                done.await();
                System.out.println(seen + ", " + outcome.get());
            }
        }

        private static String receive(InputStream in) {
            try {
                return in.transferTo(OutputStream.nullOutputStream()) + " received";
            } catch (IOException e) {
                return "reset";
            }
        }
    }
}
