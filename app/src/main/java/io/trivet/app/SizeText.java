package io.trivet.app;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Converts sizes as written on a command line, {@code 512}, {@code 64KiB}, {@code 1MiB}, to bytes. */
final class SizeText implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
        int digits = 0;
        while (digits < text.length() && text.charAt(digits) >= '0' && text.charAt(digits) <= '9') {
            digits++;
        }
        if (digits == 0 || digits > 9) {
            throw invalid(text);
        }
        long number = Long.parseLong(text.substring(0, digits));
        return switch (text.substring(digits)) {
            case "", "B" -> number;
            case "KiB" -> number << 10;
            case "MiB" -> number << 20;
            case "GiB" -> number << 30;
            default -> throw invalid(text);
        };
    }

    private static TypeConversionException invalid(String text) {
        return new TypeConversionException("'" + EscapedText.of(text) + "' is not a size: write 512, 64KiB, 1MiB or 1GiB");
    }

    /** Formats a size in the largest unit that divides it. */
    static String of(long bytes) {
        for (int unit = 3; unit > 0; unit--) {
            long size = 1L << (10 * unit);
            if (bytes >= size && bytes % size == 0) {
                return bytes / size + "KMG".substring(unit - 1, unit) + "iB";
            }
        }
        return bytes + "B";
    }
}
