package io.trivet.view;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The panels that the program has added to a view. Any thread. */
final class Panels {
    private static final System.Logger LOG = System.getLogger("io.trivet.view");
    /** The most panels: the keys 5 to 9 open them. */
    static final int MAX = 5;
    /** The names of the page's own tabs, and the first words of the names of the server's own metrics. */
    static final Set<String> RESERVED = Set.of("lists", "clients", "server", "tour", "accept", "connections", "listener", "loop",
            "messages", "native", "queue", "received", "sent", "sockets");

    /** Where a panel comes from. */
    record Source(String name, Panel.Text title, Supplier<Panel> supplier, AtomicBoolean isReported) {
        Source(String name, Panel.Text title, Supplier<Panel> supplier) {
            this(name, title, supplier, new AtomicBoolean());
        }
    }

    /** A panel of this moment. */
    record Shown(String name, Panel.Text title, Panel panel) {}

    private final List<Source> sources;

    Panels(List<Source> sources) {
        this.sources = List.copyOf(sources);
    }

    /** Asks for all panels. In place of one whose source fails, there is one that says so. */
    List<Shown> read() {
        return sources.stream().map(source -> new Shown(source.name, source.title, read(source))).toList();
    }

    private static Panel read(Source source) {
        try {
            return Objects.requireNonNull(source.supplier.get(), "the panel");
        } catch (RuntimeException e) {
            if (source.isReported.compareAndSet(false, true)) {
                LOG.log(System.Logger.Level.WARNING, "the panel " + source.name + " of the view cannot be shown", e);
            }
            return new Panel(Panel.Text.NONE,
                    new Panel.Text("This part of the program cannot be shown: " + e, "程序的这一部分无法显示：" + e), List.of(), List.of(),
                    List.of());
        }
    }

    // ---- as JSON

    /** Writes all panels as an array. */
    void write(Json json) {
        json.beginArray();
        for (Shown shown : read()) {
            Panel panel = shown.panel;
            json.beginObject().name("name").string(shown.name);
            text(json.name("title"), shown.title);
            text(json.name("lead"), panel.lead());
            text(json.name("problem"), panel.problem());
            values(json.name("summary"), panel.summary());
            json.name("tables").beginArray();
            panel.tables().forEach(table -> table(json, table));
            values(json.endArray().name("details"), panel.details());
            json.endObject();
        }
        json.endArray();
    }

    private static void values(Json json, List<Panel.Value> values) {
        json.beginArray();
        for (Panel.Value value : values) {
            json.beginObject().name("name").string(value.name());
            text(json.name("label"), value.label());
            text(json.name("note"), value.note());
            unit(json, value.unit());
            json.name("counter").bool(value.isCounter()).name("number").number(value.number()).name("max").number(value.max());
            text(json.name("text"), value.text());
            json.name("marked").bool(value.isMarked()).endObject();
        }
        json.endArray();
    }

    private static void table(Json json, Panel.Table table) {
        json.beginObject().name("name").string(table.name());
        text(json.name("title"), table.title());
        text(json.name("note"), table.note());
        text(json.name("empty"), table.empty());
        json.name("columns").beginArray();
        for (Panel.Column column : table.columns()) {
            json.beginObject().name("name").string(column.name());
            text(json.name("label"), column.label());
            unit(json, column.unit());
            json.endObject();
        }
        json.endArray().name("rows").beginArray();
        for (Panel.Row row : table.rows()) {
            json.beginObject().name("marked").bool(row.isMarked()).name("cells").beginArray();
            for (Panel.Cell cell : row.cells()) {
                if (cell.text() == null) {
                    json.number(cell.number());
                } else {
                    text(json, cell.text());
                }
            }
            json.endArray().endObject();
        }
        json.endArray().name("leftOut").number(table.leftOut()).endObject();
    }

    private static void unit(Json json, Panel.Unit unit) {
        json.name("unit").string(unit.name().toLowerCase(Locale.ROOT));
    }

    /** Writes a text: a string if it is the same in both languages, and otherwise an object with both. */
    private static void text(Json json, Panel.@Nullable Text text) {
        if (text == null) {
            json.nothing();
        } else if (text.en().equals(text.zh())) {
            json.string(text.en());
        } else {
            json.beginObject().name("en").string(text.en()).name("zh").string(text.zh()).endObject();
        }
    }
}
