package io.trivet.scenarios;

/** The rules that the checkers verify. */
public enum Rule {
    /** Messages arrive in the order of their lane. */
    ORDER(Verdict.WRONG),
    /** What arrives is what was sent, completely and once. */
    BYTES(Verdict.WRONG),
    /** An accepted message is delivered, or reported as dropped, or the end of its connection explains why not. */
    DELIVERY(Verdict.WRONG),
    /** The gauges of a queue equal its content. */
    GAUGES(Verdict.WRONG),
    /** No queue, budget or count exceeds its limit. */
    CAPS(Verdict.WRONG),
    /** Deadlines are met, and do not expire early. */
    DEADLINES(Verdict.WRONG),
    /** Callbacks come in the order that the states of a connection allow. */
    CALLBACKS(Verdict.WRONG),
    /** The reason for a connection's end really existed, and fits what its peer saw. */
    ENDS(Verdict.WRONG),
    /** A loop and its proactor keep their contract. */
    COMPLETIONS(Verdict.WRONG),
    /** At the end no descriptor, memory, budget or timer is left. */
    LEAKS(Verdict.WRONG),
    /** A turn without work is followed by a wait. */
    SPIN(Verdict.STUCK),
    /** In the recovery phase everything becomes quiescent. */
    LIVENESS(Verdict.STUCK),
    /** No unexpected exception is thrown. */
    CRASH(Verdict.CRASHED),
    /** Not a real rule: reported as broken on purpose, to show how a failure is reported. */
    CANARY(Verdict.WRONG);

    private final Verdict verdict;

    Rule(Verdict verdict) {
        this.verdict = verdict;
    }

    /**
     * Returns the verdict on a run that breaks this rule.
     *
     * @return wrong, stuck or crashed
     */
    public Verdict verdict() {
        return verdict;
    }
}
