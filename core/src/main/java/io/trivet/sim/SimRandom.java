package io.trivet.sim;

/**
 * A random stream: SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). The JDK's own
 * implementation is not used, because the meaning of a seed must not change with the JDK.
 */
final class SimRandom {
    private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;

    private long state;

    /** Creates one of many independent streams of a seed. */
    SimRandom(long seed, long stream) {
        state = mix(seed) + mix(stream * GOLDEN_GAMMA + 1);
    }

    long next() {
        state += GOLDEN_GAMMA;
        return mix(state);
    }

    /** Draws a number from 0 to one less than the bound, which must be positive. */
    int below(int bound) {
        return (int) (((next() >>> 32) * bound) >>> 32);
    }

    /** Draws a number from least to most, both included; every order of magnitude is equally likely. */
    long between(long least, long most) {
        int low = Long.SIZE - Long.numberOfLeadingZeros(least);
        int high = Long.SIZE - Long.numberOfLeadingZeros(most);
        int bits = low + below(high - low + 1);
        long highest = bits == 0 ? 0 : 1L << (bits - 1);
        long drawn = highest == 0 ? 0 : highest | (next() & (highest - 1));
        return Math.clamp(drawn, least, most);
    }

    /** Draws a number from 1 to one less than the whole, which must be at least 2; every order of magnitude is equally likely. */
    int part(int whole) {
        return (int) between(1, whole - 1L);
    }

    /** Draws whether an event happens, given the {@link #threshold} of its probability. */
    boolean happens(long threshold) {
        return next() >>> 1 < threshold;
    }

    /** Converts a probability for {@link #happens}: a fraction of {@link Long#MAX_VALUE}. */
    static long threshold(double probability) {
        return (long) (probability * Long.MAX_VALUE);
    }

    private static long mix(long value) {
        long z = (value ^ value >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }
}
