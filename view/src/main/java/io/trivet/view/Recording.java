package io.trivet.view;

import io.trivet.net.Clock;
import io.trivet.observe.ClosedConnection;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ListenerSnapshot;
import io.trivet.observe.LoopEvent;
import io.trivet.observe.LoopObserver;
import io.trivet.observe.LoopStats;
import io.trivet.server.Server;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A recorded run of servers on a simulated network, which {@link Replay} shows step by step. A step is a turn of a loop in which
 * something happened, with the state of all servers after it: the lists, the clients, their queues.
 *
 * {@snippet :
 * SimNetwork network = SimNetwork.of(seed, FaultPlan.of(seed));
 * Recording recording = new Recording("seed " + seed, network.clock());
 * network.trace((nanos, event) -> recording.log(event));
 * try (Server server = builder.network(network).open()) {
 *     recording.add("server", server);
 *     network.run(Duration.ofSeconds(10));
 *     recording.end();
 * }
 * try (Replay replay = Replay.start(recording, new InetSocketAddress("127.0.0.1", 0))) {
 *     System.out.println(replay.url());
 *     Thread.currentThread().join();
 * }
 * }
 *
 * <p><b>Memory.</b> Of a long run, the first 500 steps and the last 4,500 are kept, or fewer if together they would take more than about 64
 * MiB; the page says which are left out. A connection takes memory only in the steps in which it has changed; all open connections take
 * four bytes each in a step in which any of them has. Of the lines between two steps, the first 60 are kept; of the connections closed in a
 * step, the last 128 of each loop.
 *
 * <p><b>A failure.</b> The step in which the run has {@linkplain #fail failed} is always kept, with up to 1,000 steps after it. Then the
 * recording pauses until {@link #end}, and a line of the last step says how many steps are missing.
 *
 * <p><b>Threads.</b> Call every method on the thread that runs the network. After {@link #end}, only {@link #fail} changes the recording:
 * call it before {@link Replay#start}.
 */
public final class Recording {
    /** How many steps after a failure are recorded. */
    static final int STEPS_AFTER_FAILURE_MAX = 1000;
    static final int LINES_PER_STEP_MAX = 60;
    private static final int LINE_LENGTH_MAX = 400;
    private static final int SERVERS_MAX = 64;
    /** Position of the server's number in an id: above the generation of a slot, which is small in a run that is recorded. */
    private static final int ID_SERVER_SHIFT = 56;
    /** How many turns a reader gets with a step: its own and those before. */
    private static final int TURNS_SHOWN = 12;
    /** How many turns of a single connection a reader gets at most, the newest ones. */
    static final int TURNS_OF_CONNECTION_MAX = 256;
    private static final int ENDS_SHOWN = 32;

    private final String title;
    private final Clock clock;
    private final long originNanos;
    private final List<RecordedServer> servers = new ArrayList<>();
    private final KeptSteps keptSteps;
    private List<RecordedStep> steps = List.of();
    private List<String> lines = new ArrayList<>();
    private int linesLeftOut;
    private Map<Long, KeptRow> rows = new LinkedHashMap<>();
    /** The same connections as a list, which the steps share until one of them changes. */
    private List<KeptRow> rowList = List.of();
    private String description = "";
    private @Nullable String failure;
    private boolean failing;
    private int stepsAfterFailure;
    private long bytesAtFailure;
    private long missingAfterFailure;
    private boolean ended;

    /**
     * Creates an empty recording.
     *
     * @param title what the run is called, such as its seed
     * @param clock the clock of the network. Times are counted from now
     */
    public Recording(String title, Clock clock) {
        this(title, clock, KeptSteps.BYTES_MAX);
    }

    /** For tests: creates a recording that takes about that much memory at most. */
    Recording(String title, Clock clock, long bytesMax) {
        keptSteps = new KeptSteps(bytesMax);
        this.title = Objects.requireNonNull(title, "title");
        this.clock = clock;
        originNanos = clock.nanoTime();
    }

    /**
     * Records a server from now on. Add it before its first turn: then the recorded run is the same as one that is not recorded. The
     * recording is the server's {@linkplain Server#observe observer}.
     *
     * @param name what the page calls it
     * @param server an opened server
     * @throws IllegalStateException there are 64 servers
     */
    public void add(String name, Server server) {
        if (servers.size() == SERVERS_MAX) {
            throw new IllegalStateException("a recording has at most " + SERVERS_MAX + " servers");
        }
        int loopsBefore = servers.stream().mapToInt(RecordedServer::loops).sum();
        RecordedServer added = new RecordedServer(name, server, servers.size(), loopsBefore);
        servers.add(added);
        server.observe(added);
    }

    /**
     * Adds a line about what else has happened: what a client or the network has done. It is shown with the next step.
     *
     * @param line a line without a line break
     */
    public void log(String line) {
        if (lines.size() == LINES_PER_STEP_MAX) {
            linesLeftOut++;
        } else {
            lines.add(line.length() <= LINE_LENGTH_MAX ? line : line.substring(0, LINE_LENGTH_MAX) + " …");
        }
    }

    /**
     * Sets a text that describes the run: its clients, limits and faults.
     *
     * @param text lines of text
     */
    public void describe(String text) {
        description = Objects.requireNonNull(text, "text");
    }

    /**
     * Marks the current moment as the one in which the run has failed. Only the first call counts. After {@link #end} it marks the last
     * step.
     *
     * @param text what is wrong
     */
    public void fail(String text) {
        if (failure != null) {
            return;
        }
        failure = Objects.requireNonNull(text, "text");
        bytesAtFailure = keptSteps.bytesAdded();
        RecordedStep newest = keptSteps.newest();
        boolean isOfNewest = newest != null && (ended || (lines.isEmpty() && newest.nanos() == elapsed()
                && servers.stream().noneMatch(RecordedServer::hasEvents)));
        if (isOfNewest) {
            keptSteps.markNewestAsFailed();
            if (ended) {
                steps = keptSteps.toList();
            }
        } else {
            failing = true;
        }
    }

    /**
     * Ends the recording with a last step, which has what has happened since the one before. What a loop did in a turn that it has not
     * finished, because it was stopped by an error, becomes a step of its own before that.
     */
    public void end() {
        if (!ended) {
            addUnfinished(null, -1);
            if (missingAfterFailure > 0) {
                lines.add("… " + missingAfterFailure + " steps are missing: the run was recorded for " + stepsAfterFailure
                        + " steps after its failure");
            }
            add(new Turn(-1, keptSteps.total() + 1, elapsed() / 1_000_000, 0, 0, 0, List.of(), 0), true);
            ended = true;
            steps = keptSteps.toList();
        }
    }

    /**
     * Returns the number of steps so far, those that are left out included, but for those that are missing after a failure.
     *
     * @return the number
     */
    public long steps() {
        return keptSteps.total();
    }

    // ---- recording

    /** A connection, and when it was so. It is shared by the steps in which only its ages differ. */
    record KeptRow(Row row, long nanos) {
        Row at(long when) {
            long later = when - nanos;
            return later == 0 ? row : new Row(Ages.later(row.now(), later), row.readSince(), row.writeSince(), 0, 0);
        }
    }

    /** The end of a connection, and when that was. */
    record End(ClosedConnection connection, long nanos) {}

    private long elapsed() {
        return clock.nanoTime() - originNanos;
    }

    /** Adds what loops did in turns that were cut by an error: all that has happened in other loops than the one that is turning. */
    private void addUnfinished(@Nullable RecordedServer turning, int loop) {
        for (RecordedServer server : servers) {
            server.addUnfinished(server.equals(turning) ? loop : -1);
        }
    }

    private void add(Turn turn, boolean isLast) {
        boolean isAfterFailure = failure != null && !failing;
        if (isAfterFailure && !isLast) {
            if (stepsAfterFailure == STEPS_AFTER_FAILURE_MAX
                    || keptSteps.bytesAdded() - bytesAtFailure > keptSteps.bytesMax() / 4) {
                missingAfterFailure++;
                return;
            }
            stepsAfterFailure++;
        }
        long now = elapsed();
        int changed = updateRows(now);
        List<End> ends = new ArrayList<>();
        servers.forEach(server -> server.addNewEnds(ends, now));
        RecordedStep step = new RecordedStep(now, turn, List.copyOf(lines), linesLeftOut, rowList,
                servers.stream().map(server -> server.server.stats()).toList(),
                servers.stream().flatMap(server -> server.server.listeners().stream()).toList(), List.copyOf(ends), failing,
                isLast);
        failing = false;
        lines = new ArrayList<>();
        linesLeftOut = 0;
        keptSteps.add(step, changed);
    }

    /** Reads the connections. Returns how many have changed since the step before, the new ones included. */
    private int updateRows(long now) {
        Map<Long, KeptRow> next = currentRows(now);
        int changed = 0;
        for (KeptRow row : next.values()) {
            if (row.nanos() == now && !row.equals(rows.get(row.row().id()))) {
                changed++;
            }
        }
        if (changed > 0 || next.size() != rows.size()) {
            rowList = List.copyOf(next.values());
        }
        rows = next;
        return changed;
    }

    private Map<Long, KeptRow> currentRows(long now) {
        Map<Long, ConnectionSnapshot> current = new LinkedHashMap<>();
        for (RecordedServer server : servers) {
            for (ConnectionSnapshot snapshot : server.server.connections()) {
                ConnectionSnapshot renamed = Ages.renamed(snapshot, server.id(snapshot.id()),
                        server.firstLoop + snapshot.loop());
                current.put(renamed.id(), renamed);
            }
        }
        Map<Long, KeptRow> next = new LinkedHashMap<>();
        for (KeptRow before : rows.values()) { // those that were there keep their places
            ConnectionSnapshot snapshot = current.remove(before.row().id());
            if (snapshot != null) {
                next.put(snapshot.id(), before.at(now).now().equals(snapshot) ? before
                        : new KeptRow(Row.of(snapshot, before.row(), now, Long.MAX_VALUE, false), now));
            }
        }
        current.forEach((id, snapshot) -> next.put(id, new KeptRow(Row.of(snapshot, null, now, 0, false), now)));
        return next;
    }

    private final class RecordedServer implements LoopObserver {
        private final String name;
        private final Server server;
        private final int number;
        private final int firstLoop;
        private final List<List<Turn.Event>> events = new ArrayList<>();
        private final int[] counts;
        private Set<Long> knownEnds = new HashSet<>();

        RecordedServer(String name, Server server, int number, int firstLoop) {
            this.name = name;
            this.server = server;
            this.number = number;
            this.firstLoop = firstLoop;
            counts = new int[server.stats().loops().size()];
            for (int i = 0; i < counts.length; i++) {
                events.add(new ArrayList<>());
            }
        }

        int loops() {
            return counts.length;
        }

        boolean hasEvents() {
            return Arrays.stream(counts).anyMatch(count -> count > 0);
        }

        /** Returns a connection's id among those of all servers. */
        long id(long id) {
            return id < 0 ? id : id ^ (long) number << ID_SERVER_SHIFT;
        }

        @Override
        public void event(int loop, LoopEvent event, long connection, long amount) {
            if (counts[loop]++ < Journal.EVENTS_PER_TURN_MAX) {
                events.get(loop).add(new Turn.Event(event, id(connection), amount));
            }
        }

        @Override
        public void turned(int loop, long waitNanos, long workNanos, int done) {
            if (counts[loop] > 0 && !ended) {
                Recording.this.addUnfinished(this, loop);
                addTurn(loop, waitNanos, workNanos, done);
            }
        }

        private void addTurn(int loop, long waitNanos, long workNanos, int done) {
            int count = counts[loop];
            List<Turn.Event> happened = List.copyOf(events.get(loop));
            events.get(loop).clear();
            counts[loop] = 0;
            add(new Turn(firstLoop + loop, keptSteps.total() + 1, elapsed() / 1_000_000, waitNanos, workNanos, done, happened,
                    count),
                    false);
        }

        /** Adds what has happened in unfinished turns of all loops but one. */
        void addUnfinished(int turning) {
            for (int loop = 0; loop < counts.length; loop++) {
                if (loop != turning && counts[loop] > 0) {
                    lines.add("the loop has not finished this turn");
                    addTurn(loop, 0, 0, 0);
                }
            }
        }

        void addNewEnds(List<End> ends, long now) {
            List<ClosedConnection> closed = server.recentlyClosed();
            Set<Long> ids = new HashSet<>();
            for (ClosedConnection end : closed) {
                ids.add(end.id());
                if (!knownEnds.contains(end.id())) {
                    ends.add(new End(new ClosedConnection(id(end.id()), end.remoteAddress(), firstLoop + end.loop(), end.reason(),
                            end.failure(), end.reset(), end.bytesIn(), end.bytesOut(), Duration.ZERO),
                            now - end.sinceClosed().toNanos()));
                }
            }
            knownEnds = ids;
        }
    }

    // ---- what was recorded

    String title() {
        return title;
    }

    String description() {
        return description;
    }

    @Nullable
    String failure() {
        return failure;
    }

    /** Returns the steps that were kept. */
    List<RecordedStep> kept() {
        return steps;
    }

    /** Returns about what the recording takes on the heap. */
    long bytes() {
        return keptSteps.bytes();
    }

    /** Returns how many steps at the beginning are kept. */
    int first() {
        return keptSteps.first();
    }

    /** Returns how many steps after the {@linkplain #first first} ones are left out. */
    long leftOut() {
        return keptSteps.total() - steps.size();
    }

    /** Returns the number of a step that was kept, counted from 1, those that are left out included. */
    long number(int position) {
        return position < first() ? position + 1 : position + 1 + leftOut();
    }

    /** Returns the names of the loops of all servers. */
    List<String> loops() {
        List<String> names = new ArrayList<>();
        for (RecordedServer server : servers) {
            for (int i = 0; i < server.loops(); i++) {
                names.add(server.loops() == 1 ? server.name : server.name + ", loop " + i);
            }
        }
        return names;
    }

    /** Returns the state after a step, by its position among those that were kept. */
    Sample sample(int position) {
        RecordedStep step = steps.get(position);
        List<Row> shown = step.rows().stream().map(kept -> kept.at(step.nanos())).toList();
        Map<Long, Row> byId = LinkedHashMap.newLinkedHashMap(shown.size());
        shown.forEach(row -> byId.put(row.id(), row));
        List<ClosedConnection> closed = new ArrayList<>();
        for (int i = position; i >= 0 && closed.size() < ENDS_SHOWN; i--) {
            List<End> ends = steps.get(i).ends();
            for (End end : ends.subList(0, Math.min(ends.size(), ENDS_SHOWN - closed.size()))) {
                closed.add(Ages.later(end.connection(), step.nanos() - end.nanos()));
            }
        }
        List<ListenerSnapshot> listeners = step.listeners();
        return new Sample(step.nanos(), step.nanos() / 1_000_000, Ages.sum(step.stats()), listeners, shown, byId, closed);
    }

    /** Returns a step and those before, the oldest first. */
    List<RecordedStep> upTo(int position) {
        return steps.subList(Math.max(0, position - TURNS_SHOWN + 1), position + 1);
    }

    /**
     * Returns what has happened to a connection up to a step, as turns without other events, the oldest first: the last {@link
     * #TURNS_OF_CONNECTION_MAX} of them.
     */
    List<Turn> turnsOf(long connection, int position) {
        List<Turn> found = new ArrayList<>();
        for (int i = position; i >= 0 && found.size() < TURNS_OF_CONNECTION_MAX; i--) {
            Turn turn = steps.get(i).turn();
            List<Turn.Event> events = turn.events().stream().filter(event -> event.connection() == connection).toList();
            if (!events.isEmpty()) {
                found.add(new Turn(turn.loop(), turn.number(), turn.millis(), turn.waitNanos(), turn.workNanos(), turn.done(),
                        events,
                        events.size()));
            }
        }
        Collections.reverse(found);
        return found;
    }

    /** Returns the counters of all loops of all servers after a step. */
    List<LoopStats> loopStats(int position) {
        return steps.get(position).stats().stream().flatMap(stats -> stats.loops().stream()).toList();
    }
}
