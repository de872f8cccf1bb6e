/**
 * Scenarios that test the server on the simulated network, and the checkers that verify them. Uses only the exported API of the
 * library, and is not published: {@code trivet sim} runs it.
 */
@org.jspecify.annotations.NullMarked
module io.trivet.scenarios {
    requires transitive io.trivet;
    requires static org.jspecify;

    exports io.trivet.scenarios;
}
