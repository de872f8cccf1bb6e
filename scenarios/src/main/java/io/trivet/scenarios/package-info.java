/**
 * Little worlds on the simulated network, which torture a server from a seed: clients of many characters, applications that use every method
 * there is, faults, a healing, and judges who look on.
 *
 * <p>{@link io.trivet.scenarios.World#of} draws a world, {@link io.trivet.scenarios.Play#of} runs it, and an
 * {@link io.trivet.scenarios.Outcome} says how it went. What is found is cut down by {@link io.trivet.scenarios.Shrinker}.
 */
@NullMarked
package io.trivet.scenarios;

import org.jspecify.annotations.NullMarked;
