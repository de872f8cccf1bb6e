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

    private interface Check {
        void run(TopScreen screen);
    }

    /** Runs a check with a screen that has fetched this state of a server. */
    private static void show(String tick, String clients, Check check) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 8);
        server.createContext("/", exchange -> {
            String text = exchange.getRequestURI().getPath().equals("/api/tick") ? tick : clients;
            byte[] body = text.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        try {
            TopScreen screen = new TopScreen("queue", "");
            screen.fetch(new ViewAddress(new HostPort("127.0.0.1", server.getAddress().getPort()), "token"), 10);
            check.run(screen);
        } finally {
            server.stop(0);
        }
    }

    @Test
    void noTextOfAViewReachesTheTerminalUnescaped() throws Exception {
        String client = "{\"address\":\"" + CLEAR + "\",\"state\":\"" + CLEAR + "\",\"reason\":\"" + CLEAR + "\",\"tls\":\""
                + CLEAR + "\"}";
        show("{\"engine\":\"" + CLEAR + "\"}", "{\"total\":1,\"rows\":[" + client + "]}", screen -> {
            List<String> lines = screen.lines(24, 400);
            assertThat(lines).hasSize(8).noneMatch(line -> line.contains("\u001b"));
            assertThat(lines.getFirst()).contains("\\x1b[2J");
        });
    }

    @Test
    void thePanelsAreWrappedSoThatTheirLastValuesAreShown() throws Exception {
        StringBuilder values = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            values.append(i == 0 ? "" : ",").append("{\"label\":\"messages that were lost ").append(i).append("\",\"number\":7}");
        }
        String panel = "{\"title\":\"Relay\",\"problem\":{\"en\":\"NATS cannot be reached, trying again. Connection refused\"},\"summary\":["
                + values + "]}";
        String client = "{\"address\":\"127.0.0.1:1\",\"state\":\"open\"}";
        show("{\"engine\":\"nio\",\"panels\":[" + panel + "]}", "{\"total\":2,\"rows\":[" + client + "," + client + "]}",
                screen -> {
                    for (int columns : new int[]{40, 100, 160}) {
                        List<String> lines = screen.linesWithClients(1, columns);
                        assertThat(lines).allMatch(line -> line.length() <= columns).anyMatch(line -> line.endsWith("lost 7 7"))
                                .anyMatch(line -> line.startsWith("(!) NATS cannot be reached,"));
                        assertThat(String.join(" ", lines).replaceAll(" +", " ")).contains("trying again. Connection refused");
                        assertThat(lines.getLast()).startsWith("127.0.0.1:1");
                        assertThat(lines).filteredOn(line -> line.startsWith("127.0.0.1:1")).hasSize(1);
                    }
                    assertThat(screen.linesWithClients(0, 160).getLast()).startsWith("CLIENT");
                });
    }
}
