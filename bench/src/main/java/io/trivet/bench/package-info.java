/** Measurements: of calls, and of servers beside their peers. Never published. */
@NullMarked
package io.trivet.bench;

import org.jspecify.annotations.NullMarked;
