package io.trivet.observe;

import java.net.InetSocketAddress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The end of a connection. A server keeps those of the last connections that were closed.
 *
 * @param id the connection's number, see {@link ConnectionSnapshot#id}
 * @param remoteAddress the peer's address; null if the connection never had one
 * @param loop the index of the event loop that owned the connection
 * @param reason why it was closed
 * @param failure the message of the error that ended it, or null. It may quote what the peer has sent: escape it before you
 *     print it
 * @param reset true if the peer got a reset, because something accepted for sending was dropped
 * @param bytesIn bytes received
 * @param bytesOut bytes accepted by the kernel for sending
 * @param sinceClosed the time since it was closed
 */
public record ClosedConnection(long id, @Nullable InetSocketAddress remoteAddress, int loop, CloseReason reason,
        @Nullable String failure, boolean reset, long bytesIn, long bytesOut, Duration sinceClosed) {}
