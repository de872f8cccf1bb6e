/**
 * The seam between Trivet and a kernel: sockets, readiness, time.
 *
 * <p>Everything above this package (the three lists, the server) speaks to these interfaces alone, so the same code runs on
 * Linux, on java.nio and on a simulated network. An implementation supplies:
 *
 * <ul>
 *   <li>a {@link io.trivet.net.NetworkProvider}, declared to {@link java.util.ServiceLoader}, that names its networks;
 *   <li>a {@link io.trivet.net.Network} that opens {@link io.trivet.net.TcpListener}, {@link io.trivet.net.TcpStream},
 *       {@link io.trivet.net.UdpSocket} and {@link io.trivet.net.Pipe};
 *   <li>a {@link io.trivet.net.Poller}: level-triggered readiness of registered sockets;
 *   <li>{@link io.trivet.net.Network#selectOnce}: the same question about many sockets, asked once.
 * </ul>
 *
 * <p>Every socket is non-blocking, and on Linux close-on-exec (the JDK's own are not). Expected outcomes (would block, end of input) are return values; operating
 * errors are {@link io.trivet.net.NetworkException}; any use of a closed socket is a
 * {@link java.nio.channels.ClosedChannelException}; a programmer's error is an unchecked exception at once.
 */
@NullMarked
package io.trivet.net;

import org.jspecify.annotations.NullMarked;
