package io.trivet.scenarios;

import java.util.Locale;

/** Times and names for a reader. */
final class Words {
    private Words() {}

    /** A constant's name as words: {@code SLOW_READER} is "slow reader". */
    static String of(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    /** A time in the unit that suits it. */
    static String time(long nanos) {
        if (nanos < 1_000_000) {
            return number(nanos / 1e3) + " us";
        }
        return nanos < 1_000_000_000 ? number(nanos / 1e6) + " ms" : number(nanos / 1e9) + " s";
    }

    private static String number(double value) {
        return value == Math.rint(value) ? String.valueOf((long) value) : String.format(Locale.ROOT, "%.3f", value);
    }
}
