package io.trivet.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.trivet.server.Server;
import io.trivet.view.Panel.Cell;
import io.trivet.view.Panel.Column;
import io.trivet.view.Panel.Row;
import io.trivet.view.Panel.Table;
import io.trivet.view.Panel.Text;
import io.trivet.view.Panel.Unit;
import io.trivet.view.Panel.Value;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Panels that a program adds to a view. */
final class PanelTest {
    /** What a peer might send as a name: markup, the end of a line of metrics, a control sequence, half a character, right to left. */
    private static final String HOSTILE = "<img src=x onerror=window.hit=1>\"\\}\n# EOF\n\u001b[2J\ud800\u202e&amp;";

    private Server server;

    @BeforeEach
    void start() throws IOException {
        server = Server.builder().listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)).onMessage((_, _) -> {})
                .start();
    }

    @AfterEach
    void close() {
        server.close();
    }

    /** Returns a panel with each kind of value, and a table with that number of rows. */
    static Panel panel(int rows) {
        Text hostile = Text.of(HOSTILE);
        return new Panel(new Text("It carries messages.", "它传送消息。"), hostile, List.of(
                Value.gauge("connected", Text.of("state"), Unit.COUNT, 1).withText(new Text("connected", "已连接")),
                Value.gauge("queued", hostile, Unit.BYTES, 2048).withMax(4096).withMark(true),
                Value.gauge("since", Text.of("since"), Unit.SECONDS, 1.5)),
                List.of(new Table("topics", Text.of("Topics"), Text.NONE, Text.of("none"),
                        List.of(new Column("topic", Text.of("topic"), Unit.COUNT),
                                new Column("lag", Text.of("lag"), Unit.SECONDS)),
                        IntStream.range(0, rows)
                                .mapToObj(i -> new Row(List.of(Cell.of(HOSTILE + i), Cell.of(i == 0 ? Double.NaN : i)), i == 1))
                                .toList(),
                        1)),
                List.of(Value.counter("sent", Text.of("sent messages"), Unit.COUNT, 12).withNote(hostile),
                        Value.counter("copied", Text.of("copied bytes"), Unit.BYTES, 1L << 40),
                        Value.counter("wrong", Text.of("less than nothing"), Unit.COUNT, -1),
                        Value.gauge("unknown", Text.of("not known"), Unit.COUNT, Double.NaN),
                        Value.text("version", Text.of("version"), hostile)));
    }

    private static JsonObject panel(JsonObject state) {
        return state.getAsJsonArray("panels").get(0).getAsJsonObject();
    }

    @Test
    void stateHasThePanelAndFollowsTheSchema() throws Exception {
        try (View view = View.of(server).panel("relay", new Text("Relay", "中继"), () -> panel(3)).start()) {
            String text = RawHttp.get(view, "/api/state").body();
            assertThat(SchemaCheck.violations(text)).isEmpty();
            assertThat(text).doesNotContain("<", ">", "&", "\n", "\u001b");
            JsonObject panel = panel(JsonParser.parseString(text).getAsJsonObject());
            assertThat(panel.get("name").getAsString()).isEqualTo("relay");
            assertThat(panel.get("title").toString()).isEqualTo("{\"en\":\"Relay\",\"zh\":\"中继\"}");
            assertThat(panel.get("problem").getAsString()).isEqualTo(HOSTILE);
            List<JsonElement> summary = panel.getAsJsonArray("summary").asList();
            assertThat(summary.get(0).getAsJsonObject().get("number").getAsInt()).isOne();
            assertThat(summary.get(1).getAsJsonObject().get("max").getAsInt()).isEqualTo(4096);
            assertThat(summary.get(1).getAsJsonObject().get("marked").getAsBoolean()).isTrue();
            JsonObject table = panel.getAsJsonArray("tables").get(0).getAsJsonObject();
            assertThat(table.getAsJsonArray("rows").get(0).getAsJsonObject().getAsJsonArray("cells").get(0).getAsString())
                    .isEqualTo(HOSTILE + 0);
            assertThat(table.getAsJsonArray("rows").get(0).getAsJsonObject().getAsJsonArray("cells").get(1).isJsonNull())
                    .isTrue();
            assertThat(table.get("leftOut").getAsInt()).isOne();
            for (String path : List.of("/api/hello", "/api/tick")) { // a tick has it with the point of each second
                JsonObject other = JsonParser.parseString(RawHttp.get(view, path).body()).getAsJsonObject();
                assertThat((path.equals("/api/tick") && !other.has("point")) || panel(other).equals(panel)).as(path).isTrue();
            }
        }
    }

    @Test
    void aLongTableIsCutAndSaysSo() throws Exception {
        try (View view = View.of(server).panel("relay", Text.of("Relay"), () -> panel(1_000)).start()) {
            String text = RawHttp.get(view, "/api/state").body();
            assertThat(SchemaCheck.violations(text)).isEmpty();
            JsonObject table = panel(JsonParser.parseString(text).getAsJsonObject()).getAsJsonArray("tables").get(0)
                    .getAsJsonObject();
            assertThat(table.getAsJsonArray("rows")).hasSize(Panel.ROWS_MAX);
            assertThat(table.get("leftOut").getAsInt()).isEqualTo(901);
        }
        assertThat(Text.of("x".repeat(5000)).en()).hasSize(1001).endsWith("…");
    }

    @Test
    void metricsHaveItsNumbers() throws Exception {
        try (View view = View.of(server).panel("relay", Text.of("Relay"), () -> panel(3)).start()) {
            String open = RawHttp
                    .send(view.address(), "GET /metrics", RawHttp.host(view) + "Authorization: Bearer " + view.token()
                            + "\r\nAccept: application/openmetrics-text\r\n")
                    .body();
            assertThat(open).endsWith("# EOF\n").contains("# TYPE trivet_relay_connected gauge\n", "trivet_relay_connected 1.0\n",
                    "trivet_relay_queued_bytes 2048.0\n", "trivet_relay_since_seconds 1.5\n", "trivet_relay_sent_total 12.0\n",
                    "# HELP trivet_relay_sent Relay: sent messages\n", "# UNIT trivet_relay_copied_bytes bytes\n")
                    .doesNotContain("unknown", "wrong", "version", "lag", "\n# EOF\n\u001b");
            assertThat(open.split("# EOF\n", -1)).hasSize(2);
            Path promtool = Path.of("/usr/bin/promtool");
            assumeTrue(Files.isExecutable(promtool), "promtool is not installed: apt-get install prometheus");
            Process check = new ProcessBuilder(promtool.toString(), "check", "metrics").redirectErrorStream(true).start();
            try (var in = check.outputWriter(StandardCharsets.UTF_8)) {
                in.write(RawHttp.get(view, "/metrics").body());
            }
            String problems = new String(check.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(check.waitFor()).as(problems).isZero();
            assertThat(problems).isEmpty();
        }
    }

    @Test
    void aSourceThatFailsIsShownAndHarmsNothingElse() throws Exception {
        try (View view = View.of(server).panel("bad", Text.of("Bad"), () -> {
            throw new IllegalStateException(HOSTILE);
        }).panel("relay", Text.of("Relay"), () -> panel(1)).start()) {
            String text = RawHttp.get(view, "/api/state").body();
            assertThat(SchemaCheck.violations(text)).isEmpty();
            JsonObject state = JsonParser.parseString(text).getAsJsonObject();
            assertThat(panel(state).getAsJsonObject("problem").get("en").getAsString())
                    .isEqualTo("This part of the program cannot be shown: java.lang.IllegalStateException: " + HOSTILE);
            assertThat(state.getAsJsonArray("panels")).hasSize(2);
            assertThat(RawHttp.get(view, "/metrics").body()).contains("trivet_relay_sent_total 12.0")
                    .doesNotContain("trivet_bad");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Relay", "a_b", "9", "a-b", "clients", "connections", "x234567890123456789012345"})
    void aNameThatCannotBeIsRefused(String name) {
        assertThatThrownBy(() -> View.of(server).panel(name, Text.of("Title"), () -> panel(1)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("'" + name + "'");
    }

    @Test
    void panelsAreFewAndHaveNamesOfTheirOwn() {
        View.Builder builder = View.of(server);
        for (String name : List.of("a", "b", "c", "d", "e")) {
            builder.panel(name, Text.of(name), () -> panel(1));
        }
        assertThatThrownBy(() -> builder.panel("e", Text.of("e"), () -> panel(1))).hasMessageContaining("of its own");
        assertThatThrownBy(() -> builder.panel("f", Text.of("f"), () -> panel(1))).hasMessageContaining("at most 5");
    }

    /** No panel can have a metric of the server, so no name occurs twice. */
    @Test
    void metricsOfTheServerHaveReservedNames() throws Exception {
        try (View view = View.of(server).start()) {
            assertThat(RawHttp.get(view, "/metrics").body().lines().filter(line -> line.startsWith("# TYPE ")).toList())
                    .hasSizeGreaterThan(15)
                    .allMatch(line -> Panels.RESERVED.contains(line.replaceFirst("# TYPE trivet_([a-z]+).*", "$1")));
        }
    }

    @Test
    void valuesThatCannotBeShownAreRefused() {
        for (String name : List.of("", "Sent", "sent_total", "sent_bytes", "a b", "x".repeat(42))) {
            assertThatThrownBy(() -> Value.text(name, Text.NONE, Text.NONE)).isInstanceOf(IllegalArgumentException.class);
        }
        Value value = Value.text("twice", Text.NONE, Text.NONE);
        assertThatThrownBy(() -> new Panel(Text.NONE, Text.NONE, List.of(value), List.of(), List.of(value)))
                .hasMessageContaining("two values have the name twice");
        assertThatThrownBy(() -> new Table("rows", Text.NONE, Text.NONE, Text.NONE, List.of(),
                List.of(new Row(List.of(Cell.of(1)), false)), 0)).hasMessageContaining("each row of rows needs 0 cells");
    }
}
