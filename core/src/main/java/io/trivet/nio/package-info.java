/**
 * The java.nio implementation of {@link io.trivet.net}, for every system: sockets are channels, and the poller is a {@code Selector}.
 *
 * <p>It hides the selector's peculiarities, so that these sockets behave like those of Linux. What java.nio cannot do (urgent data,
 * file descriptors) throws {@link UnsupportedOperationException}, whose message names the networks that can.
 */
@NullMarked
package io.trivet.nio;

import org.jspecify.annotations.NullMarked;
