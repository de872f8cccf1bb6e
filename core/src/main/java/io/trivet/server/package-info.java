/**
 * A TCP server for very many clients: an event loop, and a bounded message queue for each client.
 *
 * {@snippet :
 * try (Server server = Server.builder()
 *         .listen(new InetSocketAddress("127.0.0.1", 8080))
 *         .framing(Framing.lines())
 *         .onMessage((connection, message) -> connection.send(message))
 *         .start()) {
 *     server.join();
 * }
 * }
 *
 * <p>It stands on {@link io.trivet.net.Proactor} and names no kernel, reads no clock but the network's, and iterates over nothing
 * whose order is undefined: on a simulated network it runs unchanged, and every run can be repeated.
 */
@NullMarked
package io.trivet.server;

import org.jspecify.annotations.NullMarked;
