package io.trivet.view;

import io.trivet.net.Addresses;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which rows of the table of clients a reader wants: those that contain a text, in an order, and of these a part. The server sorts and
 * filters, so a page gets only what it shows, however many clients there are.
 *
 * @param filter parts of the text of a row, all of which it must contain; lower case
 */
record ClientQuery(Comparator<Row> order, List<String> filter, int from, int count) {
    /** More rows at a time are not delivered: a page shows some tens. */
    static final int COUNT_MAX = 500;

    private static final Comparator<Row> BY_ID = Comparator.comparingLong(Row::id);
    private static final Map<String, Comparator<Row>> ORDERS = Map.ofEntries(
            Map.entry("id", BY_ID),
            Map.entry("address", Comparator.comparing(ClientQuery::sortableAddress)),
            Map.entry("state", Comparator.comparing((Row row) -> row.now().state()).thenComparing(row -> row.now().readState())),
            Map.entry("queue", Comparator.comparingLong(row -> row.now().queueBytes())),
            Map.entry("age", Comparator.comparing(row -> row.now().oldestAge())),
            Map.entry("in", Comparator.comparingLong(row -> row.now().bytesIn())),
            Map.entry("out", Comparator.comparingLong(row -> row.now().bytesOut())),
            Map.entry("idle", Comparator.comparing(row -> row.now().sinceActivity())),
            Map.entry("tls", Comparator.comparing(row -> row.now().tls() == null ? "" : row.now().tls())));

    /**
     * Reads a query from the parameters of a request.
     *
     * @throws IllegalArgumentException a parameter is not known or not a number; the message names it
     */
    static ClientQuery of(Map<String, String> parameters) {
        String sort = parameters.getOrDefault("sort", "id");
        Comparator<Row> order = ORDERS.get(sort);
        if (order == null) {
            throw new IllegalArgumentException("sort must be one of " + ORDERS.keySet().stream().sorted().toList());
        }
        if (parameters.getOrDefault("order", "asc").equals("desc")) {
            order = order.reversed();
        }
        String filter = parameters.getOrDefault("filter", "").strip().toLowerCase(Locale.ROOT);
        return new ClientQuery(order.thenComparing(BY_ID), filter.isEmpty() ? List.of() : List.of(filter.split("\\s+")),
                number(parameters.get("from"), 0, Integer.MAX_VALUE, "from"),
                number(parameters.get("count"), 50, COUNT_MAX, "count"));
    }

    private static int number(@Nullable String text, int otherwise, int max, String name) {
        if (text == null) {
            return otherwise;
        }
        try {
            return Math.clamp(Long.parseLong(text), 0, max);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(name + " must be a number", e);
        }
    }

    /** Returns the matching rows in order, of which {@link #from} and {@link #count} choose a part. */
    List<Row> matching(List<Row> rows) {
        return rows.stream().filter(this::matches).sorted(order).toList();
    }

    private boolean matches(Row row) {
        if (filter.isEmpty()) {
            return true;
        }
        String text = text(row);
        return filter.stream().allMatch(text::contains);
    }

    private static String text(Row row) {
        return (address(row) + " " + Long.toHexString(row.id()) + " " + row.now().state() + " " + row.now().readState() + " "
                + row.now().interestReason() + " " + (row.now().readable() ? "rlist " : "")
                + (row.now().writable() ? "wlist " : "")
                + (row.now().exceptional() ? "xlist " : "") + (row.isSlow() ? "slow " : "")
                + row.now().tls()).toLowerCase(Locale.ROOT);
    }

    static String address(Row row) {
        return row.now().remoteAddress() == null ? "" : Addresses.toString(row.now().remoteAddress());
    }

    /** Returns the address with a port of five digits, so that ports sort by number. */
    private static String sortableAddress(Row row) {
        String address = address(row);
        int colon = address.lastIndexOf(':');
        String port = address.substring(colon + 1);
        return address.substring(0, Math.max(0, colon)) + ":" + "0".repeat(Math.max(0, 5 - port.length())) + port;
    }
}
