/**
 * Networks that are worse than the real one, behind the same seam, so that a program can be tested against what seldom happens.
 *
 * <p>{@link io.trivet.sim.TortureNetwork} makes real sockets behave at their worst. {@link io.trivet.sim.SimNetwork} has no real sockets: one
 * seed decides everything that happens on it, and every run can be repeated.
 */
@NullMarked
package io.trivet.sim;

import org.jspecify.annotations.NullMarked;
