package io.trivet.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.trivet.observe.CloseReason;
import io.trivet.observe.LoopEvent;
import io.trivet.observe.ReadState;
import io.trivet.server.Framing;
import io.trivet.server.Server;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimClient;
import io.trivet.sim.SimNetwork;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.ObjIntConsumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What a recording keeps of a run, and what its address gives to readers. */
final class ReplayTest {
    private static final InetSocketAddress ANY = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    @Test
    void stepsHaveTheStateAfterThem() throws IOException {
        Recording recording = new RecordedRun(7, true, false, 5).recording();
        List<RecordedStep> steps = recording.kept();
        assertThat(recording.leftOut()).isZero();
        assertThat(steps).isSortedAccordingTo((one, other) -> Long.compare(one.nanos(), other.nanos()));
        int open = 0;
        boolean anyFull = false;
        boolean anyPaused = false;
        for (int i = 0; i < steps.size(); i++) {
            Turn turn = steps.get(i).turn();
            Sample sample = recording.sample(i);
            open += (int) (count(turn, LoopEvent.OPENED) - count(turn, LoopEvent.CLOSED));
            assertThat(sample.rows()).as("step %d: %s", i + 1, turn).hasSize(open);
            assertThat(sample.stats().total().connections()).isEqualTo(open);
            assertThat(recording.number(i)).isEqualTo(i + 1);
            assertThat(turn.number()).isEqualTo(i + 1);
            anyFull |= sample.rows().stream().anyMatch(row -> row.now().writable() && row.now().queueBytes() > 0);
            anyPaused |= sample.rows().stream().anyMatch(row -> row.now().readState() == ReadState.PAUSED_BY_QUEUE);
            for (Turn.Event event : turn.events()) {
                if (event.kind() == LoopEvent.RECEIVED && count(turn, LoopEvent.CLOSED) == 0) {
                    assertThat(sample.byId().get(event.connection()).now().bytesIn()).isGreaterThanOrEqualTo(event.amount());
                }
            }
        }
        assertThat(anyFull).isTrue();
        assertThat(anyPaused).isTrue();
        assertThat(open).isZero();
        Sample last = recording.sample(steps.size() - 1);
        assertThat(last.closed()).hasSize(4)
                .isSortedAccordingTo((one, other) -> one.sinceClosed().compareTo(other.sinceClosed()));
        assertThat(last.closed()).anyMatch(end -> end.reason() == CloseReason.RESET)
                .anyMatch(end -> end.reason() == CloseReason.PEER_FINISHED);
        assertThat(steps.getLast().isLast()).isTrue();
        assertThat(steps.stream().anyMatch(step -> (step.marks() & 8) != 0)).as("a fault").isTrue();
    }

    private static long count(Turn turn, LoopEvent kind) {
        return turn.events().stream().filter(event -> event.kind() == kind).count();
    }

    @Test
    void recordedRunIsTheSameAsOneThatIsNot() throws IOException {
        for (long seed = 1; seed <= 20; seed++) {
            assertThat(new RecordedRun(seed, true, true, 5).trace).as("seed " + seed)
                    .isEqualTo(new RecordedRun(seed, false, true, 5).trace);
        }
    }

    @Test
    void connectionTakesMemoryOnlyWhereItHasChanged() throws IOException {
        Recording recording = new RecordedRun(7, true, false, 50).recording();
        List<RecordedStep> steps = recording.kept();
        int unchanged = 0;
        for (int i = 1; i < steps.size(); i++) {
            long nanos = steps.get(i).nanos();
            List<Recording.KeptRow> before = steps.get(i - 1).rows();
            List<Recording.KeptRow> rows = steps.get(i).rows();
            for (Recording.KeptRow row : rows) {
                for (Recording.KeptRow old : before) {
                    if (old.at(nanos).now().equals(row.at(nanos).now())) {
                        assertThat(row).as("a connection that has not changed in step %d", i + 1).isSameAs(old);
                        unchanged++;
                    }
                }
            }
            if (rows.equals(before)) {
                assertThat(rows).as("the list of step %d", i + 1).isSameAs(before);
            }
        }
        assertThat(unchanged).isPositive();
        List<RecordedStep> talk = talk(KeptSteps.BYTES_MAX, 3, 3, (_, _) -> {}).kept();
        assertThat(talk.getLast().rows()).as("only a task has run in the last step").hasSize(1)
                .isSameAs(talk.get(talk.size() - 2).rows());
        int waiting = IntStream.range(1, steps.size()).filter(i -> steps.get(i).rows().stream()
                .anyMatch(kept -> steps.get(i - 1).rows().contains(kept) && kept.row().now().queueBytes() > 0)).findFirst()
                .orElseThrow();
        Recording.KeptRow same = steps.get(waiting).rows().stream()
                .filter(kept -> steps.get(waiting - 1).rows().contains(kept)).findFirst().orElseThrow();
        long later = steps.get(waiting).nanos() - steps.get(waiting - 1).nanos();
        assertThat(same.at(steps.get(waiting).nanos()).now().sinceActivity())
                .isEqualTo(same.at(steps.get(waiting - 1).nanos()).now().sinceActivity().plusNanos(later));
    }

