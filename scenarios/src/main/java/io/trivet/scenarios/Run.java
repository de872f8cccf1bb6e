package io.trivet.scenarios;

import io.trivet.net.Clock;
import io.trivet.net.Loop;
import io.trivet.net.Poller;
import io.trivet.server.Server;
import io.trivet.sim.SimHost;
import io.trivet.sim.SimNetwork;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A run of a {@link Scenario}: its servers and clients run on a simulated network, first with faults, and then in a recovery
 * phase until everything is quiescent. Checkers verify the run. The same scenario gives the same run, down to the last byte of
 * its timeline. Not thread-safe, but runs on different threads are independent.
 */
public final class Run {
    private static final int SERVERS = 1;
    private static final int CLIENTS = 2;
    /** The servers beside those under test, and their clients. */
    private static final int SIDE_SERVERS = 3;
    private static final int SIDE_CLIENTS = 4;
    private static final int GUARDED_CLIENTS = 5;
    private static final int SIDE_STEPS_MAX = 300;
    private static final Duration STEP = Duration.ofSeconds(1);
    /**
     * Twenty times the rounds of the longest of 6,000 passing runs (seed 247: 2,506,212; median: 11,198). A round in which
     * anything is done takes a simulated microsecond, so activity alone does not reach this number before the recovery phase,
     * which starts within nine seconds.
     */
    static final long ROUNDS_MAX = 50_000_000;

    /** Receives the lines of the timeline, and nothing else. */
    private record LineListener(Consumer<String> lines) implements RunObserver {
        @Override
        public void begins(Clock clock) {}

        @Override
        public void opened(String name, Server server) {}

        @Override
        public void happened(String line, String event) {
            lines.accept(line);
        }

        @Override
        public void failed(CheckFailure failure) {}
    }

    private final Scenario scenario;
    private final @Nullable RunObserver observer;
    private final SimNetwork network;
    private final RunContext context;
    private final List<ServerUnderTest> servers = new ArrayList<>();
    private final List<Client> clients = new ArrayList<>();
    private final List<SimHost> clientHosts = new ArrayList<>();
    private final List<Poller> pollers = new ArrayList<>();
    private final FinalChecker finalChecker;
    private final AdmissionProbe admissionProbe;
    private @Nullable UdpTraffic udpTraffic;
    private @Nullable SessionServer sessions;
    private @Nullable RelayServer relays;
    private @Nullable EdgeServers edges;
    private final PlantedBug plantedBug;

    private Run(Scenario scenario, @Nullable RunObserver observer, PlantedBug plantedBug) {
        this.scenario = scenario;
        this.observer = observer;
        this.plantedBug = plantedBug;
        network = SimNetwork.of(scenario.seed(), scenario.faults());
        Timeline timeline = new Timeline(network.clock(), observer);
        if (observer != null) {
            observer.begins(network.clock());
            network.trace((elapsedNanos, event) -> timeline.log("  net: " + event));
        }
        context = new RunContext(scenario, network, timeline, new FailureLog(network.clock(), timeline), new Tally());
        finalChecker = new FinalChecker(context, servers, clients);
        admissionProbe = new AdmissionProbe(context, clientHosts);
    }

    /**
     * Runs a scenario.
     *
     * @param scenario the scenario
     * @return the outcome
     */
    public static Outcome of(Scenario scenario) {
        return new Run(scenario, null, PlantedBug.NONE).perform();
    }

    /**
     * Runs a scenario and reports its events.
     *
     * @param scenario the scenario
     * @param listener receives a line for each event
     * @return the outcome
     */
    public static Outcome of(Scenario scenario, Consumer<String> listener) {
        return new Run(scenario, new LineListener(listener), PlantedBug.NONE).perform();
    }

