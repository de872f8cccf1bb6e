package io.trivet.scenarios;

import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimEngine;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * Generates a scenario from a seed, by swarm testing (Groce and others: Swarm Testing, 2012): each scenario has some kinds of
 * clients, requests, limits and faults, and not the others. Many narrow scenarios find more bugs than scenarios that contain
 * everything.
 */
final class ScenarioGenerator {
    private static final long MILLI = 1_000_000;
    private static final int CLIENTS_MIN = 20;
    private static final int CLIENTS_MAX = 44;
    private static final int MESSAGES_MAX = 60;
    private static final long START_NANOS_MAX = 300 * MILLI;
    /** The delay of a timer that never runs: it is cancelled, or its connection ends before. */
    private static final long LONG_DELAY_NANOS = 3_600_000 * MILLI;
    private static final int CUSTOM_PERCENT = 20;
    private static final int UNIX_PERCENT = 70;
    private static final long GAP_NANOS_MAX = 400 * MILLI;

    private final long seed;
    /** Selects the random sequence that decides whether replies are streamed. */
    private static final long STREAMS = 0x53_54_52_45_41_4dL;

    /** Selects the random sequences of the lengths that clients announce. */
    private static final long LENGTHS = 0x6c656e67746873L; // "lengths" in ASCII

    /** The longest message that is begun and never completed. */
    private static final int PARTIAL_BYTES_MAX = 1 << 20;

    private final SeededRandom random;
    private final Steering steering;
    private final List<ServerPlan> servers = new ArrayList<>();
    private final Set<ClientKind> clientKinds = EnumSet.of(ClientKind.STEADY);
    private final Set<RequestKind> requestKinds = EnumSet.of(RequestKind.ECHO, RequestKind.REPLY);

    ScenarioGenerator(long seed) {
        this.seed = seed;
        random = new SeededRandom(seed);
        steering = new Steering(seed);
    }

    Scenario generate() {
        for (ClientKind clientKind : ClientKind.values()) {
            if (random.chance(50)) {
                clientKinds.add(clientKind);
            }
        }
        if (new SeededRandom(seed ^ STREAMS).chance(20)) { // a separate random sequence: the others stay as they were
            requestKinds.add(RequestKind.REPLY_STREAM);
        }
        for (RequestKind requestKind : RequestKind.values()) {
            if (requestKind == RequestKind.REPLY_STREAM) {
                continue;
            }
            boolean ends = switch (requestKind) {
                case CLOSE, THROW, THROW_IN_TIMER, FINISH, FINISH_OUTPUT, RESET -> true;
                default -> false;
            };
            if (random.chance(ends ? 25 : 50)) {
                requestKinds.add(requestKind);
            }
        }
        steering.chooseClients(clientKinds);
        steering.chooseRequests(requestKinds);
        int serverCount = random.number(1, 1, 1, 1, 1, 1, 2, 2, 2, 3);
        for (int i = 0; i < serverCount; i++) {
            ServerPlan server = server(i);
            servers.add(customized(server.withReactions(reactions(server))));
        }
        Extremes extremes = new Extremes(seed, servers.size());
        servers.replaceAll(steering::aim);
        servers.replaceAll(extremes::widen);
        servers.replaceAll(this::onUnix);
        List<ClientPlan> clients = new ArrayList<>();
        int clientCount = random.between(CLIENTS_MIN, CLIENTS_MAX);
        boolean outgoing = random.chance(40) || steering.connects();
        for (int i = 0; i < clientCount; i++) {
            clients.add(client(i, outgoing && random.chance(steering.outgoingPercent())));
        }
        List<ExternalAction> actions = actions();
        actions.addAll(datagrams());
        actions.addAll(steering.actions());
        actions.addAll(new SideServers(seed).sessions());
        actions.addAll(new SideServers(seed).relays());
        actions.addAll(new EdgeClients(seed).secured());
        actions.addAll(new EdgeClients(seed).guarded());
        actions.addAll(new SideServers(seed).trials());
        extremes.addClients(clients);
        long recoveryNanos = 500 * MILLI + random.logUniform(100 * MILLI, 8_000 * MILLI);
        FaultPlan faults = random.chance(10) ? FaultPlan.none() : FaultPlan.of(seed);
        return new Scenario(seed, List.copyOf(servers), clients, actions, steering.faults(faults), recoveryNanos);
    }