    @Test
    void ofALongRunTheBeginningAndTheEndAreKept() throws IOException {
        Recording recording = new RecordedRun(7, true, false, 4000).recording();
        int kept = KeptSteps.FIRST_MAX + KeptSteps.LAST_MAX;
        assertThat(recording.steps()).isGreaterThan(kept);
        assertThat(recording.kept()).hasSize(kept);
        assertThat(recording.leftOut()).isEqualTo(recording.steps() - kept);
        assertThat(recording.number(kept - 1)).isEqualTo(recording.steps());
        assertThat(recording.kept().getLast().turn().number()).isEqualTo(recording.steps());
        try (Replay replay = Replay.start(recording, ANY)) {
            JsonObject about = json(replay, "/api/hello").getAsJsonObject("replay");
            assertThat(about.get("leftOut").getAsLong()).isEqualTo(recording.leftOut());
            assertThat(about.getAsJsonArray("nanos")).hasSize(kept);
            RawHttp.Answer missing = get(replay, "/api/step?step=501");
            assertThat(missing.status()).isEqualTo(400);
            assertThat(missing.body()).contains(recording.leftOut() + " after 500", "left out");
            long next = KeptSteps.FIRST_MAX + recording.leftOut() + 1;
            assertThat(json(replay, "/api/step?step=" + next).get("step").getAsLong()).isEqualTo(next);
        }
    }

    @Test
    void stepInWhichTheRunFailsIsMarked() throws IOException {
        Recording recording = new RecordedRun(7, true, true, 5).recording();
        try (Replay replay = Replay.start(recording, ANY)) {
            JsonObject hello = json(replay, "/api/hello");
            JsonObject about = hello.getAsJsonObject("replay");
            assertThat(hello.get("control").getAsBoolean()).isFalse();
            assertThat(about.get("failure").getAsString()).isEqualTo(RecordedRun.FAILURE);
            JsonArray marks = about.getAsJsonArray("marks");
            List<Integer> failed = IntStream.range(0, marks.size()).filter(i -> (marks.get(i).getAsInt() & 16) != 0).boxed()
                    .toList();
            assertThat(failed).hasSize(1);
            JsonObject step = json(replay, "/api/step?step=" + (failed.getFirst() + 1));
            JsonObject turn = step.getAsJsonArray("turns").get(step.getAsJsonArray("turns").size() - 1).getAsJsonObject();
            assertThat(turn.get("failed").getAsBoolean()).isTrue();
            assertThat(turn.get("number").getAsInt()).isEqualTo(failed.getFirst() + 1);
            assertThat(turn.getAsJsonArray("events").toString()).contains("DELIVERED");
        }
    }

    /** Records a server that echoes the messages of one client. The recorder may add to the recording whenever a message arrives. */
    private static Recording talk(long bytesMax, int messages, ObjIntConsumer<Recording> onMessage) throws IOException {
        return talk(bytesMax, messages, 0, onMessage);
    }

