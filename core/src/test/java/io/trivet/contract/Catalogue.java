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
 * What every engine is held to: the cases of {@code catalogue.txt}, in its order. A line is
 * {@code number | given | when | then}, and, when the case does not apply to what the tests can drive, {@code | why not}.
 */
public final class Catalogue {
    /** All entries, in order. */
    public static final List<Entry> ENTRIES = read();

    private static final Map<String, Entry> BY_NUMBER = byNumber();

    private Catalogue() {}

    /**
     * One case.
     *
     * @param section the heading it stands under
     * @param number its name
     * @param given the situation
     * @param when what is done
     * @param then what must be seen
     * @param notApplicable why no test can hold an engine to it; empty: it applies
     */
    public record Entry(String section, String number, String given, String when, String then, String notApplicable) {}

    /**
     * Looks a case up.
     *
     * @param number its number
     * @return the case, if there is one
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
