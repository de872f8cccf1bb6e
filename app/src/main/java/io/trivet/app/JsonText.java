package io.trivet.app;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads JSON (RFC 8259): objects as maps, arrays as lists, numbers as Double. One thread. */
final class JsonText {
    private static final int DEPTH_MAX = 64;

    private final String text;
    private int at;

    private JsonText(String text) {
        this.text = text;
    }

    /**
     * Reads an object.
     *
     * @throws IllegalArgumentException the text is something else
     */
    static Map<String, Object> object(String text) {
        JsonText reader = new JsonText(text);
        Object value = reader.value(0);
        reader.space();
        if (!(value instanceof Map<?, ?> map) || reader.at != text.length()) {
            throw reader.unexpected();
        }
        return cast(map);
    }

    @SuppressWarnings("unchecked") // made by this class
    private static Map<String, Object> cast(Map<?, ?> map) {
        return (Map<String, Object>) map;
    }

    /** Returns a member that is an object; an empty one if there is none. */
    static Map<String, Object> object(Map<String, Object> from, String name) {
        return from.get(name) instanceof Map<?, ?> map ? cast(map) : Map.of();
    }

    /** Returns a member that is an array of objects. */
    static List<Map<String, Object>> objects(Map<String, Object> from, String name) {
        List<Map<String, Object>> objects = new ArrayList<>();
        if (from.get(name) instanceof List<?> list) {
            for (Object element : list) {
                if (element instanceof Map<?, ?> map) {
                    objects.add(cast(map));
                }
            }
        }
        return objects;
    }

    /** Returns a member that is a number; 0 if there is none. */
    static double number(Map<String, Object> from, String name) {
        return from.get(name) instanceof Double number ? number : 0;
    }

    /** Returns a member as a text; "" if there is none. */
    static String string(Map<String, Object> from, String name) {
        return from.get(name) instanceof String string ? string : "";
    }

    static boolean isTrue(Map<String, Object> from, String name) {
        return Boolean.TRUE.equals(from.get(name));
    }

    // ---- reading

    private @Nullable Object value(int depth) {
        space();
        if (depth > DEPTH_MAX) {
            throw unexpected();
        }
        return switch (peek()) {
            case '{' -> members(depth);
            case '[' -> elements(depth);
            case '"' -> string();
            case 't' -> word("true", true);
            case 'f' -> word("false", false);
            case 'n' -> word("null", null);
            default -> number();
        };
    }

    private Map<String, Object> members(int depth) {
        Map<String, Object> members = new LinkedHashMap<>();
        at++;
        for (space(); peek() != '}'; space()) {
            if (!members.isEmpty() || peek() == ',') {
                expect(',');
                space();
            }
            String name = string();
            space();
            expect(':');
            Object value = value(depth + 1);
            members.put(name, value == null ? "" : value);
        }
        at++;
        return members;
    }

    private List<Object> elements(int depth) {
        List<Object> elements = new ArrayList<>();
        at++;
        for (space(); peek() != ']'; space()) {
            if (!elements.isEmpty()) {
                expect(',');
            }
            Object value = value(depth + 1);
            elements.add(value == null ? "" : value);
        }
        at++;
        return elements;
    }

    private String string() {
        expect('"');
        StringBuilder string = new StringBuilder();
        while (peek() != '"') {
            char c = text.charAt(at++);
            if (c == '\\') {
                char escape = peek();
                at++;
                switch (escape) {
                    case 'n' -> string.append('\n');
                    case 't' -> string.append('\t');
                    case 'r' -> string.append('\r');
                    case 'b' -> string.append('\b');
                    case 'f' -> string.append('\f');
                    case 'u' -> {
                        if (at + 4 > text.length()) {
                            throw unexpected();
                        }
                        string.append((char) Integer.parseInt(text.substring(at, at + 4), 16));
                        at += 4;
                    }
                    default -> string.append(escape);
                }
            } else {
                string.append(c);
            }
        }
        at++;
        return string.toString();
    }

    private Double number() {
        int start = at;
        while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        try {
            return Double.valueOf(text.substring(start, at));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("no JSON at " + start, e);
        }
    }

    private @Nullable Object word(String word, @Nullable Object value) {
        if (!text.startsWith(word, at)) {
            throw unexpected();
        }
        at += word.length();
        return value;
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private char peek() {
        if (at >= text.length()) {
            throw unexpected();
        }
        return text.charAt(at);
    }

    private void expect(char c) {
        if (peek() != c) {
            throw unexpected();
        }
        at++;
    }

    private IllegalArgumentException unexpected() {
        return new IllegalArgumentException("no JSON at " + at);
    }
}
