package io.trivet.sim;

/**
 * Numbers from a seed: SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). Our own, since what a seed
 * means must not change with the JDK.
 */
final class SimRandom {
    private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;

    private long state;

    /** One of many independent streams of a seed. */
    SimRandom(long seed, long stream) {
        state = mix(seed) + mix(stream * GOLDEN_GAMMA + 1);
    }

    long next() {
        state += GOLDEN_GAMMA;
        return mix(state);
    }

    /** From 0 to one less than the bound, which is positive. */
    int below(int bound) {
        return (int) (((next() >>> 32) * bound) >>> 32);
    }

    /** From least to most, both included; small ones as often as large ones. */
    long between(long least, long most) {
        int low = Long.SIZE - Long.numberOfLeadingZeros(least);
        int high = Long.SIZE - Long.numberOfLeadingZeros(most);
        int bits = low + below(high - low + 1);
        long highest = bits == 0 ? 0 : 1L << (bits - 1);
        long drawn = highest == 0 ? 0 : highest | (next() & (highest - 1));
        return Math.clamp(drawn, least, most);
    }

    /** A part of a whole of at least 2: from 1 to one less than the whole, small parts as often as large ones. */
    int part(int whole) {
        return (int) between(1, whole - 1L);
    }

    /** Whether something of that probability happens; the probability is a part of {@link Long#MAX_VALUE}. */
    boolean happens(long probability) {
        return next() >>> 1 < probability;
    }

    /** A probability for {@link #happens}. */
    static long threshold(double probability) {
        return (long) (probability * Long.MAX_VALUE);
    }

    private static long mix(long value) {
        long z = (value ^ value >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }
}