    // ---- servers

    private ServerPlan server(int number) {
        ClientFraming framing = random.pick(ClientFraming.builtIn());
        boolean pureEcho = framing.isRaw() && random.chance(40);
        Overflow overflow = random.pick(Overflow.values());
        if (framing.isRaw() && overflow == Overflow.DROP_OLDEST) {
            overflow = Overflow.PAUSE_READING;
        }
        SimEngine engine = random.pick(SimEngine.SELECT, SimEngine.POLL, SimEngine.EPOLL, SimEngine.EPOLL, SimEngine.URING,
                SimEngine.URING);
        return new ServerPlan(number, engine, random.number(1, 1, 1, 2, 3), framing, overflow, limits(), random.chance(30),
                random.number(1, 8, 16, 64, 128, 128, 128), random.chance(10) ? random.between(12, 30) : 0,
                random.chance(30) ? random.between(1, 3) : 0, pureEcho,
                random.pick(EndOfInputReaction.FINISH, EndOfInputReaction.FINISH, EndOfInputReaction.SEND_THEN_FINISH,
                        EndOfInputReaction.SEND_LATER_THEN_FINISH, EndOfInputReaction.CLOSE, EndOfInputReaction.NOTHING),
                List.of(), random.chance(10) ? Listeners.TWO_PORTS : Listeners.PORT);
    }

    /** Gives some servers a framing with a decoder of the application, from a separate random sequence. */
    private ServerPlan customized(ServerPlan server) {
        SeededRandom framingRandom = new SeededRandom(seed ^ ((0x6465636f6465L + server.number()) << 8)); // "decode" in ASCII
        ClientFraming custom = framingRandom.pick(ClientFraming.custom());
        return framingRandom.chance(CUSTOM_PERCENT) && !server.framing().isRaw() ? server.withFraming(custom) : server;
    }

    /**
     * Lets some servers listen at a Unix domain socket, from a separate random sequence. Such a socket has no urgent data.
     */
    private ServerPlan onUnix(ServerPlan server) {
        SeededRandom unixRandom = new SeededRandom(seed ^ ((0x756e6978L + server.number()) << 8)); // "unix" in ASCII
        Listeners listeners = unixRandom.pick(Listeners.PORT_AND_PATH, Listeners.ABSTRACT_NAME);
        boolean isUrgent = server.urgent() || clientKinds.contains(ClientKind.URGENT_SENDER)
                || requestKinds.contains(RequestKind.URGENT);
        return unixRandom.chance(UNIX_PERCENT) && !isUrgent ? server.with(listeners) : server;
    }

    /**
     * Generates the reactions of a server, from a separate random sequence. Few reactions are chosen, and those that end
     * connections apply to few clients.
     */
    private List<ReactionPlan> reactions(ServerPlan server) {
        SeededRandom reactionRandom = new SeededRandom(seed ^ ((0x6861626974L + server.number()) << 8)); // "habit" in ASCII
        List<ReactionPlan> reactions = new ArrayList<>();
        if (server.pureEcho() || reactionRandom.chance(40)) {
            return reactions;
        }
        int size = Math.min((int) reactionRandom.logUniform(1, Math.max(16, server.limits().queueBytesMax() / 2)),
                server.framing().lengthMax());
        for (Reaction reaction : Reaction.values()) {
            int oneIn = reaction.ends() ? reactionRandom.number(3, 5, 11) : reactionRandom.number(1, 1, 2, 5);
            long nanos = reactionRandom.logUniform(1000, 3_000 * MILLI);
            if (reactionRandom.chance(15)) {
                reactions.add(new ReactionPlan(reaction, oneIn, Math.min(size, 20_000), nanos));
            }
        }
        return reactions;
    }

