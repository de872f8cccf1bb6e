package io.trivet.view;

import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/**
 * Writes JSON (RFC 8259). The characters {@code < > &} and the line separators of JavaScript are escaped as well, so that the text
 * is harmless wherever it is embedded. One thread.
 */
final class Json {
    private static final String HEX = "0123456789abcdef";

    private final StringBuilder out;
    /** True if the next member or element follows another one. */
    private boolean follows;

    Json() {
        out = new StringBuilder(1024);
    }

    Json beginObject() {
        separate();
        out.append('{');
        follows = false;
        return this;
    }

    Json endObject() {
        out.append('}');
        follows = true;
        return this;
    }

    Json beginArray() {
        separate();
        out.append('[');
        follows = false;
        return this;
    }

    Json endArray() {
        out.append(']');
        follows = true;
        return this;
    }

    Json name(String name) {
        string(name);
        out.append(':');
        follows = false;
        return this;
    }

    Json string(@Nullable String value) {
        separate();
        if (value == null) {
            out.append("null");
        } else {
            quote(value);
        }
        follows = true;
        return this;
    }

    Json number(long value) {
        separate();
        out.append(value);
        follows = true;
        return this;
    }

    /** Writes a number with up to six decimals: microseconds, where it is seconds. */
    Json number(double value) {
        separate();
        double rounded = Math.rint(value * 1e6) / 1e6;
        if (!Double.isFinite(rounded)) {
            out.append("null");
        } else if (rounded == Math.rint(rounded) && Math.abs(rounded) < 1e15) {
            out.append((long) rounded);
        } else {
            out.append(BigDecimal.valueOf(rounded).toPlainString());
        }
        follows = true;
        return this;
    }

    Json bool(boolean value) {
        separate();
        out.append(value);
        follows = true;
        return this;
    }

    Json nothing() {
        return string(null);
    }

    private void separate() {
        if (follows) {
            out.append(',');
        }
    }

    private void quote(String value) {
        out.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '<', '>', '&', '\u2028', '\u2029', '\u007f' -> unicode(c);
                default -> {
                    if (c < ' ' || Character.isSurrogate(c)) { // surrogates may be unpaired
                        unicode(c);
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }

    private void unicode(char c) {
        out.append("\\u");
        for (int shift = 12; shift >= 0; shift -= 4) {
            out.append(HEX.charAt(c >> shift & 0xf));
        }
    }

    @Override
    public String toString() {
        return out.toString();
    }
}
