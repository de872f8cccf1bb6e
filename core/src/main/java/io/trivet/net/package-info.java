/**
 * Sockets, and the interface between Trivet and a kernel. The rest of the library uses only these types, so the same code runs on
 * Linux, on java.nio and on a simulated network.
 *
 * <p>Every socket is non-blocking, and on Linux also close-on-exec (the JDK's own sockets are not). Expected outcomes (would
 * block, end of input) are return values. Operating errors are {@link io.trivet.net.NetworkException}. Any use of a closed socket
 * throws a {@link java.nio.channels.ClosedChannelException}. A programmer's error throws an unchecked exception at once.
 *
 * <h2>For applications</h2>
 *
 * <ul>
 *   <li>{@link io.trivet.net.Network} opens sockets: {@link io.trivet.net.TcpListener}, {@link io.trivet.net.TcpStream},
 *       {@link io.trivet.net.UdpSocket}, {@link io.trivet.net.Pipe}, {@link io.trivet.net.Descriptor}.
 *   <li>{@link io.trivet.net.Selectable} is what the lists of {@code io.trivet.select} contain.
 *   <li>{@link io.trivet.net.TcpOptions}, {@link io.trivet.net.NetworkException}, {@link io.trivet.net.ErrorCode},
 *       {@link io.trivet.net.Addresses}, {@link io.trivet.net.Capability} and {@link io.trivet.net.EngineStatus} complete them.
 * </ul>
 *
 * <h2>Provider interface (SPI)</h2>
 *
 * <p>A network implementation supplies these types, and {@code io.trivet.server} and {@code io.trivet.select} are built on them:
 *
 * <ul>
 *   <li>a {@link io.trivet.net.NetworkProvider}, declared to {@link java.util.ServiceLoader}, which names its networks;
 *   <li>a {@link io.trivet.net.Network} that opens the sockets above, with a {@link io.trivet.net.Clock};
 *   <li>{@link io.trivet.net.Network#selectOnce}, which waits once for many sockets;
 *   <li>a {@link io.trivet.net.Poller}, which reports level-triggered readiness as {@link io.trivet.net.Interest} bits in
 *       {@link io.trivet.net.ReadyEvents}, and describes a {@link io.trivet.net.Registration};
 *   <li>optionally a {@link io.trivet.net.Proactor}, which delivers {@link io.trivet.net.Completions};
 *       {@link io.trivet.net.ReadinessProactor} makes one from any poller;
 *   <li>for a simulated network, the {@link io.trivet.net.Loop}s that it turns.
 * </ul>
 */
@NullMarked
package io.trivet.net;

import org.jspecify.annotations.NullMarked;
