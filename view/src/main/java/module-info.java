/**
 * A live view of a server: a page for the browser, its data as JSON, and metrics. See {@link io.trivet.view.View}.
 */
@org.jspecify.annotations.NullMarked
@SuppressWarnings("requires-automatic") // Prometheus names its modules in the manifest
module io.trivet.view {
    requires transitive io.trivet;
    requires jdk.httpserver;
    requires io.prometheus.metrics.model;
    requires io.prometheus.writer.text;
    requires static org.jspecify;

    exports io.trivet.view;
}
