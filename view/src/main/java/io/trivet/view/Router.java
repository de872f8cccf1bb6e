package io.trivet.view;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import java.util.Map;

/** Answers the requests of browsers and of programs: the files of the page to everybody, data to those with the token. Any thread. */
final class Router implements HttpHandler {
    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    private static final String NOTHING = "there is nothing at this address";

    private final Guard guard;
    private final Data data;

    Router(Guard guard, Data data) {
        this.guard = guard;
        this.data = data;
    }

    @Override
    public void handle(HttpExchange exchange) throws IOException {
        try {
            answer(exchange);
        } catch (IllegalArgumentException e) {
            Answer.text(exchange, 400, String.valueOf(e.getMessage()));
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
            Answer.text(exchange, 403, "refused: " + refusal);
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
            Answer.text(exchange, 405, "only GET, HEAD and POST");
        }
    }

    private void read(HttpExchange exchange, String path, Map<String, String> parameters, boolean isAuthorized)
            throws IOException {
        if (path.equals("/")) {
            index(exchange, isAuthorized);
            return;
        }
        byte[] file = Pages.bytes(path.substring(1));
        if (file != null && !path.endsWith(".html")) { // nothing in them is secret
            Answer.send(exchange, 200, Pages.type(path), file);
            return;
        }
        if (!path.startsWith("/api/") && !path.equals("/metrics")) {
            Answer.text(exchange, 404, NOTHING);
        } else if (!isAuthorized) {
            unauthorized(exchange);
        } else if (!data.read(exchange, path, parameters)) {
            Answer.text(exchange, 404, NOTHING);
        }
    }

    private void index(HttpExchange exchange, boolean isAuthorized) throws IOException {
        if (isAuthorized) {
            exchange.getResponseHeaders().set("Set-Cookie", guard.cookie());
        }
        byte[] page = Pages.bytes(isAuthorized ? "index.html" : "denied.html");
        Answer.send(exchange, isAuthorized ? 200 : 401, Pages.type("index.html"), page == null ? new byte[0] : page);
    }

    private void change(HttpExchange exchange, String path, Map<String, String> parameters, boolean isAuthorized)
            throws IOException {
        String refusal = data.refusal();
        if (!isAuthorized) {
            unauthorized(exchange);
        } else if (refusal != null) {
            Answer.text(exchange, 403, refusal);
        } else if (data.change(path, parameters)) {
            exchange.sendResponseHeaders(204, -1);
        } else {
            Answer.text(exchange, 404, "there is nothing to do at this address");
        }
    }

    private static void unauthorized(HttpExchange exchange) throws IOException {
        exchange.getResponseHeaders().set("WWW-Authenticate", "Bearer realm=\"trivet view\"");
        Answer.text(exchange, 401, "the token is missing or wrong: use the whole address that was printed when the view started");
    }
}
