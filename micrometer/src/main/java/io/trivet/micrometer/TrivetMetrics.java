package io.trivet.micrometer;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.trivet.observe.CloseReason;
import io.trivet.observe.LoopStats;
import io.trivet.observe.MemoryStats;
import io.trivet.server.Server;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;

/**
 * Binds the metrics of a server to a Micrometer registry.
 *
 * {@snippet :
 * TrivetMetrics metrics = new TrivetMetrics(server, Tags.of("server", "orders"));
 * metrics.bindTo(registry);
 * }
 *
 * <p>A Prometheus registry exports them under the names of the view's {@code /metrics}: {@code trivet.messages.received} becomes {@code
 * trivet_messages_received_total}. Each counter and gauge is read when the registry asks for it; all that it reads within a second are of
 * the same moment. That takes about half a microsecond for each connection, and stops no loop. It uses no {@linkplain Server#observe
 * observer}: a server has one observer, and a view needs it.
 *
 * <p>The meters keep the server reachable. {@link #close} removes them, for a registry that outlives the server. Several servers in one
 * registry need tags that tell them apart.
 *
 * <p><b>Threads.</b> Every method may be called from any thread.
 */
public final class TrivetMetrics implements MeterBinder, AutoCloseable {
    private static final String BYTES = "bytes";

    private final Server server;
    private final Tags tags;
    private final List<Bound> bound = new CopyOnWriteArrayList<>();

    private record Bound(MeterRegistry registry, Meter meter) {}

    /**
     * Creates the metrics of a server.
     *
     * @param server the server
     */
    public TrivetMetrics(Server server) {
        this(server, Tags.empty());
    }

    /**
     * Creates the metrics of a server, with tags.
     *
     * @param server the server
     * @param tags tags that all meters get
     */
    public TrivetMetrics(Server server, Iterable<Tag> tags) {
        this.server = Objects.requireNonNull(server, "server");
        this.tags = Tags.of(tags);
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        new Binding(registry, new Readings(server, registry.config().clock())).bindAll();
    }

    /** Removes the meters from the registries. */
    @Override
    public void close() {
        for (Bound each : bound) {
            each.registry().remove(each.meter());
        }
        bound.clear();
    }

    /**
     * The meters of one registry. A registry refers to the state of a function counter weakly; but the counter keeps its function, and this
     * refers to the readings.
     */
    private final class Binding {
        private final MeterRegistry registry;
        private final Readings readings;

        Binding(MeterRegistry registry, Readings readings) {
            this.registry = registry;
            this.readings = readings;
        }

        void bindAll() {
            counter("trivet.connections.accepted", "Connections that were accepted, refused ones included", LoopStats::accepted);
            counter("trivet.connections.refused", "Accepted connections that were refused because of their address",
                    LoopStats::refused);
            counter("trivet.accept.failures", "Accept calls that failed: no descriptor or no memory was left",
                    LoopStats::acceptFailures);
            counter("trivet.messages.received", "Messages delivered to handlers", LoopStats::messagesIn);
            counter("trivet.messages.sent", "Messages accepted for sending", LoopStats::messagesOut);
            counter("trivet.messages.dropped", "Queued messages dropped by the overflow policy drop-oldest", LoopStats::dropped);
            bytesCounter("trivet.received", "Bytes received", LoopStats::bytesIn);
            bytesCounter("trivet.sent", "Bytes accepted by the kernel for sending", LoopStats::bytesOut);
            for (int i = 0; i < server.stats().loops().size(); i++) {
                bindLoop(i);
            }
            for (CloseReason reason : CloseReason.values()) { // all of them: a rate needs the zero before the first one
                add(FunctionCounter.builder("trivet.connections.closed", readings,
                        _ -> readings.now().stats().closed().getOrDefault(reason, 0L))
                        .description("Closed connections by reason").tags(tags.and("reason", reason.name())).register(registry));
            }
            memory("rings", MemoryStats::rings);
            memory("buffers", MemoryStats::buffers);
            memory("queues", MemoryStats::queues);
            memory("input", MemoryStats::input);
            memory("spare", MemoryStats::spare);
            memory("tls", MemoryStats::tls);
            bindQueues();
            list("readable", Readings.Moment::readable);
            list("writable", Readings.Moment::writable);
            list("exceptional", Readings.Moment::exceptional);
            bindListeners();
        }

