package io.trivet.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Pages that take no events: how many there may be, and what becomes of them. */
final class SubscribersTest {
    private final Subscribers subscribers = new Subscribers(Duration.ofMillis(100), () -> {});
    private final List<Socket> pages = new ArrayList<>();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private HttpServer http;

    @BeforeEach
    void start() throws IOException {
        http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 64);
        http.setExecutor(threads);
        http.createContext("/", exchange -> {
            if (!subscribers.serve(exchange, "{}")) {
                Answer.text(exchange, 503, "too many");
                exchange.close();
            }
        });
        http.start();
    }

    @AfterEach
    void close() throws IOException {
        for (Socket page : pages) {
            page.close();
        }
        subscribers.close();
        http.stop(0);
        threads.close();
    }

    private Socket page() throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(1024);
        socket.setSoTimeout(20_000);
        socket.connect(http.getAddress());
        socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        pages.add(socket);
        return socket;
    }

    private static String firstLine(Socket page) throws IOException {
        return new BufferedReader(new InputStreamReader(page.getInputStream(), StandardCharsets.UTF_8)).readLine();
    }

    @Test
    void pagesThatTakeNothingAreBoundedAndDropped() throws Exception {
        for (int i = 0; i < Subscribers.SUBSCRIBERS_MAX; i++) {
            page();
        }
        await().until(() -> subscribers.count() == Subscribers.SUBSCRIBERS_MAX);
        assertThat(firstLine(page())).contains(" 503 ");
        String event = "x".repeat(1 << 20);
        await().atMost(Duration.ofSeconds(60)).until(() -> {
            subscribers.publish(event); // never blocks, and keeps one event for each
            return subscribers.count() == 0;
        });
        Socket next = page();
        assertThat(firstLine(next)).contains(" 200 ");
    }
}