    private Limits limits() {
        int cap = random.number(1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20);
        int high = random.chance(20) ? cap : Math.max(1, (int) (cap * (long) random.between(10, 90) / 100));
        int low = random.chance(20) ? random.number(0, high) : high / 2;
        Limits limits = Limits.defaults()
                .withQueueBytesMax(cap)
                .withQueueMarks(high, low)
                .withMessageBytesMax(random.number(64, 300, 1 << 10, 16 << 10, 64 << 10))
                .withQueueBudgetBytes(random.chance(20) ? random.logUniform(4 << 10, 512 << 10) : 64 << 20)
                .withMessageTimeout(timeout(40, Duration.ofSeconds(10)))
                .withFirstMessageTimeout(timeout(20, Duration.ZERO))
                .withIdleTimeout(timeout(30, Duration.ZERO))
                .withWriteTimeout(timeout(50, Duration.ofSeconds(10)))
                .withConnectTimeout(timeout(40, Duration.ofSeconds(10)))
                .withLingerTimeout(timeout(40, Duration.ofSeconds(5)));
        if (random.chance(20)) {
            limits = limits.withConnectionsMax(random.between(3, 20));
        }
        if (random.chance(15)) {
            limits = limits.withConnectionsPerAddressMax(random.between(3, 20));
        }
        return random.chance(30) ? limits.withLingerBytesMax(random.logUniform(1, 10_000)) : limits;
    }

    private Duration timeout(int percent, Duration otherwise) {
        return random.chance(percent) ? Duration.ofNanos(random.logUniform(5 * MILLI, 3_000 * MILLI)) : otherwise;
    }

    // ---- clients

    private ClientPlan client(int number, boolean outgoing) {
        ServerPlan server = servers.get(random.below(servers.size()));
        ClientKind clientKind = random.pick(clientKinds.toArray(ClientKind[]::new));
        boolean urgent = clientKind == ClientKind.URGENT_SENDER;
        return new ClientPlan(number, clientKind, random.below(Scenario.CLIENT_HOSTS), server.number(), outgoing,
                !outgoing || random.chance(90),
                random.logUniform(0, START_NANOS_MAX),
                pace(clientKind), urgent || random.chance(20), random.chance(30) ? random.number(2048, 4096, 16 << 10) : 0,
                new Script(random, new SeededRandom(seed ^ ((LENGTHS + number) << 8)), server, clientKind, requestKinds).steps());
    }

    private Pace pace(ClientKind clientKind) {
        return switch (clientKind) {
            case SLOW_READER ->
                new Pace((int) random.logUniform(1, 2000), random.logUniform(MILLI / 10, 50 * MILLI), 64 << 10, 0);
            case SLOW_WRITER -> new Pace(64 << 10, 0, 1, random.logUniform(1000, MILLI));
            default -> random.chance(80)
                    ? Pace.FULL_SPEED
                    : new Pace((int) random.logUniform(1, 4096), random.logUniform(1000, MILLI), (int) random.logUniform(1, 4096),
                            random.logUniform(1000, MILLI));
        };
    }

