package io.trivet.scenarios;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The parts that are removed from a scenario, so that a smaller one with the same failure can be replayed. As text, it is a list
 * of their names, separated by commas: {@code f.STALL,c0,c3.1,s0.LOOPS}. A range of clients, steps or actions stands for all of
 * them: {@code c4-19}. Immutable.
 */
public final class RemovedParts {
    private static final RemovedParts NONE = new RemovedParts(List.of());

    private final TreeSet<String> names;

    private RemovedParts(Collection<String> names) {
        this.names = new TreeSet<>(names);
    }

    /**
     * Returns an instance that removes nothing.
     *
     * @return the instance
     */
    public static RemovedParts none() {
        return NONE;
    }

    /**
     * Parses a list of parts.
     *
     * @param text the text, as {@link #toString} writes it
     * @return the parts
     * @throws IllegalArgumentException if the syntax is wrong
     */
    public static RemovedParts parse(String text) {
        List<String> names = new ArrayList<>();
        for (String word : text.split(",", -1)) {
            if (word.isEmpty()) {
                continue;
            }
            if (!word.matches("f\\.[A-Z_]+|[sc]\\d+\\.[A-Z_]+|a\\d+(-\\d+)?|c\\d+(\\.\\d+){0,2}(-\\d+)?")) {
                throw new IllegalArgumentException("not a part of a scenario: " + word);
            }
            if (word.matches(".*\\d{6}.*")) { // a range is expanded, and no scenario has that many parts
                throw new IllegalArgumentException(word + " has a number of more than 5 digits");
            }
            int dash = word.indexOf('-');
            if (dash < 0) {
                names.add(word);
            } else {
                int digits = dash;
                while (Character.isDigit(word.charAt(digits - 1))) {
                    digits--;
                }
                int first = Integer.parseInt(word.substring(digits, dash));
                int last = Integer.parseInt(word.substring(dash + 1));
                if (first > last) {
                    throw new IllegalArgumentException(word + " ends before it begins");
                }
                for (int i = first; i <= last; i++) {
                    names.add(word.substring(0, digits) + i);
                }
            }
        }
        return new RemovedParts(names);
    }

    static RemovedParts of(Collection<ScenarioPart> parts) {
        return new RemovedParts(parts.stream().map(ScenarioPart::name).toList());
    }

    boolean removes(ScenarioPart part) {
        return names.contains(part.name());
    }

    /** Returns the names that denote none of these parts. */
    List<String> unknownParts(Collection<ScenarioPart> parts) {
        Set<String> left = new TreeSet<>(names);
        parts.forEach(part -> left.remove(part.name()));
        return List.copyOf(left);
    }

    boolean isEmpty() {
        return names.isEmpty();
    }

    /** Returns the names. Combines consecutive ones to a range, and omits those that lie in another removed part. */
    @Override
    public String toString() {
        List<String> words = new ArrayList<>();
        String prefix = "";
        int first = -1;
        int last = -2;
        List<String> sorted = new ArrayList<>(names);
        sorted.removeIf(name -> liesInAnother(new ScenarioPart(name)));
        sorted.sort(Comparator.comparing(RemovedParts::prefixOf).thenComparingInt(RemovedParts::numberOf)
                .thenComparing(name -> name));
        for (String name : sorted) {
            int number = numberOf(name);
            if (number >= 0 && prefixOf(name).equals(prefix) && number == last + 1) {
                last = number;
                continue;
            }
            addRow(words, prefix, first, last);
            prefix = prefixOf(name);
            first = number;
            last = number;
            if (number < 0) {
                words.add(name);
                prefix = "";
            }
        }
        addRow(words, prefix, first, last);
        return String.join(",", words);
    }

    private static void addRow(List<String> words, String prefix, int first, int last) {
        if (prefix.isEmpty()) {
            return;
        }
        words.add(prefix + first + (last > first ? "-" + last : ""));
    }

    private boolean liesInAnother(ScenarioPart part) {
        for (String parent = part.parent(); !parent.isEmpty(); parent = new ScenarioPart(parent).parent()) {
            if (names.contains(parent)) {
                return true;
            }
        }
        return false;
    }

    private static String prefixOf(String name) {
        return isNumbered(name) ? name.replaceFirst("\\d+$", "") : name;
    }

    private static int numberOf(String name) {
        return isNumbered(name) ? Integer.parseInt(name.substring(prefixOf(name).length())) : -1;
    }

    private static boolean isNumbered(String name) {
        return Character.isDigit(name.charAt(name.length() - 1));
    }
}
