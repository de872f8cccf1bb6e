package io.trivet.scenarios;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * What is left out of a world, so that a smaller one with the same fault can be replayed. Written as the names of the parts, with commas
 * between them: {@code f.STALL,p0,p3.1,s0.LOOPS}; a range of clients or of steps is short for all of them: {@code p4-19}. Immutable.
 */
public final class Cut {
    private static final Cut NONE = new Cut(List.of());

    private final TreeSet<String> names;

    private Cut(Collection<String> names) {
        this.names = new TreeSet<>(names);
    }

    /**
     * Nothing is left out.
     *
     * @return the empty cut
     */
    public static Cut none() {
        return NONE;
    }

    /**
     * Reads a cut.
     *
     * @param text as {@link #toString} writes it
     * @return the cut
     * @throws IllegalArgumentException it is not written like one
     */
    public static Cut parse(String text) {
        List<String> names = new ArrayList<>();
        for (String word : text.split(",", -1)) {
            if (word.isEmpty()) {
                continue;
            }
            if (!word.matches("f\\.[A-Z_]+|[sp]\\d+\\.[A-Z_]+|a\\d+(-\\d+)?|p\\d+(\\.\\d+){0,2}(-\\d+)?")) {
                throw new IllegalArgumentException("no part of a world: " + word);
            }
            if (word.matches(".*\\d{6}.*")) { // of a range every number is taken by itself, and no world has so many parts
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
        return new Cut(names);
    }

    static Cut of(Collection<Part> parts) {
        return new Cut(parts.stream().map(Part::name).toList());
    }

    boolean has(Part part) {
        return names.contains(part.name());
    }

    /** What it names that is none of these. */
    List<String> strangers(Collection<Part> parts) {
        Set<String> left = new TreeSet<>(names);
        parts.forEach(part -> left.remove(part.name()));
        return List.copyOf(left);
    }

    boolean isEmpty() {
        return names.isEmpty();
    }

    /** The names, those of a row as a range, and none that lies in another. */
    @Override
    public String toString() {
        List<String> words = new ArrayList<>();
        String prefix = "";
        int first = -1;
        int last = -2;
        List<String> sorted = new ArrayList<>(names);
        sorted.removeIf(name -> liesInAnother(new Part(name)));
        sorted.sort(java.util.Comparator.comparing(Cut::prefixOf).thenComparingInt(Cut::numberOf).thenComparing(name -> name));
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

    private boolean liesInAnother(Part part) {
        for (String parent = part.parent(); !parent.isEmpty(); parent = new Part(parent).parent()) {
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
