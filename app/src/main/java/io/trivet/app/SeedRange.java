package io.trivet.app;

import java.math.BigInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A range of seeds.
 *
 * @param first the first seed
 * @param last the last seed, inclusive, at least the first
 */
record SeedRange(long first, long last) {
    private static final Pattern RANGE = Pattern.compile("(-?\\d+)\\.\\.(-?\\d+)");

    static final class Converter implements ITypeConverter<SeedRange> {
        @Override
        public SeedRange convert(String text) {
            Matcher matcher = RANGE.matcher(text);
            if (!matcher.matches()) {
                throw new TypeConversionException("'" + text + "' is not a range of seeds: write 1..1000");
            }
            SeedRange range = new SeedRange(seed(matcher.group(1)), seed(matcher.group(2)));
            if (range.first > range.last) {
                throw new TypeConversionException(
                        "'" + text + "' ends before it starts: write " + range.last + ".." + range.first);
            }
            return range;
        }

        private static long seed(String text) {
            try {
                return Long.parseLong(text);
            } catch (NumberFormatException e) {
                throw new TypeConversionException(
                        "'" + text + "' is not a seed: seeds are from " + Long.MIN_VALUE + " to " + Long.MAX_VALUE);
            }
        }
    }

    /** Returns the number of seeds. The range of all seeds has 2⁶⁴, which no long can hold. */
    BigInteger count() {
        return BigInteger.valueOf(last).subtract(BigInteger.valueOf(first)).add(BigInteger.ONE);
    }

    @Override
    public String toString() {
        return first + ".." + last;
    }
}
