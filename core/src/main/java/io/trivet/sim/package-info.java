/**
 * Networks that are worse than the real one, behind the same seam, so that a program can be tested against what seldom happens.
 *
 * <p>{@link io.trivet.sim.TortureNetwork} makes real sockets behave at their worst.
 */
@NullMarked
package io.trivet.sim;

import org.jspecify.annotations.NullMarked;
