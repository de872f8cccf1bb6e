package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.trivet.server.Server;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The port of the view, if another process has it. */
final class ServeViewTest {
    private static Server server() throws IOException {
        return Server.builder().listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)).onMessage((_, _) -> {})
                .start();
    }

    @Test
    void portThatIsNotReleasedInAHandoverIsOneWarning() throws Exception {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        try (ServerSocket busy = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1")); Server server = server()) {
            ServeView view = CommandLine.populateCommand(new ServeView(Duration.ofMillis(300)), "--view",
                    Integer.toString(busy.getLocalPort()));
            try (ServeView.Running _ = view.start(server, "epoll", true, new PrintStream(err, true, StandardCharsets.UTF_8))) {
                await().until(() -> err.size() > 0);
            }
            assertThat(err.toString(StandardCharsets.UTF_8).lines()).singleElement().asString()
                    .startsWith("warning: there is no view: --view 127.0.0.1:" + busy.getLocalPort() + ": ");
        }
    }

    @Test
    void portThatIsTakenIsAnErrorWithoutAHandover() throws Exception {
        try (ServerSocket busy = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1")); Server server = server()) {
            ServeView view = CommandLine.populateCommand(new ServeView(), "--view", Integer.toString(busy.getLocalPort()));
            assertThatThrownBy(() -> view.start(server, "epoll", false, System.err)).isInstanceOf(IOException.class)
                    .hasMessageStartingWith("--view 127.0.0.1:" + busy.getLocalPort() + ": ");
        }
    }
}
