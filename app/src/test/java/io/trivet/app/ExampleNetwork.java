package io.trivet.app;

import io.trivet.net.Clock;
import io.trivet.net.Network;
import io.trivet.net.TcpStream;
import io.trivet.select.Select;
import io.trivet.server.Server;
import io.trivet.server.ServerBuilder;
import io.trivet.sim.Fault;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimHost;
import io.trivet.sim.SimNetwork;
import io.trivet.sim.SimTrace;
import io.trivet.sim.TortureNetwork;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** The network of one run of an example's server: simulated with faults, or a real one whose sockets misbehave. */
abstract class ExampleNetwork implements AutoCloseable {
    static final InetSocketAddress LOOPBACK = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);

    private final Server server;

    private ExampleNetwork(Server server) {
        this.server = server;
    }

    InetSocketAddress address() {
        return server.address();
    }

    /** Starts to connect to the server, from one of several hosts. */
    abstract TcpStream connect(int host) throws IOException;

    abstract Clock clock();

    /** Lets some time pass, less than {@code most}. A real network waits until a client can continue. */
    abstract void pass(Random random, Duration most, List<ExampleClient> clients) throws IOException;

    /** Ends all faults. */
    abstract void recover();

    /** Returns true if a client that leaves without a word can reset its connection and then know what the server has seen. */
    abstract boolean isSimulated();

    /** Returns true if a fault may have ended this client's connection, or may have delayed its bytes beyond a timeout. */
    abstract boolean mayCut(InetSocketAddress client);

    /** Closes the server. Fails if anything is left. */
    @Override
    public void close() throws IOException {
        server.close();
    }

    /** Puts a server on a simulated network. One run in ten has no faults. The trace may be null. */
    static ExampleNetwork simulated(long seed, SimTrace trace, ServerBuilder builder) throws IOException {
        SimNetwork network = SimNetwork.of(seed, Math.floorMod(seed, 10) == 0 ? FaultPlan.none() : FaultPlan.of(seed));
        network.trace(trace);
        return new Simulated(network, builder.network(network).open());
    }

    /** Puts a server on an engine of this machine whose sockets misbehave. */
    static ExampleNetwork tortured(long seed, String engine, ServerBuilder builder) throws IOException {
        Network inner = Network.named(engine);
        return new Tortured(inner, builder.network(TortureNetwork.of(inner, seed)).start());
    }

    private static final class Simulated extends ExampleNetwork {
        private static final int HOSTS = 3;
        /** Faults of a host, or of the time. They are not recorded for a connection. */
        private static final Set<Fault> OF_ALL = EnumSet.of(Fault.CLOCK_JUMP, Fault.SOCKET_REFUSED, Fault.ACCEPT_NO_DESCRIPTOR,
                Fault.ACCEPT_NO_MEMORY);

        private final SimNetwork network;
        private final List<SimHost> hosts = new ArrayList<>();

        Simulated(SimNetwork network, Server server) {
            super(server);
            this.network = network;
            for (int i = 1; i <= HOSTS; i++) {
                hosts.add(network.host(InetAddress.ofLiteral("10.0.0." + i)));
            }
        }

        @Override
        TcpStream connect(int host) throws IOException {
            return hosts.get(host % HOSTS).connect(address());
        }

        @Override
        Clock clock() {
            return network.clock();
        }

        @Override
        void pass(Random random, Duration most, List<ExampleClient> clients) throws IOException {
            network.run(Duration.ofNanos(most.toNanos() >> random.nextInt(10)));
        }

        @Override
        void recover() {
            network.stopFaults();
        }

        @Override
        boolean isSimulated() {
            return true;
        }

        @Override
        boolean mayCut(InetSocketAddress client) {
            return !network.faultsOf(client).isEmpty() || OF_ALL.stream().anyMatch(fault -> network.faultCount(fault) > 0);
        }

        @Override
        public void close() throws IOException {
            super.close();
            String left = network.describeDescriptors()
                    + String.join("", hosts.stream().map(SimHost::describeDescriptors).toList());
            if (!left.isEmpty()) {
                throw new AssertionError("descriptors are left: " + left);
            }
        }
    }

    private static final class Tortured extends ExampleNetwork {
        private static final Duration PATIENCE = Duration.ofMillis(5);
        private final Network network;

        Tortured(Network network, Server server) {
            super(server);
            this.network = network;
        }

        @Override
        TcpStream connect(int host) throws IOException {
            return network.connect(address());
        }

        @Override
        Clock clock() {
            return network.clock();
        }

        @Override
        void pass(Random random, Duration most, List<ExampleClient> clients) throws IOException {
            List<TcpStream> readers = clients.stream().filter(ExampleClient::isConnected).map(ExampleClient::stream).toList();
            List<TcpStream> writers = clients.stream().filter(ExampleClient::awaitsWritable).map(ExampleClient::stream).toList();
            Select.on(network).select(readers, writers, List.of(), PATIENCE);
        }

        @Override
        void recover() {
            // These faults only change how bytes arrive: the server must cope until the end.
        }

        @Override
        boolean isSimulated() {
            return false;
        }

        @Override
        boolean mayCut(InetSocketAddress client) {
            return false;
        }
    }
}
