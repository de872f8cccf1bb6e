package io.trivet.junit;

import io.trivet.sim.Fault;
import io.trivet.sim.FaultPlan;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;

/**
 * Which seeds to run, with which kinds of faults.
 *
 * @param first the first seed
 * @param last the last seed, included
 * @param faults the kinds of faults that may occur
 * @param traced whether the events are printed
 */
record SeedSettings(long first, long last, Set<Fault> faults, boolean traced) {
    static final String SEEDS = "trivet.seeds";
    static final String FAULTS = "trivet.faults";
    static final String TRACE = "trivet.trace";
    static final String NO_FAULTS = "none";

    /** Combines an annotation with the configuration parameters, which take precedence. */
    static SeedSettings of(Seeds seeds, Function<String, Optional<String>> parameters) {
        if (seeds.count() < 1) {
            throw new ExtensionConfigurationException("@Seeds(count) must be at least 1, was " + seeds.count());
        }
        Set<Fault> faults = parameters.apply(FAULTS).map(SeedSettings::faults).orElseGet(() -> EnumSet.allOf(Fault.class));
        faults.removeAll(Arrays.asList(seeds.without()));
        Optional<String> range = parameters.apply(SEEDS);
        long first = seeds.from();
        long last = first + seeds.count() - 1;
        if (range.isPresent()) {
            String[] ends = range.get().strip().split("\\.\\.", -1);
            first = seed(ends[0], range.get());
            last = ends.length == 1 ? first : seed(ends[1], range.get());
            if (ends.length > 2 || last < first) {
                throw new ExtensionConfigurationException(
                        SEEDS + " must be a seed or a range such as 1..1000, not " + range.get());
            }
        }
        boolean traced = parameters.apply(TRACE).map(Boolean::parseBoolean).orElse(range.isPresent() && first == last);
        return new SeedSettings(first, last, faults, traced);
    }

    private static long seed(String text, String range) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new ExtensionConfigurationException(SEEDS + " must be a seed or a range such as 1..1000, not " + range, e);
        }
    }

    private static Set<Fault> faults(String names) {
        Set<Fault> faults = EnumSet.noneOf(Fault.class);
        if (names.strip().equals(NO_FAULTS)) {
            return faults;
        }
        for (String name : names.split(",", -1)) {
            try {
                faults.add(Fault.valueOf(name.strip().toUpperCase(Locale.ROOT)));
            } catch (IllegalArgumentException e) {
                throw new ExtensionConfigurationException(FAULTS + " must be none, or names of " + Fault.class.getName()
                        + " separated by commas; there is no " + name, e);
            }
        }
        return faults;
    }

    /** Returns the faults that a seed draws. */
    FaultPlan plan(long seed) {
        return FaultPlan.of(seed).only(faults.toArray(new Fault[0]));
    }
}
