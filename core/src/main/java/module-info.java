/**
 * Trivet: {@code select} for Java, and a server above it.
 *
 * <p>{@link io.trivet.select.Select} is the three lists; {@link io.trivet.net.Network} opens the sockets that stand in them.
 * {@link io.trivet.server.Server} is a TCP server for very many clients, with a bounded message queue for each; {@link io.trivet.observe}
 * is what can be seen of it while it runs. {@link io.trivet.sim.TortureNetwork} is a network at its worst, for tests.
 */
@org.jspecify.annotations.NullMarked
module io.trivet {
    requires static org.jspecify;

    exports io.trivet.net;
    exports io.trivet.observe;
    exports io.trivet.select;
    exports io.trivet.server;
    exports io.trivet.sim;
    exports io.trivet.sim.world;

    uses io.trivet.net.NetworkProvider;

    provides io.trivet.net.NetworkProvider with
            io.trivet.linux.LinuxProvider,
            io.trivet.nio.NioProvider;
}
