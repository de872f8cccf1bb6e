package io.trivet.sim;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.LongAdder;

/** Decides which faults happen, and counts them. Each socket and each poller has its own, so that threads do not disturb each other's. */
final class TortureInjector {
    private final SplittableRandom random;
    private final FaultPlan plan;
    /** Of the whole network. */
    private final Map<Fault, LongAdder> counts;

    TortureInjector(long seed, FaultPlan plan) {
        this(new SplittableRandom(seed), plan, new EnumMap<>(Fault.class));
        for (Fault fault : Fault.values()) {
            counts.put(fault, new LongAdder());
        }
    }

    private TortureInjector(SplittableRandom random, FaultPlan plan, Map<Fault, LongAdder> counts) {
        this.random = random;
        this.plan = plan;
        this.counts = counts;
    }

    /** TortureInjector of their own for one more socket or poller; any thread. */
    synchronized TortureInjector split() {
        return new TortureInjector(random.split(), plan, counts);
    }

    /** Whether a fault should happen. */
    boolean shouldInject(Fault fault) {
        double probability = plan.probability(fault);
        return probability > 0 && random.nextDouble() < probability;
    }

    /** A fault has happened. */
    void count(Fault fault) {
        counter(fault).increment();
    }

    /** How often a fault has happened. */
    long injected(Fault fault) {
        return counter(fault).sum();
    }

    private LongAdder counter(Fault fault) {
        return Objects.requireNonNull(counts.get(fault));
    }

    /** A part of a whole of at least 2: from 1 to one less than the whole, small parts as often as large ones. */
    long part(long whole) {
        int bits = Long.SIZE - Long.numberOfLeadingZeros(whole - 1);
        return 1 + random.nextLong(Math.min(whole - 1, 1L << random.nextInt(bits + 1)));
    }

    /** A number from 0 to one less than the bound. */
    int below(int bound) {
        return random.nextInt(bound);
    }
}
