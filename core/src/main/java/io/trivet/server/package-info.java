/**
 * A TCP server for very many clients: event loops, and a bounded message queue for each client.
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
 * <p>The server is written on {@link io.trivet.net.Proactor}. It names no kernel, reads no clock but the network's, and iterates
 * over nothing whose order is undefined. So it runs unchanged on a simulated network, where every run can be repeated.
 */
// The classes of this package form layers, in which each names only classes of its own and lower layers, without cycles.
// docs/architecture.md draws them, and ArchitectureTest lists and holds them.
@NullMarked
package io.trivet.server;

import org.jspecify.annotations.NullMarked;
