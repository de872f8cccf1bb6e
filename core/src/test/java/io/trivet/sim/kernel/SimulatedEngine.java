package io.trivet.sim.kernel;

import io.trivet.net.Interest;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.KernelAccounting;
import io.trivet.sim.SimEngine;
import io.trivet.sim.SimNetwork;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Runs scripts on the simulated network, without faults and latency, in the view of one of the real engines. */
final class SimulatedEngine {
    static final InetAddress HOST = InetAddress.ofLiteral("127.0.0.1");
    /** The buffers that Linux gives a loopback connection: about this much for sending, and at least this much for receiving. */
    static final int SEND_BYTES = 1 << 21;
    static final int RECEIVE_BYTES = 1 << 16;

    private SimulatedEngine() {}

    /** Runs a script. If it fills buffers, decisions that are up to the kernel are copied from the real run. */
    static ScriptResult run(Script script, RealEngine engine, ScriptResult real,
            UnaryOperator<KernelAccounting.Accounts> recordsMutation)
            throws IOException {
        SimNetwork network = SimNetwork.of(script.seed(), FaultPlan.none(), view(engine));
        network.buffers(SEND_BYTES, RECEIVE_BYTES);
        KernelDecisions decisions = script.buffersFill()
                ? new KernelDecisions(KernelAccounting.decidesFor(network), real.outcomes(), recordsMutation)
                : null;
        Settler settler = decisions == null ? slots -> true : decisions;
        try (ScriptRunner runner = new ScriptRunner(network, HOST, settler, engine.isNio())) {
            List<Outcome> outcomes = runner.run(script.steps(), decisions == null ? index -> {} : decisions::beginStep);
            return new ScriptResult(decisions == null ? outcomes : decisions.withObjections(outcomes), 0, outcomes.size());
        }
    }

    private static SimEngine view(RealEngine engine) {
        return switch (engine.name()) {
            case "epoll" -> SimEngine.EPOLL;
            case "poll" -> SimEngine.POLL;
            default -> SimEngine.SELECT;
        };
    }

    /** Replays, step by step, the decisions that the kernel made in the real run. */
    private static final class KernelDecisions implements Settler {
        private final KernelAccounting accounting;
        private final List<Outcome> real;
        private final UnaryOperator<KernelAccounting.Accounts> recordsMutation;
        private final List<@Nullable String> objections = new ArrayList<>();
        private int index;

        KernelDecisions(KernelAccounting accounting, List<Outcome> real,
                UnaryOperator<KernelAccounting.Accounts> recordsMutation) {
            this.recordsMutation = recordsMutation;
            this.accounting = accounting;
            this.real = real;
        }

        void beginStep(int step) {
            index = step;
            accounting.taken(Math.max(0, real.get(step).accepted()));
        }

        @Override
        public boolean settle(@Nullable TrackedSocket[] slots) {
            Outcome outcome = real.get(index);
            for (int slot = Slot.FIRST_CLIENT; slot < Slot.FIRST_DATAGRAM; slot++) {
                TrackedSocket tracked = slots[slot];
                KernelAccounting.Accounts accounts = outcome.accounts()[slot];
                if (tracked != null && !tracked.closed && accounts != null) {
                    accounting.accounts(tracked.stream(), recordsMutation.apply(accounts));
                }
            }
            for (int slot = Slot.FIRST_CLIENT; slot < Slot.FIRST_DATAGRAM; slot++) {
                TrackedSocket tracked = slots[slot];
                if (tracked != null && tracked.peer != null && !tracked.peer.closed) {
                    accounting.arrived(tracked.stream(), outcome.arrived()[slot]);
                } else if (tracked != null) {
                    accounting.arrivalUnknown(tracked.stream());
                }
            }
            for (int slot = Slot.FIRST_CLIENT; slot < Slot.FIRST_DATAGRAM; slot++) {
                TrackedSocket tracked = slots[slot];
                if (tracked != null && !tracked.closed && outcome.lists()[slot] >= 0) {
                    accounting.urgent(tracked.stream(), (outcome.lists()[slot] & Interest.PRIORITY) != 0);
                    accounting.readable(tracked.stream(), (outcome.lists()[slot] & Interest.READ) != 0,
                            (outcome.events()[slot] & Interest.READ) != 0);
                    accounting.room(tracked.stream());
                }
            }
            objections.add(accounting.objection());
            return true;
        }

        List<Outcome> withObjections(List<Outcome> outcomes) {
            List<Outcome> all = new ArrayList<>();
            for (int i = 0; i < outcomes.size(); i++) {
                String objection = objections.get(i);
                all.add(objection == null ? outcomes.get(i) : outcomes.get(i).withObjection(objection));
            }
            return all;
        }
    }
}