    /** The script of one client. */
    private record Script(SeededRandom random, SeededRandom lengths, ServerPlan server, ClientKind clientKind,
            Set<RequestKind> requestKinds) {
        List<Step> steps() {
            List<Step> steps = new ArrayList<>();
            int messages = switch (clientKind) {
                case SILENT -> 0;
                case SLOWLORIS, OVERSIZED_SENDER -> random.between(0, 5);
                case CHATTY, FLOODER -> random.between(20, MESSAGES_MAX);
                default -> (int) random.logUniform(1, MESSAGES_MAX);
            };
            boolean urgentLeft = true;
            while (messages > 0) {
                int together = clientKind == ClientKind.FLOODER ? messages : (int) random.logUniform(1, Math.min(messages, 16));
                boolean atOnce = !steps.isEmpty() && steps.getLast().action() instanceof ClientAction.SendUrgent
                        && random.chance(50);
                steps.add(new Step(atOnce ? 0 : gap(), new ClientAction.SendMessages(requests(together))));
                messages -= together;
                if (clientKind == ClientKind.URGENT_SENDER && urgentLeft) {
                    steps.add(new Step(gap(), new ClientAction.SendUrgent()));
                    // a single one never becomes an ordinary byte, which would corrupt the frames
                    urgentLeft = !server.framing().isCorruptedByUrgent();
                }
                if (random.chance(5)) {
                    steps.add(new Step(gap(), new ClientAction.PauseReading(random.logUniform(MILLI, 500 * MILLI))));
                }
            }
            end(steps);
            return steps;
        }

        private void end(List<Step> steps) {
            int longest = Math.min(server.limits().messageBytesMax(), server.framing().lengthMax());
            switch (clientKind) {
                case HALF_CLOSER -> steps.add(new Step(gap(), new ClientAction.FinishOutput()));
                case RESETTER -> steps.add(new Step(gap(), new ClientAction.Reset()));
                case ABRUPT_CLOSER -> steps.add(new Step(gap(), new ClientAction.Close()));
                case OVERSIZED_SENDER -> {
                    boolean refusesBytes = server.framing() == ClientFraming.NETSTRINGS
                            || server.framing() == ClientFraming.TYPED;
                    if (refusesBytes && random.chance(50)) {
                        steps.add(new Step(gap(), new ClientAction.SendMalformed()));
                    } else if (server.framing() == ClientFraming.PREFIXED_4 && random.chance(50)) {
                        int huge = Integer.MIN_VALUE | (int) random.logUniform(1, Integer.MAX_VALUE);
                        steps.add(new Step(gap(), new ClientAction.SendLength(huge & 0xffff_ffffL)));
                    } else if (longest < server.framing().lengthMax()) {
                        steps.add(oversized(
                                new Step(gap(), new ClientAction.SendOversized(longest + random.number(1, 2, 100, 5000))),
                                longest, steps));
                    }
                }
                case SLOWLORIS -> {
                    int length = random.between(2, Math.min(longest, 200));
                    steps.add(partial(new Step(gap(), new ClientAction.SendPartial(length, random.between(1, length - 1))),
                            longest));
                }
                default -> {
                    if (random.chance(40)) {
                        steps.add(new Step(gap(), new ClientAction.FinishOutput()));
                    }
                }
            }
        }

        /** With a decoder of the application, sometimes sends only a length: little above the limit, or with the top bit set. */
        private Step oversized(Step step, int longest, List<Step> before) {
            long announcedMax = server.framing().announcedMax(before.isEmpty() ? 0 : 1);
            if (!server.framing().isCustom() || announcedMax < 0 || lengths.chance(50)) {
                return step;
            }
            long length = lengths.chance(50) ? longest + lengths.number(1, 2, 100, 5000)
                    : announcedMax - lengths.logUniform(0, announcedMax / 2 - 1);
            return new Step(step.afterNanos(), new ClientAction.SendLength(length));
        }

        /** With a decoder of the application, often begins a message that is as long as the limit permits. */
        private Step partial(Step step, int longest) {
            int length = Math.min(longest, PARTIAL_BYTES_MAX);
            return !server.framing().isCustom() || lengths.chance(30) ? step : new Step(step.afterNanos(),
                    new ClientAction.SendPartial(length, (int) lengths.logUniform(1, Math.min(length - 1, 200))));
        }

        private long gap() {
            return random.logUniform(0, random.chance(10) ? GAP_NANOS_MAX : 20 * MILLI);
        }

        private List<Request> requests(int count) {
            List<Request> requests = new ArrayList<>();
            RequestKind[] choice = requestKinds.stream().filter(kind -> kind != RequestKind.REPLY_STREAM)
                    .toArray(RequestKind[]::new);
            for (int i = 0; i < count; i++) {
                RequestKind requestKind = random.pick(choice);
                boolean ends = switch (requestKind) {
                    case CLOSE, THROW, THROW_IN_TIMER, FINISH, FINISH_OUTPUT, RESET -> true;
                    default -> false;
                };
                requests.add(request(ends && random.chance(70) ? RequestKind.ECHO : requestKind));
            }
            return requests;
        }

        private Request request(RequestKind requestKind) {
            int longest = Math.min(server.limits().messageBytesMax(), server.framing().lengthMax());
            int length = random.chance(5) ? random.number(0, 1, longest) : (int) random.logUniform(1, Math.min(longest, 8000));
            int cap = server.limits().queueBytesMax();
            int roomy = Math.max(16, cap / 8);
            int size = (int) random.logUniform(1, random.chance(5) ? cap + 1 : Math.min(roomy, 20_000));
            int count = requestKind == RequestKind.PUMP || clientKind == ClientKind.FLOODER ? random.between(1, 40)
                    : (int) random.logUniform(1, 8);
            // sometimes longer than any timeout
            boolean pauses = requestKind == RequestKind.PAUSE || requestKind == RequestKind.PAUSE_OTHER;
            boolean renews = requestKind == RequestKind.RENEW_TIMER || requestKind == RequestKind.RENEW_TIMER_OF_OTHER;
            long delay = renews && random.chance(30)
                    ? LONG_DELAY_NANOS
                    : random.logUniform(1000, (pauses ? 3_000 : 200) * MILLI);
            boolean streams = requestKind == RequestKind.REPLY && requestKinds.contains(RequestKind.REPLY_STREAM)
                    && (length + count) % 3 > 0;
            return new Request(streams ? RequestKind.REPLY_STREAM : requestKind, length, count,
                    Math.min(size, server.framing().lengthMax()), delay);
        }
    }

