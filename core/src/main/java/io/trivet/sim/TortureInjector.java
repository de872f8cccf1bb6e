package io.trivet.sim;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.LongAdder;

/**
 * Decides which faults are injected into a tortured socket or poller, and counts them for the whole network. Each socket and each
 * poller has its own injector, so that threads do not change each other's decisions.
 */
final class TortureInjector {
    private final SplittableRandom random;
    private final FaultPlan plan;
    /** Shared by the whole network. */
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

    /** Returns an injector with a random stream of its own; any thread. */
    synchronized TortureInjector split() {
        return new TortureInjector(random.split(), plan, counts);
    }

    /** Draws whether to inject a fault. {@link #count} it when it has taken effect. */
    boolean shouldInject(Fault fault) {
        double probability = plan.probability(fault);
        return probability > 0 && random.nextDouble() < probability;
    }

    /** Counts a fault that has taken effect. */
    void count(Fault fault) {
        counter(fault).increment();
    }

    /** Returns how often a fault has taken effect. */
    long injected(Fault fault) {
        return counter(fault).sum();
    }

    private LongAdder counter(Fault fault) {
        return Objects.requireNonNull(counts.get(fault));
    }

    /**
     * Draws a number from 1 to one less than the whole, which must be at least 2. Small and large numbers are equally frequent.
     */
    long part(long whole) {
        int bits = Long.SIZE - Long.numberOfLeadingZeros(whole - 1);
        return 1 + random.nextLong(Math.min(whole - 1, 1L << random.nextInt(bits + 1)));
    }

    /** Draws a number from 0 to one less than the bound. */
    int below(int bound) {
        return random.nextInt(bound);
    }
}
