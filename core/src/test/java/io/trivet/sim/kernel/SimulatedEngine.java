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

/** The simulated network, without faults and latency, answering as one of the kernel's engines does. */
final class SimulatedEngine {
    static final InetAddress HOST = InetAddress.ofLiteral("127.0.0.1");
    /** What Linux gives a connection over loopback: about so much to send, and to receive at least so much. */
    static final int SEND_BYTES = 1 << 21;
    static final int RECEIVE_BYTES = 1 << 16;

    private SimulatedEngine() {}

    /** Performs a script; where buffers fill, what the kernel leaves open is decided as it decided. */
    static Performance perform(Script script, RealEngine engine, Performance real, UnaryOperator<KernelAccounting.Accounts> clerk)
            throws IOException {
        SimNetwork network = SimNetwork.of(script.seed(), FaultPlan.none(), view(engine));
        network.buffers(SEND_BYTES, RECEIVE_BYTES);
        Follower follower = script.buffersFill() ? new Follower(KernelAccounting.decidesFor(network), real.answers(), clerk)
                : null;
        Settling settling = follower == null ? held -> true : follower;
        try (Actor actor = new Actor(network, HOST, settling, engine.isNio())) {
            List<Answer> answers = actor.perform(script.steps(), follower == null ? index -> {} : follower::begin);
            return new Performance(follower == null ? answers : follower.withObjections(answers), 0, answers.size());
        }
    }

    private static SimEngine view(RealEngine engine) {
        return switch (engine.name()) {
            case "epoll" -> SimEngine.EPOLL;
            case "poll" -> SimEngine.POLL;
            default -> SimEngine.SELECT;
        };
    }

    /** Tells the simulation step by step what the kernel did. */
    private static final class Follower implements Settling {
        private final KernelAccounting dictated;
        private final List<Answer> real;
        private final UnaryOperator<KernelAccounting.Accounts> clerk;
        private final List<@Nullable String> objections = new ArrayList<>();
        private int index;

        Follower(KernelAccounting dictated, List<Answer> real, UnaryOperator<KernelAccounting.Accounts> clerk) {
            this.clerk = clerk;
            this.dictated = dictated;
            this.real = real;
        }

        void begin(int step) {
            index = step;
            dictated.taken(Math.max(0, real.get(step).taken()));
        }

        @Override
        public boolean settle(@Nullable Held[] held) {
            Answer answer = real.get(index);
            for (int slot = Slot.FIRST_CLIENT; slot < Slot.FIRST_DATAGRAM; slot++) {
                Held one = held[slot];
                KernelAccounting.Accounts accounts = answer.accounts()[slot];
                if (one != null && !one.closed && accounts != null) {
                    dictated.accounts(one.stream(), clerk.apply(accounts));
                }
            }
            for (int slot = Slot.FIRST_CLIENT; slot < Slot.FIRST_DATAGRAM; slot++) {
                Held one = held[slot];
                if (one != null && one.peer != null && !one.peer.closed) {
                    dictated.arrived(one.stream(), answer.arrived()[slot]);
                } else if (one != null) {
                    dictated.arrivalUnknown(one.stream());
                }
            }
            for (int slot = Slot.FIRST_CLIENT; slot < Slot.FIRST_DATAGRAM; slot++) {
                Held one = held[slot];
                if (one != null && !one.closed && answer.lists()[slot] >= 0) {
                    dictated.urgent(one.stream(), (answer.lists()[slot] & Interest.PRIORITY) != 0);
                    dictated.readable(one.stream(), (answer.lists()[slot] & Interest.READ) != 0,
                            (answer.events()[slot] & Interest.READ) != 0);
                    dictated.room(one.stream());
                }
            }
            objections.add(dictated.objection());
            return true;
        }

        List<Answer> withObjections(List<Answer> answers) {
            List<Answer> all = new ArrayList<>();
            for (int i = 0; i < answers.size(); i++) {
                String objection = objections.get(i);
                all.add(objection == null ? answers.get(i) : answers.get(i).objecting(objection));
            }
            return all;
        }
    }
}
