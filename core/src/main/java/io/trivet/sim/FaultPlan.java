package io.trivet.sim;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/**
 * Which faults a {@link SimNetwork} has, and how often: a probability for each {@link SimFault}. An immutable value.
 *
 * {@snippet :
 * FaultPlan.none();                                    // a net without a fault, and without latency
 * FaultPlan.of(seed);                                  // some faults, drawn from the seed
 * FaultPlan.of(seed).without(SimFault.RESET);          // the same without one
 * FaultPlan.none().with(SimFault.SHORT_READ, 0.5);     // one alone
 * }
 */
@SuppressWarnings("EnumOrdinal") // an array that is never kept
public final class FaultPlan {
    private static final SimFault[] KINDS = SimFault.values();
    private static final FaultPlan NONE = new FaultPlan(new double[KINDS.length]);
    /** Of the plans that a seed draws, each kind is switched on in one of so many. */
    private static final int SWITCHED_ON_IN = 4;
    private static final double[] STRENGTHS = {0.1, 0.5, 1, 1, 2};
    private static final long STREAM = 0x706c616e; // "plan"

    /** By the ordinal of the kind. */
    private final double[] probabilities;

    private FaultPlan(double[] probabilities) {
        this.probabilities = probabilities;
    }

    /**
     * No fault at all.
     *
     * @return the empty plan
     */
    public static FaultPlan none() {
        return NONE;
    }

    /**
     * Every fault, as often as is usual.
     *
     * @return a plan with all kinds
     */
    public static FaultPlan all() {
        return new FaultPlan(Arrays.stream(KINDS).mapToDouble(SimFault::usualProbability).toArray());
    }

    /**
     * Some faults, in swarm style (Groce and others: Swarm Testing, 2012): each kind is switched on in one of four plans, and is there more or
     * less often than usual. Many different narrow plans find more than one that has everything.
     *
     * @param seed what is drawn from
     * @return the same plan for the same seed
     */
    public static FaultPlan of(long seed) {
        double[] drawn = new double[KINDS.length];
        for (SimFault kind : KINDS) {
            SimRandom random = new SimRandom(seed, STREAM + ((long) kind.ordinal() << 32));
            if (random.below(SWITCHED_ON_IN) == 0) {
                drawn[kind.ordinal()] = Math.min(0.9, kind.usualProbability() * STRENGTHS[random.below(STRENGTHS.length)]);
            }
        }
        return new FaultPlan(drawn);
    }

    /**
     * A copy with another probability for one kind.
     *
     * @param kind the kind
     * @param probability from 0 (never) to 1 (whenever it may)
     * @return the copy
     * @throws IllegalArgumentException the probability is not from 0 to 1
     */
    public FaultPlan with(SimFault kind, double probability) {
        if (!(probability >= 0 && probability <= 1)) {
            throw new IllegalArgumentException("the probability of " + kind + " must be from 0 to 1, was " + probability);
        }
        double[] changed = probabilities.clone();
        changed[kind.ordinal()] = probability;
        return new FaultPlan(changed);
    }

    /**
     * A copy without some kinds. The other faults of a run are drawn as before, each kind from numbers of its own.
     *
     * @param kinds what to leave out
     * @return the copy
     */
    public FaultPlan without(SimFault... kinds) {
        double[] changed = probabilities.clone();
        for (SimFault kind : kinds) {
            changed[kind.ordinal()] = 0;
        }
        return new FaultPlan(changed);
    }

    /**
     * A copy with some kinds alone, as often as here.
     *
     * @param kinds what to keep
     * @return the copy
     */
    public FaultPlan only(SimFault... kinds) {
        double[] changed = new double[KINDS.length];
        for (SimFault kind : kinds) {
            changed[kind.ordinal()] = probabilities[kind.ordinal()];
        }
        return new FaultPlan(changed);
    }

    /**
     * How probable a kind is.
     *
     * @param kind the kind
     * @return from 0 to 1
     */
    public double probability(SimFault kind) {
        return probabilities[kind.ordinal()];
    }

    /**
     * The kinds that can happen.
     *
     * @return a new set, in the order of the kinds
     */
    public Set<SimFault> kinds() {
        EnumSet<SimFault> kinds = EnumSet.noneOf(SimFault.class);
        for (SimFault kind : KINDS) {
            if (probability(kind) > 0) {
                kinds.add(kind);
            }
        }
        return kinds;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FaultPlan plan && Arrays.equals(probabilities, plan.probabilities);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(probabilities);
    }

    /** For instance {@code SHORT_READ 0.2, RESET 0.002}; {@code no faults} for none. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (SimFault kind : kinds()) {
            text.append(text.isEmpty() ? "" : ", ").append(kind.name()).append(' ')
                    .append(String.format(Locale.ROOT, "%.4g", probability(kind)).replaceFirst("0+$", ""));
        }
        return text.isEmpty() ? "no faults" : text.toString();
    }
}
