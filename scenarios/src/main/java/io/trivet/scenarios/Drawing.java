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
 * Draws a world from a seed, in swarm style (Groce and others: Swarm Testing, 2012): each world has some kinds of clients, some things that
 * they ask for, some limits and some faults, and not the others. Many narrow worlds find more than one that has everything.
 */
final class Drawing {
    private static final long MILLI = 1_000_000;
    private static final int PEERS_MIN = 20;
    private static final int PEERS_MAX = 44;
    private static final int MESSAGES_MAX = 60;
    private static final long START_NANOS_MAX = 300 * MILLI;
    private static final long GAP_NANOS_MAX = 400 * MILLI;

    private final long seed;
    private final Draw draw;
    private final List<ServerPlan> servers = new ArrayList<>();
    private final Set<Manner> manners = EnumSet.of(Manner.STEADY);
    private final Set<Verb> verbs = EnumSet.of(Verb.ECHO, Verb.ANSWER);

    Drawing(long seed) {
        this.seed = seed;
        draw = new Draw(seed);
    }

    World world() {
        for (Manner manner : Manner.values()) {
            if (draw.chance(50)) {
                manners.add(manner);
            }
        }
        for (Verb verb : Verb.values()) {
            boolean ends = switch (verb) {
                case CLOSE, THROW, THROW_IN_TIMER, FINISH, FINISH_OUTPUT -> true;
                default -> false;
            };
            if (draw.chance(ends ? 25 : 50)) {
                verbs.add(verb);
            }
        }
        int serverCount = draw.number(1, 1, 1, 1, 1, 1, 2, 2, 2, 3);
        for (int i = 0; i < serverCount; i++) {
            ServerPlan plain = server(i);
            servers.add(plain.withHabits(habits(plain)));
        }
        List<PeerPlan> peers = new ArrayList<>();
        int peerCount = draw.between(PEERS_MIN, PEERS_MAX);
        boolean called = draw.chance(40);
        for (int i = 0; i < peerCount; i++) {
            peers.add(peer(i, called && draw.chance(30)));
        }
        List<Act> acts = acts();
        acts.addAll(datagrams());
        long healNanos = 500 * MILLI + draw.spread(100 * MILLI, 8_000 * MILLI);
        FaultPlan faults = draw.chance(10) ? FaultPlan.none() : FaultPlan.of(seed);
        return new World(seed, List.copyOf(servers), peers, acts, faults, healNanos);
    }

    // ---- servers

    private ServerPlan server(int number) {
        Frames frames = draw.pick(Frames.values());
        boolean pureEcho = frames.isRaw() && draw.chance(40);
        Overflow overflow = draw.pick(Overflow.values());
        if (frames.isRaw() && overflow == Overflow.DROP_OLDEST) {
            overflow = Overflow.PAUSE_READING;
        }
        SimEngine engine = draw.pick(SimEngine.SELECT, SimEngine.POLL, SimEngine.EPOLL, SimEngine.EPOLL, SimEngine.URING,
                SimEngine.URING);
        return new ServerPlan(number, engine, draw.number(1, 1, 1, 2, 3), frames, overflow, limits(), draw.chance(30),
                draw.number(1, 8, 16, 64, 128, 128, 128), draw.chance(10) ? draw.between(12, 30) : 0,
                draw.chance(30) ? draw.between(1, 3) : 0, pureEcho,
                draw.pick(Farewell.FINISH, Farewell.FINISH, Farewell.LAST_WORD, Farewell.LATER, Farewell.CLOSE), List.of());
    }

    /** Drawn from numbers of their own: few of many, and those that end connections of few clients. */
    private List<Habit> habits(ServerPlan server) {
        Draw habitual = new Draw(seed ^ ((0x6861626974L + server.number()) << 8)); // "habit"
        List<Habit> habits = new ArrayList<>();
        if (server.pureEcho() || habitual.chance(40)) {
            return habits;
        }
        int size = Math.min((int) habitual.spread(1, Math.max(16, server.limits().queueBytesMax() / 2)),
                server.frames().lengthMax());
        for (Reaction reaction : Reaction.values()) {
            int oneIn = reaction.ends() ? habitual.number(3, 5, 11) : habitual.number(1, 1, 2, 5);
            long nanos = habitual.spread(1000, 3_000 * MILLI);
            if (habitual.chance(15)) {
                habits.add(new Habit(reaction, oneIn, Math.min(size, 20_000), nanos));
            }
        }
        return habits;
    }

