package io.trivet.scenarios;

import java.util.Locale;

/** Formats durations and names for reports. */
final class ReportText {
    private ReportText() {}

    /** Returns a constant's name as words: {@code SLOW_READER} becomes "slow reader". */
    static String words(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    /** Returns a duration in microseconds, milliseconds or seconds, whichever fits its length. */
    static String duration(long nanos) {
        if (nanos < 1_000_000) {
            return number(nanos / 1e3) + " us";
        }
        return nanos < 1_000_000_000 ? number(nanos / 1e6) + " ms" : number(nanos / 1e9) + " s";
    }

    private static String number(double value) {
        return value == Math.rint(value) ? String.valueOf((long) value) : String.format(Locale.ROOT, "%.3f", value);
    }
}
