package io.trivet.view;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Answers the requests of browsers and of programs. Any thread. */
final class Router implements HttpHandler {
    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    /** A program that asks for the state wants it now, but several that ask at once share a sample. */
    private static final Duration STATE_AGE_MAX = Duration.ofMillis(100);
    /** The table follows the lists: it shows the sample that they show, if one is taken. */
    private static final Duration TABLE_AGE_MAX = Duration.ofMillis(1100);
    private static final String JSON = "application/json; charset=utf-8";

    private final Guard guard;
    private final Sampler sampler;
    private final StateJson json;
    private final History history;
    private final Subscribers subscribers;
    private final Metrics metrics;
    private final @Nullable Control control;

    /** Creates a router. Without a control, the server can be seen and not changed. */
    Router(Guard guard, Sampler sampler, StateJson json, History history, Subscribers subscribers, Metrics metrics,
            @Nullable Control control) {
        this.guard = guard;
        this.sampler = sampler;
        this.json = json;
        this.history = history;
        this.subscribers = subscribers;
        this.metrics = metrics;
        this.control = control;
    }

    @Override
    public void handle(HttpExchange exchange) throws IOException {
        try {
            answer(exchange);
        } catch (IllegalArgumentException e) {
            send(exchange, 400, "text/plain; charset=utf-8", bytes(e.getMessage() + "\n"));
        } finally {
            exchange.close();
        }
    }

    private void answer(HttpExchange exchange) throws IOException {
        Headers headers = exchange.getResponseHeaders();
        headers.set("Content-Security-Policy", POLICY);
        headers.set("X-Content-Type-Options", "nosniff");
        headers.set("X-Frame-Options", "DENY");
        headers.set("Referrer-Policy", "no-referrer");
        headers.set("Cross-Origin-Resource-Policy", "same-origin");
        headers.set("Cross-Origin-Opener-Policy", "same-origin");
        headers.set("Cache-Control", "no-store");
        String method = exchange.getRequestMethod();
        String refusal = guard.refusal(method, exchange.getRequestHeaders());
        if (refusal != null) {
            send(exchange, 403, "text/plain; charset=utf-8", bytes("refused: " + refusal + "\n"));
            return;
        }
        Map<String, String> parameters = Guard.parameters(exchange.getRequestURI());
        boolean isAuthorized = guard.isAuthorized(exchange.getRequestHeaders(), parameters);
        String path = exchange.getRequestURI().getPath();
        if (method.equals("POST")) {
            change(exchange, path, parameters, isAuthorized);
        } else if (method.equals("GET") || method.equals("HEAD")) {
            read(exchange, path, parameters, isAuthorized);
        } else {
            headers.set("Allow", "GET, HEAD, POST");
            sendText(exchange, 405, "only GET, HEAD and POST");
        }
    }

    // ---- reading

    private void read(HttpExchange exchange, String path, Map<String, String> parameters, boolean isAuthorized)
            throws IOException {
        if (path.equals("/")) {
            index(exchange, isAuthorized);
            return;
        }
        byte[] file = Pages.bytes(path.substring(1));
        if (file != null && !path.endsWith(".html")) { // nothing in them is secret
            send(exchange, 200, Pages.type(path), file);
            return;
        }
        if (!path.startsWith("/api/") && !path.equals("/metrics")) {
            sendText(exchange, 404, "there is nothing at this address");
            return;
        }
        if (!isAuthorized) {
            unauthorized(exchange);
            return;
        }
        switch (path) {
            case "/metrics" -> {
                ExpositionFormatWriter format = metrics.format(exchange.getRequestHeaders().getFirst("Accept"));
                send(exchange, 200, format.getContentType(), Metrics.text(sampler.sample(STATE_AGE_MAX), format));
            }
            case "/api/state" -> {
                Sample sample = sampler.sample(STATE_AGE_MAX);
                String clients = parameters.get("clients");
                List<Row> rows = sample.rows();
                if (clients != null && !clients.equals("all")) {
                    rows = ClientQuery.of(Map.of("count", clients)).matching(rows).stream().limit(number(clients)).toList();
                }
                send(exchange, 200, JSON, bytes(json.state(sample, rows)));
            }
            case "/api/tick" -> send(exchange, 200, JSON, bytes(json.tick(sampler.sample(STATE_AGE_MAX), Long.MAX_VALUE,
                    history.newest())));
            case "/api/hello" -> send(exchange, 200, JSON, bytes(json.hello(history.points())));
            case "/api/clients" ->
                send(exchange, 200, JSON, bytes(json.clients(sampler.sample(TABLE_AGE_MAX), ClientQuery.of(parameters))));
            case "/api/client" -> send(exchange, 200, JSON, bytes(json.client(sampler.sample(TABLE_AGE_MAX), id(parameters))));
            case "/api/events" -> events(exchange);
            default -> sendText(exchange, 404, "there is nothing at this address");
        }
    }

    private void index(HttpExchange exchange, boolean isAuthorized) throws IOException {
        if (isAuthorized) {
            exchange.getResponseHeaders().set("Set-Cookie", guard.cookie());
        }
        byte[] page = Pages.bytes(isAuthorized ? "index.html" : "denied.html");
        send(exchange, isAuthorized ? 200 : 401, Pages.type("index.html"), page == null ? new byte[0] : page);
    }

    private void events(HttpExchange exchange) throws IOException {
        if (exchange.getRequestMethod().equals("HEAD")) {
            sendText(exchange, 405, "only GET");
        } else if (!subscribers.serve(exchange, json.hello(history.points()))) {
            exchange.getResponseHeaders().set("Retry-After", "10");
            sendText(exchange, 503, "too many pages are open: close some of them");
        }
    }

    private static long id(Map<String, String> parameters) {
        try {
            return Long.parseUnsignedLong(parameters.getOrDefault("id", ""), 16);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("id must be a hexadecimal number", e);
        }
    }

    private static long number(String text) {
        try {
            return Math.max(0, Long.parseLong(text));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("clients must be a number, or all", e);
        }
    }

    // ---- changing

    private void change(HttpExchange exchange, String path, Map<String, String> parameters, boolean isAuthorized)
            throws IOException {
        if (!isAuthorized) {
            unauthorized(exchange);
            return;
        }
        if (control == null) {
            sendText(exchange, 403, "this view shows the server and does not control it: start it with --view-control");
            return;
        }
        boolean done = switch (path) {
            case "/api/pause" -> control.pause();
            case "/api/step" -> control.step();
            case "/api/resume" -> control.resume();
            case "/api/close" -> control.close(id(parameters));
            case "/api/tour" -> control.tour(parameters.getOrDefault("do", ""));
            default -> false;
        };
        if (done) {
            exchange.sendResponseHeaders(204, -1);
        } else {
            sendText(exchange, 404, "there is nothing to do at this address");
        }
    }

    // ---- answers

    private static void unauthorized(HttpExchange exchange) throws IOException {
        exchange.getResponseHeaders().set("WWW-Authenticate", "Bearer realm=\"trivet view\"");
        sendText(exchange, 401, "the token is missing or wrong: use the whole address that was printed when the view started");
    }

    private static void sendText(HttpExchange exchange, int status, String text) throws IOException {
        send(exchange, status, "text/plain; charset=utf-8", bytes(text + "\n"));
    }

    private static void send(HttpExchange exchange, int status, String type, byte[] body) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", type);
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().set("Content-Length", Integer.toString(body.length));
            exchange.sendResponseHeaders(status, -1);
            return;
        }
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
