package io.trivet.view;

import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.OpenMetricsTextFormatWriter;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.Unit;
import io.trivet.net.Addresses;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ListenerSnapshot;
import io.trivet.observe.LoopStats;
import io.trivet.observe.MemoryStats;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Writes the metrics of a server: as OpenMetrics text for those that ask for it, as Prometheus does, and otherwise in the older format
 * of Prometheus, which more tools read. Any thread.
 */
final class Metrics {
    private static final String OPEN_METRICS = "application/openmetrics-text";

    private final ExpositionFormatWriter openMetrics = new OpenMetricsTextFormatWriter(false, false);
    private final ExpositionFormatWriter plain = PrometheusTextFormatWriter.create();

    /** Returns the format for a reader with that Accept header, or null for none. */
    ExpositionFormatWriter format(@Nullable String accept) {
        return accept != null && accept.contains(OPEN_METRICS) ? openMetrics : plain;
    }

    static byte[] text(Sample sample, List<Panels.Shown> panels, ExpositionFormatWriter format) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream(8192);
        format.write(out, snapshots(sample, panels));
        return out.toByteArray();
    }

    private static MetricSnapshots snapshots(Sample sample, List<Panels.Shown> panels) {
        MetricSnapshots.Builder all = MetricSnapshots.builder();
        LoopStats total = sample.stats().total();
        counter(all, "connections_accepted", "Connections that were accepted, refused ones included", total.accepted());
        counter(all, "connections_refused", "Accepted connections that were refused because of their address", total.refused());
        counter(all, "accept_failures", "Accept calls that failed: no descriptor or no memory was left", total.acceptFailures());
        counter(all, "messages_received", "Messages delivered to handlers", total.messagesIn());
        counter(all, "messages_sent", "Messages accepted for sending", total.messagesOut());
        counter(all, "messages_dropped", "Queued messages dropped by the overflow policy drop-oldest", total.dropped());
        bytes(all, "received", "Bytes received", total.bytesIn());
        bytes(all, "sent", "Bytes accepted by the kernel for sending", total.bytesOut());
        loops(all, sample.stats().loops());
        closed(all, sample.stats().closed());
        memory(all, sample.stats().memory());
        gauge(all, "queue_held_bytes", "Memory that all connections together hold for queues and undelivered input",
                sample.stats().queueBytes());
        gauge(all, "queue_budget_bytes",
                "The maximum of queue_held_bytes: beyond it, the connections that hold the most are closed",
                sample.stats().queueBytesMax());
        lists(all, sample.rows());
        queues(all, sample.rows());
        listeners(all, sample.listeners());
        panels.forEach(shown -> panel(all, shown));
        return all.build();
    }

    // ---- families

    private static void loops(MetricSnapshots.Builder all, List<LoopStats> loops) {
        GaugeSnapshot.Builder connections = gauge("connections", "Connections now, those still connecting included");
        CounterSnapshot.Builder turns = counter("loop_turns", "Turns of the loop");
        CounterSnapshot.Builder completions = counter("loop_completions",
                "Completions handled: receives, sends, accepts and others");
        CounterSnapshot.Builder tasks = counter("loop_tasks", "Tasks that other threads had submitted to the loop");
        for (int i = 0; i < loops.size(); i++) {
            Labels loop = Labels.of("loop", Integer.toString(i));
            connections.dataPoint(value(loops.get(i).connections(), loop));
            turns.dataPoint(count(loops.get(i).turns(), loop));
            completions.dataPoint(count(loops.get(i).completions(), loop));
            tasks.dataPoint(count(loops.get(i).tasks(), loop));
        }
        all.metricSnapshot(connections.build()).metricSnapshot(turns.build()).metricSnapshot(completions.build())
                .metricSnapshot(tasks.build());
    }

    private static void closed(MetricSnapshots.Builder all, Map<CloseReason, Long> closed) {
        CounterSnapshot.Builder byReason = counter("connections_closed", "Closed connections by reason");
        for (CloseReason reason : CloseReason.values()) { // all of them: a rate needs the zero before the first one
            byReason.dataPoint(count(closed.getOrDefault(reason, 0L), Labels.of("reason", reason.name())));
        }
        all.metricSnapshot(byReason.build());
    }

    private static void memory(MetricSnapshots.Builder all, MemoryStats memory) {
        all.metricSnapshot(gauge("native_memory_bytes", "Native memory by purpose")
                .dataPoint(value(memory.rings(), Labels.of("purpose", "rings")))
                .dataPoint(value(memory.buffers(), Labels.of("purpose", "buffers")))
                .dataPoint(value(memory.queues(), Labels.of("purpose", "queues")))
                .dataPoint(value(memory.input(), Labels.of("purpose", "input")))
                .dataPoint(value(memory.spare(), Labels.of("purpose", "spare")))
                .dataPoint(value(memory.tls(), Labels.of("purpose", "tls"))).build());
    }

    private static void lists(MetricSnapshots.Builder all, List<Row> rows) {
        all.metricSnapshot(gauge("sockets_watched", "Connections in each of the three lists")
                .dataPoint(value(count(rows, ConnectionSnapshot::readable), Labels.of("list", "readable")))
                .dataPoint(value(count(rows, ConnectionSnapshot::writable), Labels.of("list", "writable")))
                .dataPoint(value(count(rows, ConnectionSnapshot::exceptional), Labels.of("list", "exceptional"))).build());
    }

    private static void queues(MetricSnapshots.Builder all, List<Row> rows) {
        gauge(all, "queue_longest_bytes", "The longest send queue of a connection", max(rows, ConnectionSnapshot::queueBytes));
        all.metricSnapshot(gauge("queue_oldest_seconds", "How long the oldest message of any connection has been waiting")
                .dataPoint(point(max(rows, now -> now.oldestAge().toNanos()) / 1e9, Labels.EMPTY))
                .build());
        gauge(all, "connections_queueing", "Connections whose send queue is not empty", count(rows, now -> now.queueBytes() > 0));
    }

    private static void listeners(MetricSnapshots.Builder all, List<ListenerSnapshot> listeners) {
        if (listeners.isEmpty()) {
            return;
        }
        GaugeSnapshot.Builder accepting = gauge("listener_accepting", "1 if clients are accepted at the address, otherwise 0");
        acceptingByAddress(listeners)
                .forEach((address, accepts) -> accepting.dataPoint(value(accepts ? 1 : 0, Labels.of("address", address))));
        all.metricSnapshot(accepting.build());
    }

    /**
     * Returns at which addresses clients are accepted. Listeners whose addresses have the same text share an entry, because they would be
     * the same series twice: true if any of them accepts.
     */
    static Map<String, Boolean> acceptingByAddress(List<ListenerSnapshot> listeners) {
        Map<String, Boolean> accepting = new LinkedHashMap<>();
        for (ListenerSnapshot listener : listeners) {
            accepting.merge(Addresses.toString(listener.address()), listener.state() == ListenerSnapshot.State.ACCEPTING,
                    Boolean::logicalOr);
        }
        return accepting;
    }

    /** The gauges and counters of a panel. Their labels in English are the help. */
    private static void panel(MetricSnapshots.Builder all, Panels.Shown shown) {
        Panel panel = shown.panel();
        Stream.concat(panel.summary().stream(), panel.details().stream())
                .filter(value -> Double.isFinite(value.number()) && (value.number() >= 0 || !value.isCounter()))
                .forEach(value -> {
                    String name = shown.name() + "_" + value.name() + switch (value.unit()) {
                        case COUNT -> "";
                        case BYTES -> "_bytes";
                        case SECONDS -> "_seconds";
                    };
                    String help = shown.title().en() + ": " + value.label().en();
                    all.metricSnapshot(value.isCounter()
                            ? counter(name, help).unit(unit(value.unit())).dataPoint(total(value.number(), Labels.EMPTY)).build()
                            : gauge(name, help).dataPoint(point(value.number(), Labels.EMPTY)).build());
                });
    }

    private static @Nullable Unit unit(Panel.Unit unit) {
        return switch (unit) {
            case COUNT -> null;
            case BYTES -> Unit.BYTES;
            case SECONDS -> Unit.SECONDS;
        };
    }

    private static long count(List<Row> rows, Predicate<ConnectionSnapshot> condition) {
        return rows.stream().filter(row -> condition.test(row.now())).count();
    }

    private static long max(List<Row> rows, ToLongFunction<ConnectionSnapshot> value) {
        return rows.stream().mapToLong(row -> value.applyAsLong(row.now())).max().orElse(0);
    }

    // ---- points

    private static void counter(MetricSnapshots.Builder all, String name, String help, long value) {
        all.metricSnapshot(counter(name, help).dataPoint(count(value, Labels.EMPTY)).build());
    }

    private static void bytes(MetricSnapshots.Builder all, String name, String help, long value) {
        all.metricSnapshot(
                CounterSnapshot.builder().name("trivet_" + name + "_bytes").unit(Objects.requireNonNull(Unit.BYTES)).help(help)
                        .dataPoint(count(value, Labels.EMPTY)).build());
    }

    private static void gauge(MetricSnapshots.Builder all, String name, String help, long value) {
        all.metricSnapshot(gauge(name, help).dataPoint(value(value, Labels.EMPTY)).build());
    }

    private static CounterSnapshot.Builder counter(String name, String help) {
        return CounterSnapshot.builder().name("trivet_" + name).help(help);
    }

    private static GaugeSnapshot.Builder gauge(String name, String help) {
        return GaugeSnapshot.builder().name("trivet_" + name).help(help);
    }

    private static CounterSnapshot.CounterDataPointSnapshot count(long value, Labels labels) {
        return total((double) value, labels);
    }

    private static CounterSnapshot.CounterDataPointSnapshot total(double value, Labels labels) {
        return CounterSnapshot.CounterDataPointSnapshot.builder().value(value).labels(labels).build();
    }

    private static GaugeSnapshot.GaugeDataPointSnapshot value(long value, Labels labels) {
        return point((double) value, labels);
    }

    private static GaugeSnapshot.GaugeDataPointSnapshot point(double value, Labels labels) {
        return GaugeSnapshot.GaugeDataPointSnapshot.builder().value(value).labels(labels).build();
    }
}
