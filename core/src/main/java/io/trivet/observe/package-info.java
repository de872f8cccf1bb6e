/**
 * What a server reports about itself: counters, and snapshots of its connections.
 *
 * <p>All types are plain immutable values, safe for any thread. They are read without stopping a loop, so values of one record may be a
 * few microseconds apart.
 */
@NullMarked
package io.trivet.observe;

import org.jspecify.annotations.NullMarked;
