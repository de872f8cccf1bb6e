package io.trivet.app;

import static io.trivet.app.JsonText.isTrue;
import static io.trivet.app.JsonText.number;
import static io.trivet.app.JsonText.object;
import static io.trivet.app.JsonText.objects;
import static io.trivet.app.JsonText.string;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What {@code trivet top} shows, as lines of text; and what its keys do. One thread. */
final class TopScreen {
    static final List<String> SORTS = List.of("address", "state", "queue", "age", "in", "out", "idle", "tls");
    /** Minimum number of lines above the clients; panels may need more. */
    static final int HEAD_LINES = 7;
    private static final int BAR_WIDTH = 10;
    private static final int ESCAPE = 27;
    private static final int BACKSPACE = 8;
    private static final int DELETE = 127;

    private String sort;
    private boolean ascending;
    private String filter;
    private boolean editing;
    private boolean paused;
    private Map<String, Object> tick = Map.of();
    private Map<String, Object> before = Map.of();
    private Map<String, Object> clients = Map.of();

    TopScreen(String sort, String filter) {
        this.sort = sort;
        this.filter = filter;
        ascending = sort.equals("address") || sort.equals("state");
    }

    void fetch(ViewAddress view, int rows) throws IOException, InterruptedException {
        before = tick;
        tick = view.fetch("/api/tick");
        clients = view.fetch("/api/clients", "sort", sort, "order", ascending ? "asc" : "desc", "filter", filter, "count",
                Integer.toString(rows));
    }

    boolean isPaused() {
        return paused;
    }

    boolean isEditing() {
        return editing;
    }

    /** Handles a key. Returns true if the data must be fetched again. */
    boolean key(int key) {
        if (editing) {
            return edit(key);
        }
        switch (key) {
            case 'p' -> paused = !paused;
            case 's' -> {
                sort = SORTS.get((SORTS.indexOf(sort) + 1) % SORTS.size());
                return true;
            }
            case 'r' -> {
                ascending = !ascending;
                return true;
            }
            case '/' -> editing = true;
            default -> {
                // Not a key of this screen.
            }
        }
        return false;
    }

    private boolean edit(int key) {
        if (key == '\n' || key == '\r') {
            editing = false;
        } else if (key == ESCAPE) {
            editing = false;
            filter = "";
        } else if (key == BACKSPACE || key == DELETE) {
            filter = filter.substring(0, Math.max(0, filter.length() - 1));
        } else if (key >= ' ' && key < DELETE) {
            filter += (char) key;
        }
        return true;
    }

    /** Returns the lines, at most that many, each at most so wide. */
    List<String> lines(int rows, int columns) {
        return cut(all(columns), rows, columns);
    }

    /** Returns the lines with at most that many clients, each line at most so wide. */
    List<String> linesWithClients(int count, int columns) {
        List<String> lines = all(columns);
        int head = lines.size() - Math.max(1, objects(clients, "rows").size());
        return cut(lines, head + count, columns);
    }

    private static List<String> cut(List<String> lines, int rows, int columns) {
        return lines.stream().limit(rows).map(line -> line.length() <= columns ? line : line.substring(0, columns)).toList();
    }

    private List<String> all(int columns) {
        List<String> lines = new ArrayList<>();
        Map<String, Object> totals = object(tick, "totals");
        Map<String, Object> lists = object(tick, "lists");
        lines.add("trivet top   engine " + EscapedText.line(string(tick, "engine"))
                + (isTrue(object(tick, "pause"), "paused") ? "   LOOP PAUSED" : "")
                + (paused ? "   SCREEN PAUSED" : ""));
        lines.add("clients " + whole(number(totals, "connections")) + "   accepted " + whole(number(totals, "accepted"))
                + "   refused "
                + whole(number(totals, "refused")) + "   closed " + whole(number(totals, "closed")) + "   dropped "
                + whole(number(totals, "dropped")));
        lines.add("in  " + whole(rate("totals", "messagesIn")) + " messages/s  " + bytes(rate("totals", "bytesIn")) + "/s   out "
                + bytes(rate("totals", "bytesOut")) + "/s   turns " + whole(loopRate("turns")) + "/s   ready per turn "
                + String.format(Locale.ROOT, "%.1f", loopRate("completions") / Math.max(1, loopRate("turns"))));
        Map<String, Object> memory = object(tick, "memory");
        lines.add("queues hold " + bytes(number(memory, "queueBytes")) + " of " + bytes(number(memory, "queueBytesMax"))
                + "   native memory " + bytes(number(memory, "total")));
        lines.add("rlist " + whole(number(object(lists, "readable"), "count")) + "   wlist "
                + whole(number(object(lists, "writable"), "count")) + "   xlist "
                + whole(number(object(lists, "exceptional"), "count")) + "   in none "
                + whole(number(object(lists, "none"), "count"))
                + "   sorted by " + sort + (ascending ? ", lowest first" : ", highest first")
                + (editing || !filter.isEmpty() ? "   filter: " + filter + (editing ? "_" : "") : ""));
        List<Map<String, Object>> panels = objects(tick, "panels");
        panels.forEach(panel -> addPanel(lines, panel, columns));
        if (panels.isEmpty()) {
            lines.add("");
        }
        lines.add(String.format(Locale.ROOT, "%-24s %-3s %-13s %-10s %9s %8s %9s %9s %8s  %s", "CLIENT", "RWX", "STATE", "QUEUE",
                "", "WAITS",
                "IN", "OUT", "IDLE", "WHY"));
        for (Map<String, Object> client : objects(clients, "rows")) {
            lines.add(line(client));
        }
        if (objects(clients, "rows").isEmpty()) {
            lines.add(number(clients, "total") == 0 ? "No client is connected." : "No client matches the filter.");
        }
        return lines;
    }

