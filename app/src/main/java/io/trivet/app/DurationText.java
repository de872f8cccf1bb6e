package io.trivet.app;

import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Converts durations as written on a command line: {@code 10s}, {@code 500ms}, {@code 5m}. */
final class DurationText implements ITypeConverter<Duration> {
    /** 100 years: three times as much would overflow a long of nanoseconds. */
    private static final Duration MAX = Duration.ofDays(36_525);

    @Override
    public Duration convert(String text) {
        int digits = 0;
        while (digits < text.length() && text.charAt(digits) >= '0' && text.charAt(digits) <= '9') {
            digits++;
        }
        if (digits == 0 || digits > 9) {
            throw invalid(text);
        }
        long number = Long.parseLong(text.substring(0, digits));
        Duration duration = switch (text.substring(digits)) {
            case "ms" -> Duration.ofMillis(number);
            case "s" -> Duration.ofSeconds(number);
            case "m" -> Duration.ofMinutes(number);
            case "h" -> Duration.ofHours(number);
            case "" -> {
                if (number == 0) {
                    yield Duration.ZERO;
                }
                throw invalid(text);
            }
            default -> throw invalid(text);
        };
        if (duration.compareTo(MAX) > 0) {
            throw new TypeConversionException("'" + EscapedText.of(text) + "' is too long: the maximum is " + of(MAX));
        }
        return duration;
    }

    private static TypeConversionException invalid(String text) {
        return new TypeConversionException("'" + EscapedText.of(text) + "' is not a duration: write 500ms, 10s, 5m or 1h");
    }

    /** Formats a duration in the largest unit that divides it. */
    static String of(Duration duration) {
        long millis = duration.toMillis();
        if (millis % 1000 != 0) {
            return millis + "ms";
        }
        long seconds = millis / 1000;
        if (seconds == 0 || seconds % 60 != 0) {
            return seconds + "s";
        }
        return seconds % 3600 == 0 ? seconds / 3600 + "h" : seconds / 60 + "m";
    }
}
