package io.trivet.mutants;

/** Records which instructions were executed. Instrumented classes call it before each. */
public final class Reached {
    /** Written by many threads: each only ever sets an element. */
    private static boolean[] places = new boolean[0];

    private Reached() {}

    static void reset(int count) {
        places = new boolean[count];
    }

    static boolean[] places() {
        return places.clone();
    }

    /** Records that a place was executed. */
    public static void hit(int place) {
        places[place] = true;
    }
}
