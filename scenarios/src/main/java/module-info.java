/**
 * The scenarios that test the server on the simulated network. They use the library's exported API alone, and are never published:
 * {@code trivet sim} runs them.
 */
@org.jspecify.annotations.NullMarked
module io.trivet.scenarios {
    requires transitive io.trivet;
    requires static org.jspecify;

    exports io.trivet.scenarios;
}
