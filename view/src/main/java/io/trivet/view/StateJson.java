package io.trivet.view;

import io.trivet.net.Addresses;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ClosedConnection;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ConnectionState;
import io.trivet.observe.ListenerSnapshot;
import io.trivet.observe.LoopStats;
import io.trivet.observe.MemoryStats;
import io.trivet.server.Limits;
import io.trivet.server.Server;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Writes what a reader sees as JSON. The resource {@code state.schema.json} describes it. Durations are in seconds, sizes in bytes,
 * and ids are hexadecimal texts, as in the server's log. Any thread.
 */
final class StateJson {
    /** Of a list with more sockets, only some are written; the count is that of all. */
    static final int SOCKETS_PER_LIST_MAX = 64;
    private static final int CLOSED_MAX = 32;

    private final Server server;
    private final Journal journal;
    private final PauseGate gate;
    private final @Nullable Control control;
    private final String engine;
    private final Panels panels;
    private final long startedMillis = System.currentTimeMillis();

    StateJson(Server server, Journal journal, PauseGate gate, @Nullable Control control, String engine, Panels panels) {
        this.server = server;
        this.journal = journal;
        this.gate = gate;
        this.control = control;
        this.engine = engine;
        this.panels = panels;
    }

    // ---- whole answers

    /** Returns everything: what a tick has, the limits, the panels, and the clients. */
    String state(Sample sample, List<Row> clients) {
        Json json = new Json().beginObject();
        common(json, sample, Long.MAX_VALUE);
        json.name("limits");
        limits(json);
        panels.write(json.name("panels"));
        json.name("clients").beginArray();
        clients.forEach(row -> row(json, row, sample.nanos()));
        return json.endArray().endObject().toString();
    }

    /**
     * Returns what a page gets several times a second.
     *
     * @param turnsAfter only the turns after the one with this number
     * @param point a new point of the charts, or null
     */
    String tick(Sample sample, long turnsAfter, History.@Nullable Point point) {
        Json json = new Json().beginObject();
        common(json, sample, turnsAfter);
        if (point != null) {
            json.name("point");
            point(json, point);
            panels.write(json.name("panels")); // once a second is enough
        }
        return json.endObject().toString();
    }

    /** Returns what a page gets once: what does not change. */
    String hello(List<History.Point> points) {
        Json json = new Json().beginObject().name("started").number(startedMillis).name("control").bool(control != null)
                .name("engine").string(engine).name("overflow").string(server.overflow().name()).name("limits");
        limits(json);
        panels.write(json.name("panels"));
        json.name("points").beginArray();
        points.forEach(point -> point(json, point));
        return json.endArray().endObject().toString();
    }

    /** Returns a part of the table of clients. */
    static String clients(Sample sample, ClientQuery query) {
        List<Row> matching = query.matching(sample.rows());
        int from = Math.min(query.from(), matching.size());
        int to = Math.min(matching.size(), from + query.count());
        Json json = new Json().beginObject().name("total").number(sample.rows().size()).name("matching").number(matching.size())
                .name("from").number(from).name("rows").beginArray();
        matching.subList(from, to).forEach(row -> row(json, row, sample.nanos()));
        return json.endArray().endObject().toString();
    }

    /** Returns one client with what has happened to it lately; of a closed one, its end. */
    String client(Sample sample, long id) {
        return client(sample, id, journal.of(id));
    }

    /** Returns one client with the given turns; of a closed one, its end. */
    static String client(Sample sample, long id, List<Turn> turns) {
        Json json = new Json().beginObject().name("id").string(Long.toHexString(id)).name("now");
        Row row = sample.byId().get(id);
        if (row == null) {
            json.nothing();
        } else {
            row(json, row, sample.nanos());
        }
        json.name("end");
        sample.closed().stream().filter(end -> end.id() == id).findFirst().ifPresentOrElse(end -> closed(json, end),
                json::nothing);
        json.name("turns").beginArray();
        turns.forEach(turn -> turn(json, turn, sample));
        return json.endArray().endObject().toString();
    }

    // ---- parts

    private void common(Json json, Sample sample, long turnsAfter) {
        json.name("time").number(sample.millis()).name("engine").string(engine).name("control").bool(control != null)
                .name("tour").string(tourClient(sample));
        json.name("pause").beginObject().name("paused").bool(gate.isPaused()).name("for").number(gate.pausedForNanos() / 1e9)
                .name("left").number(gate.leftNanos() / 1e9).endObject();
        json.name("loops").beginArray();
        List<LoopStats> loops = sample.stats().loops();
        for (int i = 0; i < loops.size(); i++) {
            loop(json, i, loops.get(i));
        }
        json.endArray();
        sample(json, sample);
        json.name("turns").beginArray();
        journal.lately(turnsAfter, gate.isPaused() ? 16 : 8).forEach(turn -> turn(json, turn, sample));
        json.endArray();
    }

    /** Returns the id of the guided tour's client, or null. */
    private @Nullable String tourClient(Sample sample) {
        SocketAddress address = control == null ? null : control.tourAddress();
        return address == null ? null
                : sample.rows().stream().filter(row -> address.equals(row.now().remoteAddress())).findFirst()
                        .map(row -> Long.toHexString(row.id())).orElse(null);
    }

