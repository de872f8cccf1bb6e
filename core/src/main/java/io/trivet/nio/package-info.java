/**
 * java.nio behind the seam, for every system: sockets on its channels, readiness on its {@code Selector}, whose traps end here.
 *
 * <p>What java.nio cannot do at all (urgent data, descriptors) is refused, and the refusal says who can.
 */
@NullMarked
package io.trivet.nio;

import org.jspecify.annotations.NullMarked;
