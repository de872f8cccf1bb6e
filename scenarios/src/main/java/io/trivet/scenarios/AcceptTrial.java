package io.trivet.scenarios;

import io.trivet.net.ErrorCode;
import io.trivet.net.Loop;
import io.trivet.net.NetworkException;
import io.trivet.observe.ListenerSnapshot;
import io.trivet.server.Limits;
import io.trivet.server.Server;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * Accepting when descriptors run out, at the maximum of connections, and when the poller refuses the listener: who is accepted, and
 * exactly when the server tries again: after 10 ms, and then after twice the time, up to a second. After a second in which accepting
 * has worked, the next failure starts again with 10 ms.
 */
final class AcceptTrial implements Trial {
    private static final long MILLI = 1_000_000;
    private static final long BACKOFF_MIN_NANOS = 10 * MILLI;
    private static final long BACKOFF_MAX_NANOS = 1_000 * MILLI;
    private static final int FIRST_DESCRIPTOR = 3;
    private static final int RESERVE = 2;
    private static final int PLENTY = 1_000;

    private enum Due {
        TRY_AGAIN, END_BACKOFF
    }

    private record Timer(long atNanos, long number, Due due) {}

    /** What the server must do. */
    private static final class Model {
        final int connectionsMax;
        final PriorityQueue<Timer> timers = new PriorityQueue<>(
                Comparator.comparingLong(Timer::atNanos).thenComparingLong(Timer::number));
        long numbers;
        int waiting;
        int connections;
        long accepted;
        /** The descriptors that are free now. */
        int free = PLENTY;
        boolean hasReserve = true;
        boolean accepting = true;
        boolean reached;
        boolean backedOff;
        boolean refuses;
        long backoffNanos = BACKOFF_MIN_NANOS;
        /** The next socket that is accepted cannot be used. */
        boolean failsAdopting;
        /** The index of the client whose socket could not be used, among those that are connected and wait; -1: there is none. */
        int unusable = -1;
        long acceptFailures;

        Model(int connectionsMax) {
            this.connectionsMax = connectionsMax;
        }

        void failed(long now) {
            accepting = false;
            backedOff = true;
            free += hasReserve ? RESERVE : 0;
            hasReserve = false;
            timers.add(new Timer(now + backoffNanos, numbers++, Due.TRY_AGAIN));
            backoffNanos = Math.min(BACKOFF_MAX_NANOS, 2 * backoffNanos);
        }

        private void accept(long now) {
            waiting--;
            accepted++;
            if (failsAdopting) {
                failsAdopting = false;
                unusable = connections;
                if (connections + 1 >= connectionsMax) { // it has reached the maximum, and is gone
                    accepting = false;
                    resume(now);
                }
                return;
            }
            connections++;
            free--;
            reached = connections >= connectionsMax;
            accepting &= !reached;
        }

        ListenerSnapshot.State state() {
            return accepting ? ListenerSnapshot.State.ACCEPTING
                    : reached ? ListenerSnapshot.State.AT_LIMIT : ListenerSnapshot.State.BACKED_OFF;
        }

        private boolean takeReserve() {
            if (!hasReserve && free >= RESERVE) {
                hasReserve = true;
                free -= RESERVE;
            }
            return hasReserve;
        }

        void resume(long now) {
            if (reached) {
                return;
            }
            if (!takeReserve()) {
                failed(now);
            } else if (!accepting && refuses) {
                refuses = false;
                failed(now);
            } else {
                accepting = true;
                if (backedOff) {
                    timers.add(new Timer(now + BACKOFF_MAX_NANOS, numbers++, Due.END_BACKOFF));
                }
            }
        }

        private void tryAgain(long now) {
            if (!takeReserve()) {
                failed(now);
                return;
            }
            if (!reached && waiting > 0) {
                if (free == 0) {
                    failed(now);
                    return;
                }
                accept(now);
            }
            resume(now);
        }

        /** Accepts clients as they arrive. Returns true if there were any. */
        boolean acceptWaiting(long now) {
            boolean any = false;
            while (accepting && waiting > 0) {
                any = true;
                if (free > 0) {
                    accept(now);
                } else {
                    acceptFailures++;
                    failed(now);
                }
            }
            return any;
        }