    /**
     * Runs a scenario and shows it to an observer. The run is the same as without one.
     *
     * @param scenario the scenario
     * @param observer the observer
     * @param canary true to report a failure on purpose, as {@link #canary} does
     * @return the outcome
     */
    public static Outcome observed(Scenario scenario, RunObserver observer, boolean canary) {
        return new Run(scenario, observer, canary ? PlantedBug.CANARY : PlantedBug.NONE).perform();
    }

    /**
     * Runs a scenario in which a checker reports the first message that a client receives, to show how failures are reported.
     *
     * @param scenario the scenario
     * @param listener receives a line for each event; null for none
     * @return the outcome: failed, if there was such a message
     */
    public static Outcome canary(Scenario scenario, @Nullable Consumer<String> listener) {
        return new Run(scenario, listener == null ? null : new LineListener(listener), PlantedBug.CANARY).perform();
    }

    /** Runs a scenario with a planted bug. */
    static Outcome of(Scenario scenario, PlantedBug plantedBug) {
        return new Run(scenario, null, plantedBug).perform();
    }

    /** Runs a scenario with a planted bug, for at most this number of rounds. */
    static Outcome of(Scenario scenario, PlantedBug plantedBug, long roundsMax) {
        Run run = new Run(scenario, null, plantedBug);
        run.context.roundsMax = roundsMax;
        return run.perform();
    }

    private Outcome perform() {
        try {
            setUp();
            runWithFaults();
            recover();
            finalChecker.awaitQuiescence(this::advance);
            for (ServerUnderTest server : servers) {
                if (!server.isEnding()) {
                    admissionProbe.check(server, this::advance);
                }
            }
            finish();
        } catch (FailureLog.RunAborted e) {
            // The failure is in the log.
        } catch (IOException | RuntimeException | Error e) {
            context.failures.report(Rule.CRASH, "an unexpected exception: " + e, e);
        }
        network.faultCounts().forEach((kind, count) -> context.tally.add("fault " + kind.name(), count));
        return new Outcome(scenario, context.failures.first(), context.now(), context.operations, context.connections,
                context.tally);
    }

    private void setUp() throws IOException {
        context.plantedBug = plantedBug;
        ClientsByAddress clientsByAddress = new ClientsByAddress();
        for (ServerPlan plan : scenario.servers()) {
            InetAddress address = address(SERVERS, plan.number());
            CheckedNetwork host = new CheckedNetwork(context, network.host(address, plan.engine(), scenario.faults()));
            ServerUnderTest server = new ServerUnderTest(context, plan, host,
                    new InetSocketAddress(address, ServerUnderTest.PORT), clientsByAddress);
            servers.add(server);
            server.start();
            if (observer != null && scenario.isVisited(plan)) {
                observer.opened(server.toString(), server.instance());
            }
            if (plan.descriptorLimit() > 0) {
                host.host().descriptorLimit(plan.descriptorLimit());
            }
            context.tally.add("engine", plan.engine());
            context.tally.add("framing", plan.framing());
        }
        List<ClientLoop> loops = new ArrayList<>();
        List<Client> byNumber = new ArrayList<>();
        for (int i = 0; i < Scenario.CLIENT_HOSTS; i++) {
            SimHost host = network.host(address(CLIENTS, i));
            Poller poller = SelectPoller.appliesTo(scenario, i) ? new SelectPoller(context, host) : host.poller();
            clientHosts.add(host);
            pollers.add(poller);
            loops.add(new ClientLoop(context, poller, byNumber));
        }
        for (ClientPlan plan : scenario.clients()) {
            Client client = new Client(context, plan, servers.get(plan.server()), clientHosts.get(plan.host()),
                    pollers.get(plan.host()),
                    clientsByAddress, loops.get(plan.host()), byNumber.size());
            byNumber.add(client);
            clients.add(client);
            loops.get(plan.host()).add(client);
        }
        loops.forEach(network::attach);
        if (scenario.actions().stream().anyMatch(ExternalAction.Datagram.class::isInstance)) {
            udpTraffic = new UdpTraffic(context, clientHosts.getFirst(), clientHosts.getLast());
            network.attach(udpTraffic);
        }
        if (scenario.actions().stream().anyMatch(ExternalAction.Converse.class::isInstance)) {
            sessions = new SessionServer(context, address(SIDE_SERVERS, 0), address(SIDE_CLIENTS, 0));
        }
        if (scenario.actions().stream().anyMatch(ExternalAction.ConnectRelayed.class::isInstance)) {
            relays = new RelayServer(context, address(SIDE_SERVERS, 1), address(SIDE_SERVERS, 2), address(SIDE_CLIENTS, 1));
            network.attach(relays);
        }
        EdgeServers opened = new EdgeServers(context,
                List.of(address(SIDE_SERVERS, 3), address(SIDE_CLIENTS, 2), address(SIDE_SERVERS, 4)),
                IntStream.range(0, GuardedServer.HOSTS).mapToObj(i -> address(GUARDED_CLIENTS, i)).toList());
        edges = opened;
        network.attach(new ExternalActions(context, servers, udpTraffic, sessions, relays, opened));
        if (plantedBug == PlantedBug.SPINNING_LOOP) {
            network.attach(new Spinner());
        }
    }

