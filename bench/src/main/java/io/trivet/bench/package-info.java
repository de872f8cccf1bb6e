/** Measurements of single calls, and of servers in comparison with their peers. Never published. */
@NullMarked
package io.trivet.bench;

import org.jspecify.annotations.NullMarked;
