/**
 * {@code select} for Java: three lists of sockets, every engine of the kernel, and a TCP server built on them.
 *
 * <h2>A server in ten lines</h2>
 *
 * An echo server. Each client has a message queue with a limit, and each peer has deadlines; see {@link io.trivet.server.Limits} for the defaults.
 *
 * {@snippet lang=java :
 * public final class EchoServer {
 *     public static void main(String[] args) throws IOException, InterruptedException {
 *         try (Server server = Server.builder()                                        // @link substring="Server" target="io.trivet.server.Server"
 *                 .listen(new InetSocketAddress("127.0.0.1", 8080))
 *                 .framing(Framing.lines())                                            // @link substring="Framing" target="io.trivet.server.Framing"
 *                 .onMessage((connection, line) -> connection.send(line))              // @link substring="send" target="io.trivet.server.Connection"
 *                 .start()) {
 *             server.join();
 *         }
 *     }
 * }
 * }
 *
 * The loop calls a {@link io.trivet.server.Handler}, which must not block. A {@link io.trivet.server.Connection} may be used from any thread.
 *
 * <h2>Three lists</h2>
 *
 * {@link io.trivet.select.Select} waits until sockets are readable, writable or exceptional, and returns the caller's own objects:
 *
 * {@snippet lang=java :
 * Ready<Socket> ready = Select.select(readers, writers, List.of(), Duration.ofSeconds(3)); // @link substring="Select" target="io.trivet.select.Select"
 * for (Socket socket : ready.readable()) {                                                 // @link substring="readable" target="io.trivet.select.Ready"
 *     // data, end of input, a client to accept, or an error
 * }
 * }
 *
 * <h2>A simulated network</h2>
 *
 * The same server and the same handlers run on a {@link io.trivet.sim.SimNetwork}, where one seed determines everything that happens, including time
 * and faults. A failure can be replayed exactly.
 *
 * {@snippet lang=java :
 * SimNetwork network = SimNetwork.of(seed, FaultPlan.of(seed)); // @link substring="SimNetwork" target="io.trivet.sim.SimNetwork"
 * Server server = Server.builder().network(network).listen(address).onMessage(handler).open();
 * network.run(Duration.ofSeconds(60));
 * }
 *
 * <h2>Where to start reading</h2>
 *
 * <ol>
 *   <li>{@link io.trivet.server}: the server, its connections, handlers, framings and limits;
 *   <li>{@link io.trivet.select}: the three lists, and the sets of descriptors known from C;
 *   <li>{@link io.trivet.net}: sockets, networks and readiness, which both are built on, and the interfaces that an engine implements;
 *   <li>{@link io.trivet.observe}: counters and snapshots of a running server;
 *   <li>{@link io.trivet.sim}: the simulated network, and {@link io.trivet.sim.TortureNetwork}, a faulty network over real sockets.
 * </ol>
 *
 * <h2>Requirements</h2>
 *
 * <p>Java 25. On Linux, the engines call the kernel, which the option {@code --enable-native-access=io.trivet} permits
 * ({@code --enable-native-access=ALL-UNNAMED} on the class path). Elsewhere, and where native access is denied, Trivet uses java.nio.
 */
@org.jspecify.annotations.NullMarked
module io.trivet {
    requires static jdk.jfr;
    requires static org.jspecify;

    exports io.trivet.net;
    exports io.trivet.observe;
    exports io.trivet.select;
    exports io.trivet.server;
    exports io.trivet.sim;
    exports io.trivet.tls;

    uses io.trivet.net.NetworkProvider;

    provides io.trivet.net.NetworkProvider with
            io.trivet.linux.LinuxProvider,
            io.trivet.nio.NioProvider;
}
