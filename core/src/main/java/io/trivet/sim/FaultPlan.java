package io.trivet.sim;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/**
 * The probability of each {@link Fault} on a network of this package. An immutable value.
 *
 * {@snippet :
 * FaultPlan.none();                                         // no faults and no latency
 * FaultPlan.of(seed);                                       // some faults, chosen by the seed
 * FaultPlan.of(seed).without(Fault.RESET);                  // the same without one
 * FaultPlan.none().with(Fault.SHORT_READ, 0.5);             // one fault only
 * TortureNetwork.defaults().with(Fault.READY_LATE, 0);      // for real sockets: all faults of a TortureNetwork except one
 * }
 */
@SuppressWarnings("EnumOrdinal") // the index of an array that is never stored
public final class FaultPlan {
    private static final Fault[] FAULTS = Fault.values();
    private static final FaultPlan NONE = new FaultPlan(new double[FAULTS.length]);
    /** A plan drawn from a seed enables one in this number of faults, on average. */
    private static final int ENABLED_ONE_IN = 4;
    private static final double[] STRENGTHS = {0.1, 0.5, 1, 1, 2};
    private static final double PROBABILITY_MAX = 0.9;
    private static final long STREAM = 0x706c616e; // "plan"

    /** Indexed by the fault's ordinal. */
    private final double[] probabilities;

    private FaultPlan(double[] probabilities) {
        this.probabilities = probabilities;
    }

    /**
     * Returns the plan without faults.
     *
     * @return the empty plan
     */
    public static FaultPlan none() {
        return NONE;
    }

    /**
     * Returns the plan that has every fault with its {@linkplain Fault#usualProbability usual probability}.
     *
     * @return a plan with all faults
     */
    public static FaultPlan all() {
        return new FaultPlan(Arrays.stream(FAULTS).mapToDouble(Fault::usualProbability).toArray());
    }

    /**
     * Returns a plan drawn from a seed by swarm testing (Groce et al., Swarm Testing, 2012). The plan enables about a quarter of
     * the faults, each with a tenth of its usual probability to twice that probability. Many different narrow plans find more
     * bugs than one plan that has everything.
     *
     * @param seed the seed; the same seed gives the same plan
     * @return the plan
     */
    public static FaultPlan of(long seed) {
        double[] drawn = new double[FAULTS.length];
        for (Fault fault : FAULTS) {
            SimRandom random = new SimRandom(seed, STREAM + ((long) fault.ordinal() << 32));
            if (random.below(ENABLED_ONE_IN) == 0) {
                double probability = fault.usualProbability() * STRENGTHS[random.below(STRENGTHS.length)];
                drawn[fault.ordinal()] = Math.min(PROBABILITY_MAX, probability);
            }
        }
        return new FaultPlan(drawn);
    }

    /**
     * Returns a copy with another probability for one fault.
     *
     * @param fault the fault
     * @param probability from 0 (never) to 1 (at every opportunity)
     * @return the copy
     * @throws IllegalArgumentException if the probability is not between 0 and 1
     */
    public FaultPlan with(Fault fault, double probability) {
        if (!(probability >= 0 && probability <= 1)) {
            throw new IllegalArgumentException("the probability of " + fault + " must be from 0 to 1, was " + probability);
        }
        double[] changed = probabilities.clone();
        changed[fault.ordinal()] = probability;
        return new FaultPlan(changed);
    }

    /**
     * Returns a copy without some faults. On a {@link SimNetwork} the other faults are drawn as before, because each fault has a
     * stream of random numbers of its own.
     *
     * @param faults the faults to remove
     * @return the copy
     */
    public FaultPlan without(Fault... faults) {
        double[] changed = probabilities.clone();
        for (Fault fault : faults) {
            changed[fault.ordinal()] = 0;
        }
        return new FaultPlan(changed);
    }

    /**
     * Returns a copy that has only some faults, with the same probabilities.
     *
     * @param faults the faults to keep
     * @return the copy
     */
    public FaultPlan only(Fault... faults) {
        double[] changed = new double[FAULTS.length];
        for (Fault fault : faults) {
            changed[fault.ordinal()] = probabilities[fault.ordinal()];
        }
        return new FaultPlan(changed);
    }

    /**
     * Returns the probability of a fault.
     *
     * @param fault the fault
     * @return from 0 to 1
     */
    public double probability(Fault fault) {
        return probabilities[fault.ordinal()];
    }

    /**
     * Returns the faults whose probability is not 0.
     *
     * @return a new set, in the order of the constants
     */
    public Set<Fault> faults() {
        EnumSet<Fault> faults = EnumSet.noneOf(Fault.class);
        for (Fault fault : FAULTS) {
            if (probability(fault) > 0) {
                faults.add(fault);
            }
        }
        return faults;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FaultPlan plan && Arrays.equals(probabilities, plan.probabilities);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(probabilities);
    }

    /** Returns, for example, {@code SHORT_READ 0.2, RESET 0.002}, or {@code no faults}. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (Fault fault : faults()) {
            text.append(text.isEmpty() ? "" : ", ").append(fault.name()).append(' ')
                    .append(String.format(Locale.ROOT, "%.4g", probability(fault)).replaceFirst("0+$", ""));
        }
        return text.isEmpty() ? "no faults" : text.toString();
    }
}
