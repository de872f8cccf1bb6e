package io.trivet.observe;

import java.net.InetSocketAddress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The state of one connection at one moment.
 *
 * @param id its number, unique among all connections of the server, closed ones included
 * @param remoteAddress the peer's address; null if it is not known, before the connect or after the close
 * @param loop the index of the event loop that owns the connection
 * @param state its position in the life cycle
 * @param readable whether the loop watches it for input
 * @param writable whether the loop watches it for output
 * @param exceptional whether the loop watches it for urgent data
 * @param readState whether the loop reads from it, and the reason
 * @param interestReason a sentence that explains why the loop watches it for these and not for others
 * @param queueBytes bytes in its send queue: accepted from the application, and not yet accepted by the kernel
 * @param queueBytesMax the maximum of {@code queueBytes}
 * @param queueMessages messages in its send queue, of which the first may be sent in part
 * @param oldestAge how long the oldest of them has been waiting; zero if there is none
 * @param sinceProgress how long the peer has accepted none of the bytes that wait for it; zero if none wait
 * @param writeTimeout the maximum of {@code sinceProgress}, at which the connection is closed; zero: there is none
 * @param timesFull how often the socket has refused bytes since its send queue was last empty
 * @param bytesIn bytes received so far
 * @param bytesOut bytes accepted by the kernel for sending so far
 * @param sinceActivity the time since a byte was last received or sent
 * @param tls the TLS version and cipher suite; null without TLS, or before the handshake is over
 * @param closeReason why it is being closed, or null if it is not
 */
public record ConnectionSnapshot(long id, @Nullable InetSocketAddress remoteAddress, int loop, ConnectionState state,
        boolean readable, boolean writable, boolean exceptional, ReadState readState, String interestReason,
        long queueBytes, long queueBytesMax, int queueMessages, Duration oldestAge, Duration sinceProgress, Duration writeTimeout,
        int timesFull, long bytesIn, long bytesOut, Duration sinceActivity, @Nullable String tls,
        @Nullable CloseReason closeReason) {}
