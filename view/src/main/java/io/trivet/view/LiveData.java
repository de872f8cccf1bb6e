package io.trivet.view;

import com.sun.net.httpserver.HttpExchange;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import java.io.IOException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A server that runs: its state now, its events as they happen, its metrics, and what a reader may do to it. Any thread. */
final class LiveData implements Data {
    /** A program that asks for the state wants it now, but several that ask at once share a sample. */
    private static final Duration STATE_AGE_MAX = Duration.ofMillis(100);
    /** The table follows the lists: it shows the sample that they show, if one is taken. */
    private static final Duration TABLE_AGE_MAX = Duration.ofMillis(1100);

    private final Sampler sampler;
    private final StateJson json;
    private final History history;
    private final Subscribers subscribers;
    private final Metrics metrics = new Metrics();
    private final Panels panels;
    private final @Nullable Control control;

    /** Creates the data of a server. Without a control, the server can be seen and not changed. */
    LiveData(Sampler sampler, StateJson json, History history, Subscribers subscribers, Panels panels,
            @Nullable Control control) {
        this.sampler = sampler;
        this.json = json;
        this.history = history;
        this.subscribers = subscribers;
        this.panels = panels;
        this.control = control;
    }

    @Override
    public boolean read(HttpExchange exchange, String path, Map<String, String> parameters) throws IOException {
        switch (path) {
            case "/metrics" -> {
                ExpositionFormatWriter format = metrics.format(exchange.getRequestHeaders().getFirst("Accept"));
                Answer.send(exchange, 200, format.getContentType(),
                        Metrics.text(sampler.sample(STATE_AGE_MAX), panels.read(), format));
            }
            case "/api/state" -> {
                Sample sample = sampler.sample(STATE_AGE_MAX);
                String clients = parameters.get("clients");
                List<Row> rows = sample.rows();
                if (clients != null && !clients.equals("all")) {
                    rows = rows.stream().sorted(Comparator.comparingLong(Row::id)).limit(number(clients)).toList();
                }
                Answer.json(exchange, json.state(sample, rows));
            }
            case "/api/tick" ->
                Answer.json(exchange, json.tick(sampler.sample(STATE_AGE_MAX), Long.MAX_VALUE, history.newest()));
            case "/api/hello" -> Answer.json(exchange, json.hello(history.points()));
            case "/api/clients" ->
                Answer.json(exchange, StateJson.clients(sampler.sample(TABLE_AGE_MAX), ClientQuery.of(parameters)));
            case "/api/client" -> Answer.json(exchange, json.client(sampler.sample(TABLE_AGE_MAX), id(parameters)));
            case "/api/events" -> events(exchange);
            default -> {
                return false;
            }
        }
        return true;
    }

    private void events(HttpExchange exchange) throws IOException {
        if (exchange.getRequestMethod().equals("HEAD")) {
            Answer.text(exchange, 405, "only GET");
        } else if (!subscribers.serve(exchange, json.hello(history.points()))) {
            exchange.getResponseHeaders().set("Retry-After", "10");
            Answer.text(exchange, 503, "too many pages are open: close some of them");
        }
    }

    /** Returns the id of a client in a request. */
    static long id(Map<String, String> parameters) {
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

    @Override
    public @Nullable String refusal() {
        return control == null ? "this view shows the server and does not control it: start it with --view-control" : null;
    }

    @Override
    public boolean change(String path, Map<String, String> parameters) {
        Control given = control;
        return given != null && switch (path) {
            case "/api/pause" -> given.pause();
            case "/api/step" -> given.step();
            case "/api/resume" -> given.resume();
            case "/api/close" -> given.close(id(parameters));
            case "/api/tour" -> given.tour(parameters.getOrDefault("do", ""));
            default -> false;
        };
    }
}