        private void bindLoop(int index) {
            Tags loop = tags.and("loop", Integer.toString(index));
            add(Gauge.builder("trivet.connections", () -> readings.now().stats().loops().get(index).connections())
                    .description("Connections now, those still connecting included").tags(loop).register(registry));
            loopCounter("trivet.loop.turns", "Turns of the loop", index, LoopStats::turns);
            loopCounter("trivet.loop.completions", "Completions handled: receives, sends, accepts and others", index,
                    LoopStats::completions);
            loopCounter("trivet.loop.tasks", "Tasks that other threads had submitted to the loop", index, LoopStats::tasks);
        }

        private void bindQueues() {
            gauge("trivet.queue.held", "Memory that all connections together hold for queues and undelivered input", BYTES,
                    now -> now.stats().queueBytes());
            gauge("trivet.queue.budget",
                    "The maximum of trivet.queue.held: beyond it, the connections that hold the most are closed",
                    BYTES, now -> now.stats().queueBytesMax());
            gauge("trivet.queue.longest", "The longest send queue of a connection", BYTES, Readings.Moment::queueLongestBytes);
            gauge("trivet.connections.queueing", "Connections whose send queue is not empty", "", Readings.Moment::queueing);
            add(TimeGauge.builder("trivet.queue.oldest", () -> readings.now().queueOldestNanos(), TimeUnit.NANOSECONDS)
                    .description("How long the oldest message of any connection has been waiting").tags(tags).register(registry));
        }

        private void bindListeners() {
            for (String address : Readings.acceptingByAddress(server.listeners()).keySet()) {
                add(Gauge.builder("trivet.listener.accepting",
                        () -> readings.now().accepting().getOrDefault(address, false) ? 1 : 0)
                        .description("1 if clients are accepted at the address, otherwise 0").tags(tags.and("address", address))
                        .register(registry));
            }
        }

        // ---- kinds of meters

        private void counter(String name, String description, ToLongFunction<LoopStats> value) {
            add(FunctionCounter.builder(name, readings, _ -> value.applyAsLong(readings.now().stats().total()))
                    .description(description).tags(tags).register(registry));
        }

        private void bytesCounter(String name, String description, ToLongFunction<LoopStats> value) {
            add(FunctionCounter.builder(name, readings, _ -> value.applyAsLong(readings.now().stats().total()))
                    .description(description).baseUnit(BYTES).tags(tags).register(registry));
        }

        private void loopCounter(String name, String description, int index, ToLongFunction<LoopStats> value) {
            add(FunctionCounter.builder(name, readings, _ -> value.applyAsLong(readings.now().stats().loops().get(index)))
                    .description(description).tags(tags.and("loop", Integer.toString(index))).register(registry));
        }

        private void gauge(String name, String description, String unit, ToLongFunction<Readings.Moment> value) {
            Gauge.Builder<?> builder = Gauge.builder(name, () -> value.applyAsLong(readings.now())).description(description)
                    .tags(tags);
            add((unit.isEmpty() ? builder : builder.baseUnit(unit)).register(registry));
        }

        private void list(String name, ToLongFunction<Readings.Moment> value) {
            add(Gauge.builder("trivet.sockets.watched", () -> value.applyAsLong(readings.now()))
                    .description("Connections in each of the three lists").tags(tags.and("list", name)).register(registry));
        }

        private void memory(String purpose, ToLongFunction<MemoryStats> value) {
            add(Gauge.builder("trivet.native.memory", () -> value.applyAsLong(readings.now().stats().memory()))
                    .description("Native memory by purpose").baseUnit(BYTES).tags(tags.and("purpose", purpose))
                    .register(registry));
        }

        private void add(Meter meter) {
            bound.add(new Bound(registry, meter));
        }
    }
}