    private static Recording talk(long bytesMax, int messages, int idleSteps, ObjIntConsumer<Recording> onMessage)
            throws IOException {
        SimNetwork network = SimNetwork.of(7, FaultPlan.none());
        Recording recording = new Recording("a talk", network.clock(), bytesMax);
        AtomicInteger received = new AtomicInteger();
        try (Server server = Server.builder().network(network)
                .listen(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 8080))
                .framing(Framing.lines()).onMessage((connection, message) -> {
                    onMessage.accept(recording, received.incrementAndGet());
                    connection.send(message);
                }).open()) {
            recording.add("echo", server);
            SimClient client = SimClient.connect(network.host(InetAddress.ofLiteral("10.0.0.1")), server.address(), "ann");
            for (int i = 0; i < messages; i++) {
                client.send("hello\n").await("hello\n");
            }
            try {
                network.runUntil(client::isDone, Duration.ofHours(1));
            } catch (AssertionError e) {
                recording.fail("crashed: " + e.getMessage());
            }
            for (int i = 0; i < idleSteps; i++) {
                server.execute(() -> {});
                network.run(Duration.ofSeconds(1));
            }
            recording.end();
        }
        return recording;
    }

    private static List<Integer> failed(Recording recording) {
        return IntStream.range(0, recording.kept().size()).filter(i -> recording.kept().get(i).failed()).boxed().toList();
    }

    @Test
    void stepThatFailsHasTheEventsOfATurnThatAnErrorHasCut() throws IOException {
        Recording recording = talk(KeptSteps.BYTES_MAX, 5, (_, count) -> {
            if (count == 3) {
                throw new AssertionError("the third");
            }
        });
        assertThat(failed(recording)).containsExactly(recording.kept().size() - 2);
        RecordedStep step = recording.kept().get(recording.kept().size() - 2);
        assertThat(step.turn().loop()).isZero();
        assertThat(count(step.turn(), LoopEvent.RECEIVED)).isPositive();
        assertThat(step.lines()).contains("the loop has not finished this turn");
        assertThat(recording.failure()).isEqualTo("crashed: the third");
    }

    @Test
    void stepThatFailsIsKeptWithItsNeighboursHoweverLongTheRun() throws IOException {
        for (long bytesMax : new long[]{KeptSteps.BYTES_MAX, 2 << 20}) {
            Recording recording = talk(bytesMax, 6000, (made, count) -> {
                if (count == 700) {
                    made.fail("the 700th");
                }
            });
            int position = failed(recording).getFirst();
            List<RecordedStep> steps = recording.kept();
            assertThat(failed(recording)).hasSize(1);
            assertThat(count(steps.get(position).turn(), LoopEvent.DELIVERED)).isPositive();
            assertThat(recording.number(position)).isEqualTo(steps.get(position).turn().number());
            assertThat(steps.get(position - 100).turn().number()).as("before").isEqualTo(recording.number(position) - 100);
            assertThat(steps.get(position + 100).turn().number()).as("after").isEqualTo(recording.number(position) + 100);
            assertThat(steps.size() - position).isLessThanOrEqualTo(Recording.STEPS_AFTER_FAILURE_MAX + 2);
            assertThat(steps.getLast().lines().getLast()).contains("steps are missing", "after its failure");
        }
    }

    @Test
    void failureAfterTheEndMarksTheLastStep() throws IOException {
        Recording recording = talk(KeptSteps.BYTES_MAX, 3, (_, _) -> {});
        assertThat(failed(recording)).isEmpty();
        recording.fail("found by the checks after the run");
        assertThat(failed(recording)).containsExactly(recording.kept().size() - 1);
        recording.fail("another one");
        assertThat(recording.failure()).isEqualTo("found by the checks after the run");
    }

    @Test
    void memoryOfALongRunIsBounded() throws IOException {
        long bytesMax = 400_000;
        Recording recording = talk(bytesMax, 1000, (made, _) -> made.log("a line ".repeat(20)));
        assertThat(recording.bytes()).isLessThanOrEqualTo(bytesMax).isGreaterThan(bytesMax / 2);
        int first = recording.first();
        assertThat(first).isBetween(10, KeptSteps.FIRST_MAX - 1);
        assertThat(recording.leftOut()).isPositive().isEqualTo(recording.steps() - recording.kept().size());
        assertThat(recording.kept().get(first - 1).turn().number()).isEqualTo(first);
        assertThat(recording.kept().get(first).turn().number()).isEqualTo(recording.leftOut() + first + 1)
                .isEqualTo(recording.number(first));
        assertThat(recording.turnsOf(recording.kept().getLast().rows().getFirst().row().id(), recording.kept().size() - 1).size())
                .isBetween(2, Recording.TURNS_OF_CONNECTION_MAX);
        try (Replay replay = Replay.start(recording, ANY)) {
            JsonObject about = json(replay, "/api/hello").getAsJsonObject("replay");
            assertThat(about.get("leftOutAfter").getAsInt()).isEqualTo(first);
            assertThat(get(replay, "/api/step?step=" + (first + 1)).status()).isEqualTo(400);
            long next = first + recording.leftOut() + 1;
            assertThat(json(replay, "/api/step?step=" + next).get("step").getAsLong()).isEqualTo(next);
        }
    }

    @Test
    void lastTurnsOfAConnectionAreShown() throws IOException {
        Recording recording = talk(KeptSteps.BYTES_MAX, 600, (_, _) -> {});
        int position = recording.kept().size() - 1;
        long id = recording.kept().getLast().rows().getFirst().row().id();
        List<Turn> turns = recording.turnsOf(id, position);
        assertThat(turns).hasSize(Recording.TURNS_OF_CONNECTION_MAX)
                .isSortedAccordingTo((one, other) -> Long.compare(one.number(), other.number()));
        long newest = recording.kept().stream().map(RecordedStep::turn)
                .filter(turn -> turn.events().stream().anyMatch(event -> event.connection() == id)).mapToLong(Turn::number).max()
                .orElseThrow();
        assertThat(turns.getLast().number()).isEqualTo(newest);
    }

    @Test
    void stepHasTheFormOfALiveState() throws IOException {
        Recording recording = new RecordedRun(7, true, false, 5).recording();
        try (Replay replay = Replay.start(recording, ANY)) {
            int middle = recording.kept().size() / 2;
            JsonObject step = json(replay, "/api/step?step=" + middle);
            List<String> missing = List.of("time", "engine", "control", "pause", "loops", "totals", "memory", "lists", "closed",
                    "turns").stream().filter(name -> !step.has(name)).toList();
            assertThat(missing).isEmpty();
            Sample sample = recording.sample(middle - 1);
            assertThat(step.getAsJsonObject("lists").getAsJsonObject("readable").get("count").getAsLong())
                    .isEqualTo(1 + sample.rows().stream().filter(row -> row.now().readable()).count());
            JsonObject clients = json(replay, "/api/clients?sort=in&order=desc&step=" + middle);
            assertThat(clients.get("total").getAsInt()).isEqualTo(sample.rows().size());
            String id = clients.getAsJsonArray("rows").get(0).getAsJsonObject().get("id").getAsString();
            JsonObject client = json(replay, "/api/client?id=" + id + "&step=" + middle);
            assertThat(client.getAsJsonObject("now").get("id").getAsString()).isEqualTo(id);
            assertThat(client.getAsJsonArray("turns").toString()).contains("OPENED").contains("RECEIVED");
        }
    }

    @Test
    void readersNeedTheTokenAndChangeNothing() throws IOException {
        Recording recording = new RecordedRun(7, true, false, 1).recording();
        try (Replay replay = Replay.start(recording, ANY)) {
            String host = "Host: 127.0.0.1:" + replay.address().getPort() + "\r\n";
            assertThat(RawHttp.send(replay.address(), "GET /api/step?step=1", host).status()).isEqualTo(401);
            assertThat(RawHttp.send(replay.address(), "GET /api/step?step=1", "Host: evil.example\r\n").status()).isEqualTo(403);
            assertThat(RawHttp.send(replay.address(), "POST /api/pause", host + "Origin: http://127.0.0.1:"
                    + replay.address().getPort() + "\r\nContent-Length: 0\r\nAuthorization: Bearer " + token(replay) + "\r\n")
                    .status()).isEqualTo(403);
            assertThat(get(replay, "/api/step?step=x").status()).isEqualTo(400);
            assertThat(get(replay, "/api/step?step=0").status()).isEqualTo(400);
            assertThat(get(replay, "/api/events").status()).isEqualTo(404);
            assertThat(get(replay, "/metrics").status()).isEqualTo(404);
        }
    }

    @Test
    void recordingMustHaveEnded() {
        assertThatThrownBy(() -> Replay.start(new Recording("empty", System::nanoTime), ANY))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("not ended");
    }

    private static String token(Replay replay) {
        return replay.url().getQuery().substring("token=".length());
    }

    private static RawHttp.Answer get(Replay replay, String path) throws IOException {
        return RawHttp.send(replay.address(), "GET " + path, "Host: 127.0.0.1:" + replay.address().getPort()
                + "\r\nAuthorization: Bearer " + token(replay) + "\r\n");
    }

    private static JsonObject json(Replay replay, String path) throws IOException {
        RawHttp.Answer answer = get(replay, path);
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        return JsonParser.parseString(answer.body()).getAsJsonObject();
    }
}
