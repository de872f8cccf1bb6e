package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

final class TopScreenTest {
    /** As JSON: a terminal would clear its screen. */
    private static final String CLEAR = "\\u001b[2J";

    @Test
    void noTextOfAViewReachesTheTerminalUnescaped() throws Exception {
        HttpServer hostile = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 8);
        hostile.createContext("/", exchange -> {
            String text = exchange.getRequestURI().getPath().equals("/api/tick") ? "{\"engine\":\"" + CLEAR + "\"}"
                    : "{\"total\":1,\"rows\":[{\"address\":\"" + CLEAR + "\",\"state\":\"" + CLEAR + "\",\"reason\":\"" + CLEAR
                            + "\",\"tls\":\"" + CLEAR + "\"}]}";
            byte[] body = text.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        hostile.start();
        try {
            TopScreen screen = new TopScreen("queue", "");
            screen.fetch(new ViewAddress(new HostPort("127.0.0.1", hostile.getAddress().getPort()), "token"), 10);
            List<String> lines = screen.lines(24, 400);
            assertThat(lines).hasSize(8).noneMatch(line -> line.contains("\u001b"));
            assertThat(lines.getFirst()).contains("\\x1b[2J");
        } finally {
            hostile.stop(0);
        }
    }
}
