/**
 * What can be watched of a server, as records: counters, and a snapshot of each connection. Plain values, taken at one moment without
 * stopping a loop: figures of one record can be a few microseconds apart.
 */
@NullMarked
package io.trivet.observe;

import org.jspecify.annotations.NullMarked;