    /** Adds the title of a panel, its most important values, and its problem, in as many lines as they need. */
    private static void addPanel(List<String> lines, Map<String, Object> panel, int columns) {
        String problem = english(panel, "problem");
        List<String> parts = new ArrayList<>(List.of(english(panel, "title") + (problem.isEmpty() ? "" : " (!)")));
        objects(panel, "summary").forEach(value -> parts.add(english(value, "label") + " " + shown(value)));
        addWrapped(lines, parts, "  ", columns);
        if (!problem.isBlank()) {
            List<String> words = new ArrayList<>(List.of(problem.split(" ", -1)));
            words.set(0, "(!) " + words.getFirst());
            addWrapped(lines, words, " ", columns);
        }
    }

    /** Adds parts with a separator between them. Those that do not fit are continued in an indented line. */
    private static void addWrapped(List<String> lines, List<String> parts, String separator, int columns) {
        StringBuilder line = new StringBuilder(parts.getFirst());
        for (String part : parts.subList(1, parts.size())) {
            if (line.length() + separator.length() + part.length() > columns) {
                lines.add(line.toString());
                line = new StringBuilder("    ").append(part);
            } else {
                line.append(separator).append(part);
            }
        }
        lines.add(line.toString());
    }

    /** Returns a text, which is the same in all languages or has one in English. */
    private static String english(Map<String, Object> from, String name) {
        return EscapedText.line(from.get(name) instanceof String text ? text : string(object(from, name), "en"));
    }

    private static String shown(Map<String, Object> value) {
        String text = english(value, "text");
        if (!text.isEmpty()) {
            return text;
        }
        if (!(value.get("number") instanceof Double number)) {
            return "-";
        }
        return switch (string(value, "unit")) {
            case "bytes" -> bytes(number);
            case "seconds" -> seconds(number);
            default -> whole(number);
        };
    }

    private static String line(Map<String, Object> client) {
        String lists = (isTrue(client, "readable") ? "r" : "-") + (isTrue(client, "writable") ? "w" : "-")
                + (isTrue(client, "exceptional") ? "x" : "-");
        double queued = number(client, "queueBytes");
        int filled = (int) Math.ceil(BAR_WIDTH * queued / Math.max(1, number(client, "queueBytesMax")));
        String bar = "#".repeat(Math.min(BAR_WIDTH, filled)) + ".".repeat(Math.max(0, BAR_WIDTH - filled));
        String tls = string(client, "tls");
        return String.format(Locale.ROOT, "%-24s %-3s %-13s %-10s %9s %8s %9s %9s %8s  %s",
                EscapedText.line(string(client, "address")), lists,
                EscapedText.line(string(client, "state").toLowerCase(Locale.ROOT)), bar, queued > 0 ? bytes(queued) : "",
                queued > 0 ? seconds(number(client, "oldestAge")) : "", bytes(number(client, "bytesIn")),
                bytes(number(client, "bytesOut")),
                seconds(number(client, "idle")),
                EscapedText.line(string(client, "reason")) + (tls.isEmpty() ? "" : "; " + EscapedText.line(tls)));
    }

    // ---- numbers

    private double seconds() {
        return Math.max(0.001, (number(tick, "time") - number(before, "time")) / 1000);
    }

    private double rate(String of, String name) {
        return before.isEmpty() ? 0 : Math.max(0, number(object(tick, of), name) - number(object(before, of), name)) / seconds();
    }

    private double loopRate(String name) {
        return before.isEmpty() ? 0 : Math.max(0, sum(tick, name) - sum(before, name)) / seconds();
    }

    private static double sum(Map<String, Object> state, String name) {
        return objects(state, "loops").stream().mapToDouble(loop -> number(loop, name)).sum();
    }

    private static String whole(double value) {
        return Long.toString(Math.round(value));
    }

    private static String bytes(double bytes) {
        String[] units = {"B", "KiB", "MiB", "GiB", "TiB"};
        int unit = 0;
        double value = bytes;
        while (value >= 1024 && unit < units.length - 1) {
            value /= 1024;
            unit++;
        }
        return unit == 0 ? Math.round(value) + "B" : String.format(Locale.ROOT, "%.1f%s", value, units[unit]);
    }

    private static String seconds(double seconds) {
        return seconds < 1 ? Math.round(seconds * 1000) + "ms" : seconds < 120 ? String.format(Locale.ROOT, "%.1fs", seconds)
                : Math.round(seconds / 60) + "m";
    }
}