    private Limits limits() {
        int cap = draw.number(1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20);
        int high = draw.chance(20) ? cap : Math.max(1, (int) (cap * (long) draw.between(10, 90) / 100));
        int low = draw.chance(20) ? draw.number(0, high) : high / 2;
        Limits limits = Limits.defaults()
                .withQueueBytesMax(cap)
                .withQueueMarks(high, low)
                .withMessageBytesMax(draw.number(64, 300, 1 << 10, 16 << 10, 64 << 10))
                .withQueueBudgetBytes(draw.chance(20) ? draw.spread(4 << 10, 512 << 10) : 64 << 20)
                .withMessageTimeout(timeout(40, Duration.ofSeconds(10)))
                .withFirstMessageTimeout(timeout(20, Duration.ZERO))
                .withIdleTimeout(timeout(30, Duration.ZERO))
                .withWriteTimeout(timeout(50, Duration.ofSeconds(10)))
                .withConnectTimeout(timeout(40, Duration.ofSeconds(10)))
                .withLingerTimeout(timeout(40, Duration.ofSeconds(5)));
        if (draw.chance(20)) {
            limits = limits.withConnectionsMax(draw.between(3, 20));
        }
        if (draw.chance(15)) {
            limits = limits.withConnectionsPerAddressMax(draw.between(3, 20));
        }
        return draw.chance(30) ? limits.withLingerBytesMax(draw.spread(1, 10_000)) : limits;
    }

    private Duration timeout(int percent, Duration otherwise) {
        return draw.chance(percent) ? Duration.ofNanos(draw.spread(5 * MILLI, 3_000 * MILLI)) : otherwise;
    }

    // ---- clients

    private PeerPlan peer(int number, boolean called) {
        ServerPlan server = servers.get(draw.below(servers.size()));
        Manner manner = draw.pick(manners.toArray(Manner[]::new));
        boolean urgent = manner == Manner.URGENT_SENDER;
        return new PeerPlan(number, manner, draw.below(World.CLIENT_HOSTS), server.number(), called, !called || draw.chance(90),
                draw.spread(0, START_NANOS_MAX),
                pace(manner), urgent || draw.chance(20), draw.chance(30) ? draw.number(2048, 4096, 16 << 10) : 0,
                new Script(draw, server, manner, verbs).steps());
    }

    private Pace pace(Manner manner) {
        return switch (manner) {
            case SLOW_READER -> new Pace((int) draw.spread(1, 2000), draw.spread(MILLI / 10, 50 * MILLI), 64 << 10, 0);
            case DRIBBLER -> new Pace(64 << 10, 0, 1, draw.spread(1000, MILLI));
            default -> draw.chance(80)
                    ? Pace.BRISK
                    : new Pace((int) draw.spread(1, 4096), draw.spread(1000, MILLI), (int) draw.spread(1, 4096),
                            draw.spread(1000, MILLI));
        };
    }

    /** What one client does. */
    private record Script(Draw draw, ServerPlan server, Manner manner, Set<Verb> verbs) {
        List<Step> steps() {
            List<Step> steps = new ArrayList<>();
            int messages = switch (manner) {
                case SILENT -> 0;
                case SLOWLORIS, LONG_WINDED -> draw.between(0, 5);
                case CHATTY, FLOODER -> draw.between(20, MESSAGES_MAX);
                default -> (int) draw.spread(1, MESSAGES_MAX);
            };
            boolean urgentLeft = true;
            while (messages > 0) {
                int together = manner == Manner.FLOODER ? messages : (int) draw.spread(1, Math.min(messages, 16));
                boolean atOnce = !steps.isEmpty() && steps.getLast().deed() instanceof Deed.Urgent && draw.chance(50);
                steps.add(new Step(atOnce ? 0 : gap(), new Deed.Say(asks(together))));
                messages -= together;
                if (manner == Manner.URGENT_SENDER && urgentLeft) {
                    steps.add(new Step(gap(), new Deed.Urgent()));
                    urgentLeft = !server.frames().isSpoiltByUrgent(); // one alone never becomes an ordinary byte, which would spoil the frames
                }
                if (draw.chance(5)) {
                    steps.add(new Step(gap(), new Deed.Rest(draw.spread(MILLI, 500 * MILLI))));
                }
            }
            end(steps);
            return steps;
        }

        private void end(List<Step> steps) {
            int longest = Math.min(server.limits().messageBytesMax(), server.frames().lengthMax());
            switch (manner) {
                case HALF_CLOSER -> steps.add(new Step(gap(), new Deed.Finish()));
                case RESETTER -> steps.add(new Step(gap(), new Deed.Reset()));
                case QUITTER -> steps.add(new Step(gap(), new Deed.HangUp()));
                case LONG_WINDED -> {
                    if (longest < server.frames().lengthMax()) {
                        steps.add(new Step(gap(), new Deed.SayTooLong(longest + draw.number(1, 2, 100, 5000))));
                    }
                }
                case SLOWLORIS -> {
                    int length = draw.between(2, Math.min(longest, 200));
                    steps.add(new Step(gap(), new Deed.SayPart(length, draw.between(1, length - 1))));
                }
                default -> {
                    if (draw.chance(40)) {
                        steps.add(new Step(gap(), new Deed.Finish()));
                    }
                }
            }
        }

