/**
 * Binds the metrics of a server to a registry of Micrometer. See {@link io.trivet.micrometer.TrivetMetrics}.
 */
@org.jspecify.annotations.NullMarked
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"}) // Micrometer names its modules in the manifest
module io.trivet.micrometer {
    requires transitive io.trivet;
    requires transitive micrometer.core;
    requires static org.jspecify;

    exports io.trivet.micrometer;
}