    // ---- external actions

    /** Generates the datagrams, from a separate random sequence. They follow all other actions. */
    private List<ExternalAction> datagrams() {
        SeededRandom datagramRandom = new SeededRandom(~seed);
        List<ExternalAction> datagrams = new ArrayList<>();
        int count = datagramRandom.chance(25) ? datagramRandom.between(5, 40) : 0;
        for (int i = 0; i < count; i++) {
            datagrams.add(new ExternalAction.Datagram(datagramRandom.logUniform(MILLI, 1_500 * MILLI),
                    (int) datagramRandom.logUniform(1, 1_400)));
        }
        return datagrams;
    }

    private List<ExternalAction> actions() {
        List<ExternalAction> actions = new ArrayList<>();
        int count = random.chance(60) ? random.between(1, 20) : 0;
        for (int i = 0; i < count; i++) {
            long at = random.logUniform(MILLI, 1_500 * MILLI);
            int server = random.below(servers.size());
            int cap = servers.get(server).limits().queueBytesMax();
            int size = Math.min((int) random.logUniform(1, Math.max(16, cap / 4)), servers.get(server).framing().lengthMax());
            int pick = random.below(32);
            actions.add(switch (random.below(12)) {
                case 0, 1 -> new ExternalAction.Broadcast(at, server, size);
                case 2 -> new ExternalAction.Pause(at, server, pick, random.logUniform(1000, 500 * MILLI));
                case 3 -> new ExternalAction.Finish(at, server, pick);
                case 4 -> new ExternalAction.Close(at, server, pick);
                default -> new ExternalAction.Send(at, server, pick, random.between(1, 10), size, random.chance(40));
            });
        }
        for (int server = 0; server < servers.size(); server++) {
            if (random.chance(20)) {
                long at = random.logUniform(100 * MILLI, 3_000 * MILLI);
                ExternalAction end = random.chance(75)
                        ? new ExternalAction.Drain(at, server, random.logUniform(MILLI, 5_000 * MILLI), false)
                        : new ExternalAction.Shutdown(at, server, false);
                actions.add(end);
                actions.addAll(ends(end));
            }
        }
        return actions;
    }

    /** Generates more drains and closes of a server around the time of the first. Some of them are requested in a callback. */
    private List<ExternalAction> ends(ExternalAction end) {
        SeededRandom endRandom = new SeededRandom(seed ^ ((0x656e64L + end.server()) << 8)); // "end" in ASCII
        List<ExternalAction> ends = new ArrayList<>();
        int count = endRandom.number(0, 0, 1, 1, 2);
        for (int i = 0; i < count; i++) {
            long at = Math.max(MILLI,
                    end.atNanos() + endRandom.logUniform(0, 1_000 * MILLI) - endRandom.logUniform(0, 20 * MILLI));
            long timeout = endRandom.chance(30) ? 0 : endRandom.logUniform(1, 5_000 * MILLI);
            ends.add(endRandom.chance(70)
                    ? new ExternalAction.Drain(at, end.server(), timeout, endRandom.chance(50))
                    : new ExternalAction.Shutdown(at, end.server(), endRandom.chance(50)));
        }
        return ends;
    }
}
