package io.trivet.view;

import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a view shows of a part of the program besides the server, such as a relay or a cache, at one moment. The page has a tab for it, {@code
 * /api/state} and {@code trivet top} have it, and {@code /metrics} has its gauges and counters.
 *
 * {@snippet :
 * View view = View.of(server).panel("cache", Panel.Text.of("Cache"), () -> new Panel(
 *         Panel.Text.of("Prices, for a minute."), Panel.Text.NONE,
 *         List.of(Panel.Value.gauge("entries", Panel.Text.of("entries"), Panel.Unit.COUNT, cache.size())),
 *         List.of(), List.of())).start();
 * }
 *
 * <p>All texts are shown as text, so they may be what a peer has sent.
 *
 * @param lead what the panel is about, in a few sentences
 * @param problem what is wrong now, in a sentence; {@link Text#NONE} if nothing is
 * @param summary the most important values, at most 10, shown first
 * @param tables tables, at most 8
 * @param details further values, at most 100, each with its note
 */
public record Panel(Text lead, Text problem, List<Value> summary, List<Table> tables, List<Value> details) {
    /** The most rows of a table that are shown. */
    public static final int ROWS_MAX = 100;
    private static final int SUMMARY_MAX = 10;
    private static final int TABLES_MAX = 8;
    private static final int DETAILS_MAX = 100;
    private static final int COLUMNS_MAX = 12;
    private static final int TEXT_LENGTH_MAX = 1000;
    /** Also the names of metrics, which must not end with what the format adds. */
    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9_]{0,40}(?<!_(total|created|bucket|info|bytes|seconds))");

    /**
     * Creates a panel.
     *
     * @throws IllegalArgumentException there are too many parts, or two values have one name
     */
    public Panel {
        Objects.requireNonNull(lead, "lead");
        Objects.requireNonNull(problem, "problem");
        summary = copy("summary", summary, SUMMARY_MAX);
        tables = copy("tables", tables, TABLES_MAX);
        details = copy("details", details, DETAILS_MAX);
        Set<String> names = new HashSet<>();
        for (List<Value> values : List.of(summary, details)) {
            for (Value value : values) {
                require(names.add(value.name), "two values have the name " + value.name);
            }
        }
    }

    private static <T> List<T> copy(String what, List<T> parts, int max) {
        require(parts.size() <= max, "at most " + max + " " + what + ", not " + parts.size());
        return List.copyOf(parts);
    }

    private static void require(boolean condition, String rule) {
        if (!condition) {
            throw new IllegalArgumentException(rule);
        }
    }

    private static String checkName(String name) {
        require(NAME.matcher(name).matches(),
                "a name has up to 41 letters from a to z, digits and _, and no ending of a unit or type, such as _bytes or _total: "
                        + name);
        return name;
    }

    /** What a number counts. */
    public enum Unit {
        /** Things: a number without a unit. */
        COUNT,
        /** Bytes. */
        BYTES,
        /** Seconds. */
        SECONDS
    }

    /**
     * A text in the languages of the page. Of a text that is longer than 1,000 characters, the rest is cut off.
     *
     * @param en in English
     * @param zh in Chinese
     */
    public record Text(String en, String zh) {
        /** An empty text. */
        public static final Text NONE = new Text("", "");

        /** Cuts off what is too long. */
        public Text {
            en = cut(en);
            zh = cut(zh);
        }

        private static String cut(String text) {
            return text.length() <= TEXT_LENGTH_MAX ? text : text.substring(0, TEXT_LENGTH_MAX) + "…";
        }

        /**
         * Returns a text that is the same in both languages, such as a name.
         *
         * @param text the text
         * @return the text
         */
        public static Text of(String text) {
            return new Text(text, text);
        }
    }

    /**
     * A value with its label.
     *
     * @param name its name for programs: lower-case letters, digits and _. The name of a metric is made of {@code trivet_}, the name of the
     *     panel, this name, and the unit
     * @param label what it is, in a few words
     * @param note what it means, or {@link Text#NONE}. Of a value in the summary, it is a tooltip
     * @param unit what the number counts
     * @param isCounter true if the number only grows
     * @param number the number; NaN if there is none, so that it is no metric
     * @param max the greatest possible number, which is shown beside it; NaN if there is none
     * @param text what is shown in place of the number; null for the number
     * @param isMarked true if a reader should look at it
     */
    public record Value(String name, Text label, Text note, Unit unit, boolean isCounter, double number, double max,
            @Nullable Text text, boolean isMarked) {
        /**
         * Creates a value.
         *
         * @throws IllegalArgumentException the name has other characters, or ends as the name of a metric must not
         */
        public Value {
            checkName(name);
            Objects.requireNonNull(label, "label");
            Objects.requireNonNull(note, "note");
            Objects.requireNonNull(unit, "unit");
        }

        /**
         * Returns a number that may fall again.
         *
         * @param name its name for programs
         * @param label what it is
         * @param unit what it counts
         * @param number the number
         * @return the value, without a note
         */
        public static Value gauge(String name, Text label, Unit unit, double number) {
            return new Value(name, label, Text.NONE, unit, false, number, Double.NaN, null, false);
        }

        /**
         * Returns a number that only grows.
         *
         * @param name its name for programs, without {@code _total}
         * @param label what it is
         * @param unit what it counts
         * @param number the number
         * @return the value, without a note
         */
        public static Value counter(String name, Text label, Unit unit, double number) {
            return new Value(name, label, Text.NONE, unit, true, number, Double.NaN, null, false);
        }

        /**
         * Returns a text, which is no metric.
         *
         * @param name its name for programs
         * @param label what it is
         * @param text the text
         * @return the value, without a note
         */
        public static Value text(String name, Text label, Text text) {
            return new Value(name, label, Text.NONE, Unit.COUNT, false, Double.NaN, Double.NaN, text, false);
        }

        /**
         * Returns this value with a note.
         *
         * @param meaning what it means
         * @return a new value
         */
        public Value withNote(Text meaning) {
            return new Value(name, label, meaning, unit, isCounter, number, max, text, isMarked);
        }

        /**
         * Returns this value with a maximum.
         *
         * @param limit the greatest possible number
         * @return a new value
         */
        public Value withMax(double limit) {
            return new Value(name, label, note, unit, isCounter, number, limit, text, isMarked);
        }

        /**
         * Returns this value shown as a text. As a metric it remains a number.
         *
         * @param shown the text
         * @return a new value
         */
        public Value withText(Text shown) {
            return new Value(name, label, note, unit, isCounter, number, max, shown, isMarked);
        }

        /**
         * Returns this value, marked or not.
         *
         * @param marked true if a reader should look at it
         * @return a new value
         */
        public Value withMark(boolean marked) {
            return new Value(name, label, note, unit, isCounter, number, max, text, marked);
        }
    }

    /**
     * A table. It has no metrics, because its rows may be many.
     *
     * @param name its name for programs
     * @param title its title
     * @param note what its columns mean, or {@link Text#NONE}
     * @param empty what is shown if there are no rows
     * @param columns its columns, at most 12
     * @param rows its rows, the most important first. Of more than {@link #ROWS_MAX}, the others are left out
     * @param leftOut how many rows there are besides these. The page shows the number
     */
    public record Table(String name, Text title, Text note, Text empty, List<Column> columns, List<Row> rows, long leftOut) {
        /**
         * Creates a table.
         *
         * @throws IllegalArgumentException the name has other characters, there are too many columns, or a row has not one cell for each column
         */
        public Table {
            checkName(name);
            Objects.requireNonNull(title, "title");
            Objects.requireNonNull(note, "note");
            Objects.requireNonNull(empty, "empty");
            columns = copy("columns", columns, COLUMNS_MAX);
            int width = columns.size();
            if (rows.size() > ROWS_MAX) {
                leftOut += rows.size() - ROWS_MAX;
                rows = rows.subList(0, ROWS_MAX);
            }
            rows = List.copyOf(rows);
            require(rows.stream().allMatch(row -> row.cells.size() == width),
                    "each row of " + name + " needs " + width + " cells");
        }
    }

    /**
     * A column of a table.
     *
     * @param name its name for programs
     * @param label its head
     * @param unit what its numbers count
     */
    public record Column(String name, Text label, Unit unit) {
        /**
         * Creates a column.
         *
         * @throws IllegalArgumentException the name has other characters
         */
        public Column {
            checkName(name);
            Objects.requireNonNull(label, "label");
            Objects.requireNonNull(unit, "unit");
        }
    }

    /**
     * A row of a table.
     *
     * @param cells a cell for each column; the first one is the head of the row
     * @param isMarked true if a reader should look at it
     */
    public record Row(List<Cell> cells, boolean isMarked) {
        /** Copies the list. */
        public Row {
            cells = List.copyOf(cells);
        }
    }

    /**
     * A cell of a table.
     *
     * @param number its number; NaN: there is none
     * @param text its text, in place of the number; null for the number
     */
    public record Cell(double number, @Nullable Text text) {
        /**
         * Returns a cell with a number.
         *
         * @param number the number; NaN: none is known
         * @return the cell
         */
        public static Cell of(double number) {
            return new Cell(number, null);
        }

        /**
         * Returns a cell with a text.
         *
         * @param text the text
         * @return the cell
         */
        public static Cell of(Text text) {
            return new Cell(Double.NaN, text);
        }

        /**
         * Returns a cell with a text that is the same in all languages.
         *
         * @param text the text
         * @return the cell
         */
        public static Cell of(String text) {
            return of(Text.of(text));
        }
    }
}