        /** Everything that happens at one time. */
        void settle(long now) {
            boolean changed = true;
            while (changed) {
                changed = acceptWaiting(now);
                while (!timers.isEmpty() && timers.peek().atNanos() <= now) {
                    changed = true;
                    switch (timers.remove().due()) {
                        case TRY_AGAIN -> tryAgain(now);
                        case END_BACKOFF -> {
                            if (accepting && backedOff) {
                                backedOff = false;
                                backoffNanos = BACKOFF_MIN_NANOS;
                            }
                        }
                    }
                }
            }
        }

        void left(long now) {
            connections--;
            free++;
            if (reached && connections < connectionsMax) {
                reached = false;
                resume(now);
            }
        }

        long nextDeadline() {
            return timers.isEmpty() ? Loop.NO_DEADLINE : timers.peek().atNanos();
        }
    }

    @Override
    public void run(TrialRun run) throws IOException {
        SeededRandom random = run.random;
        TrialNetwork network = run.readinessNetwork();
        TrialHandler handler = new TrialHandler();
        int connectionsMax = random.chance(40) ? random.between(1, 4) : Integer.MAX_VALUE;
        Limits limits = LIMITS.withConnectionsMax(connectionsMax);
        run.log(connectionsMax == Integer.MAX_VALUE ? "no maximum of connections" : "at most " + connectionsMax + " connections");
        Model model = new Model(connectionsMax);
        List<TrialClient> clients = new ArrayList<>();
        try (Server server = run.builder(network, handler, limits).backlog(64).loops(run.random.number(1, 1, 2, 3)).open()) {
            int steps = random.between(5, 40);
            for (int i = 0; i < steps && !run.hasFailed(); i++) {
                step(run, network, server, model, clients);
                settle(run, network, server, model, clients);
            }
            if (!run.hasFailed() && random.chance(40)) {
                drain(run, network, server, model, clients);
            }
            run.close(network, server);
        }
    }

    private static void settle(TrialRun run, TrialNetwork network, Server server, Model model, List<TrialClient> clients)
            throws IOException {
        network.settle();
        model.settle(network.now());
        removeUnusable(run, model, clients);
        check(run, network, server, model);
    }

    /** A client whose socket could not be used reads the end of its input. */
    private static void removeUnusable(TrialRun run, Model model, List<TrialClient> clients) throws IOException {
        if (model.unusable >= 0) {
            TrialClient client = clients.remove(model.unusable);
            model.unusable = -1;
            client.readAll();
            run.same(Rule.ENDS, "a client whose socket could not be used has read", client.end(), "ended");
            client.close();
        }
    }

    private static void step(TrialRun run, TrialNetwork network, Server server, Model model, List<TrialClient> clients)
            throws IOException {
        SeededRandom random = run.random;
        switch (random.below(10)) {
            case 0, 1 -> {
                int count = random.between(1, 3);
                run.log(count + " clients connect");
                for (int i = 0; i < count; i++) {
                    clients.add(TrialClient.connect(run, run.address));
                    model.waiting++;
                }
            }
            case 2 -> {
                if (model.connections > 0) {
                    run.log("the oldest client leaves");
                    clients.removeFirst().close();
                    network.settle();
                    model.left(network.now());
                }
            }
            case 3 -> leaveDescriptors(run, network, model, random.number(0, 0, 1, 2, 3));
            case 4 -> {
                run.log("there are enough descriptors");
                network.host().descriptorLimit(1 << 20);
                model.free = PLENTY;
            }
            case 5 -> {
                if (!model.refuses && !model.accepting) {
                    run.log("the listener cannot be watched once");
                    network.proactor(0).failNext(TrialProactor.Call.ACCEPT,
                            new NetworkException("epoll_ctl", null, ErrorCode.ENOMEM));
                    model.refuses = true;
                }
            }
            case 7 -> {
                if (server.stats().loops().size() == 1) {
                    run.log("the next socket that is accepted cannot be used");
                    network.proactor(0).failNext(TrialProactor.Call.ADOPT, new NetworkException("adopt", null, ErrorCode.ENOMEM));
                    model.failsAdopting = true;
                }
            }
            case 6 -> {
                // A shortage that lasts: each of many attempts in a row fails.
                leaveDescriptors(run, network, model, 0);
                clients.add(TrialClient.connect(run, run.address));
                model.waiting++;
                settle(run, network, server, model, clients);
                for (int i = random.between(1, 12); i > 0 && model.nextDeadline() != Loop.NO_DEADLINE && !run.hasFailed(); i--) {
                    pass(run, network, model.nextDeadline() - network.now());
                    settle(run, network, server, model, clients);
                }
            }
            default -> {
                long next = model.nextDeadline();
                pass(run, network, next == Loop.NO_DEADLINE || random.chance(20) ? random.logUniform(1, 3_000 * MILLI)
                        : next - network.now() - random.number(0, 0, 0, 1));
            }
        }
    }

