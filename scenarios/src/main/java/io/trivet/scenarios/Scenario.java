package io.trivet.scenarios;

import io.trivet.sim.Fault;
import io.trivet.sim.FaultPlan;
import java.util.ArrayList;
import java.util.List;

/**
 * A test that is generated from a seed: servers, clients, faults, and everything that they will do on one simulated network. It
 * can be {@linkplain Run#of run}, {@linkplain Shrinker#shrink shrunk}, and printed. Immutable.
 */
public final class Scenario {
    /** The number of hosts of clients, each with an address of its own. */
    static final int CLIENT_HOSTS = 3;

    /** Selects the random sequence that decides whether addresses are of IPv6. */
    private static final long IPV6 = 0x69_70_76_36L;
    private static final int IPV6_PERCENT = 10;

    private final long seed;
    private final List<ServerPlan> servers;
    private final List<ClientPlan> clients;
    private final List<ExternalAction> actions;
    private final FaultPlan faults;
    private final long recoveryNanos;

    Scenario(long seed, List<ServerPlan> servers, List<ClientPlan> clients, List<ExternalAction> actions, FaultPlan faults,
            long recoveryNanos) {
        this.seed = seed;
        this.servers = List.copyOf(servers);
        this.clients = List.copyOf(clients);
        this.actions = List.copyOf(actions);
        this.faults = faults;
        this.recoveryNanos = recoveryNanos;
    }

    /**
     * Generates a scenario.
     *
     * @param seed the seed
     * @return the same scenario for the same seed, in this version of Trivet
     */
    public static Scenario of(long seed) {
        return Corpus.scenario(seed);
    }

    /**
     * Returns the seed of the scenario, which is that of its network, too.
     *
     * @return the seed
     */
    public long seed() {
        return seed;
    }

    /**
     * Returns the faults of its network.
     *
     * @return the plan
     */
    public FaultPlan faults() {
        return faults;
    }

    List<ServerPlan> servers() {
        return servers;
    }

    List<ClientPlan> clients() {
        return clients;
    }

    List<ExternalAction> actions() {
        return actions;
    }

    /** Returns true if all addresses are of IPv6. */
    boolean isIpv6() {
        return new SeededRandom(seed ^ IPV6).chance(IPV6_PERCENT);
    }

    /** Returns when the recovery phase starts, since the start of the run. */
    long recoveryNanos() {
        return recoveryNanos;
    }

