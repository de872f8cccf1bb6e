/**
 * Little worlds on the simulated network, which torture a server from a seed: clients of many characters, applications that use every method
 * there is, faults, a healing, and judges who look on.
 *
 * <p>{@link io.trivet.sim.world.World#of} draws a world, {@link io.trivet.sim.world.Play#of} runs it, and an
 * {@link io.trivet.sim.world.Outcome} says how it went. What is found is cut down by {@link io.trivet.sim.world.Shrinker}.
 */
@NullMarked
package io.trivet.sim.world;

import org.jspecify.annotations.NullMarked;
