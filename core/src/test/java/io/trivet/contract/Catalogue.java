package io.trivet.contract;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The behaviour required of every engine: the cases of {@code catalogue.txt}. Each line has the form
 * {@code number | given | when | then}. A fifth field is the reason why no test can cover the case.
 */
public final class Catalogue {
    /** All cases, in the order of the file. */
    public static final List<Entry> ENTRIES = read();

    private static final Map<String, Entry> BY_NUMBER = byNumber();

    private Catalogue() {}

    /**
     * One case.
     *
     * @param section the heading of its section
     * @param number its name; numbers have gaps, and some start with a letter
     * @param given the situation
     * @param when the action
     * @param then the required outcome
     * @param notApplicable why no test can cover it; empty if the tests cover it
     */
    public record Entry(String section, String number, String given, String when, String then, String notApplicable) {}

    /**
     * Returns the case with a number.
     *
     * @param number the number of a case
     * @return the case, or empty if there is none
     */
    public static Optional<Entry> entry(String number) {
        return Optional.ofNullable(BY_NUMBER.get(number));
    }

    private static List<Entry> read() {
        List<Entry> entries = new ArrayList<>();
        String section = "";
        for (String line : lines()) {
            if (line.startsWith("# ")) {
                section = line.substring(2);
            } else if (!line.isBlank()) {
                String[] fields = line.split(" \\| ", -1);
                if (fields.length < 4 || fields.length > 5) {
                    throw new IllegalStateException("a line of the catalogue has 4 or 5 fields: " + line);
                }
                entries.add(new Entry(section, fields[0], fields[1], fields[2], fields[3], fields.length == 5 ? fields[4] : ""));
            }
        }
        return List.copyOf(entries);
    }

    private static List<String> lines() {
        try (InputStream in = Catalogue.class.getResourceAsStream("catalogue.txt")) {
            return new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8)).lines().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Map<String, Entry> byNumber() {
        Map<String, Entry> map = new TreeMap<>();
        for (Entry entry : ENTRIES) {
            if (map.put(entry.number, entry) != null) {
                throw new IllegalStateException("two cases have the number " + entry.number);
            }
        }
        return map;
    }
}