    /** Writes what a sample has: totals, memory, lists, and the last ends. */
    static void sample(Json json, Sample sample) {
        totals(json, sample);
        json.name("listeners").beginArray();
        for (ListenerSnapshot listener : sample.listeners()) {
            json.beginObject().name("address").string(Addresses.toString(listener.address())).name("state")
                    .string(listener.state().name()).name("reason").string(listener.state().description()).endObject();
        }
        json.endArray().name("lists").beginObject();
        list(json, "readable", sample, ConnectionSnapshot::readable, true);
        list(json, "writable", sample, ConnectionSnapshot::writable, false);
        list(json, "exceptional", sample, ConnectionSnapshot::exceptional, false);
        list(json, "none", sample, now -> !now.readable() && !now.writable() && !now.exceptional(), false);
        json.endObject().name("closed").beginArray();
        sample.closed().stream().limit(CLOSED_MAX).forEach(end -> closed(json, end));
        json.endArray();
    }

    private void loop(Json json, int index, LoopStats stats) {
        loop(json, index, stats, journal.waitAndWorkNanos(index), gate.isStanding(index), journal.isWorking(index));
    }

    /** Writes the counters of a loop, and how long it has waited and worked. */
    static void loop(Json json, int index, LoopStats stats, long[] nanos, boolean isStanding, boolean isWorking) {
        json.beginObject().name("index").number(index).name("connections").number(stats.connections()).name("turns")
                .number(stats.turns()).name("completions").number(stats.completions()).name("tasks").number(stats.tasks())
                .name("waitSeconds").number(nanos[0] / 1e9).name("workSeconds").number(nanos[1] / 1e9)
                .name("standing").bool(isStanding).name("working").bool(isWorking).endObject();
    }

    private static void totals(Json json, Sample sample) {
        LoopStats total = sample.stats().total();
        MemoryStats memory = sample.stats().memory();
        json.name("totals").beginObject().name("connections").number(total.connections()).name("accepted")
                .number(total.accepted())
                .name("acceptFailures").number(total.acceptFailures()).name("refused").number(total.refused())
                .name("messagesIn").number(total.messagesIn()).name("messagesOut").number(total.messagesOut())
                .name("bytesIn").number(total.bytesIn()).name("bytesOut").number(total.bytesOut())
                .name("closed").number(total.closed()).name("dropped").number(total.dropped())
                .name("slow").number(sample.rows().stream().filter(Row::isSlow).count()).name("closedBy").beginObject();
        for (Map.Entry<CloseReason, Long> entry : sample.stats().closed().entrySet()) {
            json.name(entry.getKey().name()).number(entry.getValue());
        }
        json.endObject().endObject();
        json.name("memory").beginObject().name("queueBytes").number(sample.stats().queueBytes()).name("queueBytesMax")
                .number(sample.stats().queueBytesMax()).name("rings").number(memory.rings()).name("buffers")
                .number(memory.buffers())
                .name("queues").number(memory.queues()).name("input").number(memory.input()).name("spare").number(memory.spare())
                .name("tls").number(memory.tls()).name("total").number(memory.total()).endObject();
    }

    /** Writes a list: how many sockets are in it, and those that a reader wants to see: the listeners, and what is unusual. */
    private static void list(Json json, String name, Sample sample, Predicate<ConnectionSnapshot> isMember,
            boolean withListeners) {
        List<Row> members = sample.rows().stream().filter(row -> isMember.test(row.now())).toList();
        List<ListenerSnapshot> listeners = withListeners
                ? sample.listeners().stream().filter(listener -> listener.state() == ListenerSnapshot.State.ACCEPTING).toList()
                : List.of();
        json.name(name).beginObject().name("count").number(members.size() + listeners.size()).name("listeners").beginArray();
        listeners.forEach(listener -> json.string(Addresses.toString(listener.address())));
        json.endArray().name("sockets").beginArray();
        shown(members).forEach(row -> row(json, row, sample.nanos()));
        json.endArray().endObject();
    }

    private static List<Row> shown(List<Row> members) {
        if (members.size() <= SOCKETS_PER_LIST_MAX) {
            return members;
        }
        List<Row> shown = new ArrayList<>();
        for (Row row : members) {
            if (shown.size() < SOCKETS_PER_LIST_MAX && isUnusual(row.now())) {
                shown.add(row);
            }
        }
        for (Row row : members) {
            if (shown.size() < SOCKETS_PER_LIST_MAX && !isUnusual(row.now())) {
                shown.add(row);
            }
        }
        return shown;
    }

    private static boolean isUnusual(ConnectionSnapshot now) {
        return now.queueBytes() > 0 || now.state() != ConnectionState.OPEN || !now.readable();
    }