    private static void pass(TrialRun run, TrialNetwork network, long nanos) {
        long by = Math.max(0, nanos);
        run.log(ReportText.duration(by) + " pass");
        network.pass(by);
    }

    private static void leaveDescriptors(TrialRun run, TrialNetwork network, Model model, int left) {
        int used = network.host().openDescriptors();
        int limit = Math.max(highestDescriptor(network) + 1, FIRST_DESCRIPTOR + used + left);
        network.host().descriptorLimit(limit);
        model.free = limit - FIRST_DESCRIPTOR - used;
        run.log(model.free + " descriptors are left");
    }

    private static int highestDescriptor(TrialNetwork network) {
        int highest = 0;
        for (String each : network.host().describeDescriptors().split(", ", -1)) {
            highest = Math.max(highest, Integer.parseInt(each.substring(0, each.indexOf(':'))));
        }
        return highest;
    }

    private static void check(TrialRun run, TrialNetwork network, Server server, Model model) {
        run.same(Rule.CAPS, "accepted", server.stats().total().accepted(), model.accepted);
        run.same(Rule.CAPS, "connections", server.stats().total().connections(), model.connections);
        run.same(Rule.GAUGES, "failed accepts", server.stats().total().acceptFailures(), model.acceptFailures);
        run.same(Rule.GAUGES, "the state of the listener", server.listeners().getFirst().state(), model.state());
        long next = network.nextDeadline(0);
        if (next != model.nextDeadline()) {
            run.fail(Rule.DEADLINES, "the next attempt to accept is " + text(network, next) + " instead of "
                    + text(network, model.nextDeadline()));
        }
        if (model.backedOff) {
            run.reached("BACKED_OFF");
        }
    }

    private static String text(TrialNetwork network, long deadline) {
        return deadline == Loop.NO_DEADLINE ? "never" : "in " + ReportText.duration(deadline - network.now());
    }

    /** Clients that wait are accepted if there is room for them, and their connections end in order. */
    private static void drain(TrialRun run, TrialNetwork network, Server server, Model model, List<TrialClient> clients)
            throws IOException {
        int late = run.random.between(0, 3);
        for (int i = 0; i < late; i++) {
            clients.add(TrialClient.connect(run, run.address));
            model.waiting++;
        }
        run.log("the server drains, while " + model.waiting + " clients wait");
        if (run.random.chance(50)) {
            network.host().descriptorLimit(1 << 20);
            model.free = PLENTY;
        }
        server.drain(Duration.ofSeconds(10));
        network.settle();
        model.acceptWaiting(network.now()); // in the turn in which the drain starts
        while (model.waiting > 0 && !model.reached && model.free > 0) {
            model.accept(network.now());
        }
        removeUnusable(run, model, clients);
        run.same(Rule.ENDS, "accepted by a draining server", server.stats().total().accepted(), model.accepted);
        for (int i = 0; i < clients.size(); i++) {
            TrialClient client = clients.get(i);
            client.readAll();
            run.same(Rule.ENDS, "client " + i + " of a draining server", client.end(),
                    i < model.connections ? "ended" : "ECONNRESET");
            client.close();
        }
        network.settle();
        run.same(Rule.ENDS, "the server has drained", server.isClosed(), true);
    }
}
