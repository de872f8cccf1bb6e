package io.trivet.view;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/** The HTTP server behind a view, with its address and its token. Any thread. */
final class Site implements AutoCloseable {
    private static final int BACKLOG = 64;
    private static final int TOKEN_BYTES = 18;

    private final String token;
    private final HttpServer http;
    private final ExecutorService executor;

    /**
     * Listens. Nothing is answered before {@link #start}.
     *
     * @param token what a reader must know; null for a random one
     * @param hostNames the names, besides localhost, by which it is reached
     */
    Site(InetSocketAddress address, @Nullable String token, List<String> hostNames, Data data) throws IOException {
        this.token = token == null ? randomToken() : token;
        boundRequests();
        http = HttpServer.create(address, BACKLOG);
        executor = Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("trivet-view-", 0).factory());
        http.setExecutor(executor);
        http.createContext("/", new Router(new Guard(this.token, http.getAddress(), hostNames), data));
    }

    /** Bounds what a client can hold without a token. The JDK reads these properties once, and they apply to all its HTTP servers. */
    private static void boundRequests() {
        setIfAbsent("jdk.httpserver.maxConnections", "256");
        setIfAbsent("sun.net.httpserver.maxReqTime", "10");
        setIfAbsent("sun.net.httpserver.maxReqHeaders", "100");
    }

    private static void setIfAbsent(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    private static String randomToken() {
        byte[] bytes = new byte[TOKEN_BYTES];
        new SecureRandom().nextBytes(bytes);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    void start() {
        http.start();
    }

    InetSocketAddress address() {
        return http.getAddress();
    }

    String token() {
        return token;
    }

    /** Returns the address to open in a browser, token included. */
    URI url() {
        InetSocketAddress address = address();
        InetAddress host = address.getAddress();
        String name = host.isAnyLocalAddress() ? "127.0.0.1" : host.getHostAddress();
        return URI.create(
                "http://" + (name.contains(":") ? "[" + name + "]" : name) + ":" + address.getPort() + "/?token=" + token);
    }

    @Override
    public void close() {
        http.stop(0);
        executor.shutdownNow();
    }
}
