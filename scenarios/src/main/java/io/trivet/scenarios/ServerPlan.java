package io.trivet.scenarios;

import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.sim.SimEngine;
import java.util.List;

/**
 * One server of a scenario.
 *
 * @param number its number in the scenario
 * @param engine the engine that its host simulates
 * @param loops the number of its loops
 * @param framing how its messages are framed
 * @param overflow its overflow policy
 * @param limits its limits
 * @param urgent true if it watches for urgent data
 * @param backlog the backlog of its listener
 * @param descriptorLimit the descriptors that its host may have; 0 for the default
 * @param greetings the messages that it sends to each new connection
 * @param pureEcho true if it sends back every piece as it arrives, and nothing else; only with raw framing
 * @param endOfInput what it does when a client has ended its output
 * @param reactions what else its application does without a request
 * @param listeners where it listens
 */
record ServerPlan(int number, SimEngine engine, int loops, ClientFraming framing, Overflow overflow, Limits limits,
        boolean urgent,
        int backlog, int descriptorLimit, int greetings, boolean pureEcho, EndOfInputReaction endOfInput,
        List<ReactionPlan> reactions, Listeners listeners) {
    ServerPlan withLimits(Limits others) {
        return new ServerPlan(number, engine, loops, framing, overflow, others, urgent, backlog, descriptorLimit, greetings,
                pureEcho, endOfInput, reactions, listeners);
    }

    ServerPlan withFraming(ClientFraming other) {
        return new ServerPlan(number, engine, loops, other, overflow, limits, urgent, backlog, descriptorLimit, greetings,
                pureEcho, endOfInput, reactions, listeners);
    }

    ServerPlan withReactions(List<ReactionPlan> others) {
        return new ServerPlan(number, engine, loops, framing, overflow, limits, urgent, backlog, descriptorLimit, greetings,
                pureEcho, endOfInput, others, listeners);
    }

    ServerPlan withOverflow(Overflow other) {
        return new ServerPlan(number, engine, loops, framing, other, limits, urgent, backlog, descriptorLimit, greetings,
                pureEcho, endOfInput, reactions, listeners);
    }

    ServerPlan with(Listeners other) {
        return new ServerPlan(number, engine, loops, framing, overflow, limits, urgent, backlog, descriptorLimit, greetings,
                pureEcho, endOfInput, reactions, other);
    }
}
