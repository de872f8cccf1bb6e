package io.trivet.scenarios;

/**
 * Random numbers from a seed: SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). The JDK's
 * own implementation is not used, because the meaning of a seed must not change with the JDK.
 */
final class SeededRandom {
    private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;

    private long state;

    SeededRandom(long seed) {
        state = mix(seed ^ 0x776f726c64L); // "world": a stream other than that of the network
    }

    private long next() {
        state += GOLDEN_GAMMA;
        return mix(state);
    }

    /** Returns a number from 0 to one less than the bound. */
    int below(int bound) {
        return (int) (((next() >>> 32) * bound) >>> 32);
    }

    /** Returns a number from least to most, both included. */
    int between(int least, int most) {
        return least + below(most - least + 1);
    }

    /** Returns a number from least to most, in which every order of magnitude is equally likely. */
    long logUniform(long least, long most) {
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
