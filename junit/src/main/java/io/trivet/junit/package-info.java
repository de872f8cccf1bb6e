/**
 * Runs JUnit tests on the simulated network for many seeds: {@link io.trivet.junit.Seeds}. For JUnit 5 (5.10 and later) and 6.
 */
@NullMarked
package io.trivet.junit;

import org.jspecify.annotations.NullMarked;