    /**
     * Returns this scenario without some of its parts.
     *
     * @param removed the parts to remove
     * @return the smaller scenario; the other parts are unchanged
     * @throws IllegalArgumentException if the scenario does not have one of the parts; the message names that part, and the parts
     * that the scenario has
     */
    public Scenario without(RemovedParts removed) {
        List<ScenarioPart> parts = parts();
        List<String> unknown = removed.unknownParts(parts);
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException("the scenario of seed " + seed + " has no " + unknown.getFirst()
                    + (unknown.size() == 1 ? "" : ", nor " + (unknown.size() - 1) + " other named parts")
                    + "; it has " + RemovedParts.of(parts));
        }
        List<ClientPlan> clientsLeft = new ArrayList<>();
        for (ClientPlan client : clients) {
            if (removed.removes(ScenarioPart.client(client.number()))) {
                continue;
            }
            List<Step> stepsLeft = new ArrayList<>();
            for (int i = 0; i < client.steps().size(); i++) {
                if (!removed.removes(ScenarioPart.step(client.number(), i))) {
                    stepsLeft.add(withoutRequests(client.steps().get(i), client.number(), i, removed));
                }
            }
            ClientPlan left = client.withSteps(stepsLeft);
            for (Simplification simplification : Simplification.values()) {
                left = removed.removes(ScenarioPart.ofClient(client.number(), simplification)) ? simplification.applyTo(left)
                        : left;
            }
            clientsLeft.add(left);
        }
        List<ServerPlan> serversLeft = new ArrayList<>();
        for (ServerPlan server : servers) {
            ServerPlan left = server;
            for (Simplification simplification : Simplification.values()) {
                left = removed.removes(ScenarioPart.ofServer(server.number(), simplification)) ? simplification.applyTo(left)
                        : left;
            }
            left = left.withReactions(left.reactions().stream()
                    .filter(planned -> !removed.removes(ScenarioPart.ofServer(server.number(), planned.reaction()))).toList());
            serversLeft.add(left);
        }
        List<ExternalAction> actionsLeft = new ArrayList<>();
        for (int i = 0; i < actions.size(); i++) {
            if (!removed.removes(ScenarioPart.action(i))) {
                actionsLeft.add(actions.get(i));
            }
        }
        FaultPlan faultsLeft = faults;
        for (Fault kind : faults.faults()) {
            if (removed.removes(ScenarioPart.fault(kind))) {
                faultsLeft = faultsLeft.without(kind);
            }
        }
        return new Scenario(seed, serversLeft, clientsLeft, actionsLeft, faultsLeft, recoveryNanos);
    }

    private static Step withoutRequests(Step step, int client, int number, RemovedParts removed) {
        if (!(step.action() instanceof ClientAction.SendMessages append)) {
            return step;
        }
        List<Request> left = new ArrayList<>();
        for (int i = 0; i < append.requests().size(); i++) {
            if (!removed.removes(ScenarioPart.message(client, number, i))) {
                left.add(append.requests().get(i));
            }
        }
        return new Step(step.afterNanos(), new ClientAction.SendMessages(left));
    }

    /** Returns all parts that can be removed, larger parts before the parts in them. */
    List<ScenarioPart> parts() {
        List<ScenarioPart> parts = new ArrayList<>();
        for (Fault kind : faults.faults()) {
            parts.add(ScenarioPart.fault(kind));
        }
        for (ClientPlan client : clients) {
            parts.add(ScenarioPart.client(client.number()));
        }
        for (int i = 0; i < actions.size(); i++) {
            parts.add(ScenarioPart.action(i));
        }
        for (ClientPlan client : clients) {
            for (int i = 0; i < client.steps().size(); i++) {
                parts.add(ScenarioPart.step(client.number(), i));
            }
        }
        for (ClientPlan client : clients) {
            for (int i = 0; i < client.steps().size(); i++) {
                if (client.steps().get(i).action() instanceof ClientAction.SendMessages append) {
                    for (int k = 0; k < append.requests().size(); k++) {
                        parts.add(ScenarioPart.message(client.number(), i, k));
                    }
                }
            }
        }
        for (ServerPlan server : servers) {
            server.reactions().forEach(planned -> parts.add(ScenarioPart.ofServer(server.number(), planned.reaction())));
        }
        for (Simplification simplification : Simplification.values()) {
            for (ServerPlan server : servers) {
                if (!simplification.applyTo(server).equals(server)) {
                    parts.add(ScenarioPart.ofServer(server.number(), simplification));
                }
            }
            for (ClientPlan client : clients) {
                if (!simplification.applyTo(client).equals(client)) {
                    parts.add(ScenarioPart.ofClient(client.number(), simplification));
                }
            }
        }
        return parts;
    }

    /** Returns true if a client connects to the server, or an external action concerns it. */
    boolean isVisited(ServerPlan server) {
        return clients.stream().anyMatch(client -> client.server() == server.number())
                || actions.stream().anyMatch(action -> action.server() == server.number());
    }

    /** Returns the number of clients, of the steps of their scripts, and of external actions. */
    int size() {
        int size = actions.size();
        for (ClientPlan client : clients) {
            size += 1 + client.steps().size();
        }
        return size;
    }

    /** Describes the scenario, one line for each server, client, step and external action. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(
                "seed " + seed + ": " + (isIpv6() ? "IPv6; " : "") + faults + "; faults end after "
                        + ReportText.duration(recoveryNanos) + "\n");
        for (ServerPlan server : servers) {
            if (isVisited(server)) {
                text.append("  ").append(describe(server)).append('\n');
            }
        }
        for (ClientPlan client : clients) {
            text.append("  client ").append(client.number()).append(", ").append(ReportText.words(client.kind()))
                    .append(client.listens() ? "" : ", does not listen")
                    .append(client.outgoing()
                            ? ", server " + client.server() + " connects to it"
                            : ", connects to server " + client.server())
                    .append(" after ").append(ReportText.duration(client.startNanos()))
                    .append(client.pace().equals(Pace.FULL_SPEED) ? "" : "; " + client.pace())
                    .append(client.receivesUrgent() ? "; receives urgent bytes" : "")
                    .append(client.bufferBytes() > 0 ? "; buffers of " + client.bufferBytes() + " B" : "").append('\n');
            for (Step step : client.steps()) {
                text.append("    ").append(step).append('\n');
            }
        }
        for (ExternalAction action : actions) {
            text.append("  after ").append(ReportText.duration(action.atNanos())).append(' ').append(action.subject()).append(' ')
                    .append(action)
                    .append('\n');
        }
        return text.toString();
    }

    private static String describe(ServerPlan server) {
        return "server " + server.number() + ": " + server.engine() + ", "
                + (server.loops() == 1 ? "" : server.loops() + " loops, ")
                + (server.listeners() == Listeners.PORT ? "" : ReportText.words(server.listeners()) + ", ")

                + ReportText.words(server.framing()) + (server.pureEcho() ? " (echoes every piece)" : "") + ", "
                + ReportText.words(server.overflow())
                + (server.urgent() ? ", urgent" : "") + ", backlog " + server.backlog()
                + (server.descriptorLimit() > 0 ? ", at most " + server.descriptorLimit() + " descriptors" : "")
                + (server.greetings() > 0 ? ", greetings: " + server.greetings() : "") + ", at the end of the input: "
                + ReportText.words(server.endOfInput())
                + (server.reactions().isEmpty() ? "" : ", reactions: " + server.reactions()) + "; "
                + Simplification.describeUnusual(server.limits());
    }
}
