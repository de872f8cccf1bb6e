package io.trivet.scenarios;

/** What the judges hold a run to. */
public enum Rule {
    /** Messages arrive in the order of their lane. */
    ORDER(Verdict.WRONG),
    /** What arrives is what was sent, whole and once. */
    BYTES(Verdict.WRONG),
    /** What was taken is delivered, or told as dropped, or the connection has ended in a way that explains it. */
    DELIVERY(Verdict.WRONG),
    /** What a queue says of itself is what waits in it. */
    GAUGES(Verdict.WRONG),
    /** No queue, no budget and no count stands above its limit. */
    CAPS(Verdict.WRONG),
    /** Deadlines are met, and not before their time. */
    DEADLINES(Verdict.WRONG),
    /** Callbacks come in the order that the states of a connection allow. */
    CALLBACKS(Verdict.WRONG),
    /** The reason for a connection's end is one that there was, and fits what its peer saw. */
    ENDS(Verdict.WRONG),
    /** The contract between a loop and what completes its operations. */
    COMPLETIONS(Verdict.WRONG),
    /** At the end nothing is left: no descriptor, no memory, no budget, no timer. */
    LEAKS(Verdict.WRONG),
    /** A turn without work is followed by a wait. */
    SPIN(Verdict.STUCK),
    /** Once everything has healed, everything comes to rest. */
    LIVENESS(Verdict.STUCK),
    /** Nothing throws what it should not. */
    CRASH(Verdict.CRASHED),
    /** Broken on purpose, to see a failure reported. */
    CANARY(Verdict.WRONG);

    private final Verdict verdict;

    Rule(Verdict verdict) {
        this.verdict = verdict;
    }

    /**
     * What a run is that breaks it.
     *
     * @return wrong, stuck or crashed
     */
    public Verdict verdict() {
        return verdict;
    }
}
