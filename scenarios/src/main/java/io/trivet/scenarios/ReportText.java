package io.trivet.scenarios;

import io.trivet.server.Limits;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.Locale;
import java.util.StringJoiner;

/** Formats durations, names and limits for reports. */
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

    /** Returns the limits that differ from those of most trials, or "the usual limits". The defaults depend on the heap. */
    static String limits(Limits limits) {
        StringJoiner text = new StringJoiner(", ").setEmptyValue("the usual limits");
        for (RecordComponent limit : Limits.class.getRecordComponents()) {
            try {
                Object value = limit.getAccessor().invoke(limits);
                if (!value.equals(limit.getAccessor().invoke(Trial.LIMITS))) {
                    text.add(limit.getName() + " " + (value instanceof Duration time ? duration(time) : value));
                }
            } catch (ReflectiveOperationException e) {
                throw new LinkageError("an accessor of Limits is not public", e);
            }
        }
        return text.toString();
    }

    private static String duration(Duration time) {
        return time.isZero() ? "off" : time.compareTo(Duration.ofDays(1)) > 0 ? time.toString() : duration(time.toNanos());
    }

    private static String number(double value) {
        return value == Math.rint(value) ? String.valueOf((long) value) : String.format(Locale.ROOT, "%.3f", value);
    }
}