    private static void row(Json json, Row row, long nanos) {
        ConnectionSnapshot now = row.now();
        json.beginObject().name("id").string(Long.toHexString(now.id())).name("address").string(text(now.remoteAddress()))
                .name("loop").number(now.loop()).name("state").string(now.state().name()).name("readable").bool(now.readable())
                .name("writable").bool(now.writable()).name("exceptional").bool(now.exceptional()).name("slow").bool(row.isSlow())
                .name("readState").string(now.readState().name()).name("reason").string(now.interestReason())
                .name("queueBytes").number(now.queueBytes()).name("queueBytesMax").number(now.queueBytesMax())
                .name("queueMessages").number(now.queueMessages()).name("oldestAge").number(seconds(now.oldestAge()))
                .name("sinceProgress").number(seconds(now.sinceProgress()))
                .name("writeTimeout").number(seconds(now.writeTimeout())).name("timesFull").number(now.timesFull())
                .name("bytesIn").number(now.bytesIn()).name("bytesOut").number(now.bytesOut())
                .name("inRate").number(row.inRate()).name("outRate").number(row.outRate())
                .name("idle").number(seconds(now.sinceActivity()));
        since(json, "read", row.readSince(), nanos);
        since(json, "write", row.writeSince(), nanos);
        json.name("tls").string(now.tls()).name("closing")
                .string(now.closeReason() == null ? null : now.closeReason().name()).endObject();
    }

    private static void since(Json json, String what, Row.Since since, long nanos) {
        json.name(what + "For").number(Math.max(0, nanos - since.nanos()) / 1e9).name(what + "ForExact").bool(since.exact());
    }

    private static void closed(Json json, ClosedConnection end) {
        json.beginObject().name("id").string(Long.toHexString(end.id())).name("address").string(text(end.remoteAddress()))
                .name("loop").number(end.loop()).name("reason").string(end.reason().name())
                .name("description").string(end.reason().description()).name("failure").string(end.failure())
                .name("reset").bool(end.reset()).name("bytesIn").number(end.bytesIn()).name("bytesOut").number(end.bytesOut())
                .name("ago").number(seconds(end.sinceClosed())).endObject();
    }

    private static void turn(Json json, Turn turn, Sample sample) {
        json.beginObject();
        turnMembers(json, turn, sample);
        json.endObject();
    }

    /** Writes what a turn has, within an object. */
    static void turnMembers(Json json, Turn turn, Sample sample) {
        json.name("loop").number(turn.loop()).name("number").number(turn.number()).name("time")
                .number(turn.millis()).name("wait").number(turn.waitNanos() / 1e9).name("work").number(turn.workNanos() / 1e9)
                .name("done").number(turn.done()).name("eventCount").number(turn.eventCount()).name("events").beginArray();
        for (Turn.Event event : turn.events()) {
            json.beginObject().name("kind").string(event.kind().name()).name("id")
                    .string(event.connection() < 0 ? null : Long.toHexString(event.connection()))
                    .name("address").string(address(event.connection(), sample)).name("amount").number(event.amount())
                    .endObject();
        }
        json.endArray();
    }

    private static @Nullable String address(long id, Sample sample) {
        Row row = sample.byId().get(id);
        if (row != null) {
            return text(row.now().remoteAddress());
        }
        return sample.closed().stream().filter(end -> end.id() == id).findFirst().map(end -> text(end.remoteAddress()))
                .orElse(null);
    }

    private static void point(Json json, History.Point point) {
        json.beginObject().name("time").number(point.millis()).name("connections").number(point.connections())
                .name("messagesIn").number(point.messagesIn()).name("messagesOut").number(point.messagesOut())
                .name("bytesIn").number(point.bytesIn()).name("bytesOut").number(point.bytesOut())
                .name("accepted").number(point.accepted()).name("refused").number(point.refused())
                .name("dropped").number(point.dropped()).name("cut").number(point.cut()).name("queueBytes")
                .number(point.queueBytes())
                .name("memory").number(point.memory()).name("turns").number(point.turns()).name("completions")
                .number(point.completions()).endObject();
    }

    private void limits(Json json) {
        Limits limits = server.limits();
        json.beginObject().name("connectionsMax").number(limits.connectionsMax()).name("connectionsPerAddressMax")
                .number(limits.connectionsPerAddressMax()).name("queueBytesMax").number(limits.queueBytesMax())
                .name("queueHighBytes").number(limits.queueHighBytes()).name("queueLowBytes").number(limits.queueLowBytes())
                .name("queueBudgetBytes").number(server.stats().queueBytesMax()).name("messageBytesMax")
                .number(limits.messageBytesMax()).name("messageTimeout").number(seconds(limits.messageTimeout()))
                .name("firstMessageTimeout").number(seconds(limits.firstMessageTimeout())).name("idleTimeout")
                .number(seconds(limits.idleTimeout())).name("readIdleTimeout").number(seconds(limits.readIdleTimeout()))
                .name("writeTimeout").number(seconds(limits.writeTimeout())).name("lingerTimeout")
                .number(seconds(limits.lingerTimeout())).name("handlerTimeout").number(seconds(limits.handlerTimeout()))
                .endObject();
    }

    private static @Nullable String text(@Nullable InetSocketAddress address) {
        return address == null ? null : Addresses.toString(address);
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }
}