    private InetAddress address(int subnet, int number) {
        return InetAddress.ofLiteral((scenario.isIpv6() ? "fd00::" + subnet + ":" : "10.0." + subnet + ".") + (number + 1));
    }

    private static final class Spinner implements Loop {
        @Override
        public int turn() {
            return 1;
        }

        @Override
        public long nextDeadline() {
            return NO_DEADLINE;
        }
    }

    private void runWithFaults() throws IOException {
        advance(Duration.ofNanos(scenario.recoveryNanos()));
    }

    private void recover() throws IOException {
        context.timeline.log("recovery phase: no more faults; clients and applications finish");
        context.recovering = true;
        network.stopFaults();
        for (ServerUnderTest server : servers) {
            server.network().host().descriptorLimit(1 << 20);
            server.recover();
        }
        clients.forEach(Client::recover);
        if (relays != null) {
            relays.recover();
        }
        if (edges != null) {
            edges.recover();
        }
        context.failures.abortIfFailed();
    }

    private void advance(Duration duration) throws IOException {
        network.run(duration);
        context.failures.abortIfFailed();
    }

    private void awaitEnd(Supplier<@Nullable String> remaining) throws IOException {
        for (int i = 0; i < SIDE_STEPS_MAX && remaining.get() != null; i++) {
            advance(STEP);
        }
        String left = remaining.get();
        if (left != null) {
            context.failures.report(Rule.LIVENESS, "the faults have ended long ago, but " + left);
        }
        context.failures.abortIfFailed();
    }

    private void finish() throws IOException {
        finalChecker.checkEndings();
        if (sessions != null) {
            awaitEnd(sessions::remaining);
            sessions.checkAll();
            sessions.close();
        }
        if (relays != null) {
            awaitEnd(relays::remaining);
            relays.checkAll();
            relays.close();
        }
        if (edges != null) {
            awaitEnd(edges::remaining);
            edges.finish();
        }
        for (ServerUnderTest server : servers) {
            server.closing = true;
            server.instance().close();
        }
        advance(STEP);
        if (Reopening.appliesTo(scenario)) {
            new Reopening(context, servers.getFirst(), clientHosts.getFirst()).perform(this::advance);
        }
        for (Poller poller : pollers) {
            poller.close();
        }
        admissionProbe.close();
        if (udpTraffic != null) {
            udpTraffic.checkAll();
            udpTraffic.close();
        }
        if (sessions != null) {
            sessions.checkLeaks();
        }
        if (relays != null) {
            relays.checkLeaks();
        }
        if (edges != null) {
            edges.checkLeaks();
        }
        finalChecker.checkLeaks(clientHosts);
    }
}
