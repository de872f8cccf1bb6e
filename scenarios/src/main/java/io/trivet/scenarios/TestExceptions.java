package io.trivet.scenarios;

/** The exceptions that the application throws on purpose. */
final class TestExceptions {
    private static final class Checked extends Exception {
        private static final long serialVersionUID = 1;

        Checked() {
            super("on request", null, false, false);
        }
    }

    private static final class Unchecked extends RuntimeException {
        private static final long serialVersionUID = 1;

        Unchecked() {
            super("on request", null, false, false);
        }
    }

    private TestExceptions() {}

    /** Returns a checked exception for an even number, and an unchecked one for an odd number. */
    static Exception of(int number) {
        return number % 2 == 0 ? new Checked() : new Unchecked();
    }

    /**
     * Throws such an exception without declaring it. Code in other JVM languages can throw a checked exception from a task like
     * this.
     */
    static void throwUndeclared(int number) {
        TestExceptions.<RuntimeException>sneak(of(number));
    }

    // the cast is erased, so the compiler does not see the checked exception
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <E extends Exception> void sneak(Exception exception) throws E {
        throw (E) exception;
    }
}
