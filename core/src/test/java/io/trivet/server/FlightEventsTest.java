package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.Network;
import io.trivet.observe.CloseReason;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.ParseException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import jdk.jfr.Configuration;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The events for JDK Flight Recorder, with the settings of docs/trivet.jfc. */
final class FlightEventsTest {
    private static final Path SETTINGS = Path.of(System.getProperty("trivet.root", ".."), "docs", "trivet.jfc");

    @TempDir private Path directory;

    @Test
    void recordingTellsTheLifeOfAConnection() throws Exception {
        try (Stage stage = new Stage(Network.system())) {
            Story story = stage.story((connection, message) -> connection.send(message));
            Server server = stage.open(stage.server(story));
            exchange(stage, server); // before the recording: the classes of the events are loaded
            List<RecordedEvent> events;
            try (Recording recording = new Recording(configuration())) {
                recording.start();
                exchange(stage, server);
                recording.stop();
                events = read(recording);
            }
            RecordedEvent opened = only(events, "ConnectionOpened");
            RecordedEvent closed = only(events, "ConnectionClosed");
            assertThat(opened.getLong("connection")).isEqualTo(closed.getLong("connection"))
                    .isEqualTo(story.connection(1).id());
            assertThat(opened.getString("remoteAddress")).isEqualTo(closed.getString("remoteAddress")).startsWith("127.0.0.1:");
            assertThat(closed.getString("reason")).isEqualTo(CloseReason.PEER_FINISHED.name());
            assertThat(closed.getBoolean("reset")).isFalse();
            assertThat(closed.getLong("bytesIn")).isEqualTo(5);
            assertThat(closed.getLong("bytesOut")).isEqualTo(5);
        }
    }

    @Test
    void recordingTellsAStallAndASlowHandler() throws Exception {
        List<RecordedEvent> events;
        try (Recording recording = new Recording(configuration())) {
            recording.enable("io.trivet.LoopStall").withThreshold(Duration.ofNanos(1));
            recording.start();
            try (Stage stage = new Stage(Network.system())) {
                Server server = stage.open(stage.server(stage.story((connection, message) -> connection.send(message))));
                exchange(stage, server);
            }
            FlightEvents.slowHandler("trivet-loop-0", 1_000_000, Thread.currentThread().getStackTrace());
            FlightEvents.queueHigh(7, 65_536);
            FlightEvents.dropped(7, 2, 300);
            FlightEvents.acceptFailed(new IOException("EMFILE"));
            recording.stop();
            events = read(recording);
        }
        assertThat(named(events, "LoopStall")).isNotEmpty().allMatch(event -> event.getInt("loop") == 0);
        assertThat(only(events, "SlowHandler").getString("stack")).contains("FlightEventsTest");
        assertThat(only(events, "QueueHigh").getLong("bytes")).isEqualTo(65_536);
        assertThat(only(events, "MessagesDropped").getInt("messages")).isEqualTo(2);
        assertThat(only(events, "AcceptRefused").getString("cause")).isEqualTo("EMFILE");
    }

    @Test
    void nothingIsRecordedUnlessTheSettingsAskForIt() throws Exception {
        try (Stage stage = new Stage(Network.system()); Recording recording = new Recording()) {
            recording.start();
            assertThat(FlightEvents.recordsStalls()).isFalse();
            Server server = stage.open(stage.server(stage.story((connection, message) -> connection.send(message))));
            exchange(stage, server);
            recording.stop();
            assertThat(read(recording)).noneMatch(event -> event.getEventType().getName().startsWith("io.trivet."));
        }
    }

    @Test
    void settingsEnableEveryEvent() throws Exception {
        String source = Files.readString(
                Path.of(System.getProperty("trivet.root", ".."), "core/src/main/java/io/trivet/server/FlightEvents.java"));
        Set<String> declared = java.util.regex.Pattern.compile("@Name\\(\"([^\"]+)\"\\)").matcher(source).results()
                .map(match -> match.group(1) + "#enabled").collect(Collectors.toCollection(TreeSet::new));
        Set<String> enabled = configuration().getSettings().entrySet().stream()
                .filter(entry -> entry.getKey().startsWith("io.trivet.") && entry.getKey().endsWith("#enabled")
                        && entry.getValue().equals("true"))
                .map(java.util.Map.Entry::getKey).collect(Collectors.toCollection(TreeSet::new));
        assertThat(enabled).isEqualTo(declared).isNotEmpty();
    }

    private static Configuration configuration() throws IOException, ParseException {
        return Configuration.create(new StringReader(Files.readString(SETTINGS)));
    }

    private static void exchange(Stage stage, Server server) throws IOException {
        Client client = stage.client(server);
        client.send("hello");
        client.expect("hello");
        client.close();
        stage.until("closed", () -> server.connections().isEmpty());
    }

    private List<RecordedEvent> read(Recording recording) throws IOException {
        Path file = directory.resolve("recording.jfr");
        recording.dump(file);
        return RecordingFile.readAllEvents(file);
    }

    private static RecordedEvent only(List<RecordedEvent> events, String name) {
        List<RecordedEvent> found = named(events, name);
        assertThat(found).as(name).hasSize(1);
        return found.getFirst();
    }

    private static List<RecordedEvent> named(List<RecordedEvent> events, String name) {
        return events.stream().filter(event -> event.getEventType().getName().equals("io.trivet." + name)).toList();
    }
}
