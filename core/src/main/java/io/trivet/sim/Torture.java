package io.trivet.sim;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/**
 * What a {@link TortureNetwork} does to its users, and how often: a probability for each fault.
 *
 * {@snippet :
 * Torture.defaults();                                            // some of everything
 * Torture.none().with(Torture.Fault.SHORT_WRITE, 0.5);           // one fault alone
 * Torture.defaults().with(Torture.Fault.ACCEPT_FAILURE, 0);      // everything but one
 * }
 *
 * @param probabilities for each fault, from 0 (never) to 1 (whenever it may); those that are missing never happen. Copied
 */
public record Torture(Map<Fault, Double> probabilities) {
    /**
     * What a kernel may do at any time, and rarely does. None of them loses, doubles or reorders a byte, and none goes on for ever: a
     * call that only pretends that it would block does so three times in a row at most, and what is ready stays ready.
     */
    public enum Fault {
        /** A read gives a part of what it could: often one byte, sometimes nearly all. Not after a low-water mark was set. */
        SHORT_READ(0.4),
        /** A read, or the receipt of a datagram, would block although there is something. Nothing is asked of the kernel then. */
        READ_WOULD_BLOCK(0.1),
        /** A write takes a part of what it could, cut anywhere, also between two buffers. Pipes take up to 4,096 bytes whole. */
        SHORT_WRITE(0.4),
        /** A write, or the sending of a datagram, would block although there is room. */
        WRITE_WOULD_BLOCK(0.1),
        /** An accept finds no one, although somebody waits. */
        ACCEPT_WOULD_BLOCK(0.1),
        /** An accept fails with EMFILE; whoever waits goes on waiting. Never twice in a row on one listener. */
        ACCEPT_FAILURE(0.01),
        /** A connect that has finished, well or badly, is said to be still under way, although the stream was reported writable. */
        LATE_CONNECT(0.3),
        /**
         * A poll, or a three-list call, reports READ of a socket that is not readable; if nothing else is ready, the wait ends with it. Never
         * where PRIORITY is watched, too: the read that follows would destroy an urgent byte. Two waits in a row never end so.
         */
        SPURIOUS_READ(0.03),
        /** The same with WRITE. What follows may still be taken: a socket that is not reported as writable need not be full. */
        SPURIOUS_WRITE(0.03),
        /** A poll or a call leaves READ or WRITE of a socket out, as if that held a moment later only; never everything. */
        LATE_EVENT(0.1),
        /** A poll reports fewer sockets than are ready, as if the caller's buffer were smaller; the next one reports the others first. */
        FEWER_EVENTS(0.2),
        /** A poll reports in another order. */
        SHUFFLED_EVENTS(0.5);

        private final double byDefault;

        Fault(double byDefault) {
            this.byDefault = byDefault;
        }
    }

    /**
     * A plan of faults.
     *
     * @throws IllegalArgumentException a probability is not from 0 to 1
     */
    public Torture {
        EnumMap<Fault, Double> copy = new EnumMap<>(Fault.class);
        copy.putAll(probabilities);
        copy.forEach((fault, probability) -> {
            if (!(probability >= 0 && probability <= 1)) {
                throw new IllegalArgumentException("the probability of " + fault + " must be from 0 to 1, was " + probability);
            }
        });
        probabilities = Collections.unmodifiableMap(copy);
    }

    /**
     * Some of everything: what a protocol with sound buffers should survive.
     *
     * @return every fault with a probability of 1 to 50 percent
     */
    public static Torture defaults() {
        Torture plan = none();
        for (Fault fault : Fault.values()) {
            plan = plan.with(fault, fault.byDefault);
        }
        return plan;
    }

    /**
     * No fault at all: the network below, unchanged.
     *
     * @return an empty plan
     */
    public static Torture none() {
        return new Torture(Map.of());
    }

    /**
     * A copy with another probability for one fault.
     *
     * @param fault the fault
     * @param probability from 0 to 1
     * @return the copy
     * @throws IllegalArgumentException the probability is not from 0 to 1
     */
    public Torture with(Fault fault, double probability) {
        EnumMap<Fault, Double> changed = new EnumMap<>(Fault.class);
        changed.putAll(probabilities);
        changed.put(fault, probability);
        return new Torture(changed);
    }

    /**
     * How probable a fault is.
     *
     * @param fault the fault
     * @return from 0 to 1
     */
    public double probability(Fault fault) {
        return probabilities.getOrDefault(fault, 0.0);
    }
}
