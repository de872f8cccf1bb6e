/**
 * Tests the server on the simulated network. Each seed generates a scenario: clients, limits, faults, and a recovery phase.
 * Checkers verify the run.
 *
 * <p>{@link io.trivet.scenarios.Scenario#of} generates a scenario, {@link io.trivet.scenarios.Run#of} runs it and returns its
 * {@link io.trivet.scenarios.Outcome}. {@link io.trivet.scenarios.Shrinker} shrinks a scenario that fails.
 */
@NullMarked
package io.trivet.scenarios;

import org.jspecify.annotations.NullMarked;