        private long gap() {
            return draw.spread(0, draw.chance(10) ? GAP_NANOS_MAX : 20 * MILLI);
        }

        private List<Ask> asks(int count) {
            List<Ask> asks = new ArrayList<>();
            Verb[] choice = verbs.toArray(Verb[]::new);
            for (int i = 0; i < count; i++) {
                Verb verb = draw.pick(choice);
                boolean ends = switch (verb) {
                    case CLOSE, THROW, THROW_IN_TIMER, FINISH, FINISH_OUTPUT -> true;
                    default -> false;
                };
                asks.add(ask(ends && draw.chance(70) ? Verb.ECHO : verb));
            }
            return asks;
        }

        private Ask ask(Verb verb) {
            int longest = Math.min(server.limits().messageBytesMax(), server.frames().lengthMax());
            int length = draw.chance(5) ? draw.number(0, 1, longest) : (int) draw.spread(1, Math.min(longest, 8000));
            int cap = server.limits().queueBytesMax();
            int roomy = Math.max(16, cap / 8);
            int size = (int) draw.spread(1, draw.chance(5) ? cap + 1 : Math.min(roomy, 20_000));
            int count = verb == Verb.PUMP || manner == Manner.FLOODER ? draw.between(1, 40) : (int) draw.spread(1, 8);
            boolean pauses = verb == Verb.PAUSE || verb == Verb.PAUSE_ANOTHER; // longer than any timeout, now and then
            long delay = draw.spread(1000, (pauses ? 3_000 : 200) * MILLI);
            return new Ask(verb, length, count, Math.min(size, server.frames().lengthMax()), delay);
        }
    }

    // ---- from outside

    /** Drawn from numbers of their own, and behind all others. */
    private List<Act> datagrams() {
        Draw post = new Draw(~seed);
        List<Act> datagrams = new ArrayList<>();
        int count = post.chance(25) ? post.between(5, 40) : 0;
        for (int i = 0; i < count; i++) {
            datagrams.add(new Act.Datagram(post.spread(MILLI, 1_500 * MILLI), (int) post.spread(1, 1_400)));
        }
        return datagrams;
    }

    private List<Act> acts() {
        List<Act> acts = new ArrayList<>();
        int count = draw.chance(60) ? draw.between(1, 20) : 0;
        for (int i = 0; i < count; i++) {
            long at = draw.spread(MILLI, 1_500 * MILLI);
            int server = draw.below(servers.size());
            int cap = servers.get(server).limits().queueBytesMax();
            int size = Math.min((int) draw.spread(1, Math.max(16, cap / 4)), servers.get(server).frames().lengthMax());
            int pick = draw.below(32);
            acts.add(switch (draw.below(12)) {
                case 0, 1 -> new Act.Broadcast(at, server, size);
                case 2 -> new Act.Pause(at, server, pick, draw.spread(1000, 500 * MILLI));
                case 3 -> new Act.Finish(at, server, pick);
                case 4 -> new Act.Close(at, server, pick);
                default -> new Act.Tell(at, server, pick, draw.between(1, 10), size, draw.chance(40));
            });
        }
        for (int server = 0; server < servers.size(); server++) {
            if (draw.chance(20)) {
                long at = draw.spread(100 * MILLI, 3_000 * MILLI);
                Act end = draw.chance(75)
                        ? new Act.Drain(at, server, draw.spread(MILLI, 5_000 * MILLI), false)
                        : new Act.Shut(at, server, false);
                acts.add(end);
                acts.addAll(ends(end));
            }
        }
        return acts;
    }

    /** What follows upon the end of a server, or comes just before: it is asked for in a callback, drains once more, or closes while it drains. */
    private List<Act> ends(Act end) {
        Draw more = new Draw(seed ^ ((0x656e64L + end.server()) << 8)); // "end"
        List<Act> ends = new ArrayList<>();
        int count = more.number(0, 0, 1, 1, 2);
        for (int i = 0; i < count; i++) {
            long at = Math.max(MILLI, end.atNanos() + more.spread(0, 1_000 * MILLI) - more.spread(0, 20 * MILLI));
            long timeout = more.chance(30) ? 0 : more.spread(1, 5_000 * MILLI);
            ends.add(more.chance(70)
                    ? new Act.Drain(at, end.server(), timeout, more.chance(50))
                    : new Act.Shut(at, end.server(), more.chance(50)));
        }
        return ends;
    }
}
