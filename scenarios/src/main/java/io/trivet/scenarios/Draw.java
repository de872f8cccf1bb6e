package io.trivet.scenarios;

/**
 * Draws from a seed: SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). Our own, since what a seed means
 * must not change with the JDK.
 */
final class Draw {
    private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;

    private long state;

    Draw(long seed) {
        state = mix(seed ^ 0x776f726c64L); // "world": another stream than the network's
    }

    private long next() {
        state += GOLDEN_GAMMA;
        return mix(state);
    }

    /** From 0 to one less than the bound. */
    int below(int bound) {
        return (int) (((next() >>> 32) * bound) >>> 32);
    }

    /** From least to most, both included. */
    int between(int least, int most) {
        return least + below(most - least + 1);
    }

    /** From least to most, small ones as often as large ones. */
    long spread(long least, long most) {
        int low = Long.SIZE - Long.numberOfLeadingZeros(least);
        int high = Long.SIZE - Long.numberOfLeadingZeros(most);
        int bits = between(low, high);
        if (bits == 0) {
            return least;
        }
        long highest = 1L << (bits - 1);
        return Math.clamp(highest | (next() & (highest - 1)), least, most);
    }

    boolean chance(int percent) {
        return below(100) < percent;
    }

    @SafeVarargs
    final <T> T pick(T... choices) {
        return choices[below(choices.length)];
    }

    int number(int... choices) {
        return choices[below(choices.length)];
    }

    private static long mix(long value) {
        long z = (value ^ value >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }
}
